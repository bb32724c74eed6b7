"""The one list of tools.

What ``tools/list`` says is frozen in ``wire/``, one JSON file a tool, and served from there: a server has its list
ready without building a single schema, and a tool's module is imported when it is first called. A test holds
every file against what the tool's module declares.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from mcp.server.mcpserver.tools import Tool
from mcp.types import Tool as ListedTool

from sequences_mcp.domain.ids import VENDORS

if TYPE_CHECKING:
    from sequences_mcp.server.definition import Definition

TOOLS = (
    "list_providers",
    "list_blueprints",
    "get_blueprint",
    "check_blueprint",
    "create_blueprint",
    "update_blueprint",
    "preview_sequence",
    "find_contacts",
    "save_contacts",
    "start_sequence",
    "withdraw_plan",
    "retry_failed",
    "list_sequences",
    "get_sequence",
    "update_sequence",
    "pause_sequence",
    "resume_sequence",
    "stop_sequence",
    "suppress_contact",
    "record_reply",
    "list_reviews",
    "edit_draft",
    "list_tasks",
    "complete_task",
    "show_plan",
    "decide_plan",
)
VENDOR_TOOLS = {"list_sourcings": ("kalent",), "check_operation": tuple(VENDORS)}
INSTEAD = {  # who does it where such a tool is not served; an id that it was to be given comes after it
    "list_sourcings": "Kalent's own app",
    "check_operation": "a person at a terminal (sequences-mcp review settle{})",
}
WIRE = Path(__file__).parent / "wire"


def names(vendors: Collection[str] = ()) -> tuple[str, ...]:
    """Return the names of the tools, with those of the vendors that are connected."""
    more = (name for name, needed in VENDOR_TOOLS.items() if any(vendor in vendors for vendor in needed))
    return (*TOOLS, *more)


def listed(vendors: Collection[str] = ()) -> list[ListedTool]:
    """Return the tools as a host sees them."""
    return [ListedTool.model_validate_json((WIRE / f"{name}.json").read_bytes()) for name in names(vendors)]


def definition_of(name: str) -> Definition:
    """Return what the file of a tool declares."""
    from sequences_mcp.server.definition import Definition

    found = import_module(f"sequences_mcp.server.tools.{name}").TOOL
    assert isinstance(found, Definition)
    return found


def declared(name: str) -> ListedTool:
    """Return a tool as its file declares it: what its file in ``wire/`` must say."""
    tool = built(name)
    return ListedTool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.parameters,
        output_schema=tool.output_schema,
        annotations=tool.annotations,
        _meta=tool.meta,
    )


def built(name: str) -> Tool:
    """Return a tool ready to be called."""
    from sequences_mcp.server.tool import to_tool

    return to_tool(definition_of(name))
