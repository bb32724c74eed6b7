"""Topo's refusals (page "Errors and rate limits"): a flat object with ``status_code`` and ``type``."""

from __future__ import annotations

from sequences_mcp.domain.secret import Secret
from sequences_mcp.errors import ProviderConflictError, SequencesError
from sequences_mcp.providers.lenient import inner, is_row, rest, text
from sequences_mcp.providers.refusal import made
from sequences_mcp.providers.topo import limits
from sequences_mcp.providers.vendor import Refusal, Vendor, Words
from sequences_mcp.providers.vendor_text import MESSAGE


def words(body: object) -> Words:
    """Return what an error body says."""
    if not is_row(body):
        return Words()
    data = inner(body, "data")
    return Words(
        code=text(body, "type", limit=80),
        detail=text(data, "field", limit=80),
        message=text(body, "message", limit=MESSAGE),
        request_id=text(body, "request_id"),
        more=rest(data, ("field",)),
    )


def explain(refusal: Refusal) -> SequencesError | None:
    """Return our error where the type says more than the status: 401 and 403 share one, 422 is a state."""
    if refusal.status != 422:
        return None
    return made(
        ProviderConflictError,
        refusal,
        f"Topo did not {refusal.request.what}: what it is about does not allow it now.",
        next_step="Nothing was done. Read its present state first. A stop with the scope COMPANY needs a contact "
        "whose company is known; the scope CONTACT does not.",
    )


def _sign(key: Secret) -> dict[str, str]:
    return {"Authorization": f"Bearer {key.value}"}


TOPO = Vendor(
    name="topo",
    base_url=limits.BASE_URL,
    sign=_sign,
    words=words,
    explain=explain,
)
