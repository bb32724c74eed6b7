"""Domains that are not what they look like: the form that goes over the wire is shown beside what is written.

Letters of other scripts look like Latin ones (UTS 39, "Unicode Security Mechanisms"): with a Cyrillic letter in
it, a name is another domain. Every domain in an address or a link that is not plain ASCII is shown twice, since a
person cannot tell which of them to look at.
"""

from __future__ import annotations

import re

from sequences_mcp.domain.addresses import host_key

_LABELS = r"(?:[\w-]{1,63}[.\u3002\uff0e\uff61]){1,8}[\w-]{2,63}(?![\w⟨-])"
_HOST = re.compile(rf"(?<=[@/])(?<![^:/@]/){_LABELS}|\bwww\.{_LABELS}")


def with_wire_forms(text: str) -> str:
    """Return the text with ``⟨xn--…⟩`` after each domain of an address or a link that is not plain ASCII."""
    return text if text.isascii() else _HOST.sub(_both, text)


def _both(found: re.Match[str]) -> str:
    host = found[0]
    wire = host if host.isascii() else host_key(host)
    return f"{host}⟨{wire}⟩" if wire.isascii() and wire != host.lower() else host
