"""``sequences-mcp doctor``: checks settings, secrets, mail server, workers, guards, database and approval."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Sequence as Items
from datetime import UTC, datetime, timedelta
from itertools import groupby
from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from sequences_mcp import __version__
from sequences_mcp.domain.ids import VENDORS
from sequences_mcp.errors import SequencesError, SettingsError

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from sequences_mcp.domain.entries import QueueTally, Survey
    from sequences_mcp.domain.sender import Sender
    from sequences_mcp.domain.workers import WorkerPresence
    from sequences_mcp.engine.channels.mail_server import Probe
    from sequences_mcp.mailbox import Mailbox
    from sequences_mcp.settings import Settings


SOON = timedelta(days=14)  # what renews certificates does so a month before; two weeks later it has failed
AT_ONCE = 16  # servers that are asked for their certificate
SECONDS = 10.0  # to reach a server, and for each part of a handshake
REPORTED_ABOVE = ("no_sender", "outbox", "settings_differ", "no_secret")
ORIGINS = {"environment": "the environment"}
_MOST_ABOUT = 24  # letters of what a line is about; a longer beginning is a sentence with a colon in it


class DoctorLine(NamedTuple):
    """The result of one check: ``ok`` true, false, or None for information only.

    ``words`` begin with what they are about and a colon. ``each`` has what is listed below them, one a line. Lines
    of one ``group`` are shown together.
    """

    ok: bool | None
    words: str
    each: tuple[str, ...] = ()
    group: str = ""

    @property
    def mark(self) -> str:
        """How the line begins."""
        return {True: "ok  ", False: "BAD ", None: "note"}[self.ok]

    @property
    def parts(self) -> tuple[str, str]:
        """What the line is about, empty where it does not say, and its other words."""
        about, colon, words = self.words.partition(": ")
        return (about, words) if colon and len(about) <= _MOST_ABOUT else ("", self.words)

    def __str__(self) -> str:
        return " ".join((self.mark, self.words, ", ".join(self.each))).rstrip()


def examine(
    environ: Mapping[str, str], *, sends_test: bool = False, asks_dns: bool = False
) -> tuple[list[DoctorLine], bool]:
    """Return the lines of the report, and whether no check failed.

    ``sends_test`` sends each mailbox a test message, ``asks_dns`` adds what the DNS says of the senders' domains.
    """
    lines = [*_lines(environ)]
    settings = _readable(environ) if sends_test or asks_dns else None
    for mailbox in settings.mailboxes if settings else ():
        lines += _of("DNS", dns_lines(mailbox)) if asks_dns else ()
        lines += _of("Test message", test_lines(mailbox)) if sends_test else ()
    return lines, all(line.ok is not False for line in lines)


def _of(group: str, lines: Iterable[DoctorLine]) -> Iterator[DoctorLine]:
    return (line if line.group else line._replace(group=group) for line in lines)


def as_table(lines: Items[DoctorLine], *, width: int | None = None) -> Iterator[str]:
    """Yield the report for a person: groups with their headings.

    With ``width``, which a terminal has, the words stand in a column, and longer lines go on below; without, each
    line is whole, for whoever looks for one in them.
    """
    yield f"sequences-mcp {__version__}"
    column = max((len(line.parts[0]) for line in lines), default=0) + 2 if width else 0
    for group, among in groupby(lines, key=lambda line: line.group):
        yield from ("", group)
        for line in among:
            about, words = line.parts
            label = f"{about}: " if about else ""
            start = f"{line.mark} {label:<{column}}"
            below = " " * (len(start) if width else 5)
            texts = [words, *line.each] if words or not width else [*line.each]
            for number, text in enumerate(texts):
                yield from _wrapped(text, width, first=below if number else start, below=below)
    bad = sum(line.ok is False for line in lines)
    yield from ("", f"Wrong: {bad}, the lines that begin with BAD." if bad else "Nothing is wrong.")


def _wrapped(text: str, width: int | None, *, first: str, below: str) -> list[str]:
    if width is None:
        return [f"{first}{text}".rstrip()]
    return wrap(
        text,
        max(width, len(below) + 30),
        initial_indent=first,
        subsequent_indent=below,
        break_long_words=False,
        break_on_hyphens=False,
    )


def as_object(lines: Items[DoctorLine], *, healthy: bool) -> dict[str, object]:
    """Return the same for a program: each line with ``ok`` (true, false, null), what it is about and its words."""
    results = []
    for line in lines:
        about, words = line.parts
        each = {"each": line.each} if line.each else {}
        group = {"group": line.group} if line.group else {}
        results.append({"ok": line.ok, **group, "about": about, "text": words, **each})
    return {"version": __version__, "healthy": healthy, "lines": results}


def origins_of(environ: Mapping[str, str]) -> dict[str, str]:
    """Return where each setting comes from, those too that are as they are by default; none that is unreadable."""
    settings = _readable(environ)
    return dict(settings.origins) if settings else {}


def _readable(environ: Mapping[str, str]) -> Settings | None:
    from sequences_mcp.settings import read_settings

    try:
        return read_settings(environ)
    except SequencesError:
        return None  # a line says so already


def dns_lines(mailbox: Mailbox) -> Iterator[DoctorLine]:
    """Yield what the DNS says of the domain that a mailbox sends from."""
    from sequences_mcp.domain.addresses import domain_of
    from sequences_mcp.mail_setup.domain_records import dns_hints, dns_lookup

    domain = domain_of(mailbox.sender.address) if mailbox.sender else None
    for hint in dns_hints(domain, lookup=dns_lookup) if domain else ():
        yield DoctorLine(hint.ok, f"dns: {hint.words}")


def test_lines(mailbox: Mailbox, *, within: float = 120.0) -> Iterator[DoctorLine]:
    """Send a test message from a mailbox to itself, and yield what becomes of it, the verdict last."""
    import time

    from sequences_mcp.bootstrap import utc_now
    from sequences_mcp.engine.channels.mail_server import MailServer
    from sequences_mcp.engine.inbound.imap import ImapServer
    from sequences_mcp.mail_setup.trial import MailboxTrial

    if mailbox.smtp_url is None:
        yield DoctorLine(None, "test: none was sent, for there is no mail server")
        return
    trial = MailboxTrial(
        sender=mailbox.require_sending(),
        smtp=MailServer.parse(mailbox.smtp_url.value),
        imap=ImapServer.parse(mailbox.imap_url.value) if mailbox.imap_url else None,
        tokens=mailbox.tokens(utc_now),
        now=utc_now,
        monotonic=time.monotonic,
        sleep=time.sleep,
        within=within,
    )
    for line in trial.results():
        yield DoctorLine(line.ok, line.words)
        if line.reply:
            yield DoctorLine(None, f"server reply: “{line.reply}”")


def _lines(environ: Mapping[str, str]) -> Iterator[DoctorLine]:
    from sequences_mcp.settings import read_settings

    try:
        settings = read_settings(environ)
    except SequencesError as error:
        yield DoctorLine(False, f"settings: {error}", group="Settings")
        return
    yield from _of("Settings", _origins(settings))
    if settings.tenants is None:  # else nobody is served what is in this folder, and nothing leaves from it
        yield from _of_folder(settings, environ)
    yield from _of("On the network", _served(settings, environ))


def _served(settings: Settings, environ: Mapping[str, str]) -> Iterator[DoctorLine]:
    from sequences_mcp.bootstrap import utc_now
    from sequences_mcp.doctor_hosted import hosted_findings, public_addresses
    from sequences_mcp.last_start import last_serve

    yield from (DoctorLine(*fact) for fact in hosted_findings(settings, environ))
    served = last_serve(settings.workspace.last_serve)
    if served.certificate is not None:
        yield _of_file(served.certificate, now=utc_now())
    yield from certificate_lines([served.public_url, *public_addresses(settings, environ)], now=utc_now())


def _of_folder(settings: Settings, environ: Mapping[str, str]) -> Iterator[DoctorLine]:
    """Yield what holds of a data folder that is worked with."""
    from sequences_mcp.bootstrap import utc_now

    yield from _of("Settings", (_start(settings, environ),))
    working = workers_now(settings)
    sends = next((worker.sends for worker in working if worker.sends), "")
    for mailbox in settings.mailboxes:
        named = f" {mailbox.name}" if len(settings.mailboxes) > 1 else ""
        default = ", the default" if named and mailbox is settings.mailbox else ""
        yield from _of(f"Mailbox{named}{default}", _mailbox(settings, mailbox, sends))
    yield from _of("Secrets", _secrets(settings, working))
    yield from _of("Due work", (*_workers(settings, working), *_timers(settings)))
    yield from _of("Database and guards", (*_guards(settings), *_database(settings, now=utc_now())))
    yield from _of("Approving", _approval(settings))


def _mailbox(settings: Settings, mailbox: Mailbox, sends: str) -> Iterator[DoctorLine]:
    yield from _sender(settings, mailbox, sends)
    yield from _delivery(settings, mailbox, sends)
    yield from _inbox(mailbox)
    if (how := mailbox.signs_in()) != "nowhere":
        yield DoctorLine(None, f"sign-in: {how}")


def _origins(settings: Settings) -> Iterator[DoctorLine]:
    """Yield where each setting comes from; its value stands in the lines below, never a secret's."""
    yield DoctorLine(True, f"settings: all readable; data folder {settings.data_dir}")
    beside = "" if settings.file.exists() else " (there is none)"
    yield DoctorLine(
        None, f"settings file: {settings.file}{beside}; an environment variable fills what it leaves out"
    )
    origins: dict[str, list[tuple[str, str]]] = {}
    for name, origin in settings.origins.items():
        of_file, _, key = origin.partition(", ")
        origins.setdefault(of_file, []).append((name, key))
    by_default = origins.pop("default", [])
    for origin, named in sorted(origins.items(), key=lambda item: item[0] == "environment"):
        width = max(len(name) for name, _ in named)
        each = tuple(f"{name:<{width}}  {key}".rstrip() for name, key in named)
        yield DoctorLine(None, f"from {ORIGINS.get(origin, origin)}: ", each)
    yield DoctorLine(None, f"by default: {len(by_default)} other settings; --json names each")
    for conflict in settings.conflicts:
        yield DoctorLine(None, f"settings differ: {conflict}")


