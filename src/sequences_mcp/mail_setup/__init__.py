"""Connecting a mailbox: whose it is, what stands in settings.toml, and whether a message to oneself arrives."""
