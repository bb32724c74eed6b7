"""A real OAuth 2.0 authorization server on loopback: device code, authorization code with PKCE, refresh tokens.

It speaks RFC 6749, 7636, 8628 and 7662 at the addresses that Microsoft and Google have, and is strict where they
may be: each refresh token works once, and one that comes back a second time ends the whole grant (RFC 9700).
"""

from __future__ import annotations

import hashlib
import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.secrecy.planted import MARK

USER = "ada@example.com"
CLIENT = "desk-client"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
Answer = tuple[int, dict[str, Any]]


@dataclass
class Grant:
    """What one person agreed to: its tokens, and whether it still holds."""

    user: str
    refresh: list[str] = field(default_factory=list)  # the last one is good
    access: list[str] = field(default_factory=list)
    is_over: bool = False


@dataclass
class AuthorizationServer:
    """The server, and what a person or an administrator does there."""

    port: int = 0
    user: str = USER
    secret: str = ""
    lifetime: int = 3_600
    script: list[Answer] = field(default_factory=list)  # answers of the token endpoint before it does its work
    raw: list[tuple[int, bytes]] = field(default_factory=list)  # before those, as they are
    asked: list[str] = field(default_factory=list)  # the kinds of grants that tokens were asked for with
    reused: int = 0
    grants: list[Grant] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _devices: dict[str, str] = field(default_factory=dict)  # device code to what the person did
    _dead: set[str] = field(default_factory=set)
    _numbers: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def url(self) -> str:
        """Its address, as ``oauth_authority`` has it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def introspection(self) -> str:
        """Where a mail server asks about a token (RFC 7662)."""
        return f"{self.url}/introspect"

    def agree(self) -> None:
        """Agree to every device code that waits."""
        with self._lock:
            self._devices.update(dict.fromkeys(self._devices, "yes"))

    def decline(self) -> None:
        """Decline every device code that waits."""
        with self._lock:
            self._devices.update(dict.fromkeys(self._devices, "no"))

    def revoke(self) -> None:
        """End every grant, as a person does who removes the app, with the tokens that were made from it."""
        with self._lock:
            for grant in self.grants:
                grant.is_over = True
                self._dead.update(grant.access)

    def expire(self) -> None:
        """Let every access token end that was given so far."""
        with self._lock:
            self._dead.update(token for grant in self.grants for token in grant.access)

    def owner(self, token: str) -> str | None:
        """Return whose access token this is, or None for one that does not hold."""
        with self._lock:
            found = (grant.user for grant in self.grants if token in grant.access and token not in self._dead)
            return next(found, None)

    def granted(self) -> Grant:
        """Return a new grant with its first tokens, as if a person had agreed."""
        with self._lock:
            grant = Grant(self.user)
            self.grants.append(grant)
            self._tokens(grant)
            return grant

    def page(self, query: dict[str, str]) -> str:
        """Agree in the browser; return where it is sent."""
        with self._lock:
            code = self._new("code")
            self._codes[code] = query
            return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def device(self, form: dict[str, str]) -> Answer:
        """Give a device code."""
        if form.get("client_id") != CLIENT or "offline_access" not in form.get("scope", ""):
            return 400, {"error": "invalid_client", "error_description": "AADSTS700016: no such app."}
        with self._lock:
            code = self._new("device")
            self._devices[code] = ""
        page = f"{self.url}/devicelogin"
        given = {"device_code": code, "user_code": "BDWD-HQPK", "verification_uri": page}
        return 200, {**given, "expires_in": 900, "interval": 1}

    def token(self, form: dict[str, str]) -> Answer:
        """Give tokens for what was granted."""
        with self._lock:
            kind = form.get("grant_type", "")
            self.asked.append(kind)
            if self.script:
                return self.script.pop(0)
            if form.get("client_id") != CLIENT or form.get("client_secret", "") != self.secret:
                return 401, {"error": "invalid_client"}
            if kind == "refresh_token":
                return self._refreshed(form.get("refresh_token", ""))
            if kind == DEVICE:
                return self._by_device(form.get("device_code", ""))
            return self._by_code(form)

    def introspected(self, token: str) -> Answer:
        """Say whether an access token holds, and whose it is."""
        user = self.owner(token)
        return 200, {"active": True, "username": user} if user else {"active": False}

    def _refreshed(self, token: str) -> Answer:
        grant = next((grant for grant in self.grants if token in grant.refresh), None)
        if grant is not None and token != grant.refresh[-1]:
            self.reused += 1
            grant.is_over = True
        if grant is None or grant.is_over:
            words = "AADSTS700082: The refresh token has expired due to inactivity."
            return 400, {"error": "invalid_grant", "error_description": words}
        return 200, self._tokens(grant)

    def _by_device(self, code: str) -> Answer:
        did = self._devices.get(code)
        if did == "yes":
            del self._devices[code]
            grant = Grant(self.user)
            self.grants.append(grant)
            return 200, self._tokens(grant)
        known = {"": "authorization_pending", "no": "authorization_declined", None: "bad_verification_code"}
        return 400, {"error": known[did]}

    def _by_code(self, form: dict[str, str]) -> Answer:
        query = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        is_right = query is not None and query.get("code_challenge") == challenge
        if not is_right or query is None or query["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant", "error_description": "Malformed auth code."}
        grant = Grant(self.user)
        self.grants.append(grant)
        return 200, self._tokens(grant)

    def _tokens(self, grant: Grant) -> dict[str, Any]:
        grant.refresh.append(self._new("refresh"))
        grant.access.append(self._new("access"))
        return {
            "token_type": "Bearer",
            "access_token": grant.access[-1],
            "refresh_token": grant.refresh[-1],
            "expires_in": self.lifetime,
        }

    def _new(self, kind: str) -> str:
        self._numbers += 1
        return f"{kind}-{MARK}13z-{self._numbers}"


def _listener(server: AuthorizationServer) -> type[BaseHTTPRequestHandler]:
    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path in ("/common/oauth2/v2.0/authorize", "/o/oauth2/v2/auth"):
                self.send_response(302)
                self.send_header("Location", server.page(query))
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif parts.path == "/introspect":
                self.answer(server.introspected(query.get("token", "")))
            else:
                self.answer((404, {}))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            path = urlsplit(self.path).path
            if path.endswith("/devicecode"):
                self.answer(server.device(form))
            elif path.endswith("/token") and server.raw:
                self.answer_bytes(*server.raw.pop(0))
            elif path.endswith("/token"):
                self.answer(server.token(form))
            elif path == "/introspect":
                self.answer(server.introspected(form.get("token", "")))
            else:
                self.answer((404, {}))

        def answer(self, answer: Answer) -> None:
            self.answer_bytes(answer[0], json.dumps(answer[1]).encode())

        def answer_bytes(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(ConnectionError):  # whoever has had enough hangs up
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Write nothing."""

    return Listener


@contextmanager
def authorization_server(**options: Any) -> Iterator[AuthorizationServer]:
    """Run a server on a free port of loopback."""
    server = AuthorizationServer(**options)
    listener = ThreadingHTTPServer(("127.0.0.1", 0), _listener(server))
    listener.daemon_threads = True
    server.port = listener.server_port
    thread = threading.Thread(target=listener.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
