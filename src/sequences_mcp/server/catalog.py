"""What a tool declares, its compact schema, and the one list of tools."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mcp.server.mcpserver.tools import Tool
from mcp.types import Tool as ListedTool

from sequences_mcp.domain.ids import VENDORS
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.vendors.registry import titles, vendors_with_tool

if TYPE_CHECKING:
    from sequences_mcp.server.view import ResultView

NAMED = ("properties", "$defs", "patternProperties")


def compact(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON schema in fewer tokens, with the same meaning for a model.

    Removed are ``title`` (it repeats the name), the description of the whole (the model's docstring), ``null``
    beside another type and as a default (an absent argument says the same), and ``$defs``, which are written where
    they are used. Schemas must not be recursive.
    """
    definitions = schema.get("$defs", {})
    shown = {key: value for key, value in schema.items() if key not in ("$defs", "title", "description")}
    return {key: _part(key, value, definitions) for key, value in shown.items()}


def _part(key: str, value: Any, definitions: Mapping[str, Any]) -> Any:
    if key in NAMED:
        return {name: _schema(child, definitions) for name, child in value.items()}
    if key == "additionalProperties":
        return value  # in a free map null is a value of its own, not an absent argument
    if isinstance(value, list):
        return [_schema(item, definitions) for item in value]
    return _schema(value, definitions)


def _schema(value: Any, definitions: Mapping[str, Any]) -> Any:
    if not isinstance(value, Mapping):
        return value
    plain = _inlined(_without_null(value), definitions)
    return {
        key: _part(key, child, definitions)
        for key, child in plain.items()
        if key != "title" and not (key == "default" and child is None)
    }


def _inlined(value: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    name = str(value.get("$ref", "")).removeprefix("#/$defs/")
    if name not in definitions:
        return value
    target = {key: child for key, child in definitions[name].items() if key != "description"}
    return {**target, **{key: child for key, child in value.items() if key != "$ref"}}


def _without_null(value: Mapping[str, Any]) -> Mapping[str, Any]:
    alternatives = value.get("anyOf")
    if not isinstance(alternatives, list):
        return value
    alternatives_left = [alternative for alternative in alternatives if alternative != {"type": "null"}]
    if len(alternatives_left) != 1 or len(alternatives_left) == len(alternatives):
        return value
    return {**{key: child for key, child in value.items() if key != "anyOf"}, **alternatives_left[0]}


class Hints(NamedTuple):
    """MCP's four tool annotations, all of them set."""

    read_only: bool
    destructive: bool
    idempotent: bool
    open_world: bool


READ = Hints(read_only=True, destructive=False, idempotent=True, open_world=False)
WRITE = Hints(read_only=False, destructive=False, idempotent=False, open_world=False)
SEND = Hints(read_only=False, destructive=True, idempotent=False, open_world=True)
# For tools that can only hold messages back: they are never blocked (``Definition.safe``).
PAUSE = Hints(read_only=False, destructive=False, idempotent=True, open_world=False)
STOP = Hints(read_only=False, destructive=True, idempotent=True, open_world=False)


@dataclass(frozen=True, slots=True)
class Definition:
    """One tool. Its name is the handler's, its description the handler's docstring, its schemas the annotations.

    A handler that writes runs through the ledger: once for each ``idempotency_key``, an argument that is added to
    those of the handler. ``staged`` handlers do that themselves, because their effect takes several transactions;
    they take the key and the MCP context. A ``repeatable`` write does no harm when it is made twice at a vendor.
    ``distinguished_by`` names the argument that tells two writes on one thing of a vendor apart: only writes with
    the same value wait for one another. ``read_first`` returns the arguments read, before the transaction that
    carries out a write here, where reading many takes its time; with arguments that make it ``is_long``, that
    transaction runs in another thread, so that everything else goes on. A tool that ``moves_runs`` takes our id
    of a run at a vendor as well as the vendor's. ``meta`` is what a host reads beside the schema.
    """

    handler: Callable[..., Awaitable[ResultView]]
    title: str
    hints: Hints
    staged: bool = False
    repeatable: bool = False
    distinguished_by: str | None = None
    moves_runs: bool = False
    read_first: Callable[[Any, Mapping[str, Any]], Awaitable[dict[str, Any]]] | None = None
    is_long: Callable[[Mapping[str, Any]], bool] | None = None
    meta: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """The tool's name, which is also its file's."""
        return self.handler.__name__

    @property
    def safe(self) -> bool:
        """Whether the tool only holds messages back; such a tool is never blocked."""
        return self.hints in (PAUSE, STOP)

    @property
    def writes(self) -> bool:
        """Whether the tool can change anything."""
        return not self.hints.read_only


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
    "import_contacts",
    "export_data",
    "export_contact",
    "erase_contact",
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
    "list_replies",
    "draft_reply",
    "report",
    "list_reviews",
    "edit_draft",
    "list_tasks",
    "complete_task",
    "show_plan",
    "decide_plan",
)
VENDOR_TOOLS = {"list_sourcings": vendors_with_tool("list_sourcings"), "check_operation": tuple(VENDORS)}
INSTEAD = {  # what replaces the tool's name in advice where the tool is not listed; {} takes the id after it
    "list_sourcings": f"{titles(lambda vendor: 'list_sourcings' in vendor.tools, last='or')}'s own app",
    "check_operation": "a person at a terminal (sequences-mcp review resolve{})",
}
WIRE = Path(__file__).parent / "wire"


def tool_names(vendors: Collection[str] = ()) -> tuple[str, ...]:
    """Return the names of the tools, with those of the vendors that are connected."""
    return _names(frozenset(vendors))


@cache
def _names(vendors: frozenset[str]) -> tuple[str, ...]:
    more = (name for name, needed in VENDOR_TOOLS.items() if any(vendor in vendors for vendor in needed))
    return (*TOOLS, *more)


def needed_by(name: str) -> str:
    """Return in words the vendors of which one has to be connected for a tool of ``VENDOR_TOOLS``."""
    return titles(lambda vendor: vendor.name in VENDOR_TOOLS[name], last="or")


def listed_tools(vendors: Collection[str] = ()) -> list[ListedTool]:
    """Return the tools as a host sees them."""
    return [_listed(name) for name in tool_names(vendors)]


@cache
def _listed(name: str) -> ListedTool:
    return ListedTool.model_validate_json((WIRE / f"{name}.json").read_bytes())


def definition_of(name: str) -> Definition:
    """Return the ``TOOL`` of a tool's file."""

    definition = import_module(f"sequences_mcp.server.tools.{name}").TOOL
    assert isinstance(definition, Definition)
    return definition


def declared(name: str) -> ListedTool:
    """Return a tool as its file declares it; a test compares it with its file in ``wire/``."""
    from sequences_mcp.server.tool import declaration

    return declaration(definition_of(name))


@cache
def built(name: str) -> Tool:
    """Return the SDK's tool object; it has no state of a call, so one serves the whole process."""
    from sequences_mcp.server.tool import to_tool

    return to_tool(definition_of(name), listed=_listed(name))
