"""The guards: rules that check steps, texts and values. Pure functions that return findings and never raise.

The entry points are in ``check``. Rules are in ``rules/``, one or two files a layer; the id of a rule is its layer
and its name (``variables.unknown``), and ``catalogue.RULES`` lists all. A rule checks a text in several views
(``views``): as written, with tags and entities removed, with lookalike letters folded, and so on. A finding's span
is always in the text as written.
"""
