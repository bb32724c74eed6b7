"""The review page under a name of its own on loopback, a provider at which people sign in, and their browsers."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from http.client import HTTPResponse, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import jwt
import trustme
from tests.secrecy import planted
from tests.secrecy.hearing import heard, learnt
from tests.world.http_server import Served, serving
from tests.world.issuer import jwk_of, rsa_key
from tests.world.page import Answer, PageWorld

from sequences_mcp.domain.reviewers import ReviewSettings, Role
from sequences_mcp.domain.sender import Secret
from sequences_mcp.review.page.address import PageAddress
from sequences_mcp.review.page.app import build_page
from sequences_mcp.server.http.access import SCOPES
from sequences_mcp.server.http.callers import Verify
from sequences_mcp.server.http.issuer import IssuerKeys, fetch_document
from sequences_mcp.server.http.oidc import RemoteSignInIssuer, access_hash
from sequences_mcp.server.http.options import ServeOptions
from sequences_mcp.server.http.sites import HostedPage

NAME = "review.localhost"  # which a browser looks for on this machine alone (RFC 6761, 6.3)
CLIENT_ID, SECRET = "review-page", planted.TOPO_KEY.value
ACCESS = "an opaque access token of the provider"
CSRF = r'action="/(?:pause|resume)-all[^>]*>\s*<input type="hidden" name="csrf" value="([^"]+)"'
ROLES = {"can-look": Role.MEMBER, "can-approve": Role.APPROVER, "runs-it": Role.ADMIN}
OF = {"bob": "can-look", "ada": "can-approve", "eve": "can-approve", "root": "runs-it", "stranger": "other"}


class Certificate(NamedTuple):
    """A certificate for both names of the server, its key, and whoever trusts it."""

    chain: Path
    key: Path

    @property
    def options(self) -> ServeOptions:
        """How a server is told of it."""
        return ServeOptions(certificate=self.chain, private_key=self.key)


def certificate_in(folder: Path) -> Certificate:
    """Make a certificate, which is good for the names below the page's too."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1", NAME, f"*.{NAME}")
    made = Certificate(folder / "cert.pem", folder / "key.pem")
    issued.private_key_pem.write_to_path(made.key)
    for part in (*issued.cert_chain_pems, authority.cert_pem):
        part.write_to_path(made.chain, append=True)
    return made