def _start(settings: Settings, environ: Mapping[str, str]) -> DoctorLine:
    """Say whether a server that a client starts here answers before the SDK is loaded, and what the last did."""
    from sequences_mcp.last_start import last_start
    from sequences_mcp.server.prelude.start import plain_because

    why, last = plain_because(environ), last_start(settings.workspace.last_start)
    how = f"nothing is answered before the whole server is loaded: {why}" if why else "lists are answered at once"
    return DoctorLine(None, f"start: {how}{f'; {last}' if last else ''}")


def workers_now(settings: Settings) -> list[WorkerPresence]:
    """Return the workers that run; an empty list where the database cannot be read, which another line reports."""
    from sequences_mcp.bootstrap import open_store, utc_now
    from sequences_mcp.engine.supervisor import at_work

    try:
        with open_store(settings, now=utc_now()) as store:
            return at_work(store, now=utc_now())
    except SequencesError:
        return []


def _workers(settings: Settings, working: list[WorkerPresence]) -> Iterator[DoctorLine]:
    for worker in working:
        yield DoctorLine(True, f"worker: {worker.words}")
    if not working:
        other = "`sequences-mcp serve`" if _is_hosted(settings) else "an open chat"
        yield DoctorLine(
            None, f"worker: none runs; nothing leaves before one does (`sequences-mcp work`, or {other})"
        )


