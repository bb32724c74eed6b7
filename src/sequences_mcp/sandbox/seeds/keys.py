"""The API keys of the sandbox: first the one that may do everything, then the ones that show a refusal.

They open nothing anywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping

from sequences_mcp.sandbox.world.whole import ApiKey, VendorName

TOPO_RESOURCES = ("contacts", "sequences", "contact_lists", "account_lists", "webhooks", "exclusions", "tasks")
TOPO_READS = frozenset({f"{resource}:read" for resource in (*TOPO_RESOURCES, "activities")})
TOPO_WRITES = frozenset({f"{resource}:write" for resource in TOPO_RESOURCES})


def _kalent(token: str, name: str, *lacks: str) -> ApiKey:
    return ApiKey(token=f"kalent_sandbox_{token}", name=name, lacks=frozenset(lacks))


def _clarky(token: str, name: str, *scopes: str, lacks: frozenset[str] = frozenset()) -> ApiKey:
    return ApiKey(token=f"ck_live_{token:0<30}", name=name, scopes=frozenset(scopes), lacks=lacks)


def _topo(token: str, name: str, scopes: frozenset[str]) -> ApiKey:
    return ApiKey(token=f"topo_sandbox_{token}", name=name, scopes=scopes)


KEYS: Mapping[VendorName, tuple[ApiKey, ...]] = {
    "kalent": (
        _kalent("full", "everything"),
        _kalent("no_plan", "no plan for outreach", "create_sourcings", "use_outreach_integrations"),
        _kalent("no_linkedin", "LinkedIn is not connected", "linkedin"),
        _kalent("no_email", "no mailbox is connected", "email"),
        _kalent("no_whatsapp", "WhatsApp is not connected", "whatsapp"),
        _kalent("no_inmail", "no InMail", "inmail"),
        _kalent("no_credits", "no credits left", "credits"),
        _kalent("no_enrichment", "no enrichment provider", "enrich_providers"),
    ),
    "clarky": (
        _clarky("sandboxFull", "everything", "read", "write"),
        _clarky("sandboxRead", "read only", "read"),
        _clarky("sandboxNoSequences", "a plan without sequences", "read", "write", lacks=frozenset({"sequences"})),
    ),
    "topo": (
        _topo("full", "everything", TOPO_READS | TOPO_WRITES),
        _topo("read", "read only", TOPO_READS),
        _topo("contacts", "contacts alone", frozenset({"contacts:read"})),
    ),
}
