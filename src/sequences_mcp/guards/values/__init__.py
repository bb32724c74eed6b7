"""The fourth moment: what a contact's own data may look like before a text that holds it leaves unseen.

A value is data. It is never looked at as a template again, and one that looks like a leftover of a template is
held and shown.
"""
