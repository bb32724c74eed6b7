"""This server in the chat clients' files: which clients there are, what is written, how it is taken out."""
