"""Signing in at mail servers with OAuth 2.0: clients, what a person granted, and access tokens made from it."""
