"""Text or steps in, findings out: pure functions that never raise, never rewrite and do no I/O.

A rule is one small file and its id is its path (``variables.unknown`` is ``guards/variables/unknown.py``). The
list of all is ``catalogue.RULES``; the doors are in ``check``.
"""
