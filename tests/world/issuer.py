"""An authorization server on loopback, as far as a resource server sees it: its metadata, its keys, its tokens."""

from __future__ import annotations

import json
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.warnings import InsecureKeyLengthWarning
from tests.secrecy.hearing import learnt
from tests.world.http_server import Served, serving
from tests.world.product import World

from sequences_mcp.server.http.access import SCOPES
from sequences_mcp.server.http.issuer import IssuerKeys, SignedTokenCheck, fetch_document
from sequences_mcp.server.http.options import ServeOptions

PUBLIC = "https://mcp.example.com"
RESOURCE = f"{PUBLIC}/mcp"
ADA = "user-ada"


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return a key by its name, made once a run."""
    return rsa.generate_private_key(65_537, bits)


@cache
def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    """Return a key by its name, made once a run."""
    return ec.generate_private_key(ec.SECP256R1())


def jwk_of(key: Any, key_id: str, **more: str) -> dict[str, Any]:
    """Return the public half of a key as an issuer publishes it."""
    if isinstance(key, rsa.RSAPrivateKey):
        whole = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    else:
        whole = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
    return {**whole, "kid": key_id, "use": "sig", **more}


@dataclass
class Issuer:
    """The issuer, and what it hands out. ``now`` is how much time has passed for who remembers its keys."""

    port: int = 0
    keys: list[dict[str, Any]] = field(default_factory=list)
    is_down: bool = False
    asked: list[str] = field(default_factory=list)
    now: float = 0.0
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Its identifier."""
        return f"http://127.0.0.1:{self.port}/realm"

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Return the claims of a good token; one given as None is left out."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": RESOURCE,
            "sub": ADA,
            "client_id": "claude",
            "iat": now,
            "exp": now + 600,
            "jti": "one",
            "scope": " ".join(SCOPES),
            **changed,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(
        self, *, key: Any = None, alg: str = "RS256", head: dict[str, Any] | None = None, **changed: Any
    ) -> str:
        """Return a token, signed with the first key unless told otherwise."""
        headers = {"typ": "at+jwt", "kid": "first", **(head or {})}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InsecureKeyLengthWarning)  # some keys are weak on purpose
            made = jwt.encode(self.claims(**changed), key or rsa_key("first"), algorithm=alg, headers=headers)
        return learnt("an access token", made)

    def keys_for(self) -> IssuerKeys:
        """Return what remembers this issuer's keys, by the test's own time."""
        return IssuerKeys(self.url, fetch_document, lambda: self.now)


@contextmanager
def issuing() -> Iterator[Issuer]:
    """Have an issuer answer on loopback, with one key."""
    issuer = Issuer(keys=[jwk_of(rsa_key("first"), "first")])

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            documents: dict[str, Any] = {
                "/realm/.well-known/openid-configuration": {
                    "issuer": issuer.url,
                    "jwks_uri": f"http://127.0.0.1:{issuer.port}/keys",
                    **issuer.metadata,
                },
                "/keys": {"keys": issuer.keys},
            }
            known = self.path in documents and not issuer.is_down
            body = json.dumps(documents[self.path] if known else {}).encode()
            self.send_response(200 if known else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    issuer.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)


@contextmanager
def signed_in(world: World, issuer: Issuer, options: ServeOptions | None = None) -> Iterator[Served]:
    """Serve a data folder to whoever has a token of an issuer for ``RESOURCE``."""
    keys = issuer.keys_for()
    check = SignedTokenCheck(keys, RESOURCE)
    with serving(world, options or ServeOptions(public_url=PUBLIC), verify=check.verify, keys=keys) as served:
        yield served
