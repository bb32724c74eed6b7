"""What mail servers really answer, and whose trouble each answer is."""

from __future__ import annotations

import pytest

from sequences_mcp.engine.channels.replies import Blame, judge_reply

RCPT, DATA, DOT = "RCPT", "DATA", "the final dot"
OURS, GONE, REFUSES, LATER, TEXT = Blame.MAILBOX, Blame.GONE, Blame.REFUSES, Blame.LATER, Blame.TEXT

REPLIES = [
    # Gmail and Workspace: https://support.google.com/a/answer/3726730
    (RCPT, "550 5.4.5 Daily user sending limit exceeded. For more information go to https://x.example", OURS),
    (DOT, "550 5.4.5 Daily SMTP relay limit exceeded for customer.", OURS),
    (RCPT, "550 5.7.0 Mail relay denied [192.0.2.1]. Invalid credentials for one of the domains", OURS),
    (DOT, "550 5.7.1 Our system has detected that this message is likely unsolicited mail.", OURS),
    (DOT, "550 5.7.1 Unauthenticated email from example.com is not accepted due to domain's DMARC policy.", OURS),
    (DOT, "550 5.7.26 This mail has been blocked because the sender is unauthenticated.", OURS),
    (RCPT, "421 4.7.0 Try again later, closing connection.", OURS),
    (RCPT, "421 4.7.28 Gmail has detected an unusual rate of unsolicited mail", OURS),
    (RCPT, "454 4.7.0 Too many login attempts, please try again later", OURS),
    (RCPT, "452 4.5.3 Your message has too many recipients.", OURS),
    (RCPT, "503 5.5.1 RCPT first.", OURS),
    (RCPT, "530 5.5.1 Authentication Required.", OURS),
    (RCPT, "553 5.1.7 The sender address is not a valid RFC-5321 address.", OURS),
    (RCPT, "550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking the "
           "recipient's email address for typos", GONE),
    (RCPT, "553 5.1.2 We weren't able to find the recipient domain.", GONE),
    (RCPT, "553 5.1.3 The recipient address is not a valid RFC-5321 address.", GONE),
    (RCPT, "550 5.2.1 The email account that you tried to reach is disabled.", REFUSES),
    (RCPT, "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional "
           "messages from being delivered.", LATER),
    (RCPT, "450 4.2.1 The user you are trying to contact is receiving mail too quickly.", LATER),
    (RCPT, "452 4.2.2 The email account that you tried to reach is over quota.", LATER),
    (RCPT, "552 5.2.2 The email account that you tried to reach is over quota and inactive.", LATER),
    (DOT, "552 5.2.3 Your message exceeded Google's message size limits.", TEXT),
    (DOT, "552 5.7.0 This message was blocked because its content presents a potential security issue.", OURS),
    (DOT, "555 5.5.2 Syntax error, goodbye.", OURS),
    # Microsoft 365, Exchange, Outlook.com
    (DOT, "550 5.7.60 SMTP; Client does not have permissions to send as this sender", OURS),
    (DOT, "554 5.2.252 SendAsDenied; ada@example.com not allowed to send as eve@example.com", OURS),
    (DOT, "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to "
          "process message due to a permanent exception", OURS),
    (DOT, "554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; Failed to process message", OURS),
    (DOT, "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException", OURS),
    (RCPT, "550 5.1.8 Access denied, bad outbound sender AS(42004)", OURS),
    (RCPT, "550 5.1.90 Your message can't be sent because you've reached your daily limit for recipients", OURS),
    (RCPT, "550 5.7.501 Service unavailable. Access denied, spam abuse detected.", OURS),
    (RCPT, "550 5.7.705 Service unavailable. Access denied, tenant has exceeded threshold.", OURS),
    (RCPT, "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP.", OURS),
    (DOT, "550 5.7.515 Access denied, sending domain example.com does not meet the required authentication", OURS),
    (DOT, "550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains", OURS),
    (RCPT, "530 5.7.57 Client not authenticated to send mail.", OURS),
    (RCPT, "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.", OURS),
    (RCPT, "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", OURS),
    (RCPT, "451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77719)", OURS),
    (DOT, "550 5.7.508 Service unavailable. Access denied, [192.0.2.1] has exceeded permitted limits", OURS),
    (RCPT, "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", REFUSES),
    (RCPT, "550 5.4.310 DNS domain hopper.example does not exist [Message=InfoDomainNonexistent]", REFUSES),
    (RCPT, "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", GONE),
    (DOT, "550 5.1.1 RESOLVER.ADR.RecipNotFound; not found", GONE),
    (DOT, "550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized", TEXT),
    (DOT, "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required", TEXT),
    (RCPT, "550 5.2.2 mailbox full", LATER),
    (RCPT, "550 5.2.121 RESOLVER.RST; Recipient's per hour message receive limit exceeded", LATER),
    (RCPT, "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).", REFUSES),
    (RCPT, "550 5.7.1 Unable to relay", OURS),
    (RCPT, "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", OURS),
    (DOT, "550 5.3.4 ROUTING.SizeLimit; message size exceeds fixed maximum size for route", TEXT),
    # Postfix: https://www.postfix.org/postconf.5.html
    (RCPT, "550 5.1.1 <bob@example.org>: Recipient address rejected: User unknown in local recipient table", GONE),
    (RCPT, "550 5.1.1 <bob@example.org>: Recipient address rejected: User unknown in relay recipient table", GONE),
    (RCPT, "550 5.1.1 <bob@example.org>: Recipient address rejected: undeliverable address: host said: no", GONE),
    (RCPT, "550 5.1.1 <spam@policy.example>: Recipient address rejected: User unknown", GONE),
    (RCPT, "550 5.1.2 <bob@example.org>: Recipient address rejected: Domain not found", GONE),
    (RCPT, "556 5.1.10 <bob@example.org>: Recipient address rejected: Domain does not accept mail (nullMX)", GONE),
    (RCPT, "450 4.1.2 <bob@example.org>: Recipient address rejected: Domain not found", LATER),
    (RCPT, "450 4.1.1 <bob@example.org>: Recipient address rejected: unverified address: timed out", LATER),
    (RCPT, "550 5.1.1 <ada@example.com>: Sender address rejected: User unknown in local recipient table", OURS),
    (RCPT, "550 5.1.0 <ada@example.com>: Sender address rejected: User unknown in virtual mailbox table", OURS),
    (RCPT, "550 5.1.8 <ada@example.com>: Sender address rejected: Domain not found", OURS),
    (RCPT, "450 4.1.8 <ada@example.com>: Sender address rejected: Domain not found", OURS),
    (RCPT, "553 5.7.1 <ada@example.com>: Sender address rejected: not owned by user eve", OURS),
    (RCPT, "554 5.7.1 <bob@example.org>: Relay access denied", OURS),
    (RCPT, "454 4.7.1 <bob@example.org>: Relay access denied", OURS),
    (RCPT, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", OURS),
    (RCPT, "554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied", OURS),
    (RCPT, "450 4.7.1 <unknown>: Helo command rejected: Host not found", OURS),
    (RCPT, "452 4.3.1 Insufficient system storage", OURS),
    (RCPT, "451 4.3.5 Server configuration error", OURS),
    (RCPT, "451 4.3.0 <bob@example.org>: Temporary lookup failure", OURS),
    (DOT, "451 4.3.0 Error: queue file write error", OURS),
    (DOT, "552 5.3.4 Error: message file too big", TEXT),
    (DOT, "554 5.7.1 Spam message rejected", OURS),
    (DOT, "550 5.7.1 Content rejected", OURS),
    (RCPT, "450 4.2.0 <bob@example.org>: Recipient address rejected: Greylisted, see https://x.example", LATER),
    (RCPT, "451 4.7.1 Greylisting in action, please come back later", LATER),
    (RCPT, "421 4.7.0 mx.example.org Error: too many errors", OURS),
    # Exim
    (RCPT, "550 Unrouteable address", GONE),
    (RCPT, "550 relay not permitted", OURS),
    (RCPT, "550 Sender verify failed", OURS),
    (RCPT, "550 Administrative prohibition", OURS),
    (RCPT, "550 No such user here", GONE),
    (RCPT, "451 Temporary local problem - please try later", OURS),
    (RCPT, "550 authentication required", OURS),
    (DOT, "550 This message was classified as SPAM and may not be delivered", OURS),
    (DOT, "550 High probability of spam", OURS),
    (DOT, "552 Message size exceeds maximum permitted", TEXT),
    # Sendmail, qmail, aiosmtpd
    (RCPT, "550 5.1.1 <bob@example.org>... User unknown", GONE),
    (RCPT, "553 5.3.0 <bob@example.org>... No such user here", GONE),
    (RCPT, "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", OURS),
    (RCPT, "550 sorry, no mailbox here by that name. (#5.1.1)", GONE),
    (DOT, "500 Error: (FileNotFoundError) [Errno 2] No such file or directory: '/var/mail/new'", OURS),
    (DOT, "550 Error: (KeyError) 'queue'", OURS),
    # Amazon SES: https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html
    (DOT, "554 Message rejected: Email address is not verified. The following identities failed the check", OURS),
    (DOT, "454 Throttling failure: Maximum sending rate exceeded.", OURS),
    (DOT, "454 Throttling failure: Daily message quota exceeded.", OURS),
    (DOT, "554 Access denied: User arn:aws:iam::1 is not authorized to perform ses:SendRawEmail", OURS),
    (DOT, "554 Message rejected: Sending suspended for this account.", OURS),
    # SendGrid, Mailgun, Zoho, OVH, Yahoo, Brevo, iCloud, GMX
    (RCPT, "550 The from address does not match a verified Sender Identity.", OURS),
    (RCPT, "550 Unauthenticated senders not allowed", OURS),
    (RCPT, "451 Authentication failed: Maximum credits exceeded", OURS),
    (RCPT, "550 5.7.1 Relaying denied", OURS),
    (RCPT, "421 Domain example.com is not allowed to send: Please activate your Mailgun account", OURS),
    (DOT, "554 Free accounts are for test purposes only. Please add the address to authorized recipients", OURS),
    (RCPT, "553 Sender is not allowed to relay emails", OURS),
    (RCPT, "553 Relaying disallowed as ada@example.com", OURS),
    (RCPT, "550 5.4.6 Unusual sending activity detected. Please try after sometime", OURS),
    (RCPT, "550 5.4.6 Outgoing SMTP limit reached", OURS),
    (RCPT, "550 5.2.0 You have exceeded the hourly sending quota", OURS),
    (RCPT, "552 5.2.2 Sending quota exceeded for this mailbox", OURS),
    (RCPT, "554 5.7.1 <ada@example.com>: Sender address rejected: Access denied", OURS),
    (RCPT, "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints", OURS),
    (RCPT, "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1", OURS),
    (DOT, "554 5.7.9 Message not accepted for policy reasons.", OURS),
    (DOT, "554 delivery error: dd This user doesn't have a yahoo.com account (bob@yahoo.com) [0]", GONE),
    (RCPT, "550 5.7.1 [CS01] Message rejected due to local policy.", OURS),
    (RCPT, "550 Requested action not taken: mailbox unavailable", REFUSES),
    (RCPT, "552 Requested mail action aborted: exceeded storage allocation", LATER),
    (RCPT, "450 Requested mail action not taken: mailbox unavailable", LATER),
    (RCPT, "551 User not local; please try <bob@new.example>", REFUSES),
    (RCPT, "452 Requested action not taken: insufficient system storage", OURS),
    (RCPT, "451 Requested action aborted: local error in processing", OURS),
    (DOT, "554 Transaction failed", OURS),
    (DATA, "554 5.5.1 Error: no valid recipients", OURS),
    (RCPT, "550 no", OURS),
    (RCPT, "599 what", OURS),
    (DOT, "554 5.6.0 Bad message", TEXT),
    (DOT, "550 5.6.11 SMTPSEND.BareLinefeedsAreIllegal", TEXT),
    # An enhanced code of another class than the answer contradicts it, and the words decide.
    (RCPT, "550 4.1.1 No such user", GONE),
    (RCPT, "450 5.7.1 Come back", LATER),
]  # fmt: skip


@pytest.mark.parametrize(("phase", "reply", "blame"), REPLIES, ids=[reply[:60] for _, reply, _ in REPLIES])
def test_a_real_reply_is_blamed_on_whom_it_is_about(phase: str, reply: str, blame: Blame) -> None:
    code, _, text = reply.partition(" ")
    assert judge_reply(phase, int(code), text).blame is blame


@pytest.mark.parametrize("phase", ["connect", "greeting", "starttls", "sign in", "MAIL"])
@pytest.mark.parametrize("reply", ["550 5.1.1 User unknown", "550 5.7.1 x", "554 no", "450 4.2.2 mailbox full"])
def test_before_anybody_is_named_every_refusal_is_of_the_mailbox(phase: str, reply: str) -> None:
    code, _, text = reply.partition(" ")
    assert judge_reply(phase, int(code), text).blame is Blame.MAILBOX


def test_a_temporary_refusal_never_ends_a_run() -> None:
    for code in range(400, 500):
        for text in ("", "4.1.1 user unknown", "4.2.1 mailbox disabled", "no such user", "4.7.1 x"):
            assert judge_reply(RCPT, code, text).blame in (Blame.MAILBOX, Blame.LATER)


DOUBTFUL = [
    (RCPT, "550 no"),
    (DOT, "554 Transaction failed"),
    (RCPT, "550 5.7.1 Rejected"),
    (RCPT, "550 5.1.0 No"),
]
CLEAR = [(RCPT, "550 5.4.5 x"), (RCPT, "554 5.7.1 Relay access denied"), (DOT, "550 5.7.60 x"), (RCPT, "421 x")]


@pytest.mark.parametrize(("phase", "reply"), DOUBTFUL)
def test_what_may_be_about_either_is_marked_so(phase: str, reply: str) -> None:
    code, _, text = reply.partition(" ")
    assert judge_reply(phase, int(code), text).is_unclear


@pytest.mark.parametrize(("phase", "reply"), CLEAR)
def test_what_is_clearly_ours_is_not_doubtful(phase: str, reply: str) -> None:
    code, _, text = reply.partition(" ")
    assert not judge_reply(phase, int(code), text).is_unclear
