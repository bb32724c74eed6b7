"""A test message to oneself: sent by the mailbox's own server, found in its inbox, and what its headers say."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from email.parser import BytesHeaderParser
from typing import TYPE_CHECKING

from sequences_mcp.domain.addresses import wire_address
from sequences_mcp.engine.channels.mail_server import MailServer, Timeouts, Tokens
from sequences_mcp.engine.inbound.imap import ImapServer, ImapWalker
from sequences_mcp.errors import DeliveryError, InboxUnreadError
from sequences_mcp.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from sequences_mcp.domain.sender import Sender

WITHIN = 120.0  # seconds for the message to arrive
EVERY = 2.0  # seconds between two looks
METHODS = ("spf", "dkim", "dmarc")
_RESULT = re.compile(r"(?:^|;)\s*(spf|dkim|dmarc)\s*=\s*([a-z]+)", re.IGNORECASE)
_COMMENT = re.compile(r"\([^()]*\)")
SUBJECT = "Test of this mailbox"
TEXT = """\
This message tries the mailbox it comes from: whether it sends, and whether what arrives is found.

It can be deleted.
"""


@dataclass(frozen=True, slots=True)
class TrialLine:
    """One result: ``ok`` true, false, or None for information only; ``reply`` is what a server said."""

    ok: bool | None
    words: str
    reply: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxTrial:
    """What a test goes through: the mailbox's two servers, its sender, and how time passes."""

    sender: Sender
    smtp: MailServer
    imap: ImapServer | None
    tokens: Tokens | None
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    within: float = WITHIN

    def results(self) -> Iterator[TrialLine]:
        """Yield a line for each thing that was found out, the verdict last."""
        from sequences_mcp.engine.channels.message import compose
        from sequences_mcp.engine.channels.smtp import deliver_by_smtp

        address, mark = self.sender.address, secrets.token_hex(8)  # some servers replace the Message-ID
        message = compose(
            sender=self.sender,
            recipient=address,
            subject=f"{SUBJECT} ({mark})",
            content=TEXT,
            message_id=f"<test.{mark}@{wire_address(address).rpartition('@')[2]}>",
            date=self.now(),
        )
        quick = Timeouts(connect=20, command=30, final=60)
        try:
            deliver_by_smtp(self.smtp, message, before_dot=lambda: None, timeouts=quick, tokens=self.tokens)
        except DeliveryError as error:
            yield TrialLine(False, f"sent: no. {error.message}", str(error.data.get("server_reply", "")))
            yield TrialLine(False, f"verdict: {self.smtp.where} did not take a message to {address}.")
            return
        yield TrialLine(True, f"sent: {self.smtp.where} took a message to {address}")
        if self.imap is None:
            yield TrialLine(None, "verdict: it sends; whether it arrives cannot be seen without imap.")
            return
        yield from self._arrival(self.imap, mark)

    def _arrival(self, server: ImapServer, mark: str) -> Iterator[TrialLine]:
        walker = ImapWalker(server, connect_within=20, answer_within=30, tokens=self.tokens)
        began = self.monotonic()
        try:
            while (place := walker.find(mark)) is None:
                if self.monotonic() - began >= self.within:
                    yield TrialLine(False, f"arrived: not within {self.within:g} seconds")
                    why = "look for it in the mail program; what is sent may be held or lost"
                    yield TrialLine(False, f"verdict: the message was taken and did not arrive: {why}.")
                    return
                self.sleep(EVERY)
        except InboxUnreadError as error:
            yield TrialLine(False, f"arrived: unknown. {error.message}", str(error.data.get("server_reply", "")))
            yield TrialLine(False, "verdict: it sends, and the inbox cannot be read.")
            return
        finally:
            walker.close()
        yield TrialLine(not place.is_junk, f"arrived: in {place.folder} after {self.monotonic() - began:.0f} s")
        results = authentication_results(place.head)
        yield from _shown(results)
        yield verdict(results, is_junk=place.is_junk, folder=place.folder)


def authentication_results(head: bytes) -> dict[str, str]:
    """Return what the receiving server found of SPF, DKIM and DMARC, by method; nothing where it says nothing.

    Servers put their header on top (RFC 8601, section 5): only those with the first one's name count, since
    whoever sends can write any others below. The first result of a method counts, and a DKIM that passed.
    """
    headers = BytesHeaderParser().parsebytes(head).get_all("Authentication-Results") or []
    results: dict[str, str] = {}
    server = None
    for header in headers:
        text = _COMMENT.sub(" ", " ".join(str(header).split()))
        name = text.partition(";")[0].split(" ")[0].lower()
        server = server or name
        if name != server:
            break
        for method, result in _RESULT.findall(text):
            if method.lower() not in results or result.lower() == "pass":
                results[method.lower()] = result.lower()
    return results


def _shown(results: dict[str, str]) -> Iterator[TrialLine]:
    for method in METHODS:
        if result := results.get(method):
            is_good = {"pass": True, "fail": False, "softfail": False, "permerror": False}.get(result)
            yield TrialLine(is_good, f"{method.upper()}: {result}, says the receiving server")


def verdict(results: dict[str, str], *, is_junk: bool, folder: str) -> TrialLine:
    """Return in one sentence what the test has shown."""
    failed = [method.upper() for method in METHODS if results.get(method) in ("fail", "softfail", "permerror")]
    passed = [method.upper() for method in METHODS if results.get(method) == "pass"]
    if is_junk:
        return TrialLine(False, f"verdict: it arrived as spam, in {folder}; others will see it there too.")
    if failed:
        step = "mend the DNS records that the provider names; `sequences-mcp doctor --dns` shows them"
        return TrialLine(False, f"verdict: it arrived, and {' and '.join(failed)} failed: {step}.")
    if len(passed) == len(METHODS):
        return TrialLine(True, "verdict: all is well: sent, arrived, and signed as its domain asks.")
    if not passed:
        words = "of SPF, DKIM and DMARC the server says nothing, as many do of a message to oneself"
        return TrialLine(True, f"verdict: sent and arrived; {words} (`sequences-mcp doctor --dns` shows the DNS).")
    silent = " and ".join(method.upper() for method in METHODS if results.get(method) != "pass")
    return TrialLine(True, f"verdict: sent and arrived, {' and '.join(passed)} passed; {silent} did not.")
