"""The embedded provider: a pure machine, a store on one SQLite file, a scheduler, channels."""
