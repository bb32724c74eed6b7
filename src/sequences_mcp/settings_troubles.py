"""What is wrong now, in words for a person: what the settings lack or say twice, and what the engine finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sequences_mcp.domain.findings import Trouble
from sequences_mcp.domain.plan import Terms
from sequences_mcp.engine.supervisor import MAILBOX, awake, worker_states
from sequences_mcp.engine.troubles import troubles
from sequences_mcp.lazy_dataclasses import dataclass, field
from sequences_mcp.mailbox import SMTP_SETTING, how_to_set_sender
from sequences_mcp.settings import Settings
from sequences_mcp.store.unit_of_work import Store


@dataclass(slots=True)
class Examination:
    """Looks at an open database and the settings of this process."""

    settings: Settings
    store: Store
    clock: Callable[[], datetime]
    _mailboxes: tuple[Mapping[Terms, str], tuple[str, ...]] | None = field(default=None, init=False)

    def troubles(self) -> list[Trouble]:
        """Return what is wrong now: what is not set, then what stands in the way."""
        settings, now = self.settings, self.clock()
        with self.store.snapshot():  # one state of the database, and far less work than one for each question
            states = worker_states(self.store, now=now)
            sends = any(worker.sends for worker in awake(states, now=now) if worker.queue == MAILBOX)
            unset = settings_troubles(settings, is_sent_elsewhere=sends, now=now)
            mailboxes, read_here = self._own_mailboxes()
            in_the_way = troubles(
                self.store,
                now=now,
                mailboxes=mailboxes,
                states=states,
                knows_server=settings.mailbox.knows_server,
                freshness=timedelta(seconds=settings.freshness),
                read_here=read_here,
            )
        # Without a token no mail server was asked, so that none refuses.
        covered = {("mailbox_rests", trouble.sender) for trouble in unset if trouble.code == "sign_in_again"}
        return [*unset, *(item for item in in_the_way if (item.code, item.sender) not in covered)]

    def _own_mailboxes(self) -> tuple[Mapping[Terms, str], tuple[str, ...]]:
        """Return what stands for the account of each mailbox, by its terms, and the addresses that are read."""
        if self._mailboxes is None:
            key, mailboxes = self.store.secret("message_id"), self.settings.mailboxes
            marks = {mailbox.terms: mailbox.account_fingerprint(key) for mailbox in mailboxes}
            self._mailboxes = marks, tuple(mailbox.address for mailbox in mailboxes if mailbox.reads_inbox)
        return self._mailboxes


def settings_troubles(settings: Settings, *, is_sent_elsewhere: bool, now: datetime) -> list[Trouble]:
    """Return what is missing or said twice in the settings.

    ``is_sent_elsewhere``: another process sends, so that what this one lacks stops nothing.
    """
    results, is_alone = list[Trouble](), not is_sent_elsewhere
    if settings.mailbox.sender is None:
        unset = "SEQUENCES_SENDER is not set: nothing can be started."
        results.append(
            Trouble(code="no_sender", what=unset, remedy=how_to_set_sender(settings.file), stops=is_alone)
        )
    for conflict in settings.conflicts:
        remedy = "Make them the same, or remove one."
        results.append(Trouble(code="settings_differ", what=conflict, remedy=remedy, stops=False))
    for name, why in settings.lacking.items():
        remedy = "Give it to this process, or leave the work to one that has it."
        stops = name == SMTP_SETTING and is_alone  # a further mailbox stops its own alone
        results.append(Trouble(code="no_secret", what=f"A secret is missing: {why}.", remedy=remedy, stops=stops))
    for mailbox in settings.mailboxes:
        if mailbox.sign_in and mailbox.sender:
            from sequences_mcp.sign_in.tokens import signed_out

            results.extend(signed_out(mailbox.sign_in, sender=mailbox.sender.address, now=now))
    if settings.lacks_temporal:
        from sequences_mcp.engine.temporal import INSTALL, NOT_INSTALLED

        results.append(Trouble(code="no_temporal", what=NOT_INSTALLED, remedy=INSTALL, stops=is_alone))
    if settings.mailbox.smtp_url is None:
        unset = (
            f"SEQUENCES_SMTP_URL is not set: e-mails are written to {settings.mailbox.outbox}, nothing is sent."
        )
        remedy = "Run `sequences-mcp mail connect`, which connects your mailbox."
        results.append(Trouble(code="outbox", what=unset, remedy=remedy, stops=False))
    return results