def _is_hosted(settings: Settings) -> bool:
    """Say whether programs use this folder over HTTP, where no dialog and no panel of a chat asks anybody."""
    return settings.hosted.review is not None or settings.oauth_issuer is not None


def _timers(settings: Settings) -> Iterator[DoctorLine]:
    """Yield whether the Temporal server answers that keeps the timers, where one does."""
    if settings.temporal is None:
        return
    if settings.lacks_temporal:
        from sequences_mcp.engine.temporal import INSTALL, NOT_INSTALLED

        yield DoctorLine(False, f"timers: {NOT_INSTALLED} {INSTALL}")
        return
    from sequences_mcp.engine.temporal.client import temporal_client

    try:
        asyncio.run(temporal_client(settings.temporal))
    except SequencesError as error:
        yield DoctorLine(False, f"timers: {error}")
    else:
        yield DoctorLine(True, f"timers: kept by Temporal at {settings.temporal.words}, which answers")


def _texts_of_sender(settings: Settings, sender: Sender) -> Iterator[DoctorLine]:
    from sequences_mcp.bootstrap import policy_of
    from sequences_mcp.guards.samples import is_carried_sample
    from sequences_mcp.guards.senders import check_sender

    try:
        errors = check_sender(sender, policy_of(settings))
    except SettingsError:  # told among the guards
        return
    if is_carried_sample(f"{sender.first_name} {sender.last_name}"):
        yield DoctorLine(None, f"sender: {sender.name} is a name of examples; change it unless it is yours")
    for error in errors:
        refused = f"{error.field}: {error.excerpt!r}: {error.message}"
        yield DoctorLine(False, f"{refused} Nothing is started before it is mended in settings.toml.")


