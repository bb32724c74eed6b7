"""Text or steps in, findings out: pure functions that never raise, never rewrite and do no I/O.

Rules stand in ``rules/``, a file or two a layer; the id of a rule is its layer and its name
(``variables.unknown``). The list of all is ``catalogue.RULES``; the entry points are in ``check``.
"""
