"""E-mails that come in, as other people's programs write them: built from the RFCs and the formats' own documents.

Each builder returns the bytes of a message about one that we sent: its Message-ID, its recipient, its text.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Sent:
    """One e-mail of ours that something comes back for."""

    message_id: str = "<abcdefghijklmnopqrstuvwxyz234567@example.com>"
    sender: str = "ada@example.com"
    recipient: str = "bob@acme.example"
    subject: str = "A role in Lyon"
    text: str = (
        "Hello Bob,\n\nwould you talk about a role in Lyon next week?\n\nReply STOP or unsubscribe here.\n\nAda"
    )

    @property
    def copy(self) -> str:
        """Its headers and text, as reports append them."""
        return (
            f"From: Ada Lovelace <{self.sender}>\nTo: {self.recipient}\nSubject: {self.subject}\n"
            f"Date: Mon, 23 Nov 2026 09:00:00 +0000\nMessage-ID: {self.message_id}\nMIME-Version: 1.0\n"
            f"Content-Type: text/plain; charset=utf-8\n\n{self.text}\n"
        )

    @property
    def headers(self) -> str:
        """Its headers alone."""
        return self.copy.partition("\n\n")[0] + "\n"


def raw(headers: str, body: str) -> bytes:
    """Return a message of these headers and this body, with a date."""
    head = headers.strip("\n")
    date = "" if "\nDate:" in f"\n{head}" else f"\nDate: {format_datetime(AT)}"
    return f"{head}{date}\n\n{body}".replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8", "surrogateescape")


def report(
    sent: Sent,
    *,
    status: str,
    action: str = "failed",
    diagnostic: str = "",
    words: str = "Your message could not be delivered.",
    sender: str = "Mail Delivery System <MAILER-DAEMON@mx.acme.example>",
    subject: str = "Undelivered Mail Returned to Sender",
    more: str = "",
    encoded: bool = False,
    original: str = "message/rfc822",
) -> bytes:
    """Return a report of RFC 3464."""
    fields = f"Final-Recipient: rfc822; {sent.recipient}\nAction: {action}\n"
    fields += f"Status: {status}\n" if status else ""
    fields += f"Diagnostic-Code: {diagnostic}\n" if diagnostic else ""
    block = f"Reporting-MTA: dns; mx.acme.example\nArrival-Date: Mon, 23 Nov 2026 09:00:01 +0000\n\n{fields}"
    encoding = ""
    if encoded:
        block = b64encode(block.encode()).decode() + "\n"
        encoding = "\nContent-Transfer-Encoding: base64"
    inner = sent.copy if original == "message/rfc822" else sent.headers
    body = (
        f"This is a MIME-encapsulated message.\n\n--B\nContent-Type: text/plain; charset=us-ascii\n\n{words}\n\n"
        f"--B\nContent-Type: message/delivery-status{encoding}\n\n{block}\n"
        f"--B\nContent-Type: {original}\n\n{inner}\n--B--\n"
    )
    head = (
        f"Return-Path: <>\nFrom: {sender}\nTo: {sent.sender}\nSubject: "
        f"{subject}\nMessage-ID: <x1@mx.acme.example>\n"
        f'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary="B"\n{more}'
    )
    return raw(head, body)


def plain_bounce(sent: Sent, *, words: str, sender: str, subject: str, more: str = "", copy: bool = True) -> bytes:
    """Return a report that is plain text, as mail systems wrote before RFC 3464 and some still do."""
    head = f"Return-Path: <>\nFrom: {sender}\nTo: {sent.sender}\nSubject: {subject}\n{more}"
    return raw(head, words.replace("RECIPIENT", sent.recipient) + (f"\n\n{sent.copy}" if copy else ""))


def complaint(sent: Sent, kind: str = "abuse") -> bytes:
    """Return a report of RFC 5965."""
    body = (
        "--B\nContent-Type: text/plain\n\nThis is an email abuse report for a message received from 192.0.2.1.\n\n"
        "--B\nContent-Type: message/feedback-report\n\n"
        f"Feedback-Type: {kind}\nUser-Agent: SomeGenerator/1.0\nVersion: 1\nOriginal-Mail-From: <{sent.sender}>\n"
        f"--B\nContent-Type: message/rfc822\n\n{sent.copy}\n--B--\n"
    )
    head = (
        f"From: <abusedesk@example.net>\nTo: {sent.sender}\nSubject: FW: {sent.subject}\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="B"'
    )
    return raw(head, body)


def reply(
    sent: Sent,
    text: str,
    *,
    sender: str = "",
    subject: str = "",
    more: str = "",
    refers: bool = True,
    html: str = "",
) -> bytes:
    """Return a person's answer, or an automatic one with ``more`` headers."""
    message = EmailMessage()
    message["From"] = sender or f"Bob Miller <{sent.recipient}>"
    message["To"] = sent.sender
    message["Subject"] = subject or f"Re: {sent.subject}"
    message["Date"] = format_datetime(AT)
    message["Message-ID"] = "<answer-1@acme.example>"
    if refers:
        message["In-Reply-To"] = sent.message_id
        message["References"] = sent.message_id
    for line in more.splitlines():
        name, _, value = line.partition(": ")
        message[name] = value
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()
