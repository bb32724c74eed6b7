"""Tokens that are not, or no longer, for this server: each is refused with 401, and tells nothing about why."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.world.data_folder import Clock
from tests.world.http_server import Served
from tests.world.issuer import PUBLIC, RESOURCE, Issuer, ec_key, issuing, jwk_of, rsa_key, signed_in
from tests.world.page import PageWorld

from sequences_mcp.server.http.gate import LONGEST_TOKEN


@dataclass
class Door:
    """A server and the issuer it trusts."""

    served: Served
    issuer: Issuer


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Serve one folder for all the tokens; the issuer has a key for signing, one for encryption and a weak one."""
    folder: Path = tmp_path_factory.mktemp("tokens") / "data"
    with issuing() as issuer:
        issuer.keys += [
            jwk_of(ec_key("curve"), "curve"),
            jwk_of(rsa_key("sealing"), "sealing", use="enc"),
            jwk_of(rsa_key("weak", 1024), "weak"),
            {"kty": "oct", "kid": "shared", "k": _b64(b"0" * 32), "alg": "HS256"},
        ]
        with signed_in(PageWorld(folder=folder, clock=Clock()), issuer) as served:
            yield Door(served, issuer)


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unsigned(issuer: Issuer, alg: str) -> str:
    head = {"typ": "at+jwt", "alg": alg, "kid": "first"}
    return f"{_b64(json.dumps(head).encode())}.{_b64(json.dumps(issuer.claims()).encode())}."


def _with_public_key(issuer: Issuer) -> str:
    """Return a token whose "shared secret" is the public key, which everybody has (RFC 8725, 2.1)."""
    pem = rsa_key("first").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = _b64(json.dumps({"typ": "at+jwt", "alg": "HS256", "kid": "first"}).encode())
    signed = f"{head}.{_b64(json.dumps(issuer.claims()).encode())}"
    return f"{signed}.{_b64(hmac.digest(pem, signed.encode(), 'sha256'))}"


def _altered(issuer: Issuer) -> str:
    head, _, signature = issuer.token(scope="sequences:read").split(".")
    return f"{head}.{_b64(json.dumps(issuer.claims()).encode())}.{signature}"


def _holding(issuer: Issuer, payload: bytes, **head: Any) -> str:
    made = jwt.api_jws.encode(
        payload, rsa_key("first"), "RS256", headers={"typ": "at+jwt", "kid": "first", **head}
    )
    return str(made)


