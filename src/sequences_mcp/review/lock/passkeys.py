"""Passkeys: an approval as a WebAuthn signature over the digest that was approved.

A key is registered with a one-time code that only the terminal prints, after the passphrase was given. From then
on every approval needs a signature whose challenge is the approved digest
(https://www.w3.org/TR/webauthn-3/#sctn-verifying-assertion), and it is verified again before each send. The
relying party is the host of the page's origin: its own name, or ``localhost`` whatever the port, so that a page on
another port can obtain a signature as well. What tells them apart is the origin, which is part of what the browser
signs: it is stored with the signature and has to be one at which this page was unlocked, on any host that shares
the database. A key that somebody registered who had signed in is theirs alone. Not covered: a program that can
write where the keys are kept (``ports.safekeeping``) can replace one.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sequences_mcp.errors import ApprovalError
from sequences_mcp.lazy_dataclasses import asdict, dataclass, replace
from sequences_mcp.ports.safekeeping import KeptRecord, Safekeeping
from sequences_mcp.review.lock import passphrase
from sequences_mcp.review.page import serving

LOOPBACK = "localhost"
CODE_LASTS = timedelta(minutes=10)
SET_BACK = timedelta(minutes=1)  # tolerance for a clock that was corrected backwards since the code was made
CODE_TRIES = 5
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
UNSIGNED = "it is not signed with a registered passkey"


@dataclass(frozen=True, slots=True)
class Passkey:
    """One registered key: ``id`` in base64url, ``public_key`` in COSE as hexadecimal.

    ``origins`` are the origins of the page at which the key was registered or has approved since. Versions before
    origins were stored left them out: such a key is valid at the last address of the page of its data folder,
    until it approves again. ``owner`` is the subject of whoever had signed in when it was registered.
    """

    id: str
    public_key: str
    registered_at: str
    origins: tuple[str, ...] = ()
    owner: str = ""

    @property
    def since(self) -> datetime | None:
        """When it was registered, where the record says so."""
        return datetime.fromisoformat(self.registered_at) if self.registered_at else None

    @property
    def host(self) -> str:
        """The host that it signs for, its relying party."""
        return host_of(self.origins[0]) if self.origins else LOOPBACK

    @property
    def record(self) -> dict[str, object]:
        """The key as it is stored; versions that know no owners read one that has none."""
        return {name: value for name, value in asdict(self).items() if name != "owner" or value}

    def is_for(self, origin: str, *, owner: str) -> bool:
        """Say whether it can sign at an origin for a person; ``owner`` is empty where nobody signs in."""
        return self.host == host_of(origin) and self.owner == owner


def registered(safe: Safekeeping) -> tuple[Passkey, ...]:
    """Return the keys; ApprovalError when they cannot be read, since no signature can be verified then."""
    try:
        return _keys(safe.read(KeptRecord.PASSKEYS))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ApprovalError(
            f"{safe.title(KeptRecord.PASSKEYS)} cannot be read.",
            next_step="Put it back from a copy, or register the passkey anew.",
        ) from error


def _keys(text: str | None) -> tuple[Passkey, ...]:
    known = () if text is None else json.loads(text)
    return tuple(Passkey(**{**record, "origins": tuple(record.get("origins", ()))}) for record in known)


def signature_problem(safe: Safekeeping, digest: str, signature: str | None) -> str | None:
    """Return why an approval of a digest does not count, or None.

    Where no passkey is registered an unsigned approval counts; a signature always has to be a registered key's.
    """
    try:
        keys = registered(safe)
    except ApprovalError as error:
        return error.message
    if signature is None:
        return UNSIGNED if keys else None
    return None if _is_signed(keys, digest, signature, home=serving.address(safe.workspace, "")) else UNSIGNED


def host_of(origin: str) -> str:
    """Return the host of an origin, nothing where it has none."""
    return urlsplit(origin).hostname or ""


def signature_record(credential: str, *, origin: str) -> str:
    """Return a browser's signed credential as it is stored: JSON with the origin of the page that received it."""
    return json.dumps({"origin": origin, "credential": credential})


def admit_code(safe: Safekeeping, *, origin: str) -> None:
    """Add this page's origin to every key of its host; call it only after the person's presence was verified."""

    def admitted(key: Passkey) -> Passkey:
        if key.host != host_of(origin):
            return key
        return replace(key, origins=tuple(dict.fromkeys((*key.origins, origin))))

    if any(admitted(key) != key for key in registered(safe)):
        _change(safe, lambda keys: map(admitted, keys))


def is_signed_by(safe: Safekeeping, credential: str, *, owner: str) -> bool:
    """Say whether a browser's signed credential names a registered key of this person."""
    try:
        key_id = json.loads(credential)["id"]
    except (ValueError, KeyError, TypeError):
        return False
    return any(key.id == key_id and key.owner == owner for key in registered(safe))


