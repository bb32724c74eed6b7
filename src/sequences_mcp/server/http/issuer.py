"""Access tokens of an OAuth 2.1 authorization server: signed JWTs (RFC 9068), checked with the keys it publishes.

This server is a resource server and nothing else: it hands out no tokens, and passes none on.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import jwt

from sequences_mcp.errors import ProviderUnavailableError
from sequences_mcp.hosts import is_private, trust_without_tls
from sequences_mcp.lazy_dataclasses import dataclass, field
from sequences_mcp.server.http.access import SCOPES
from sequences_mcp.server.http.callers import Caller

if TYPE_CHECKING:
    import httpx2

log = logging.getLogger(__name__)
# Signatures that only the issuer can make: with a shared secret, whoever checks could sign as well.
RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
ALGORITHMS = (*RSA_ALGORITHMS, "ES256", "ES384", "ES512", "EdDSA")
KINDS = ("at+jwt", "application/at+jwt")  # RFC 9068, 2.1: an ID token is signed with the same keys
KEY_KINDS = ("RSA", "EC", "OKP")
FRESH = 300.0  # seconds for which keys are believed without asking again
STALE = 3_600.0  # seconds for which they are while the issuer cannot be reached: about as long as a token holds
BETWEEN = 10.0  # seconds between two questions to the issuer, whoever's token asks for one
LEEWAY = 30.0  # seconds by which clocks may differ
LONGEST_DOCUMENT = 512 * 1024
LONGEST_NAME = 255
LONGEST_TROUBLE = 500  # characters of why an issuer did not answer
MOST_KEYS = 100
Fetch = Callable[[str], Awaitable[bytes]]


class IssuerDownError(ProviderUnavailableError):
    """The issuer's keys cannot be had, so that no token can be checked."""


def safe_address(text: str) -> str:
    """Return an address from which keys may be fetched: https, or http on loopback; ValueError."""
    parts = urlsplit(text)
    if not is_private(parts) or not parts.hostname or parts.username:
        raise ValueError("keys are fetched over https")
    return text


def documents_of(issuer: str) -> tuple[str, ...]:
    """Return where an issuer's metadata may be: of OpenID Connect, then of OAuth (RFC 8414, 3.1)."""
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    inserted = urlunsplit((parts.scheme, parts.netloc, f"/.well-known/oauth-authorization-server{path}", "", ""))
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration", inserted


class SigningKey(NamedTuple):
    """A public key, and the algorithms of the signatures that it may check."""

    public: Any
    algorithms: tuple[str, ...]


@dataclass(slots=True)
class IssuerKeys:
    """The keys that an issuer signs with, by their ids.

    They are fetched when first needed, and again when they are older than ``FRESH`` or lack an id, but not more
    often than every ``BETWEEN`` seconds.
    """

    issuer: str
    fetch: Fetch
    elapsed: Callable[[], float]
    _keys: dict[str, SigningKey] = field(default_factory=dict, init=False)
    _read: float | None = field(default=None, init=False)
    _asked_at: float | None = field(default=None, init=False)
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _trouble: str = field(default="", init=False)  # why the last question had no answer

    @property
    def are_known(self) -> bool:
        """Whether tokens can be checked just now."""
        return self._read is not None and self.elapsed() - self._read < STALE

    async def key(self, key_id: str) -> SigningKey | None:
        """Return the key of an id, None where the issuer has none; IssuerDownError where nobody knows."""
        if self._is_old() or key_id not in self._keys:
            await self.look()
        if not self.are_known:
            raise IssuerDownError(
                "The sign-in service cannot be reached, so no token can be checked.",
                next_step="Try again in a minute; nothing was done.",
            )
        return self._keys.get(key_id)

    async def look(self) -> None:
        """Ask the issuer for its keys, unless that was done just now. Never raises: what was known stays.

        Why they cannot be had is logged, once until that changes.
        """
        asked_at = self._asked_at
        async with self._asking:
            if self._asked_at != asked_at or (asked_at is not None and self.elapsed() - asked_at < BETWEEN):
                return  # somebody asked while this one waited, or a moment ago
            self._asked_at = self.elapsed()
            trouble = ""
            try:
                self._keys = keys_in(await self._document(await self._address()))
                self._read = self.elapsed()
            except (ValueError, KeyError, TypeError, OSError, RecursionError) as error:
                trouble = f"{error}"[:LONGEST_TROUBLE]
            if trouble and trouble != self._trouble:
                log.warning("The keys of the issuer %s cannot be had: %s", self.issuer, trouble)
            self._trouble = trouble

    def _is_old(self) -> bool:
        return self._read is None or self.elapsed() - self._read >= FRESH

    async def _address(self) -> str:
        """Return where the keys are, as the metadata of the issuer itself says; ValueError, OSError."""
        troubles = []
        for place in documents_of(self.issuer):
            try:
                metadata = await self._document(place)
                if metadata.get("issuer") != self.issuer:
                    raise ValueError("the metadata is another issuer's")  # RFC 8414, 3.3
                address = metadata.get("jwks_uri")
                if not isinstance(address, str):
                    raise ValueError("the metadata names no keys")
                return safe_address(address)
            except (ValueError, OSError) as error:
                troubles.append(f"{error}")
        raise ValueError("; ".join(dict.fromkeys(troubles)))

    async def _document(self, address: str) -> dict[str, Any]:
        document = json.loads(await self.fetch(address))
        if not isinstance(document, dict):
            raise ValueError("it is no object")
        return document


