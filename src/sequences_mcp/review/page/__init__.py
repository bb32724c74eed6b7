"""The review page on localhost: an ASGI app, its screens, and the server that listens for one data folder."""
