"""The one list of vendors. Another one is a folder beside these, with description and adapter, and its name here.

Nothing is imported here but the descriptions: names and titles are needed at every start, adapters at few.
"""

from __future__ import annotations

from collections.abc import Callable

from sequences_mcp.vendors import clarky, kalent, topo
from sequences_mcp.vendors.description import VendorDescription

DESCRIPTIONS: dict[str, VendorDescription] = {
    vendor.DESCRIPTION.name: vendor.DESCRIPTION for vendor in (kalent, clarky, topo)
}
"""By name, in the order in which settings and tools name them."""


def titles(
    wanted: Callable[[VendorDescription], object] = bool, *, last: str = "and", owning: bool = False
) -> str:
    """Return the titles of the vendors that are wanted in words: ``Kalent, Clarky and Topo``; with ``owning``,
    ``Kalent's, Clarky's and Topo's``.
    """
    ending = "'s" if owning else ""
    names = [f"{vendor.title}{ending}" for vendor in DESCRIPTIONS.values() if wanted(vendor)]
    return f" {last} ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def vendors_with_tool(tool: str) -> tuple[str, ...]:
    """Return the names of the vendors that have something only this tool can do."""
    return tuple(vendor.name for vendor in DESCRIPTIONS.values() if tool in vendor.tools)
