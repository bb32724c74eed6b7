"""The panel as the MCP Inspector's own check of apps sees it, where the Inspector is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.secrecy.hearing import heard

from sequences_mcp.server.panel import URI


def test_the_inspector_finds_the_panel_where_it_is_declared(tmp_path: Path) -> None:
    inspector, node = os.environ.get("MCP_INSPECTOR"), os.environ.get("NODE_22")
    if not inspector or not node:
        pytest.skip("MCP_INSPECTOR and NODE_22 do not name the Inspector and the node it needs")
    server = [sys.executable, "-m", "sequences_mcp"]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "MCP_INSPECTOR_SECRET_STORE": "memory",
        "SEQUENCES_DATA_DIR": str(tmp_path / "data"),
    }
    command = [node, inspector, "--cli", *server, "--method", "tools/list", "--app-info", "--format", "json"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    said = heard("the Inspector", ran.stdout)
    found = {one["toolName"]: one for one in map(json.loads, said.splitlines())}
    apps = {name for name, one in found.items() if one["hasApp"]}
    assert apps == {"start_sequence", "list_reviews", "show_plan", "decide_plan"}
    for name in apps:
        assert found[name]["resourceUri"] == URI
        assert found[name]["resourceMimeType"] == "text/html;profile=mcp-app"
        assert found[name]["csp"]["connectDomains"] == []
    assert [found[name].get("visibility") for name in ("show_plan", "list_reviews")] == [["app"], None]