def _sender(settings: Settings, mailbox: Mailbox, sends: str) -> Iterator[DoctorLine]:
    """Yield the sender; ``sends`` is that of a worker that runs, or an empty string."""
    if mailbox.sender is None and sends:
        yield DoctorLine(None, f"sender: not set in this terminal, which sends nothing; a worker sends as {sends}")
    elif mailbox.sender is None:
        yield DoctorLine(
            False,
            "sender: SEQUENCES_SENDER is not set, nothing can be started; `sequences-mcp setup` asks.",
        )
    else:
        yield DoctorLine(True, f"sender: {mailbox.sender.name} <{mailbox.sender.address}>")
        yield from _texts_of_sender(settings, mailbox.sender)


def _secrets(settings: Settings, working: list[WorkerPresence]) -> Iterator[DoctorLine]:
    """Yield the secrets that this process lacks; that is a failure only where no running worker has them."""
    for name, why in settings.lacking.items():
        vendor = name.partition("_")[0].lower()
        # Of a further mailbox a worker has it that sends as that mailbox's sender.
        further = (mailbox for mailbox in settings.mailboxes[1:] if name.endswith(f" of {mailbox.name}"))
        of = next((mailbox.address for mailbox in further), "")
        has = any(
            vendor in worker.hands_over if vendor in VENDORS else worker.sends and of in worker.sends
            for worker in working
        )
        yield DoctorLine(None if has else False, f"secret: {why}.{' A worker that runs has it.' if has else ''}")


def _delivery(settings: Settings, mailbox: Mailbox, sends: str) -> Iterator[DoctorLine]:
    missing = mailbox.lacking.get("SEQUENCES_SMTP_URL")
    probe = None if missing else probe_mail_server(mailbox)
    if missing:
        yield DoctorLine(None, "delivery: not tried, for lack of the password")
    elif mailbox.sender is None and sends:
        yield DoctorLine(None, "delivery: the worker's, which this terminal does not know")
    elif probe is None:
        yield DoctorLine(None, f"delivery: no SEQUENCES_SMTP_URL; e-mails become files in {mailbox.outbox}")
    else:
        yield from _probed("delivery", probe)
    yield DoctorLine(
        None, f"window: {mailbox.window} of each contact; {settings.time_zone} where theirs is unknown"
    )
    yield DoctorLine(None, f"limits: at most {mailbox.terms.limits.words}")


def _inbox(mailbox: Mailbox) -> Iterator[DoctorLine]:
    """Yield whether the mailbox can be read that answers come to."""
    if mailbox.imap_url is None:
        missing = "not tried, for lack of the password" if mailbox.reads_inbox else "no SEQUENCES_IMAP_URL"
        after = "" if mailbox.reads_inbox else "; nobody knows who answered, and follow-ups leave all the same"
        yield DoctorLine(None, f"inbox: {missing}{after}")
        return
    if probe := probe_inbox_of(mailbox):
        yield from _probed("inbox", probe)


def _probed(about: str, probe: Probe) -> Iterator[DoctorLine]:
    yield DoctorLine(probe.ok, f"{about}: {probe.words}")
    if probe.server_reply:
        yield DoctorLine(None, f"server reply: “{probe.server_reply}”")


def _guards(settings: Settings) -> Iterator[DoctorLine]:
    from sequences_mcp.bootstrap import policy_of

    try:
        policy_of(settings)
    except SettingsError as error:
        yield DoctorLine(False, f"guards: {error}")
    else:
        yield DoctorLine(
            True, f"guards: with {settings.guards}" if settings.guards.exists() else "guards: as they are"
        )


def _database(settings: Settings, *, now: datetime) -> Iterator[DoctorLine]:
    try:
        survey = survey_store(settings)
    except SequencesError as error:
        yield DoctorLine(False, f"database: {error}")
        return
    yield DoctorLine(
        True, f"database: {survey.path}, passes its own checks; journal: {survey.journal} ({survey.why})"
    )
    yield from (DoctorLine(ok, words) for ok, words in survey.server)
    yield DoctorLine(survey.broken_row is None, f"audit: {survey.audit_rows:,} rows, {survey.chain}")
    apart = timedelta(minutes=1) if survey.server else timedelta(0)  # between the clocks of several machines
    behind = survey.latest is not None and survey.latest > now + apart
    clock = f"clock: {now:%Y-%m-%d %H:%M:%S} UTC"
    yield DoctorLine(not behind, f"{clock}, before the last thing that was recorded" if behind else clock)
    yield from _of("What is waiting", _pending(settings, survey))


