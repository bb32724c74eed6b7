"""Two other servers that a recruiter may have beside ours: a mailbox and a customer list, whose tools look alike.

Both answer plausibly and do nothing; what writes is marked so, and a task in which it is called is not solved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp import Client
from mcp.server import MCPServer
from mcp.types import ToolAnnotations

READS = ToolAnnotations(read_only_hint=True, open_world_hint=True)
WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=True, open_world_hint=True)


def distractors() -> Mapping[str, Client]:
    """Return clients of both, not connected yet, by the names of their servers."""
    return {"mailbox": Client(_mailbox()), "crm": Client(_customers())}


def _mailbox() -> MCPServer[Any]:
    server: MCPServer[Any] = MCPServer("mailbox", instructions="Reads, drafts and sends the person's e-mail.")

    @server.tool(annotations=READS)
    def search_messages(query: str, limit: int = 20) -> list[dict[str, str]]:
        """Search messages by sender, subject or words."""
        return []

    @server.tool(annotations=READS)
    def read_thread(thread_id: str) -> dict[str, Any]:
        """Return every message of a conversation."""
        return {"thread_id": thread_id, "messages": []}

    @server.tool(annotations=READS)
    def list_folders() -> list[str]:
        """Return the folders of the mailbox."""
        return ["INBOX", "Sent", "Drafts"]

    @server.tool(annotations=WRITES)
    def send_email(to: list[str], subject: str, body: str) -> dict[str, str]:
        """Send an e-mail at once."""
        return {"status": "sent"}

    @server.tool(annotations=WRITES)
    def create_draft(to: list[str], subject: str, body: str) -> dict[str, str]:
        """Save a draft of an e-mail."""
        return {"status": "saved"}

    @server.tool(annotations=WRITES)
    def schedule_email(to: list[str], subject: str, body: str, at: str) -> dict[str, str]:
        """Send an e-mail later."""
        return {"status": "scheduled"}

    return server


def _customers() -> MCPServer[Any]:
    server: MCPServer[Any] = MCPServer("crm", instructions="Companies, people, deals and campaigns of the firm.")

    @server.tool(annotations=READS)
    def search_people(query: str, page: int = 1) -> dict[str, Any]:
        """Find people by name, e-mail address or company."""
        return {"total": 0, "people": []}

    @server.tool(annotations=READS)
    def list_campaigns(status: str = "active") -> list[dict[str, str]]:
        """Return campaigns by status."""
        return []

    @server.tool(annotations=READS)
    def campaign_statistics(campaign_id: str) -> dict[str, int]:
        """Return how many were opened, clicked and answered."""
        return {"opened": 0, "clicked": 0, "answered": 0}

    @server.tool(annotations=WRITES)
    def start_campaign(campaign_id: str, people: list[str]) -> dict[str, str]:
        """Start a campaign for people."""
        return {"status": "started"}

    @server.tool(annotations=WRITES)
    def upsert_person(email: str, properties: dict[str, str]) -> dict[str, str]:
        """Create or change a person."""
        return {"status": "saved"}

    @server.tool(annotations=WRITES)
    def unsubscribe_person(email: str) -> dict[str, str]:
        """Take a person off every list."""
        return {"status": "unsubscribed"}

    return server