def _is_signed(keys: tuple[Passkey, ...], digest: str, signature: str, *, home: str | None) -> bool:
    from webauthn import verify_authentication_response
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        stored = json.loads(signature)
        origin, credential = str(stored["origin"]), json.loads(stored["credential"])
        key = next((candidate for candidate in keys if candidate.id == credential["id"]), None)
        if key is None or origin not in (key.origins or (home,)) or _is_framed(credential):
            return False
        verify_authentication_response(
            credential=credential,
            expected_challenge=bytes.fromhex(digest),
            expected_rp_id=host_of(origin),
            expected_origin=origin,
            credential_public_key=bytes.fromhex(key.public_key),
            # Not a protection here: synced passkeys always report 0, and the same signature is verified again
            # before each send.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError, AttributeError):
        return False
    return True


def _is_framed(credential: Mapping[str, Any]) -> bool:
    """Say whether the signature was made inside another site's page (WebAuthn 3, 5.8.1)."""
    facts = json.loads(_bytes(credential["response"]["clientDataJSON"]))
    return facts.get("crossOrigin") is True or "topOrigin" in facts


def new_code(
    safe: Safekeeping, record: KeptRecord, *, now: datetime, derivation: passphrase.Derivation | None = None
) -> str:
    """Return a one-time code to be typed on the page within ten minutes; its scrypt hash is kept as ``record``.

    ``derivation`` is how it is hashed, where that is not the present way with a new salt.
    """
    code = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    hashed = passphrase.hashed_passphrase(code, derivation)
    facts = {**hashed, "until": (now + CODE_LASTS).isoformat(), "left": CODE_TRIES}
    safe.write(record, json.dumps(facts))
    return f"{code[:5]}-{code[5:]}"


def check_code(
    safe: Safekeeping,
    record: KeptRecord,
    given: str,
    *,
    now: datetime,
    step: str = "sequences-mcp review add-passkey",
) -> None:
    """Return when the code of ``record`` is right and still valid, else raise ApprovalError; it allows five tries.

    ``step`` is the command that prints a code.
    """
    facts: dict[str, Any] = {}

    def with_a_try_less(text: str | None) -> str:
        known = json.loads(text or "")
        until = datetime.fromisoformat(known["until"])
        # An end further away than CODE_LASTS means that the code was made while the clock was ahead: it is
        # refused.
        if not now < until <= now + CODE_LASTS + SET_BACK or known["left"] <= 0:
            raise ValueError("it is over")
        facts.update(known)
        return json.dumps({**known, "left": known["left"] - 1})

    try:
        # The try is counted before it is checked, so that ending the process in between gives no extra try.
        safe.change(record, with_a_try_less)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ApprovalError("There is no code that is still good.", next_step=f"Print one: {step}.") from error
    if not passphrase.is_hash_of(given.replace("-", "").replace(" ", "").upper(), facts):
        raise ApprovalError("The code is wrong.", next_step="Type the code that the terminal printed.")


def options(*, challenge: bytes, origin: str, name: str = "reviewer") -> dict[str, Any]:
    """Return the options for ``navigator.credentials.create``; ``name`` is whom the browser shows it for."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    made = generate_registration_options(
        rp_id=host_of(origin),
        rp_name="sequences-mcp",
        user_name=name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    facts: dict[str, Any] = json.loads(options_to_json(made))
    return facts


def register_passkey(
    safe: Safekeeping, credential: str, *, challenge: bytes, origin: str, now: datetime, owner: str = ""
) -> Passkey:
    """Store the key that a browser made for this challenge, and delete the code; else raise ApprovalError."""
    from webauthn import verify_registration_response
    from webauthn.helpers import bytes_to_base64url
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=host_of(origin),
            expected_origin=origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise ApprovalError(
            "The browser's answer is not a passkey made for this page.", next_step="Try again with a new code."
        ) from error
    key = Passkey(
        id=bytes_to_base64url(verified.credential_id),
        public_key=verified.credential_public_key.hex(),
        registered_at=now.isoformat(),
        origins=(origin,),
        owner=owner,
    )
    registered(safe)  # which says where keys are kept that cannot be read
    _change(safe, lambda keys: [*keys, key])
    safe.delete(KeptRecord.PASSKEY_CODE)
    return key


def _change(safe: Safekeeping, change: Callable[[tuple[Passkey, ...]], Iterable[Passkey]]) -> None:
    safe.change(KeptRecord.PASSKEYS, lambda text: json.dumps([key.record for key in change(_keys(text))]))


def _bytes(text: str) -> bytes:
    from webauthn import base64url_to_bytes

    return base64url_to_bytes(text)
