"""Clarky's refusals (page "Errors"): ``{"error": {"code", "message", "details"}}``."""

from __future__ import annotations

from sequences_mcp.domain.secret import Secret
from sequences_mcp.errors import ProviderForbiddenError, ProviderRejectedError, SequencesError
from sequences_mcp.providers.clarky import limits
from sequences_mcp.providers.lenient import inner, is_row, rest, text
from sequences_mcp.providers.refusal import made
from sequences_mcp.providers.vendor import Refusal, Vendor, Words
from sequences_mcp.providers.vendor_text import MESSAGE


def words(body: object) -> Words:
    """Return what an error body says."""
    error = inner(body, "error") if is_row(body) else {}
    details = inner(error, "details")
    return Words(
        code=text(error, "code", limit=80),
        detail=text(details, "field", limit=80),
        message=text(error, "message", limit=MESSAGE),
        more=rest(details, ("field",)),
    )


def explain(refusal: Refusal) -> SequencesError | None:
    """Return our error for a code that says more than its status, or None."""
    code, field = refusal.words.code, refusal.words.detail
    if refusal.status == 403:
        return made(
            ProviderForbiddenError,
            refusal,
            f"Clarky does not allow this key to {refusal.request.what}.",
            next_step="Writes need a key with the scope `write`; sequences over the API also need the plan "
            "Standard or a higher one. Clarky does not document which of the two it means.",
        )
    if code == "validation_error" and field == "bot_id":
        return made(
            ProviderRejectedError,
            refusal,
            "Clarky needs a valid `bot_id`: the template names no bot, or the one given is not in this workspace.",
            next_step="The operator sets an agent of it in CLARKY_BOT_ID, or names one in the template.",
        )
    if code == "validation_error" and (field or "").startswith("contact"):
        return made(
            ProviderRejectedError,
            refusal,
            "Clarky cannot use this contact.",
            next_step="Give an address or a phone number (E.164) for a channel that the template uses.",
        )
    return None


def _sign(key: Secret) -> dict[str, str]:
    return {"Authorization": f"Bearer {key.value}"}


CLARKY = Vendor(
    name="clarky",
    base_url=limits.BASE_URL,
    sign=_sign,
    words=words,
    explain=explain,
    reads_per_minute=limits.READS_A_MINUTE,
    writes_per_minute=limits.WRITES_A_MINUTE,
)
