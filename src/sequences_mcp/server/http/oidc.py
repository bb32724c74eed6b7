"""Signing in at an OpenID Connect provider, by the code flow with PKCE, as a client of its own.

Core 1.0 (https://openid.net/specs/openid-connect-core-1_0.html), RFC 7636 (PKCE), RFC 9207 (``iss`` in answers).
The tokens are looked at once, for who came, and forgotten: nothing is done with them afterwards.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import jwt

from sequences_mcp.domain.reviewers import Reviewer, ReviewSettings, highest_role, is_subject, shown_name
from sequences_mcp.errors import SequencesError
from sequences_mcp.lazy_dataclasses import dataclass, field
from sequences_mcp.ports.sign_in import Departure, ReviewerRefusedError, SignInIssuer
from sequences_mcp.server.http.issuer import (
    ALGORITHMS,
    LEEWAY,
    LONGEST_DOCUMENT,
    IssuerKeys,
    documents_of,
    issuer_client,
    safe_address,
)

SCOPES = "openid profile email"
BASIC = "client_secret_basic"
KINDS = ("", "jwt")  # an access token that is signed with the same keys says at+jwt
FRESH = 3_600.0  # seconds for which the provider's addresses are believed
NEEDS_PERSON = ("login_required", "interaction_required", "consent_required", "account_selection_required")
AGAIN = "Sign in once more; if it stays so, whoever runs this page has to look at its settings."


@dataclass(slots=True)
class RemoteSignInIssuer(SignInIssuer):
    """A provider, with its keys; ``keys.fetch`` and ``keys.elapsed`` serve for its other documents too."""

    keys: IssuerKeys
    client: ReviewSettings
    _known: dict[str, Any] = field(default_factory=dict, init=False)
    _read: float = field(default=0.0, init=False)

    @property
    def title(self) -> str:  # type: ignore[override]
        """The host of the issuer."""
        return urlsplit(self.keys.issuer).netloc

    async def address(self, departure: Departure) -> str:
        """Return the page of the provider to which a browser is sent."""
        metadata = await self._metadata()
        challenge = hashlib.sha256(departure.verifier.encode()).digest()
        parameters = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": self.client.callback,
            "scope": SCOPES,
            "state": departure.state,
            "nonce": departure.nonce,
            "code_challenge": _base64url(challenge),
            "code_challenge_method": "S256",
            **({"prompt": "none"} if departure.is_silent else {}),
        }
        address = str(metadata["authorization_endpoint"])
        return f"{address}{'&' if '?' in address else '?'}{urlencode(parameters)}"

    async def reviewer(self, departure: Departure, answer: Mapping[str, str]) -> Reviewer:
        """Return who came back, as the ID token that their code is given for says."""
        metadata = await self._metadata()
        issuer, is_named = answer.get("iss"), metadata.get("authorization_response_iss_parameter_supported")
        if issuer != self.keys.issuer and (issuer is not None or is_named):
            raise _refused("The answer is another provider's.")
        if (error := answer.get("error")) is not None:
            if departure.is_silent and error in NEEDS_PERSON:
                raise _refused("You have to sign in again.", needs_person=True)
            raise _refused("The provider did not sign you in.", why=error)
        if not (code := answer.get("code")):
            raise _refused("The answer has no code.")
        given = await self._given_for(metadata, code, verifier=departure.verifier)
        access, id_token = given.get("access_token"), given.get("id_token")
        if not isinstance(id_token, str):
            raise _refused("The provider did not say who you are.")
        claims = await self._verified(id_token, nonce=departure.nonce, access=access)
        return self._named(await self._with_more(metadata, claims, access=access))

    async def _metadata(self) -> dict[str, Any]:
        """Return the provider's own document, an hour old at most."""
        if self._known and self.keys.elapsed() - self._read < FRESH:
            return self._known
        for place in documents_of(self.keys.issuer):
            with suppress(ValueError, OSError, RecursionError, TypeError, KeyError):
                known: dict[str, Any] = json.loads(await self.keys.fetch(place))
                if known["issuer"] != self.keys.issuer:
                    raise ValueError("the metadata is another issuer's")
                for name in ("authorization_endpoint", "token_endpoint"):
                    safe_address(known[name])
                self._known, self._read = known, self.keys.elapsed()
                return known
        raise ReviewerRefusedError(
            "The sign-in service cannot be reached.", next_step="Try again in a minute; nothing was done."
        )

    async def _given_for(self, metadata: Mapping[str, Any], code: str, *, verifier: str) -> dict[str, Any]:
        """Return what the provider gives for a code (Core 3.1.3); the secret goes to it alone, encrypted."""
        import httpx2

        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.callback,
            "code_verifier": verifier,
            "client_id": self.client.client_id,
        }
        headers = {"accept": "application/json"}
        if secret := self.client.client_secret:
            # Basic is what holds where a provider says nothing (Discovery 1.0, 3).
            if BASIC in metadata.get("token_endpoint_auth_methods_supported", [BASIC]):
                pair = f"{quote(self.client.client_id, safe='')}:{quote(secret.value, safe='')}"
                headers["authorization"] = f"Basic {b64encode(pair.encode()).decode('ascii')}"
            else:
                form["client_secret"] = secret.value
        try:
            place = str(metadata["token_endpoint"])
            async with issuer_client(place, timeout=10.0) as http:
                reply = await http.post(place, data=form, headers=headers)
        except httpx2.HTTPError as error:
            raise _refused("The sign-in service cannot be reached.") from error
        return _object(reply.status_code, reply.content)

    async def _verified(self, token: str, *, nonce: str, access: object) -> dict[str, Any]:
        """Return the claims of an ID token for this very sign-in (Core 3.1.3.7 and 3.1.3.8)."""
        try:
            head = jwt.get_unverified_header(token)
            kind, algorithm, key_id = (head.get(name) for name in ("typ", "alg", "kid"))
            if str(kind or "").lower() not in KINDS or algorithm not in ALGORITHMS or "crit" in head:
                raise _refused("The ID token is none that this page takes.")
            key = await self.keys.key(key_id) if isinstance(key_id, str) else None
            if key is None or algorithm not in key.algorithms:
                raise _refused("The ID token is signed with a key that the provider does not publish.")
            claims: dict[str, Any] = jwt.decode(
                token,
                key.public,
                algorithms=[algorithm],
                audience=self.client.client_id,
                issuer=self.keys.issuer,
                leeway=LEEWAY,
                options={
                    "require": ["exp", "iat", "iss", "aud", "sub", "nonce"],
                    "enforce_minimum_key_length": True,
                },
            )
        except ReviewerRefusedError:
            raise
        except SequencesError as error:
            raise _refused("The sign-in service cannot be reached.") from error
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise _refused("The ID token does not hold.") from error
        party, audience = claims.get("azp"), claims["aud"]
        if (party is None and isinstance(audience, list) and len(audience) > 1) or party not in (
            None,
            self.client.client_id,
        ):
            raise _refused("The ID token is another program's.")
        if not hmac.compare_digest(str(claims["nonce"]).encode("utf-8", "replace"), nonce.encode()):
            raise _refused("The ID token belongs to another sign-in.")
        hashed = claims.get("at_hash")
        if hashed is not None and not (isinstance(access, str) and hashed == access_hash(access, algorithm)):
            raise _refused("The ID token belongs to another access token.")
        return claims

    async def _with_more(
        self, metadata: Mapping[str, Any], claims: dict[str, Any], *, access: object
    ) -> dict[str, Any]:
        """Return the claims with those of UserInfo (Core 5.3), where the ID token leaves out what is looked at."""
        place = metadata.get("userinfo_endpoint")
        has_all = "name" in claims and claim_values(claims, self.client.role_claim)
        if has_all or not isinstance(place, str) or not isinstance(access, str):
            return claims
        import httpx2

        try:
            safe_address(place)
            async with issuer_client(place, timeout=10.0) as http:
                reply = await http.get(place, headers={"authorization": f"Bearer {access}"})
            more = _object(reply.status_code, reply.content)
        except (httpx2.HTTPError, ValueError, ReviewerRefusedError):
            return claims  # what is missing gives no role
        return {**more, **claims} if more.get("sub") == claims["sub"] else claims

    def _named(self, claims: Mapping[str, Any]) -> Reviewer:
        subject = claims["sub"]
        if not is_subject(subject):
            raise _refused("The provider names you in a way that cannot stand in a record.")
        given = {
            role
            for value in claim_values(claims, self.client.role_claim)
            if (role := self.client.roles.get(value)) is not None
        }
        name = shown_name(claims.get("name")) or shown_name(claims.get("preferred_username"))
        return Reviewer(subject=subject, name=name, role=highest_role(given))


