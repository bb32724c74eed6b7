"""The panel that shows a plan inside a chat: MCP Apps, extension ``io.modelcontextprotocol/ui``."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from mcp.server.apps import APP_MIME_TYPE, Apps, client_supports_apps
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.resources import FunctionResource

from sequences_mcp.errors import NotSupportedError

URI = "ui://sequences-mcp/plan.html"
FOLDER = Path(__file__).parent / "panel_page"
SHOWN: Mapping[str, Any] = {"ui": {"resourceUri": URI}}
APP_ONLY: Mapping[str, Any] = {"ui": {"resourceUri": URI, "visibility": ["app"]}}
_NOTHING: dict[str, Any] = {"connectDomains": [], "resourceDomains": [], "frameDomains": [], "baseUriDomains": []}


def extension() -> Apps:
    """Return the extension with the panel's document; the tools come from the catalogue."""
    apps = Apps()
    apps.add_resource(
        FunctionResource(
            uri=URI,
            name="plan.html",
            title="Plan",
            description="A plan with its exact texts, for a person to decide about.",
            mime_type=APP_MIME_TYPE,
            meta={"ui": {"csp": _NOTHING, "prefersBorder": True}},
            fn=document,
        )
    )
    return apps


def document() -> str:
    """Return the panel as one HTML document, with its script, its style and a policy that allows only these."""
    names = ("plan.html", "plan.css", "scrypt.js", "plan.js")
    page, style, derivation, panel = ((FOLDER / name).read_text(encoding="utf-8") for name in names)
    script = f"{derivation}\n{panel}"
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    for placeholder, text in (("/*policy*/", policy), ("/*style*/", style), ("/*script*/", script)):
        page = page.replace(placeholder, text)
    return page


def require_panel(ctx: Context[Any, Any]) -> None:
    """Raise NotSupportedError for a client without panels: there the call could only be a model's."""
    if not client_supports_apps(ctx):
        raise NotSupportedError(
            "This client shows no panels.", next_step="A person decides where list_reviews says, outside the chat."
        )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
