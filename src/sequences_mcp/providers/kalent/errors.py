"""Kalent's refusals: both published error shapes and every published code, each with its remedy.

Pages "Authentication" and "Start sequence blueprint".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sequences_mcp.domain.secret import Secret
from sequences_mcp.errors import (
    ChannelNotConnectedError,
    InsufficientCreditsError,
    PlanUpgradeError,
    ProviderRejectedError,
    ProviderUnavailableError,
    SequencesError,
)
from sequences_mcp.providers.kalent import limits
from sequences_mcp.providers.lenient import Row, inner, is_row, rest, text
from sequences_mcp.providers.refusal import made
from sequences_mcp.providers.vendor import Refusal, Vendor, Words
from sequences_mcp.providers.vendor_text import MESSAGE, on_one_line

BILLING = "https://app.kalent.ai/settings/billing"


class Remedy(NamedTuple):
    """Our error for one code: what is wrong, and what a person can do."""

    kind: type[SequencesError]
    message: str
    next_step: str
    link: str | None = None


_CONNECT = "Connect it in Kalent's settings, wait until it is synced, then start again."
BY_DETAIL: Mapping[str, Remedy] = {
    "linkedin_not_connected_or_syncing": Remedy(
        ChannelNotConnectedError, "Kalent has no LinkedIn account that is connected and synced.", _CONNECT
    ),
    "whatsapp_not_connected_or_syncing": Remedy(
        ChannelNotConnectedError, "Kalent has no WhatsApp account that is connected and synced.", _CONNECT
    ),
    "email_not_connected_or_syncing": Remedy(
        ChannelNotConnectedError,
        "Kalent has no mailbox (Gmail, Outlook or IMAP) that is connected and synced.",
        _CONNECT,
    ),
    "linkedin_inmail_not_available": Remedy(
        ChannelNotConnectedError,
        "The LinkedIn account connected to Kalent cannot send InMail.",
        "Connect one with Recruiter or Sales Navigator, or use a LINKEDIN_MESSAGE step instead.",
    ),
}
BY_CODE: Mapping[str, Remedy] = {
    "plan_upgrade_required": Remedy(
        PlanUpgradeError,
        "This Kalent plan does not include it.",
        f"A person can subscribe or upgrade at {BILLING}.",
        BILLING,
    ),
    "insufficient_credits": Remedy(
        InsufficientCreditsError,
        "The Kalent workspace has no credits left for this.",
        f"A person can add credits at {BILLING}.",
        BILLING,
    ),
    "validation_error": Remedy(
        ProviderRejectedError,
        "Kalent found a field wrong.",
        "Nothing was done. `vendor_message` quotes which; check_blueprint names every rule a blueprint breaks.",
    ),
    "missing_enrich_providers": Remedy(
        ProviderRejectedError,
        "No enrichment provider is set up in the Kalent workspace.",
        "A person can set one up in Kalent's settings.",
    ),
    "temporal_unavailable": Remedy(
        ProviderUnavailableError,
        "Kalent's workflow engine is not available.",
        "Try again in a few minutes.",
    ),
}


def words(body: object) -> Words:
    """Return what an error body says, in the newer shape (an object) or the older one (a text)."""
    if not is_row(body):
        return Words()
    said = body.get("error")
    if isinstance(said, str):
        return Words(message=on_one_line(said, MESSAGE), request_id=text(body, "debugTrackingCode"))
    error = inner(body, "error")
    details = inner(error, "details")
    return Words(
        code=text(error, "code", limit=80),
        detail=text(details, "code", limit=80),
        message=text(error, "message", limit=MESSAGE),
        request_id=text(error, "debugTrackingCode") or text(body, "debugTrackingCode"),
        more=_more(details),
    )


def _more(details: Row) -> dict[str, object]:
    return rest(details, ("code",))


def explain(refusal: Refusal) -> SequencesError | None:
    """Return our error for a published code, or None where the HTTP status says enough."""
    said = refusal.words
    remedy = BY_DETAIL.get(said.detail or "") or BY_CODE.get(said.code or "")
    if remedy is None and (said.detail or "").endswith("_not_connected_or_syncing"):
        remedy = Remedy(ChannelNotConnectedError, "An account Kalent needs is not connected and synced.", _CONNECT)
    if remedy is None:
        return None
    return made(remedy.kind, refusal, remedy.message, next_step=remedy.next_step, link=remedy.link)


def _sign(key: Secret) -> dict[str, str]:
    return {"x-api-key": key.value}


KALENT = Vendor(
    name="kalent",
    base_url=limits.BASE_URL,
    sign=_sign,
    words=words,
    explain=explain,
)
