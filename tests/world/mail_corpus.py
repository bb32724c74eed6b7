"""The corpus of e-mails that come in: several hundred, built from the tables in ``corpus/``, each with its truth.

The tables say what mail systems and people write; the builders here say how that is put into MIME. Nothing is
copied from anybody's mailbox: addresses are examples, texts have the form that the systems' documents show.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.world.inbound_mail import Sent, plain_bounce, raw, reply, report

from sequences_mcp.engine.inbound.kind import InboundKind

FOLDER = Path(__file__).parent / "corpus"
SENT = Sent()
TRUTHS = {
    "hard": InboundKind.HARD_BOUNCE,
    "soft": InboundKind.SOFT_BOUNCE,
    "delayed": InboundKind.DELAYED,
    "returned": InboundKind.RETURNED,
    "automatic": InboundKind.AUTOMATIC,
}


@dataclass(frozen=True)
class CorpusItem:
    """One e-mail with what is true of it; ``names_ours`` where our Message-ID stands in it."""

    name: str
    data: bytes
    kind: InboundKind
    names_ours: bool = True


def table(name: str) -> dict[str, Any]:
    """Return a table of the corpus."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))


def _filled(text: str, sent: Sent, why: str = "") -> str:
    values = {
        "why": why,
        "subject": sent.subject,
        "to": sent.recipient,
        "from": sent.sender,
        "id": sent.message_id,
    }
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", value)
    return text


def _encoded_subject(subject: str) -> str:
    from email.header import Header

    return subject if subject.isascii() else Header(subject, "utf-8").encode(maxlinelen=900)


def attached(sent: Sent, *, words: str, sender: str, subject: str, more: str = "") -> bytes:
    """Return a mailer's text with our message attached, without a delivery status."""
    body = (
        f"--B\nContent-Type: text/plain; charset=utf-8\n\n{words}\n\n"
        f"--B\nContent-Type: message/rfc822\nContent-Disposition: attachment\n\n{sent.copy}\n--B--\n"
    )
    head = (
        f"Return-Path: <>\nFrom: {sender}\nTo: {sent.sender}\nSubject: {subject}\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/mixed; boundary="B"\n{more}'
    )
    return raw(head, body)


def bounce(system: dict[str, Any], case: list[str], sent: Sent = SENT) -> bytes:
    """Return the report that a mail system writes in one case."""
    truth, status, diagnostic, *rest = case
    why = _filled(diagnostic, sent)
    words = _filled(system["words"], sent, why.replace("smtp; ", "").replace("SMTP; ", ""))
    subject = _encoded_subject(_filled(rest[0] if rest else system["subject"], sent))
    more, sender, form = _filled(system.get("headers", ""), sent), system["sender"], system["form"]
    if form in ("dsn", "headers"):
        action = {"delayed": "delayed", "automatic": "delivered"}.get(truth, "failed")
        return report(
            sent,
            status=status,
            action=action,
            diagnostic=" ".join(why.split()),
            words=words,
            sender=sender,
            subject=subject,
            more=f"{more}\n",
            original="message/rfc822" if form == "dsn" else "text/rfc822-headers",
        )
    if form == "attached":
        return attached(sent, words=words, sender=sender, subject=subject, more=more)
    return plain_bounce(sent, words=words, sender=sender, subject=subject, more=more, copy=form == "plain")


@cache
def bounces() -> tuple[CorpusItem, ...]:
    """Every report of a mail system."""
    return (*_of_systems(), *_of_languages())


def _of_systems() -> Iterator[CorpusItem]:
    for system in table("bounces")["system"]:
        for number, case in enumerate(system["cases"], 1):
            name = f"{system['name']}, {number}: {case[0]} {case[1]} {' '.join(case[2].split())[:60]}"
            yield CorpusItem(name, bounce(system, case), TRUTHS[case[0]], system["form"] != "bare")


EXCHANGE = {
    "name": "Exchange",
    "sender": "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@acme.example>",
    "headers": "Auto-Submitted: auto-replied\nX-MS-Exchange-Message-Is-Ndr:",
}
GOOGLE = {
    "form": "dsn",
    "sender": "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
    "subject": "Delivery Status Notification (Failure)",
    "headers": "Auto-Submitted: auto-replied\nX-Failed-Recipients: {to}",
}
OF_EXCHANGE = (
    (
        "hard",
        "5.1.10",
        "smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {to} not found by SMTP address lookup",
    ),
    ("hard", "5.1.1", "smtp;550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found"),
    ("soft", "5.2.2", "smtp;554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException"),
    ("soft", "5.7.129", "smtp;550 5.7.129 RESOLVER.RST.RestrictedToRecipientsPermission; not authorized to send"),
    ("soft", "5.4.1", "smtp;550 5.4.1 Recipient address rejected: Access denied. AS(201806281)"),
    ("soft", "5.7.708", "smtp;550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP"),
)