def keys_in(document: Mapping[str, Any]) -> dict[str, SigningKey]:
    """Return the keys of a JWK set that can check signatures, by their ids; others are left out. ValueError."""
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise ValueError("it is no set of keys")
    keys: dict[str, SigningKey] = {}
    for entry in listed[:MOST_KEYS]:
        if not isinstance(entry, dict) or entry.get("kty") not in KEY_KINDS or entry.get("use", "sig") != "sig":
            continue
        with suppress(jwt.PyJWTError, ValueError, TypeError, KeyError):
            key = jwt.PyJWK(entry)
            # An RSA key that names no algorithm serves all of them; every other kind has one alone.
            is_any = key.key_type == "RSA" and "alg" not in entry
            algorithms = RSA_ALGORITHMS if is_any else (key.algorithm_name,)
            if isinstance(key.key_id, str) and set(algorithms) <= set(ALGORITHMS):
                keys[key.key_id] = SigningKey(key.key, algorithms)
    return keys


@dataclass(frozen=True, slots=True)
class SignedTokenCheck:
    """Says whom an issuer's access token stands for, where it is one for this server and holds now.

    ``audience`` is what the ``aud`` of a token has to have: this server's address, or what the issuer calls it.
    ``named`` are further claims, each with what it has to name: as its text, or as one of its texts.
    """

    keys: IssuerKeys
    audience: str
    named: Mapping[str, str] = field(default_factory=dict)

    async def verify(self, token: str) -> Caller | None:
        """Return whom the token stands for, or None where it is not valid; IssuerDownError."""
        try:
            if token.count(".") != 2:  # an encrypted one has four; this server has no key to open it with
                return None
            head = jwt.get_unverified_header(token)
            kind, algorithm, key_id = (head.get(name) for name in ("typ", "alg", "kid"))
            if str(kind).lower() not in KINDS or algorithm not in ALGORITHMS or "crit" in head:
                return None
            key = await self.keys.key(key_id) if isinstance(key_id, str) else None
            if key is None or algorithm not in key.algorithms:
                return None
            claims = jwt.decode(
                token,
                key.public,
                algorithms=[algorithm],
                audience=self.audience,
                issuer=self.keys.issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud", "sub"], "enforce_minimum_key_length": True},
            )
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
            return None
        return (
            caller_of(claims) if all(_names(claims.get(claim), it) for claim, it in self.named.items()) else None
        )


def _names(claim: object, text: str) -> bool:
    return claim == text or (isinstance(claim, list) and text in claim)


def caller_of(claims: Mapping[str, Any]) -> Caller | None:
    """Return whom verified claims name; None where their names are no plain text.

    Scopes are in ``scope`` (RFC 9068), or in ``scp``, as Microsoft and others have it.
    """
    subject = claims["sub"]
    client = claims.get("client_id", claims.get("azp", ""))
    if not (_is_name(subject) and (client == "" or _is_name(client))):
        return None
    given = [claims.get("scope"), claims.get("scp")]
    named = {part for text in given if isinstance(text, str) for part in text.split()}
    named |= {part for parts in given if isinstance(parts, list) for part in parts if isinstance(part, str)}
    return Caller(subject=subject, client=client, scopes=frozenset(named & set(SCOPES)))


def _is_name(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text) <= LONGEST_NAME and text.isascii() and text.isprintable()


async def fetch_document(address: str, *, whole: float = 10.0) -> bytes:
    """Return a document of an issuer, over HTTPS and without following it elsewhere; OSError, ValueError.

    ``whole`` are the seconds in which all of its answer has to be there.
    """
    import httpx2

    body = bytearray()
    try:
        async with (
            issuer_client(address, timeout=5.0, whole=whole) as client,
            client.stream("GET", address, headers={"accept": "application/json"}) as answer,
        ):
            if answer.status_code != 200:
                raise ValueError(f"{address} answered {answer.status_code}")
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > LONGEST_DOCUMENT:
                    raise ValueError(f"{address} is too long")
    except httpx2.HTTPError as error:
        raise OSError(f"{address} cannot be reached: {error or type(error).__name__}") from error
    return bytes(body)


@asynccontextmanager
async def issuer_client(address: str, *, timeout: float, whole: float = 30.0) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client for an address of an issuer, which it follows nowhere.

    All that is done with it has to end within ``whole`` seconds, since ``timeout`` begins anew at each byte.
    It trusts this system's authorities, or SSL_CERT_FILE's, as an issuer inside a firm often has a certificate of
    the firm's own authority. The library is the SDK's: another one would take 3 MB of every server.
    """
    import httpx2

    trusted = trust_without_tls(address) or True
    try:
        async with (
            asyncio.timeout(whole),
            httpx2.AsyncClient(timeout=timeout, follow_redirects=False, verify=trusted) as client,
        ):
            yield client
    except TimeoutError as error:
        raise httpx2.ReadTimeout("its answer did not end") from error
