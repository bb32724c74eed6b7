"""The embedded provider: every capability of ``providers.port`` over one database.

Its methods are ``async`` to fit the port and never wait for anything, so that an effect can run inside one
transaction of the ledger.
"""