def _of_languages() -> Iterator[CorpusItem]:
    for place, language in enumerate(table("languages")["language"]):
        name = language["name"]
        system = EXCHANGE | {"form": "dsn", "subject": language["undeliverable"], "words": language["failed"]}
        for case in (OF_EXCHANGE[place % 2], OF_EXCHANGE[2 + place % 4]):
            yield CorpusItem(f"Exchange in {name}: {case[2][:50]}", bounce(system, list(case)), TRUTHS[case[0]])
        late = system | {"subject": language["delayed"], "words": language["late"]}
        item = bounce(late, ["delayed", "4.4.7", "smtp;400 4.4.7 Message delayed"])
        yield CorpusItem(f"Exchange in {name}, delayed", item, InboundKind.DELAYED)
        stripped = system | {"form": "attached", "sender": "Postmaster <postmaster@acme.example>", "headers": ""}
        item = bounce(stripped, ["hard", "", ""])
        yield CorpusItem(f"Exchange in {name}, without its status", item, InboundKind.HARD_BOUNCE)
        case = ("hard", "5.1.1", "smtp; 550-5.1.1 The email account that you tried to reach does not exist.")
        item = bounce(GOOGLE | {"words": language["google"]}, list(case))
        yield CorpusItem(f"Google in {name}", item, InboundKind.HARD_BOUNCE)


# What other machines answer


@dataclass(frozen=True)
class AbsenceItem(CorpusItem):
    """An automatic reply of somebody who is away, with the day that it names."""

    until: str = ""


@cache
def absences() -> tuple[AbsenceItem, ...]:
    """Absences in each language, as each program sends them."""
    return tuple(_absences())


def _absences() -> Iterator[AbsenceItem]:
    tables = table("automatic")
    for place, language in enumerate(tables["language"]):
        subjects, texts = language["subjects"], language["texts"]
        for number, program in enumerate(tables["program"]):
            text, until = texts[(place + number) % len(texts)]
            own = subjects[number % len(subjects)]
            yield AbsenceItem(
                f"{program['name']}, in {language['name']}: {text[:40]}",
                answer(text, subject=own if program["subject"] else "", more=program["headers"]),
                InboundKind.AWAY,
                until=until,
            )


def answer(text: str, *, subject: str = "", sender: str = "", more: str = "", sent: Sent = SENT) -> bytes:
    """Return an answer to our message, with what is filled in."""
    return reply(
        sent,
        text,
        subject=_filled(subject, sent) if subject else "",
        sender=sender,
        more=_filled(more, sent),
    )


@cache
def machines() -> tuple[CorpusItem, ...]:
    """Answers of other machines: tickets, challenges, receipts, reports of abuse."""
    tables = table("automatic")
    items = [
        CorpusItem(
            machine["name"],
            answer(machine["text"], subject=machine["subject"], sender=machine["sender"], more=machine["headers"]),
            InboundKind.AUTOMATIC,
        )
        for machine in tables["machine"]
    ]
    return (*items, *(_receipt(item) for item in tables["receipt"]))


def _receipt(item: dict[str, str]) -> CorpusItem:
    body = (
        f"--B\nContent-Type: text/plain; charset=utf-8\n\n{item['text']}\n\n"
        "--B\nContent-Type: message/disposition-notification\n\nReporting-UA: acme.example; Outlook 16\n"
        f"Final-Recipient: rfc822; {SENT.recipient}\nOriginal-Message-ID: {SENT.message_id}\n"
        f"Disposition: {item['disposition']}\n--B--\n"
    )
    head = (
        f"From: Bob Miller <{SENT.recipient}>\nTo: {SENT.sender}\n"
        f"Subject: {_encoded_subject(_filled(item['subject'], SENT))}\nIn-Reply-To: {SENT.message_id}\n"
        'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=disposition-notification; boundary="B"'
    )
    return CorpusItem(f"a receipt: {item['subject']}", raw(head, body), InboundKind.AUTOMATIC)


# Systems, countries and programs that the other tables do not have


@dataclass(frozen=True)
class ElsewhereItem:
    """An e-mail with what it may be told to be, and the day that an absence ends on."""

    name: str
    data: bytes
    kinds: tuple[str, ...]
    until: str = ""


@cache
def elsewhere() -> tuple[ElsewhereItem, ...]:
    """Every message of ``corpus/elsewhere.toml``."""
    return tuple(
        ElsewhereItem(row["name"], _elsewhere(row), tuple(row["kinds"]), row.get("until", ""))
        for row in table("elsewhere")["mail"]
    )


def _elsewhere(row: dict[str, Any]) -> bytes:
    words = _filled(row["text"], SENT)
    subject = _encoded_subject(_filled(row["subject"], SENT))
    more = _filled(row.get("headers", ""), SENT)
    sender = row.get("from", "Bob Miller <bob@acme.example>")
    form = row.get("form", "text")
    if form == "report":
        return _report_of(_filled(row["status"], SENT), words, sender=sender, subject=subject, more=more)
    if form == "attached":
        return attached(SENT, words=words, sender=sender, subject=subject, more=more)
    if form in ("below", "alone"):
        return plain_bounce(SENT, words=words, sender=sender, subject=subject, more=more, copy=form == "below")
    return reply(SENT, words, sender=sender, subject=_filled(row["subject"], SENT), more=more)


def _report_of(status: str, words: str, *, sender: str, subject: str, more: str) -> bytes:
    body = (
        f"--B\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{words}\n\n"
        f"--B\nContent-Type: message/delivery-status\n\nReporting-MTA: dns;mx.acme.example\n\n{status}\n\n"
        f"--B\nContent-Type: message/rfc822\n\n{SENT.copy}\n--B--\n"
    )
    head = (
        f"Return-Path: <>\nFrom: {sender}\nTo: {SENT.sender}\nSubject: {subject}\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\n{more}'
    )
    return raw(head, body)