@dataclass
class OpenIdProvider:
    """A provider that says of whoever comes what the test has it say; ``away`` is who has no session there."""

    port: int = 0
    groups: dict[str, list[str]] = field(default_factory=lambda: {name: [value] for name, value in OF.items()})
    away: set[str] = field(default_factory=set)
    claims: dict[str, Any] = field(default_factory=dict)
    head: dict[str, Any] = field(default_factory=dict)
    key: Any = None
    alg: str = "RS256"
    answer: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its identifier."""
        return f"http://127.0.0.1:{self.port}"

    def document(self) -> dict[str, Any]:
        """Return its metadata."""
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/keys",
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "authorization_response_iss_parameter_supported": True,
            **self.metadata,
        }

    def keys_for(self) -> IssuerKeys:
        """Return what remembers its keys."""
        return IssuerKeys(self.url, fetch_document, lambda: 0.0)

    def access_token(self, audience: str, **claims: Any) -> str:
        """Return a token with which somebody's program calls."""
        now = int(time.time())
        named = {"sub": "user-bob", "client_id": "claude", "scope": " ".join(SCOPES), "jti": "one"}
        whole = {"iss": self.url, "aud": audience, "iat": now, "exp": now + 600, **named, **claims}
        head = {"typ": "at+jwt", "kid": "first"}
        return learnt("an access token", jwt.encode(whole, rsa_key("first"), "RS256", headers=head))

    def authorize(self, asked: Mapping[str, str], *, who: str) -> str:
        """Return where the browser of somebody is sent back to."""
        self.asked.append(dict(asked))
        code = f"code-{len(self.codes)}-{sha256(asked['state'].encode()).hexdigest()[:8]}"
        back = {"state": asked["state"], "iss": self.url, "code": code}
        if asked.get("prompt") == "none" and who in self.away:
            del back["code"]
            back["error"] = "login_required"
        else:
            self.codes[code] = {**asked, "who": who}
        back |= self.answer
        return f"{asked['redirect_uri']}?{urlencode({name: value for name, value in back.items() if value})}"

    def token(self, form: Mapping[str, str], authorization: str) -> dict[str, Any] | None:
        """Return what a code is given for, once and to whom it was made out; None where it is refused."""
        kept = self.codes.pop(form.get("code", ""), None)
        if kept is None or authorization.partition(" ")[2] == "":
            return None
        client = b64decode(authorization.partition(" ")[2]).decode().split(":")
        challenge = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
        fits = client == [CLIENT_ID, SECRET] and challenge == kept["code_challenge"]
        if not fits or form["redirect_uri"] != kept["redirect_uri"]:
            return None
        return {"access_token": ACCESS, "token_type": "Bearer", "id_token": self.id_token(kept)}

    def id_token(self, kept: Mapping[str, str]) -> str:
        """Return what it says of somebody; a claim given as None is left out."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "sub": f"user-{kept['who']}",
            "name": f"{kept['who'].title()} Lovelace",
            "groups": self.groups[kept["who"]],
            "nonce": kept["nonce"],
            "iat": now,
            "exp": now + 300,
            "at_hash": access_hash(ACCESS, "RS256"),
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        head = {name: value for name, value in {"kid": "first", **self.head}.items() if value is not None}
        return learnt("an ID token", jwt.encode(claims, self.key or rsa_key("first"), self.alg, headers=head))


@contextmanager
def providing() -> Iterator[OpenIdProvider]:
    """Have a provider answer on loopback."""
    provider = OpenIdProvider()

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            documents = {
                "/.well-known/openid-configuration": provider.document(),
                "/keys": {"keys": [jwk_of(rsa_key("first"), "first")]},
            }
            self._send(documents.get(urlsplit(self.path).path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._send(provider.token(form, self.headers.get("authorization", "")))

        def _send(self, facts: object) -> None:
            body = json.dumps(facts or {"error": "invalid_grant"}).encode()
            self.send_response(400 if facts is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    provider.port = server.server_port
    thread = threading.Thread(target=partial(server.serve_forever, 0.05), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)


@dataclass(repr=False)
class Tab:
    """A browser at the page: its cookies, and what it says of where a request comes from."""

    served: Served
    provider: OpenIdProvider
    tls: ssl.SSLContext
    name: str = NAME
    port: int = 0  # of the page's address, where that is not the server's own
    cookies: dict[str, str] = field(default_factory=dict)
    set_cookies: list[str] = field(default_factory=list)

    @property
    def authority(self) -> str:
        """Host and port of the page."""
        return f"{self.name}:{self.port or self.served.port}"

    def send(self, method: str, path: str, *, body: str = "", headers: Mapping[str, str | None] = {}) -> Answer:
        """Send one request, and wait until it is logged; a header given as None is left out."""
        number = len(self.served.lines) + 1
        sent: dict[str, str | None] = {"Host": self.authority, "Sec-Fetch-Site": "same-origin"}
        if method == "GET":
            sent |= {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{key}={value}" for key, value in self.cookies.items())
        if method == "POST":
            sent |= {"Origin": f"https://{self.authority}", "Content-Type": "application/x-www-form-urlencoded"}
            sent["Content-Length"] = str(len(body.encode()))
        sent |= headers
        connection = HTTPSConnection("127.0.0.1", self.served.port, timeout=60, context=self.tls)
        raw = socket.create_connection(("127.0.0.1", self.served.port), 60)
        connection.sock = self.tls.wrap_socket(raw, server_hostname=self.name)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for key, value in sent.items():
                if value is not None:
                    connection.putheader(key, value)
            connection.endheaders(body.encode() or None)
            answer = self._read(connection.getresponse())
            self.served.lines.wait(number)
            return answer
        finally:
            connection.close()

    def _read(self, response: HTTPResponse) -> Answer:
        text = heard("the page under its own name", response.read().decode())
        for line in response.headers.get_all("set-cookie", []):
            self.set_cookies.append(line)
            key, _, value = line.partition(";")[0].partition("=")
            self.cookies.pop(key, None)
            if value.strip('"'):
                self.cookies[key] = learnt("a cookie of the page", value)
        return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, text)

    def get(self, path: str, **headers: str | None) -> Answer:
        """Open a screen."""
        return self.send("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, **fields: str) -> Answer:
        """Send a form, with this session's token unless another is given."""
        if "csrf" not in fields:
            found = re.search(CSRF, self.get("/").text)
            fields["csrf"] = found[1] if found else ""
        return self.send("POST", path, body=urlencode(fields))

    def goes(self, path: str = "/") -> str:
        """Begin a sign-in; return the address of the provider that the browser is sent to."""
        answer = self.get(f"/sign-in?next={path}")
        assert answer.status == 303, answer.text
        return answer.headers["location"]

    def comes_back(self, address: str, *, who: str) -> str:
        """Be somebody at the provider; return the path of the page that the browser is sent back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        back = urlsplit(self.provider.authorize(asked, who=who))
        assert back.netloc == self.authority
        return f"{back.path}?{back.query}"

    def signs_in(self, who: str, path: str = "/") -> Answer:
        """Sign in from nothing, and stop where the page lets somebody in."""
        return self.get(self.comes_back(self.goes(path), who=who))

    def reads(self, plan_id: str, *, who: str = "") -> Answer:
        """Open one person of a plan, and return the plan's screen; look it up at the provider where asked to."""
        self.follows(f"/plans/{plan_id}/sample", who=who)
        return self.follows(f"/plans/{plan_id}", who=who)

    def follows(self, path: str, *, who: str = "") -> Answer:
        """Open a screen as a browser does, to the provider and back."""
        for _ in range(8):
            answer = self.get(path)
            if answer.status != 303:
                return answer
            there = urljoin(f"https://{self.authority}{path}", answer.headers["location"])
            path = there.removeprefix(f"https://{self.authority}")
            if there.startswith(self.provider.url):
                path = self.comes_back(there, who=who)
        raise AssertionError(f"it went in a circle, at {path}")


