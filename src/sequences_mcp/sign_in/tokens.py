"""Access tokens of a mailbox, renewed from what a person granted, and the state of that grant.

A grant is kept in the system's keychain or, where there is none, in a file of mode 0600; what is known about it,
and no secret, in ``sign_in/NAME.json`` of the data folder. Processes renew it one at a time, under a lock beside
that file: a provider may take back a refresh token that is used twice (RFC 9700, section 4.14.2). Once a provider
says that a grant is over, the file says so, and nobody asks again before a person has signed in again.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sequences_mcp.domain.findings import Trouble
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import SignInError
from sequences_mcp.lazy_dataclasses import dataclass, field, replace
from sequences_mcp.private_files import exclusively, write_private
from sequences_mcp.sign_in import keychain
from sequences_mcp.sign_in.client import OAuthRegistration

EARLY = timedelta(seconds=60)  # before its end an access token is renewed
SHORTEST = timedelta(seconds=61)  # an answer that names no end, or one in the past, is not renewed at every use
USUAL = 3600  # seconds an access token holds where the answer does not say (RFC 6749, section 5.1)
SOON = timedelta(days=14)  # before its end a sign-in is told to end
PATIENCE = 20.0  # seconds for the next bytes of the provider
WHOLE = 60.0  # seconds for a whole answer
LARGEST = 256 * 1024  # bytes of an answer; those of Microsoft and Google have a few thousand
# The grant is over, or a person has to do something at the provider (OpenID Connect Core, section 3.1.2.6).
OVER = frozenset({"invalid_grant", "interaction_required", "login_required", "consent_required"})
_CODE = re.compile(r"[a-z_]{1,40}")
_DETAIL = re.compile(r"\bAADSTS\d{4,8}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSignIn:
    """Which mailbox signs in, with which client, and the file in which the state of its grant is stored."""

    client: OAuthRegistration
    mailbox: str
    username: str
    workspace: Workspace

    @property
    def path(self) -> Path:
        """The file of the state."""
        plain = re.fullmatch(r"[A-Za-z0-9_-]{1,60}", self.mailbox)
        name = self.mailbox if plain else hashlib.sha256(self.mailbox.encode()).hexdigest()[:20]
        return self.workspace.sign_ins / f"{name}.json"

    def again(self, why: str) -> SignInError:
        """Return the error for a grant that is not there any more."""
        return SignInError(
            f"{self.username} has to be signed in again at {self.client.of.title}: {why}.",
            next_step=f"Run `sequences-mcp mail sign-in {self.mailbox}`; what waits is sent then.",
            data={"again": True},
        )

    def not_now(self, why: str, *, next_step: str = "") -> SignInError:
        """Return the error for a token that could not be had just now."""
        return SignInError(
            f"{self.username} cannot be signed in at {self.client.of.title} now: {why}.",
            next_step=next_step or "What waits is tried again by itself; nothing has failed.",
            data={"again": False},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInState:
    """What is known about a grant: where its secret is stored, since when, and why it is over, if it is.

    ``ends_at`` is when it ends, where the provider said so; ``ended_at`` since when it is known to be over.
    """

    provider: str
    client_id: str
    username: str
    kept_in: str
    entry: str
    signed_in_at: datetime
    renewed_at: datetime
    ends_at: datetime | None = None
    ended_at: datetime | None = None
    why: str = ""

    def fits(self, sign_in: MailSignIn) -> bool:
        """Say whether it was granted to the client and the account that the settings name now."""
        client = sign_in.client
        present = (client.provider, client.client_id, sign_in.username.casefold())
        return (self.provider, self.client_id, self.username.casefold()) == present

    def as_json(self) -> str:
        """Return it as it stands in its file."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return json.dumps({name: v.isoformat() if isinstance(v, datetime) else v for name, v in values.items()})

    @classmethod
    def of_json(cls, text: str) -> SignInState:
        """Return what a file says; ValueError or TypeError for anything else."""
        facts = json.loads(text)
        if not isinstance(facts, dict):
            raise ValueError("not an object")
        times = ("signed_in_at", "renewed_at", "ends_at", "ended_at")
        read = {name: datetime.fromisoformat(facts[name]).astimezone(UTC) for name in times if facts.get(name)}
        return cls(**{**facts, **read})


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What a provider gave: an access token and its end, and a refresh token where it gave a new one."""

    access_token: str = field(repr=False)
    expires_at: datetime
    refresh_token: str = field(default="", repr=False)
    ends_at: datetime | None = None


def state_of(sign_in: MailSignIn) -> SignInState | None:
    """Return the state of a mailbox's grant, or None where nobody has signed in or the file cannot be read."""
    try:
        return SignInState.of_json(sign_in.path.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return None


def why_not_signed_in(sign_in: MailSignIn) -> str:
    """Return why a person has to sign in, or nothing where the grant holds as far as is known."""
    state = state_of(sign_in)
    if state is None:
        return "nobody has signed in on this machine yet"
    if not state.fits(sign_in):
        return "the settings name another client or account than the one that was signed in"
    return state.why if state.ended_at else ""


def signed_out(sign_in: MailSignIn, *, sender: str, now: datetime) -> Iterator[Trouble]:
    """Yield that a person has to sign the mailbox in again, or soon will have to, where that is known."""
    state = state_of(sign_in)
    if not (why := why_not_signed_in(sign_in)):
        if state is not None and state.ends_at is not None and state.ends_at - now <= SOON:
            at = f"{state.ends_at:%Y-%m-%d %H:%M} UTC"
            yield Trouble(
                code="sign_in_ends",
                what=f"By what {sign_in.client.of.title} said, the sign-in of {sign_in.username} ends at {at}.",
                remedy=f"Run `sequences-mcp mail sign-in {sign_in.mailbox}` before; after it, e-mails wait.",
                stops=False,
                sender=sender,
            )
        return
    error = sign_in.again(why)
    yield Trouble(
        code="sign_in_again",
        what=error.message,
        remedy=error.next_step,
        since=state.ended_at if state else None,
        sender=sender,
    )


def lasting(sign_in: MailSignIn) -> str:
    """Return at whom a mailbox signs in, since when and how long that holds, in words."""
    at, state = f"with {sign_in.client.of.title}", state_of(sign_in)
    if state is None or why_not_signed_in(sign_in):
        return f"{at}, and somebody has to sign in: sequences-mcp mail sign-in {sign_in.mailbox}"
    since = f"since {state.signed_in_at:%Y-%m-%d}"
    if state.ends_at is not None:
        return f"{at} {since}, until {state.ends_at:%Y-%m-%d %H:%M} UTC"
    return f"{at} {since}, {sign_in.client.of.lasts}"


def token_request(
    client: OAuthRegistration, form: Mapping[str, str], *, url: str = "", whole: float = WHOLE
) -> tuple[int, dict[str, Any]]:
    """Post a form to the provider; return the status and the JSON of its answer, empty where that is none.

    Raises OSError where the provider cannot be reached, or its answer is too large or not there as a whole after
    ``whole`` seconds: without what was sent, which holds secrets. No redirect is followed, so that nobody else is
    sent them either.
    """
    import httpx

    from sequences_mcp.hosts import trust_without_tls

    # Uncompressed, since a small answer may unfold to a large one.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    body, place = bytearray(), url or client.token_url
    trusted = trust_without_tls(place) or True
    with _cut_after(whole) as cut:
        data, traced = {**client.proof, **form}, {"trace": cut.trace}
        try:
            with (
                httpx.Client(timeout=PATIENCE, verify=trusted) as http,
                http.stream("POST", place, data=data, headers=headers, extensions=traced) as answer,
            ):
                for part in answer.iter_raw():
                    body += part
                    if len(body) > LARGEST:
                        raise OSError(f"its answer has more than {LARGEST // 1024} KiB")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OSError("its answer did not end" if cut.is_over else type(error).__name__) from None
        if cut.is_over:  # a body without a length seems to end where its connection is cut
            raise OSError("its answer did not end")
    try:
        result = json.loads(body)
    except (ValueError, RecursionError):  # of JSON that is nested thousands of times
        result = {}
    return answer.status_code, result if isinstance(result, dict) else {}


class _Cut:
    """Shuts the connections of a request down once its time is over; a time-out begins anew at each byte."""

    def __init__(self) -> None:
        self.is_over = False
        self._reached: list[socket.socket] = []

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Take note of a connection, as httpcore's trace tells of it, before TLS is put around it."""
        if event.endswith("connect_tcp.complete"):
            self._reached.append(info["return_value"].get_extra_info("socket").dup())
            if self.is_over:
                self.now()

    def now(self) -> None:
        """Shut down every connection, also one that is made later."""
        self.is_over = True
        for connection in [*self._reached]:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close what was held of the connections."""
        for connection in self._reached:
            connection.close()


@contextmanager
def _cut_after(seconds: float) -> Iterator[_Cut]:
    cut = _Cut()
    timer = threading.Timer(seconds, cut.now)
    timer.daemon = True
    timer.start()
    try:
        yield cut
    finally:
        timer.cancel()
        timer.join()  # it may be at it
        cut.close()


def error_code(result: Mapping[str, Any]) -> str:
    """Return the error of an answer (RFC 6749, section 5.2), fit to be shown, or nothing."""
    code = str(result.get("error", ""))
    return code if _CODE.fullmatch(code) else ""


def error_words(result: Mapping[str, Any], status: int) -> str:
    """Return what a refusal is known by: its code and, of Microsoft, the number that its documentation lists."""
    detail = _DETAIL.search(str(result.get("error_description", "")))
    known = " ".join(filter(None, (error_code(result), detail[0] if detail else "")))
    return known or f"HTTP {status}"


def token_answer(result: Mapping[str, Any], *, now: datetime) -> TokenAnswer | None:
    """Return the tokens of an answer, or None where there are none."""
    token = result.get("access_token")
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        return None
    refresh, ends = result.get("refresh_token"), _seconds(result.get("refresh_token_expires_in"))
    holds = timedelta(seconds=_seconds(result.get("expires_in")) or USUAL)
    return TokenAnswer(
        token,
        now + max(holds, SHORTEST),
        refresh if isinstance(refresh, str) else "",
        now + timedelta(seconds=ends) if ends else None,
    )


def _seconds(value: object) -> int:
    with suppress(TypeError, ValueError):
        return min(max(int(str(value)), 0), 315_360_000)
    return 0


def keep_grant(sign_in: MailSignIn, answer: TokenAnswer, *, now: datetime, in_file: bool = False) -> SignInState:
    """Keep what a person has just granted, in place of what was there; OSError where nothing can be written."""
    with exclusively(sign_in.path):
        before = state_of(sign_in)
        state = SignInState(
            provider=sign_in.client.provider,
            client_id=sign_in.client.client_id,
            username=sign_in.username,
            kept_in="",
            entry=f"mailboxes.{sign_in.mailbox}.grant.{secrets.token_hex(4)}",
            signed_in_at=now,
            renewed_at=now,
            ends_at=answer.ends_at,
        )
        state = _written(sign_in, state, answer, in_file=in_file)
        if before is not None and before.entry != state.entry:
            keychain.forget(before.kept_in, before.entry, folder=sign_in.path.parent)
    return state


def _written(sign_in: MailSignIn, state: SignInState, answer: TokenAnswer, *, in_file: bool) -> SignInState:
    """Write the secret, then the state that says where it is."""
    values = {
        "refresh_token": answer.refresh_token,
        "access_token": answer.access_token,
        "expires_at": answer.expires_at.isoformat(),
    }
    folder = sign_in.path.parent
    kept_in = keychain.keep(state.entry, json.dumps(values), folder=folder, in_file=in_file)
    state = replace(state, kept_in=kept_in)
    write_private(sign_in.path, state.as_json())
    return state


@dataclass(slots=True)
class AccessTokens:
    """The access tokens of one mailbox, for all threads of this process."""

    sign_in: MailSignIn
    clock: Callable[[], datetime]
    _held: TokenAnswer | None = field(default=None, init=False, repr=False)
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def current(self, refused: str = "") -> str:
        """Return a token that holds for a minute at least, not the one that a server ``refused``; SignInError."""
        with self._one_at_a_time:
            if not self._is_good(self._held, refused):
                try:
                    with exclusively(self.sign_in.path):
                        self._held = self._renewed(refused)
                except OSError as error:  # of the lock or the files; what is asked of the provider says so itself
                    raise self.sign_in.not_now(error.strerror or "its files cannot be used") from error
            assert self._held is not None
            return self._held.access_token

    def _is_good(self, answer: TokenAnswer | None, refused: str) -> bool:
        return (
            answer is not None
            and answer.access_token not in ("", refused)
            and self.clock() + EARLY < answer.expires_at
        )

    def _renewed(self, refused: str) -> TokenAnswer:
        """Return the token that another process has had meanwhile, or a new one."""
        state = state_of(self.sign_in)
        if why := why_not_signed_in(self.sign_in):
            raise self.sign_in.again(why)
        assert state is not None
        stored = self._read(state)
        if self._is_good(stored, refused):
            return stored
        return self._asked_for(state, stored.refresh_token)

    def _read(self, state: SignInState) -> TokenAnswer:
        try:
            text = keychain.read(state.kept_in, state.entry, folder=self.sign_in.path.parent)
        except OSError as error:
            raise self.sign_in.not_now(f"{error}") from error
        try:
            facts = json.loads(text.value) if text else {}
            expires_at = datetime.fromisoformat(facts["expires_at"])
            stored = TokenAnswer(facts["access_token"], expires_at, facts["refresh_token"])
        except (ValueError, KeyError, TypeError):
            stored = None
        if stored is None or not stored.refresh_token:
            raise self._over(state, f"what was granted is not in the {state.kept_in} any more")
        return stored

    def _asked_for(self, state: SignInState, refresh_token: str) -> TokenAnswer:
        sign_in = self.sign_in
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        if sign_in.client.provider == "microsoft":  # without a scope it gives a token for another of its services
            form["scope"] = sign_in.client.of.scopes
        try:
            status, result = token_request(sign_in.client, form)
        except OSError as error:
            raise sign_in.not_now(f"its sign-in service cannot be reached ({error})") from error
        now = self.clock()
        answer = token_answer(result, now=now) if status == 200 else None
        if answer is None:
            why = error_words(result, status)
            if error_code(result) in OVER:
                raise self._over(state, f"it has ended the earlier sign-in ({why})")
            setting = "Check oauth_client_id, oauth_client_secret and oauth_tenant of the mailbox."
            is_ours = status in (400, 401, 403) and bool(error_code(result))
            raise sign_in.not_now(f"its sign-in service answered {why}", next_step=setting if is_ours else "")
        answer = replace(answer, refresh_token=answer.refresh_token or refresh_token)
        ends_at = answer.ends_at or state.ends_at
        state = replace(state, renewed_at=now, ends_at=ends_at)
        _written(sign_in, state, answer, in_file=state.kept_in == keychain.FILE)
        return answer

    def _over(self, state: SignInState, why: str) -> SignInError:
        """Write down that the grant is over; return the error."""
        over = replace(state, ended_at=self.clock(), why=why)
        write_private(self.sign_in.path, over.as_json())
        return self.sign_in.again(why)


_KNOWN: dict[Path, AccessTokens] = {}
_KNOWN_LOCK = threading.Lock()


def access_tokens(sign_in: MailSignIn, *, clock: Callable[[], datetime]) -> Callable[[str], str]:
    """Return what gives a mailbox's access tokens: ``current`` of the one object that this process has for it."""
    with _KNOWN_LOCK:
        tokens = _KNOWN.get(sign_in.path)
        if tokens is None or tokens.sign_in != sign_in or tokens.clock is not clock:
            tokens = _KNOWN[sign_in.path] = AccessTokens(sign_in, clock)
    return tokens.current