def _pending(settings: Settings, survey: Survey) -> Iterator[DoctorLine]:
    from sequences_mcp.bootstrap import open_context
    from sequences_mcp.domain.plain_words import for_terminal
    from sequences_mcp.services.connections import ProvidersReport, list_providers

    async def waiting() -> ProvidersReport:
        async with open_context(settings, worker=False) as app:
            return await list_providers(app)

    try:
        state = asyncio.run(waiting())
    except SettingsError:
        return  # reported by _guards already
    for trouble in state.troubles:
        if trouble.code not in REPORTED_ABOVE:
            yield DoctorLine(
                False if trouble.stops else None, f"{trouble.code.replace('_', ' ')}: {for_terminal(trouble.line)}"
            )
            if trouble.server_reply:
                yield DoctorLine(None, f"server reply: “{trouble.server_reply}”")
    queues = state.waiting
    answers = [_queue(queues.plans, "plans"), _queue(queues.texts, "texts"), _queue(queues.tasks, "tasks")]
    if queues.changes.number:
        answers.append(_queue(queues.changes, "changes"))
    among = f" ({survey.unknown:,} of the texts: e-mails of unknown outcome)" if survey.unknown else ""
    yield DoctorLine(None, f"waiting for you: {', '.join(answers)}{among}")
    if settings.notice:
        yield DoctorLine(None, f"notices: e-mail to {settings.notice} when something starts waiting")
    when = f"next at {survey.next_at:%Y-%m-%d %H:%M} UTC" if survey.next_at else "nothing is scheduled"
    yield DoctorLine(None, f"work: {survey.due} due now, {when}")


def _queue(queue: QueueTally, words: str) -> str:
    since = f" (the oldest since {queue.since:%Y-%m-%d %H:%M} UTC)" if queue.since else ""
    return f"{queue.number:,} {words}{since}"


def _approval(settings: Settings) -> Iterator[DoctorLine]:
    from sequences_mcp.bootstrap import address_of_page, safekeeping_of
    from sequences_mcp.ports.safekeeping import KeptRecord
    from sequences_mcp.review.lock import passkeys, passphrase

    page = address_of_page(settings, "/") or "not served now; `sequences-mcp review --open` does"
    yield DoctorLine(None, f"review page: {page}")
    safe = safekeeping_of(settings)
    try:
        keys, is_set = passkeys.registered(safe), passphrase.is_set(safe)
    except SequencesError as error:
        yield DoctorLine(False, f"approval: {error}")
        return
    if keys:
        yield DoctorLine(
            True,
            f"approval: signed with a passkey; who can rewrite {safe.title(KeptRecord.PASSKEYS)} could forge it",
        )
    elif is_set:
        place = "the database" if settings.database else "the data folder"
        yield DoctorLine(True, f"approval: {_by_passphrase(settings)}; whoever can rewrite {place} could forge it")
        if not _is_hosted(settings):
            yield _in_panel(has_verifier=passphrase.verifier(safe) is not None)
    elif settings.hosted.review is not None:
        yield DoctorLine(True, "approval: on the review page, by whoever signs in there as an approver")
    else:
        yield DoctorLine(None, "approval: no passphrase yet; `sequences-mcp review set-passphrase` chooses one")
    if settings.elicitation and not keys and not _is_hosted(settings):
        yield DoctorLine(
            None, "approval: also in the chat's own dialog; a host that answers by itself could forge it"
        )
    if settings.auto_approve:
        yield DoctorLine(None, f"approval: not asked for {', '.join(sorted(settings.auto_approve))}")
    if os.name == "posix" and settings.data_dir.exists() and settings.data_dir.stat().st_mode & 0o077:
        yield DoctorLine(False, f"privacy: others can read {settings.data_dir}. chmod 700 it.")


def _by_passphrase(settings: Settings) -> str:
    on_page = "on the review page"
    if settings.hosted.review is not None:
        on_page += ", by an approver who signs in there and types the passphrase"
    if settings.hosted.approvers > 1:
        return on_page
    return f"in the terminal, by passphrase, and {on_page}"


