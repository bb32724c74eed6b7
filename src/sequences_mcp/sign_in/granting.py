"""How a person grants access to a mailbox: with a code on any device, or in the browser of this machine.

Device code: RFC 8628. Browser: the authorization code flow with PKCE (RFC 7636), answered to a port of loopback
(RFC 8252). Nothing is kept here: what was granted is returned.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from sequences_mcp.errors import SignInError
from sequences_mcp.lazy_dataclasses import dataclass, field
from sequences_mcp.sign_in.client import OAuthRegistration
from sequences_mcp.sign_in.tokens import TokenAnswer, error_code, error_words, token_answer, token_request

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
INTERVAL, SLOWER = 5, 5  # seconds between two questions, and how many more after `slow_down` (RFC 8628, 3.5)
LONGEST = 4_096  # letters of a code or a page, which a terminal shows
WITHIN = 600.0  # seconds for a person to agree in the browser
_DONE = b"<!doctype html><meta charset=utf-8><title>Signed in</title><p>You may close this window."
_REFUSED = b"<!doctype html><meta charset=utf-8><title>Not signed in</title><p>The terminal says why."
_AGAIN = "Start it again with `sequences-mcp mail sign-in`."


def not_granted(why: str, *, next_step: str = _AGAIN) -> SignInError:
    """Return the error for a sign-in that did not come about."""
    return SignInError(f"Nothing was granted: {why}.", next_step=next_step, data={"again": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceGrant:
    """A code that a person types at the provider, and how it is asked what became of it."""

    client: OAuthRegistration
    device_code: str = field(repr=False)
    user_code: str
    page: str
    expires_in: int
    interval: int

    def wait(
        self, *, monotonic: Callable[[], float], sleep: Callable[[float], None], now: Callable[[], datetime]
    ) -> TokenAnswer:
        """Ask until the person has agreed, and return the tokens; SignInError when they do not, or too late."""
        end, interval = monotonic() + self.expires_in, self.interval
        form = {"grant_type": DEVICE, "device_code": self.device_code}
        while monotonic() < end:
            sleep(interval)
            try:
                status, result = token_request(self.client, form)
            except OSError:
                interval += SLOWER  # a connection that failed is no answer (RFC 8628, section 3.5)
                continue
            code = error_code(result)
            if status == 429 or status >= 500:
                interval += SLOWER  # neither is one that says nothing about the code
                continue
            if status == 200:
                return _granted(self.client, result, status=status, now=now())
            if code == "slow_down":
                interval += SLOWER
            elif code != "authorization_pending":
                raise _refused(result, status)
        raise not_granted("nobody agreed before the code ended")


def device_grant(client: OAuthRegistration) -> DeviceGrant:
    """Ask the provider for a device code; SignInError."""
    if not client.device_url:
        raise not_granted(f"{client.of.title} gives no access to e-mail by a code", next_step="Use the browser.")
    form = {"scope": client.of.scopes}
    status, result = _posted(client, form, url=client.device_url)
    page = result.get("verification_uri") or result.get("verification_url")
    facts = (result.get("device_code"), result.get("user_code"), page)
    if status != 200 or not all(isinstance(item, str) and 0 < len(item) < LONGEST for item in facts):
        raise _refused(result, status)
    device_code, user_code, where = map(str, facts)
    return DeviceGrant(
        client=client,
        device_code=device_code,
        user_code=user_code,
        page=where,
        expires_in=_whole(result.get("expires_in"), usual=900, most=3_600),
        interval=_whole(result.get("interval"), usual=INTERVAL, most=60),
    )


def _whole(value: object, *, usual: int, most: int) -> int:
    return min(value, most) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else usual


class BrowserGrant:
    """A page on which a person agrees, and the port of this machine that the answer comes back to.

    A context manager: the port is open inside it.
    """

    def __init__(self, client: OAuthRegistration, *, username: str) -> None:
        self._client = client
        self._verifier, self._state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
        self._answer: dict[str, str] = {}
        # Each connection has a thread: one that says nothing must not hold up the answer.
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._listener())
        self._server.daemon_threads = True
        self._redirect = f"http://{client.of.loopback}:{self._server.server_port}/"
        challenge = urlsafe_b64encode(hashlib.sha256(self._verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "client_id": client.client_id,
            "response_type": "code",
            "redirect_uri": self._redirect,
            "scope": client.of.scopes,
            "state": self._state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "login_hint": username,
            "prompt": "consent",  # without it Google gives a refresh token the first time only
            "access_type": "offline",
        }
        self.page = f"{client.authorize_url}?{urlencode(query)}"

    def __enter__(self) -> BrowserGrant:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.server_close()

    def wait(
        self, *, monotonic: Callable[[], float], now: Callable[[], datetime], within: float = WITHIN
    ) -> TokenAnswer:
        """Wait until the browser comes back, and return the tokens; SignInError when it does not, or with a no."""
        end = monotonic() + within
        while not self._answer:
            if (left := end - monotonic()) <= 0:
                raise not_granted("nobody agreed in the browser in time")
            self._server.timeout = min(left, 0.2)
            self._server.handle_request()
        if "code" not in self._answer:
            raise _refused(self._answer, 400)
        form = {
            "grant_type": "authorization_code",
            "code": self._answer["code"],
            "redirect_uri": self._redirect,
            "code_verifier": self._verifier,
        }
        status, result = _posted(self._client, form)
        return _granted(self._client, result, status=status, now=now())

    def _listener(self) -> type[BaseHTTPRequestHandler]:
        grant = self

        class Listener(BaseHTTPRequestHandler):
            """Takes the one answer that knows the state; everything else is told nothing."""

            timeout = 5  # a browser opens connections that it never uses

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                is_ours = parts.path == "/" and hmac.compare_digest(
                    query.get("state", "").encode(), grant._state.encode()
                )
                if not is_ours or grant._answer or not query.keys() & {"code", "error"}:
                    self.send_error(404)
                    return
                grant._answer = query  # the first one counts
                body = _DONE if "code" in query else _REFUSED
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.send_header("Referrer-Policy", "no-referrer")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Write nothing: the address has the code."""

        return Listener


def _posted(client: OAuthRegistration, form: dict[str, str], *, url: str = "") -> tuple[int, dict[str, Any]]:
    try:
        return token_request(client, form, url=url)
    except OSError as error:
        raise not_granted(f"{client.of.title}'s sign-in service cannot be reached ({error})") from error


def _granted(client: OAuthRegistration, result: dict[str, Any], *, status: int, now: datetime) -> TokenAnswer:
    answer = token_answer(result, now=now)
    if status != 200 or answer is None:
        raise _refused(result, status)
    if not answer.refresh_token:
        raise not_granted(
            f"{client.of.title} gave no refresh token, so the mailbox would be signed out within the hour",
            next_step="Remove the app's access at the provider, then sign in again.",
        )
    return answer


def _refused(result: dict[str, Any], status: int) -> SignInError:
    code = error_code(result)
    if code in ("access_denied", "authorization_declined"):
        return not_granted("the sign-in was declined")
    if code == "expired_token":
        return not_granted("nobody agreed before the code ended")
    step = "Check the client id, its secret, the tenant and what the client may do at the provider."
    return not_granted(f"the provider answered {error_words(result, status)}", next_step=step)
