"""What an e-mail that came in is told to be, over the formats of many mail systems."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from tests.world.inbound_mail import Sent, complaint, plain_bounce, raw, reply, report

from sequences_mcp.engine.inbound.kind import OF_MAILERS, InboundKind, is_hard, judge_inbound
from sequences_mcp.engine.inbound.opt_out import is_opt_out
from sequences_mcp.engine.inbound.parsing import parse_inbound

SENT = Sent()
HARD, SOFT = InboundKind.HARD_BOUNCE, InboundKind.SOFT_BOUNCE
DELAYED, AWAY, AUTOMATIC = InboundKind.DELAYED, InboundKind.AWAY, InboundKind.AUTOMATIC
DAEMON = "Mail Delivery Subsystem <mailer-daemon@googlemail.com>"
EXCHANGE = "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>"
QMAIL = """Hi. This is the qmail-send program at mx.acme.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<RECIPIENT>:
{}

--- Below this line is a copy of the message.
"""
EXIM = """This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  RECIPIENT
    {}

------ This is a copy of the message, including all the headers. ------
"""
EXIM_FROM = "Mail Delivery System <Mailer-Daemon@mx.acme.example>"
EXIM_SUBJECT = "Mail delivery failed: returning message to sender"
EXIM_MORE = "X-Failed-Recipients: bob@acme.example\nAuto-Submitted: auto-replied"

REPORTS: Mapping[str, tuple[bytes, InboundKind]] = {
    "Postfix, unknown user": (
        report(
            SENT,
            status="5.1.1",
            diagnostic="smtp; 550 5.1.1 <bob@acme.example>: Recipient address rejected: User unknown",
        ),
        HARD,
    ),
    "Postfix, no such domain": (
        report(
            SENT,
            status="5.4.4",
            diagnostic="X-Postfix; Host or domain name not found. Name service error "
            "for name=acme.example type=A: Host not found",
        ),
        HARD,
    ),
    "Postfix, still trying": (
        report(
            SENT,
            status="4.4.1",
            action="delayed",
            subject="Delayed Mail (still being retried)",
            diagnostic="X-Postfix; connect to mx.acme.example[192.0.2.3]:25: Connection timed out",
        ),
        DELAYED,
    ),
    "Postfix, given up": (
        report(SENT, status="4.4.1", diagnostic="X-Postfix; connect to mx.acme.example: Connection timed out"),
        SOFT,
    ),
    "Postfix, relayed": (
        report(SENT, status="2.0.0", action="relayed", subject="Successful Mail Delivery Report"),
        AUTOMATIC,
    ),
    "Postfix, delivered": (report(SENT, status="2.0.0", action="delivered"), AUTOMATIC),
    "Sendmail, unknown user": (
        report(
            SENT,
            status="5.1.1",
            diagnostic="SMTP; 550 5.1.1 <bob@acme.example>... User unknown",
            sender="Mail Delivery Subsystem <MAILER-DAEMON@mx.acme.example>",
            subject="Returned mail: see transcript for details",
            original="text/rfc822-headers",
        ),
        HARD,
    ),
    "Sendmail, mailbox full": (report(SENT, status="5.2.2", diagnostic="SMTP; 552 5.2.2 Mailbox full"), SOFT),
    "Google, unknown user": (
        report(
            SENT,
            status="5.1.1",
            sender=DAEMON,
            subject="Delivery Status Notification (Failure)",
            more="Auto-Submitted: auto-replied\nX-Failed-Recipients: bob@acme.example\n",
            diagnostic="smtp; 550-5.1.1 The email account that you tried to "
            "reach does not exist. Please try 550-5.1.1 "
            "double-checking the recipient's email address",
        ),
        HARD,
    ),
    "Google, domain without mail": (
        report(
            SENT,
            status="5.1.2",
            sender=DAEMON,
            subject="Delivery Status Notification (Failure)",
            more="Auto-Submitted: auto-replied\n",
            diagnostic="smtp; DNS Error: acme.example type mx lookup responded NXDOMAIN",
        ),
        HARD,
    ),
    "Google, delayed": (
        report(
            SENT,
            status="4.4.1",
            action="delayed",
            sender=DAEMON,
            subject="Delivery Status Notification (Delay)",
            more="Auto-Submitted: auto-replied\n",
        ),
        DELAYED,
    ),
    "Google, over quota": (
        report(
            SENT,
            status="4.2.2",
            diagnostic="smtp; 452-4.2.2 The email account that you tried to reach is over quota.",
        ),
        SOFT,
    ),
    "Google, policy": (
        report(
            SENT,
            status="5.7.1",
            diagnostic="smtp; 550-5.7.1 Our system has detected that this message is likely suspicious",
        ),
        SOFT,
    ),
    "Exchange, unknown recipient": (
        report(
            SENT,
            status="5.1.10",
            sender=EXCHANGE,
            subject="Undeliverable: A role in Lyon",
            more="X-MS-Exchange-Message-Is-Ndr:\nAuto-Submitted: auto-replied\n",
            diagnostic="smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient "
            "bob@acme.example not found by SMTP address lookup",
        ),
        HARD,
    ),
    "Exchange, may not send": (
        report(
            SENT,
            status="5.7.133",
            sender=EXCHANGE,
            subject="Undeliverable: A role in Lyon",
            diagnostic="smtp;550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required",
        ),
        SOFT,
    ),
    "Exchange, the sender is blocked": (
        report(
            SENT,
            status="5.1.8",
            sender=EXCHANGE,
            subject="Undeliverable: A role in Lyon",
            diagnostic="smtp;550 5.1.8 Access denied, bad outbound sender. For "
            "more information see the service's help",
        ),
        SOFT,
    ),
    "Exchange, in German": (
        report(
            SENT,
            status="5.1.1",
            sender=EXCHANGE,
            subject="Unzustellbar: A role in Lyon",
            words="Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen",
            diagnostic="smtp;550 5.1.1 RESOLVER.ADR.RecipNotFound; not found",
        ),
        HARD,
    ),
    "Exchange, encoded in base64": (
        report(
            SENT, status="5.1.1", encoded=True, diagnostic="smtp;550 5.1.1 RESOLVER.ADR.RecipNotFound; not found"
        ),
        HARD,
    ),
    "a gateway, bad sender": (report(SENT, status="5.1.7", diagnostic="smtp; 553 5.1.7 Bad sender address"), SOFT),
    "a gateway, other address status": (
        report(SENT, status="5.1.0", diagnostic="smtp; 550 5.1.0 Address rejected."),
        SOFT,
    ),
    "a gateway, system not accepting": (
        report(SENT, status="5.3.2", diagnostic="smtp; 550 5.3.2 System not accepting network messages"),
        SOFT,
    ),
    "a gateway, content refused": (
        report(SENT, status="5.6.0", diagnostic="smtp; 554 5.6.0 message content rejected"),
        SOFT,
    ),
    "a gateway, generic and the words": (
        report(SENT, status="5.0.0", diagnostic="smtp; 550 No such user here"),
        HARD,
    ),
    "a gateway, generic and a policy": (
        report(SENT, status="5.0.0", diagnostic="smtp; 554 Message refused due to local policy"),
        SOFT,
    ),
    "a gateway, generic and the code": (
        report(SENT, status="5.0.0", diagnostic="smtp; 550 5.1.1 bob@acme.example unknown"),
        HARD,
    ),
    "a gateway, no status": (report(SENT, status="", diagnostic="smtp; 550 unknown user"), HARD),
    "a gateway, blocklist": (
        report(SENT, status="5.7.606", diagnostic="smtp; 550 5.7.606 Access denied, banned sending IP"),
        SOFT,
    ),
    "a gateway, user unknown that is the sender": (
        report(SENT, status="5.1.1", diagnostic="smtp; 550 5.1.8 Sender address rejected: Domain not found"),
        SOFT,
    ),
    "a gateway, disabled mailbox": (
        report(SENT, status="5.2.1", diagnostic="smtp; 550 5.2.1 The email account is disabled"),
        SOFT,
    ),
    "a gateway, expired": (
        report(SENT, status="5.4.7", diagnostic="smtp; 554 5.4.7 [internal] message timeout (exceeded max time)"),
        SOFT,
    ),
    "a gateway, null MX": (
        report(SENT, status="5.1.10", diagnostic="smtp; 556 5.1.10 Recipient address has null MX"),
        HARD,
    ),
    "a gateway, moved": (report(SENT, status="5.1.6", diagnostic="smtp; 551 5.1.6 mailbox has moved"), HARD),
    "Amazon's service": (
        report(
            SENT,
            status="5.1.1",
            sender="MAILER-DAEMON@amazonses.com",
            subject="Delivery Status Notification (Failure)",
            diagnostic="smtp; 550 5.1.1 user unknown",
            original="text/rfc822-headers",
        ),
        HARD,
    ),
    "Zimbra": (
        report(
            SENT,
            status="5.1.1",
            sender="MAILER-DAEMON@zimbra.acme.example",
            diagnostic="smtp; 550 5.1.1 <bob@acme.example>: Recipient address rejected: acme.example",
        ),
        HARD,
    ),
    "Courier": (
        report(
            SENT,
            status="5.0.0",
            sender='"Courier mail server at mx" <@>',
            subject="NOTICE: mail delivery status.",
            diagnostic="smtp; 550 User unknown.",
        ),
        HARD,
    ),
    "Domino": (
        report(
            SENT,
            status="5.1.1",
            subject="DELIVERY FAILURE: User bob (bob@acme.example) not listed in Domino Directory",
            sender="Postmaster@acme.example",
            diagnostic="X-Notes; User bob not listed in Domino Directory",
        ),
        HARD,
    ),
    "GroupWise": (
        report(
            SENT,
            status="5.1.1",
            subject="Message status - undeliverable",
            sender="Mailer-Daemon@acme.example",
            diagnostic="smtp; 550 User not found",
        ),
        HARD,
    ),
    "qmail, unknown user": (
        plain_bounce(
            SENT,
            sender="MAILER-DAEMON@mx.acme.example",
            subject="failure notice",
            words=QMAIL.format("Sorry, no mailbox here by that name. (#5.1.1)"),
        ),
        HARD,
    ),
    "qmail, full mailbox": (
        plain_bounce(
            SENT,
            sender="MAILER-DAEMON@mx.acme.example",
            subject="failure notice",
            words=QMAIL.format("552 5.2.2 mailbox full: user is over quota"),
        ),
        SOFT,
    ),
    "qmail, host not found": (
        plain_bounce(
            SENT,
            sender="MAILER-DAEMON@mx.acme.example",
            subject="failure notice",
            words=QMAIL.format("Sorry, I couldn't find any host named acme.example. (#5.1.2)"),
        ),
        HARD,
    ),
    "Exim, unknown user": (
        plain_bounce(
            SENT,
            sender=EXIM_FROM,
            subject=EXIM_SUBJECT,
            more=EXIM_MORE,
            words=EXIM.format(
                "SMTP error from remote mail server after RCPT TO:<bob@acme.example>:\n"
                "    host mx.acme.example [192.0.2.3]: 550 5.1.1 User unknown"
            ),
        ),
        HARD,
    ),
    "Exim, unrouteable": (
        plain_bounce(
            SENT, sender=EXIM_FROM, subject=EXIM_SUBJECT, more=EXIM_MORE, words=EXIM.format("Unrouteable address")
        ),
        HARD,
    ),
    "Exim, policy": (
        plain_bounce(
            SENT,
            sender=EXIM_FROM,
            subject=EXIM_SUBJECT,
            more=EXIM_MORE,
            words=EXIM.format("host mx.acme.example: 550 5.7.1 Message rejected due to SPF policy"),
        ),
        SOFT,
    ),
    "Exim, delayed": (
        plain_bounce(
            SENT,
            sender=EXIM_FROM,
            subject="Warning: message 1abcde-000001-AB delayed 24 hours",
            more="Auto-Submitted: auto-replied",
            words="This message was created automatically by mail delivery "
            "software.\nA message that you sent has not yet "
            "been delivered to one or more of its recipients after more than 24 hours on the queue.\n\n"
            "The address to which the message has not yet been delivered "
            "is:\n\n  RECIPIENT\n\nNo action is required on "
            "your part. Delivery attempts will continue for some time.",
        ),
        DELAYED,
    ),
    "Yahoo": (
        plain_bounce(
            SENT,
            sender="MAILER-DAEMON@yahoo.com",
            subject="Failure Notice",
            more="Auto-Submitted: auto-generated",
            words="Sorry, we were unable to deliver your message to the following address.\n\n<RECIPIENT>:\n"
            "554: delivery error: dd This user doesn't have a acme.example account (bob@acme.example) [0]\n\n"
            "--- Below this line is a copy of the message.",
        ),
        HARD,
    ),
    "GMX": (
        plain_bounce(
            SENT,
            sender='"GMX Mailer Daemon" <mailer-daemon@gmx.de>',
            subject="Mail delivery failed: returning message to sender",
            words="This message was created automatically by mail delivery "
            "software.\n\nA message that you sent could not be "
            "delivered to one or more of\nits recipients. This is a "
            "permanent error. The following address\nfailed:\n\n"
            "RECIPIENT:\nSMTP error from remote server for RCPT TO command, "
            "host: mx.acme.example (192.0.2.3) reason: "
            "550 5.1.1 unknown user\n\n--- The header of the original message is following. ---",
        ),
        HARD,
    ),
    "MDaemon": (
        plain_bounce(
            SENT,
            sender="MDaemon at acme.example <MDaemon@acme.example>",
            subject="Permanent Delivery Failure",
            words="The attached message had PERMANENT fatal delivery errors!\n\nSession Transcript:\n"
            "<-- 550 <RECIPIENT>, Recipient unknown\n",
        ),
        HARD,
    ),
    "hMailServer": (
        plain_bounce(
            SENT,
            sender="mailer-daemon@acme.example",
            subject="Message undeliverable: A role in Lyon",
            words="Your message did not reach some or all of the intended "
            "recipients.\n\nThe following recipient(s) could not "
            "be reached:\n\nRECIPIENT\n   Error Type: SMTP\n   Remote server (192.0.2.3) issued an error.\n"
            "   hMailServer sent: RCPT TO:<RECIPIENT>\n   Remote server replied: 550 Unknown user\n",
        ),
        HARD,
    ),
    "a mailer that says nothing": (
        plain_bounce(
            SENT,
            sender="postmaster@acme.example",
            subject="Undeliverable mail",
            words="Your message was not delivered. Contact your administrator.",
        ),
        InboundKind.RETURNED,
    ),
    "an unknown mailer, in French": (
        plain_bounce(
            SENT,
            sender="postmaster@acme.example",
            subject="Échec de la remise : A role in Lyon",
            words="La remise a échoué pour RECIPIENT : 550 5.1.1 user unknown",
        ),
        HARD,
    ),
    "an unknown mailer, without a sender": (
        plain_bounce(
            SENT, sender="<>", subject="Returned mail: User unknown", words="RECIPIENT: 550 5.1.1 User unknown"
        ),
        HARD,
    ),
    "a complaint": (complaint(SENT), InboundKind.COMPLAINT),
    "a complaint of fraud": (complaint(SENT, "fraud"), InboundKind.COMPLAINT),
    "a report that it is no spam": (complaint(SENT, "not-spam"), AUTOMATIC),
}

VACATION = "Auto-Submitted: auto-replied (vacation)"
REPLIES: Mapping[str, tuple[bytes, InboundKind]] = {
    "a person": (reply(SENT, "Yes, let us talk on Tuesday."), InboundKind.REPLY),
    "a person without references": (reply(SENT, "Sure.", refers=False), InboundKind.REPLY),
    "a person who says that they were away": (reply(SENT, "I was out of office, sorry. Yes!"), InboundKind.REPLY),
    "a person whose program suppresses answers": (
        reply(SENT, "Yes.", more="X-Auto-Response-Suppress: All"),
        InboundKind.REPLY,
    ),
    "a person by Auto-Submitted: no": (reply(SENT, "Yes.", more="Auto-Submitted: no"), InboundKind.REPLY),
    "a person who was sent a bounce": (
        reply(SENT, "This came back to me:\n> 550 5.1.1 User unknown\nWhom else may I ask?"),
        InboundKind.REPLY,
    ),
    "a vacation of Sieve": (
        reply(SENT, "I am away until 4 December.", subject="Automatic reply: A role in Lyon", more=VACATION),
        AWAY,
    ),
    "Exchange": (
        reply(
            SENT,
            "I am out of the office until Monday.",
            subject="Automatic reply: A role in Lyon",
            more="X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent\nAuto-Submitted: auto-generated",
        ),
        AWAY,
    ),
    "Exchange, in German": (
        reply(SENT, "Ich bin bis 04.12. nicht im Büro.", subject="Automatische Antwort: A role in Lyon"),
        AWAY,
    ),
    "Exchange, in French": (
        reply(SENT, "Je suis absente jusqu’au 4 décembre.", subject="Réponse automatique : A role in Lyon"),
        AWAY,
    ),
    "Gmail": (
        reply(
            SENT,
            "On vacation until Dec 4.",
            subject="Out of Office Re: A role in Lyon",
            more="Precedence: bulk\nX-Autoreply: yes\nAuto-Submitted: auto-replied",
        ),
        AWAY,
    ),
    "cPanel": (
        reply(SENT, "I'm on annual leave.", subject="Re: A role in Lyon", more="X-Autorespond: A role in Lyon"),
        AWAY,
    ),
    "Spanish": (
        reply(SENT, "Estoy de vacaciones hasta el 3 de diciembre.", subject="Respuesta automática: A role"),
        AWAY,
    ),
    "Italian": (reply(SENT, "Sono in ferie fino al 4 dicembre", subject="Risposta automatica: A role"), AWAY),
    "Portuguese": (reply(SENT, "Estarei ausente até 4 de dezembro", subject="Resposta automática: A role"), AWAY),
    "Dutch": (reply(SENT, "Ik ben afwezig tot 4 december", subject="Automatisch antwoord: A role"), AWAY),
    "Polish": (reply(SENT, "Jestem na urlopie do 4 grudnia", subject="Automatyczna odpowiedź: A role"), AWAY),
    "Swedish": (reply(SENT, "Jag har semester till den 4 december", subject="Autosvar: A role"), AWAY),
    "Danish": (reply(SENT, "Jeg holder ferie til den 4. december", subject="Automatisk svar: A role"), AWAY),
    "a subject alone": (reply(SENT, "Back on Monday.", subject="Out of office: Re: A role in Lyon"), AWAY),
    "an empty return path and words of an absence": (
        reply(SENT, "I am out of the office.", more="Return-Path: <>"),
        AWAY,
    ),
    "a ticket": (reply(SENT, "We received your request #123.", more="Auto-Submitted: auto-generated"), AUTOMATIC),
    "nobody to reply to": (
        reply(SENT, "We have received your e-mail.", sender="no-reply@acme.example"),
        AUTOMATIC,
    ),
    "a read receipt": (
        raw(
            "From: bob@acme.example\nTo: ada@example.com\nSubject: Read: A role in Lyon\nMIME-Version: 1.0\n"
            'Content-Type: multipart/report; report-type=disposition-notification; boundary="B"',
            "--B\nContent-Type: text/plain\n\nYour message was "
            "read.\n--B\nContent-Type: message/disposition-notification\n\n"
            "Final-Recipient: rfc822;bob@acme.example\nDisposition: "
            "manual-action/MDN-sent-manually; displayed\n--B--\n",
        ),
        AUTOMATIC,
    ),
}
EVERY = {**REPORTS, **REPLIES}


@pytest.mark.parametrize(("data", "kind"), EVERY.values(), ids=EVERY.keys())
def test_a_message_is_told_to_be_what_it_is(data: bytes, kind: InboundKind) -> None:
    assert judge_inbound(parse_inbound(data)).kind is kind


@pytest.mark.parametrize("data", [data for data, _ in REPORTS.values()], ids=REPORTS.keys())
def test_no_report_is_taken_for_a_person_and_each_names_our_message(data: bytes) -> None:
    message = parse_inbound(data)
    assert judge_inbound(message).kind is not InboundKind.REPLY
    assert SENT.message_id.strip("<>") in message.own_ids or "feedback" in str(message.root.get_content_type())


@pytest.mark.parametrize(
    "data",
    [data for data, kind in REPORTS.values() if kind in (HARD, SOFT)],
    ids=[n for n, (_, k) in REPORTS.items() if k in (HARD, SOFT)],
)
def test_a_bounce_names_its_recipient(data: bytes) -> None:
    message = parse_inbound(data)
    assert SENT.recipient in judge_inbound(message).addresses | message.addresses


def test_the_corpus_is_large_enough() -> None:
    assert len(EVERY) >= 60
    assert sum(kind in OF_MAILERS for _, kind in REPORTS.values()) >= 45


@pytest.mark.parametrize(
    "status", ["5.1.0", "5.1.7", "5.1.8", "5.2.2", "5.3.0", "5.3.2", "5.3.4", "5.7.0", "5.7.1", "5.7.509"]
)
@pytest.mark.parametrize("words", ["", "smtp; 550 User unknown", "smtp; 550 no such user"])
def test_a_status_about_the_sender_a_quota_a_system_or_a_policy_is_never_hard(status: str, words: str) -> None:
    assert not is_hard(status, words)


def test_a_report_inside_a_forwarded_message_says_nothing_about_the_person_who_forwards_it() -> None:
    inner = report(SENT, status="5.1.1").decode()
    body = (
        f"--O\nContent-Type: text/plain\n\nFYI, see below.\n--O\nContent-Type: message/rfc822\n\n{inner}\n--O--\n"
    )
    data = raw(
        'From: bob@acme.example\nTo: ada@example.com\nSubject: Fwd\nContent-Type: multipart/mixed; boundary="O"',
        body,
    )
    assert judge_inbound(parse_inbound(data)).kind is InboundKind.REPLY


NESTED = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(2_000))
HOSTILE = {
    "nothing": b"",
    "no headers": b"\xff\xfe\x00 just bytes",
    "two thousand nested parts": f"From: a@b.example\n{NESTED}".encode(),
    "a charset that is none": b"From: a@b.example\nContent-Type: text/plain; charset=nonsense-9\n\nhi\xff",
    "a charset that is no text": b"From: a@b.example\nContent-Type: text/plain; charset=base64\n\nhi\xff",
    "a broken encoded word": b"From: =?utf-8?b?////?= <a@b.example>\nSubject: =?x?q?=zz?=\n\nhi",
    "a name of ten thousand letters": b"From: " + b"x" * 10_000 + b" <a@b.example>\n\nhi",
    "an encoded word of one letter": b"From: =?utf-8?b?a?= <a@b.example>\nSubject: =?utf-8?b?a?=\n\nhi",
    "a thousand comments in a name": b"From: " + b"(" * 990 + b")" * 990 + b" <a@b.example>\n\nhi",
    "a mailer's hundred thousand empty lines": b"From: mailer-daemon@b.example\n\nfailed 550\n" + b"\n" * 100_000,
    "broken base64": b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n%%%===",
    "a type that is none": b"Content-Type: ;;;=\nFrom: <<<>>>\nDate: never\n\nhi",
    "a report without a body": b"Content-Type: multipart/report; report-type=delivery-status\n\n",
    "a report that is a string": b"Content-Type: message/delivery-status\n\n\n\n",
    "no end of a part": b'Content-Type: multipart/mixed; boundary="x"\n\n--x\nContent-Type: text/html\n\n<p <<b',
    "bytes in a header": "From: Bärbel <b@b.example>\nSubject: Größe\n\nhi".encode("latin-1"),
}


def test_a_line_of_a_hundred_thousand_letters_is_compared_with_nothing_costly() -> None:
    assert not is_opt_out("Hello\n--" + "a" * 100_000)


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_nothing_that_comes_in_breaks_the_reading(data: bytes) -> None:
    message = parse_inbound(data)
    assert judge_inbound(message).kind in InboundKind
    assert message.own_ids == frozenset()
    assert message.sent_at is None or message.sent_at <= datetime.max.replace(tzinfo=UTC)
