"""The embedded provider: a pure machine, a worker over the store, a calendar, channels."""
