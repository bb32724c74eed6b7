"""The characters that properties draw texts of."""

from __future__ import annotations

from hypothesis import strategies as st

# All that UTF-8 can say, which is what ``st.text()`` and ``st.from_regex()`` draw of by themselves. They find out
# which these are by encoding every one, which takes 1.3 s in each process of a fresh clone.
CHARACTERS = st.characters(exclude_categories=["Cs"])
