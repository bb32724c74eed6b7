"""How the planted vendor's API would be spoken to."""

from __future__ import annotations

from sequences_mcp.vendors.pigeon import DESCRIPTION

from sequences_mcp.domain.sender import Secret
from sequences_mcp.vendors.outcome import VendorApi, VendorWords


def _sign(key: Secret) -> dict[str, str]:
    return {"Authorization": f"Bearer {key.value}"}


PIGEON = VendorApi(
    description=DESCRIPTION, sign=_sign, words=lambda body: VendorWords(), explain=lambda refusal: None
)