@contextmanager
def page_under_its_name(
    world: PageWorld,
    certificate: Certificate,
    provider: OpenIdProvider,
    *,
    verify: Verify | None = None,
    options: ServeOptions | None = None,
    **more: Any,
) -> Iterator[Tab]:
    """Serve a data folder and its page over TLS; yield a browser that has not been there."""
    elapsed = [0.0]

    def share(port: int) -> HostedPage:
        return page_share(world, port, keys=IssuerKeys(provider.url, fetch_document, lambda: elapsed[0]))

    with serving(world, options or certificate.options, page=share, verify=verify, **more) as served:
        assert served.tls is not None
        yield Tab(served, provider, served.tls)


def page_share(world: PageWorld, port: int, *, keys: IssuerKeys, claim: str = "groups") -> HostedPage:
    """Return the page of a data folder under its name on a port, with an issuer to sign in at."""
    origin = f"https://{NAME}:{port}"
    client = ReviewSettings(
        url=origin,
        issuer=keys.issuer,
        client_id=CLIENT_ID,
        client_secret=Secret(SECRET),
        role_claim=claim,
        roles=ROLES,
    )
    place = PageAddress(origin, frozenset({f"{NAME}:{port}"}), has_sign_in=True)
    return HostedPage(
        build_page(partial(world.app, "page"), place=place, service=RemoteSignInIssuer(keys, client)), place.hosts
    )