def claim_values(claims: Mapping[str, Any], name: str) -> set[str]:
    """Return the texts of a claim, by its whole name or by the way to it inside of others.

    An address counts only where the provider has verified it, and in small letters.
    """
    value: Any = claims.get(name)
    if value is None:
        value = claims
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    texts = {text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)}
    if name == "email":
        return {text.casefold() for text in texts} if claims.get("email_verified") is True else set()
    return texts


def access_hash(access: str, algorithm: str) -> str:
    """Return the ``at_hash`` of an access token: the left half of its hash by the algorithm of the ID token."""
    size = "512" if algorithm == "EdDSA" else algorithm[-3:]
    whole = hashlib.new(f"sha{size}", access.encode("ascii", "replace")).digest()
    return _base64url(whole[: len(whole) // 2])


def _object(status: int, body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body) if status == 200 and len(body) <= LONGEST_DOCUMENT else None
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise _refused("The provider did not take the code of this sign-in.")
    return given


def _base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).decode("ascii").rstrip("=")


def _refused(message: str, *, needs_person: bool = False, why: str = "") -> ReviewerRefusedError:
    known = why if why.isascii() and why.isprintable() and len(why) <= 40 else ""
    words = f" It said: {known}." if known else ""
    return ReviewerRefusedError(f"{message}{words}", next_step=AGAIN, data={"needs_person": needs_person})
