"""The same server over Streamable HTTP: who calls, what a request has to be, what is logged and counted."""