# As the providers' own pages show their tokens; docs/sign-in-providers.md says which settings make them good.
KEYCLOAK: dict[str, Any] = {
    "azp": "claude",
    "client_id": None,
    "typ": "Bearer",
    "sid": "one",
    "scope": "openid sequences:read",
    "realm_access": {"roles": ["offline_access"]},
}
AUTH0: dict[str, Any] = {
    "sub": "auth0|5f7c8ec7",
    "aud": [RESOURCE, "https://tenant.auth0.com/userinfo"],
    "scope": "openid profile sequences:read",
}
ENTRA: dict[str, Any] = {
    "ver": "2.0",
    "azp": "c",
    "client_id": None,
    "scope": None,
    "scp": "sequences:read",
    "tid": "t",
}
NOW = int(time.time())
OTHER = rsa_key("somebody else's")
BAD: dict[str, Callable[[Issuer], str]] = {
    "no signature": lambda it: _unsigned(it, "none"),
    "no signature, spelled otherwise": lambda it: _unsigned(it, "nOnE"),
    "no signature under a good algorithm": lambda it: _unsigned(it, "RS256"),
    "the public key as a secret": _with_public_key,
    "a shared secret of the key set": lambda it: it.token(key="0" * 32, alg="HS256", head={"kid": "shared"}),
    "somebody else's key": lambda it: it.token(key=OTHER),
    "an unknown key": lambda it: it.token(key=OTHER, head={"kid": "unknown"}),
    "no key": lambda it: jwt.encode(it.claims(), rsa_key("first"), "RS256", headers={"typ": "at+jwt"}),
    "a key by a path": lambda it: it.token(key=OTHER, head={"kid": "../../../../dev/null"}),
    "its own key beside it": lambda it: it.token(key=OTHER, head={"jwk": jwk_of(OTHER, "first")}),
    "an address of its key": lambda it: it.token(key=OTHER, head={"jku": f"http://127.0.0.1:{it.port}/evil"}),
    "an address of its certificate": lambda it: it.token(key=OTHER, head={"x5u": "https://evil.example/c.pem"}),
    "a key for encryption": lambda it: it.token(key=rsa_key("sealing"), head={"kid": "sealing"}),
    "a weak key": lambda it: it.token(key=rsa_key("weak", 1024), head={"kid": "weak"}),
    "a curve's key for RSA": lambda it: it.token(head={"kid": "curve"}),
    "an RSA key for a curve": lambda it: it.token(key=ec_key("curve"), alg="ES256", head={"kid": "first"}),
    "an extension that has to be understood": lambda it: it.token(head={"crit": ["exp"], "exp": NOW}),
    "for nobody": lambda it: it.token(aud=None),
    "for another server": lambda it: it.token(aud="https://other.example/mcp"),
    "for another tenant": lambda it: it.token(aud=f"{PUBLIC}/t/other/mcp"),
    "for the whole host": lambda it: it.token(aud=PUBLIC),
    "for a longer address": lambda it: it.token(aud=f"{RESOURCE}/admin"),
    "for others": lambda it: it.token(aud=["https://a.example/mcp", "https://b.example/mcp"]),
    "for a number": lambda it: it.token(aud=[1, 2]),
    "of another issuer": lambda it: it.token(iss="https://evil.example"),
    "of an issuer with a slash": lambda it: it.token(iss=f"{it.url}/"),
    "of no issuer": lambda it: it.token(iss=None),
    "expired": lambda it: it.token(exp=NOW - 3_600),
    "without an end": lambda it: it.token(exp=None),
    "with an end in words": lambda it: it.token(exp="tomorrow"),
    "with an end beyond all numbers": lambda it: it.token(exp=float("inf")),
    "not valid yet": lambda it: it.token(nbf=NOW + 3_600),
    "from the future": lambda it: it.token(iat=NOW + 3_600),
    "of nobody": lambda it: it.token(sub=None),
    "of an empty name": lambda it: it.token(sub=""),
    "of too long a name": lambda it: it.token(sub="x" * 256),
    "of a name with a line break": lambda it: it.token(sub="ada\nagent:grace"),
    "of a name that looks like another": lambda it: it.token(sub="аda"),  # the first letter is Cyrillic
    "of a program without a plain name": lambda it: it.token(client_id=["claude"]),
    "an ID token": lambda it: it.token(head={"typ": "JWT"}, nonce="n", aud=[RESOURCE, "claude"]),
    "without a kind": lambda it: it.token(head={"typ": None}),
    "one of Keycloak as it comes": lambda it: it.token(**KEYCLOAK, head={"typ": "JWT"}, aud=None),
    "one of Keycloak without the mapper of its audience": lambda it: it.token(**KEYCLOAK, aud="account"),
    "one of Auth0's own profile": lambda it: it.token(**AUTH0, client_id=None, azp="c", head={"typ": "JWT"}),
    "one of Auth0 that took no notice of the resource": lambda it: it.token(**{**AUTH0, "aud": AUTH0["aud"][1:]}),
    "one of Entra": lambda it: it.token(**ENTRA, head={"typ": "JWT", "x5t": "first"}),
    "one of WorkOS without a resource indicator": lambda it: it.token(aud="client_01HXYZ", sid="app_consent_01"),
    "one of Clerk for no server": lambda it: it.token(sub="user_2x", aud=None),
    "an opaque one of Clerk": lambda it: "oat_2xFZEjr1zCsicMWpAA",
    "a proof of possession": lambda it: it.token(head={"typ": "dpop+jwt"}),
    "a logout token": lambda it: it.token(head={"typ": "logout+jwt"}),
    "altered": _altered,
    "cut short": lambda it: it.token()[:-40],
    "with an empty signature": lambda it: it.token().rpartition(".")[0] + ".",
    "huge": lambda it: it.token(padding="x" * LONGEST_TOKEN),
    "nested": lambda it: _holding(it, it.token().encode(), cty="JWT"),
    "encrypted": lambda it: ".".join(["e30", "", "e30", "e30", "e30"]),
    "a list": lambda it: _holding(it, b"[1, 2]"),
    "deep": lambda it: _holding(it, b"[" * 3_000),
    "no JSON": lambda it: _holding(it, b"ada"),
    "dots": lambda it: "..",
    "no token at all": lambda it: "2YotnFZFEjr1zCsicMWpAA",
}


@pytest.mark.parametrize("made", BAD.values(), ids=BAD.keys())
def test_a_token_that_does_not_hold_here_is_refused(door: Door, made: Callable[[Issuer], str]) -> None:
    answer = door.served.tool("list_blueprints", token=made(door.issuer))
    assert (answer.status, answer.facts["error"]) == (401, "invalid_token"), answer
    assert answer.facts["message"] == "The token is not valid."
    assert answer.headers["www-authenticate"] == (
        'Bearer error="invalid_token", scope="sequences:read", '
        f'resource_metadata="{PUBLIC}/.well-known/oauth-protected-resource/mcp"'
    )


GOOD: dict[str, Callable[[Issuer], str]] = {
    "an RSA key": lambda it: it.token(),
    "another padding": lambda it: it.token(alg="PS256"),
    "a curve": lambda it: it.token(key=ec_key("curve"), alg="ES256", head={"kid": "curve"}),
    "a kind by its whole name": lambda it: it.token(head={"typ": "application/at+jwt"}),
    "several audiences": lambda it: it.token(aud=["https://a.example/mcp", RESOURCE]),
    "a clock that is a little off": lambda it: it.token(exp=int(time.time()) - 10, nbf=int(time.time()) + 10),
    "one of Keycloak with both settings": lambda it: it.token(**KEYCLOAK, aud=[RESOURCE, "account"]),
    "one of Auth0's profile of RFC 9068": lambda it: it.token(**AUTH0),
    "scopes as Microsoft has them": lambda it: it.token(scope=None, scp="sequences:read", azp="c", client_id=None),
    "scopes as a list": lambda it: it.token(scope=None, scp=["sequences:read", 1]),
}


@pytest.mark.parametrize("made", GOOD.values(), ids=GOOD.keys())
def test_a_token_that_holds_here_is_taken(door: Door, made: Callable[[Issuer], str]) -> None:
    assert door.served.tool("list_blueprints", token=made(door.issuer)).status == 200


def test_there_are_bad_tokens_enough() -> None:
    assert len(BAD) >= 40
