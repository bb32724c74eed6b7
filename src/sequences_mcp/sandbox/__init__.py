"""Kalent's, Clarky's and Topo's REST APIs on loopback, for trying the product without an account.

Written from the vendors' published pages alone and sharing nothing with the adapters but the domain, so that the
one can be tested against the other. Where a page is silent the code says which answer was chosen.
"""