def _in_panel(*, has_verifier: bool) -> DoctorLine:
    if has_verifier:
        words = "also in a panel of the chat, by a proof of the passphrase, as its host shows it"
        return DoctorLine(True, f"approval: {words}")
    return DoctorLine(
        None,
        "approval: not in a panel of the chat yet: the passphrase is kept in the way of an earlier "
        "version, until it is typed the next time on the review page or in a terminal",
    )


def certificate_lines(
    addresses: Iterable[str], *, now: datetime, trusted: ssl.SSLContext | None = None
) -> Iterator[DoctorLine]:
    """Yield a line for the certificate at each public address, whoever presents it: a server here or its proxy."""
    from concurrent.futures import ThreadPoolExecutor

    parts = (urlsplit(address) for address in dict.fromkeys(addresses))
    places = [(part.hostname, part.port or 443) for part in parts if part.scheme == "https" and part.hostname]
    with ThreadPoolExecutor(AT_ONCE) as asking:
        yield from asking.map(lambda place: _certificate(*place, now=now, trusted=trusted), places)


def _of_file(path: Path, *, now: datetime) -> DoctorLine:
    """Say until when the certificate in a file holds that the server was given."""
    from cryptography.x509 import load_pem_x509_certificates

    try:
        until = load_pem_x509_certificates(path.read_bytes())[0].not_valid_after_utc
    except (OSError, ValueError) as error:
        return DoctorLine(False, f"certificate: {path}, which `serve` was given, cannot be read: {error}")
    return _until(f"{path}, which `serve` was given, holds", until, now=now)


def _until(what: str, until: datetime, *, now: datetime) -> DoctorLine:
    when = f"{what} until {until:%Y-%m-%d}, for {(until - now).days} days"
    if until - now < SOON:
        return DoctorLine(False, f"certificate: {when}; it should have been renewed by now")
    return DoctorLine(True, f"certificate: {when}")


def _certificate(host: str, port: int, *, now: datetime, trusted: ssl.SSLContext | None) -> DoctorLine:
    import ssl

    try:
        until = _presented_until(host, port, trusted=trusted)
    except ssl.SSLCertVerificationError as error:
        return DoctorLine(False, f"certificate: that of {host} does not hold here: {error.verify_message}")
    except OSError as error:
        return DoctorLine(None, f"certificate: {host} cannot be reached from here: {error.strerror or error}")
    return _until(f"{host} has one", until, now=now)


def _presented_until(host: str, port: int, *, trusted: ssl.SSLContext | None = None) -> datetime:
    """Return until when the certificate holds that a server presents; OSError, ssl.SSLError where it does not.

    ``trusted`` is whom to believe; without it whom this system does.
    """
    import socket
    import ssl

    context = trusted or ssl.create_default_context()
    with (
        socket.create_connection((host, port), SECONDS) as raw,
        context.wrap_socket(raw, server_hostname=host) as connection,
    ):
        facts = connection.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(facts["notAfter"])), UTC)


def survey_store(settings: Settings) -> Survey:
    """Return the state of the database; StoreError and its kinds when it cannot be opened or is damaged."""
    from sequences_mcp.bootstrap import open_store, utc_now

    with open_store(settings, now=utc_now()) as store:
        return store.upkeep.survey(now=utc_now())


def probe_mail_server(mailbox: Mailbox) -> Probe | None:
    """Return how far a sign-in at the mail server gets, or None where none is set."""
    from sequences_mcp.bootstrap import utc_now
    from sequences_mcp.engine.channels.mail_server import MailServer, Timeouts, probe

    if mailbox.smtp_url is None:
        return None
    server = MailServer.parse(mailbox.smtp_url.value)
    return probe(server, timeouts=Timeouts(connect=10, command=10), tokens=mailbox.tokens(utc_now))


def probe_inbox_of(mailbox: Mailbox) -> Probe | None:
    """Return how far a sign-in at the mailbox gets, or None where none is set."""
    from sequences_mcp.bootstrap import utc_now
    from sequences_mcp.engine.inbound.imap import ImapServer, probe_inbox

    if mailbox.imap_url is None:
        return None
    return probe_inbox(ImapServer.parse(mailbox.imap_url.value), tokens=mailbox.tokens(utc_now))
