"""How an e-mail leaves: composed once, then handed to a mail server or written to a folder."""
