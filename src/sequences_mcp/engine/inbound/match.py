"""Which run an incoming message is about, and by what it was matched."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from sequences_mcp.domain.addresses import address_key
from sequences_mcp.domain.companies import is_free_mail
from sequences_mcp.domain.run import Run, StepRun
from sequences_mcp.domain.threads import ANSWER_OR_COPY_PREFIX
from sequences_mcp.engine.answered import going_on_from, gone_on_from, had_begun, last_left, live_runs_at
from sequences_mcp.engine.inbound.kind import OF_MAILERS, InboundKind, Judged, may_be_report
from sequences_mcp.engine.inbound.parsing import ParsedMessage
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.store.unit_of_work import Repositories

Basis: TypeAlias = Literal["message_id", "provider_id", "address", "company"]
SURE = frozenset({"message_id", "provider_id"})
CLOCKS_DIFFER = timedelta(minutes=10)  # of the mail server and of this machine
_PREFIX = re.compile(rf"(?:{ANSWER_OR_COPY_PREFIX})+\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RunMatch:
    """A run, the step that the message names where it names one, and how it was found.

    ``message_id``: it contains our Message-ID, which cannot be forged. ``provider_id``: the id that our mail
    server gave our e-mail. ``address``: it is from, or about, the address of a live run; ``further`` are the other
    live runs there, and then nobody knows which one is meant. ``company``: it is from that run's company and has
    the subject of an e-mail of ours. ``later`` goes on in the place of the run whose e-mail it is, which failed.
    """

    sequence: Run
    run: StepRun | None
    basis: Basis
    further: tuple[Run, ...] = ()
    later: Run | None = None

    @property
    def about(self) -> Run:
        """The run that what follows happens to."""
        return self.later or self.sequence

    @property
    def is_sure(self) -> bool:
        """Whether it names an e-mail of ours, and not only an address, which anybody can put into From."""
        return self.basis in SURE


def match_run(
    store: Repositories,
    message: ParsedMessage,
    judged: Callable[[], Judged],
    *,
    own_address: str,
    arrived_at: datetime,
) -> RunMatch | None:
    """Return the run that a message is about, or None; read in the caller's transaction.

    ``judged`` says what the message is; it is asked only where the message has to do with us.
    """
    if result := _named(store, store.inbound.keys_of_message_ids(message.own_ids), "message_id"):
        return result
    ids = message.ids
    tokens = ids | {item.partition("@")[0] for item in ids}
    if tokens and (result := _named(store, store.inbound.keys_of_provider_ids(tokens), "provider_id")):
        return result
    if may_be_report(message) and ((kind := judged().kind) in OF_MAILERS or kind is InboundKind.COMPLAINT):
        named = judged().addresses or message.addresses
        addresses = {key for address in named if (key := address_key(address)) != address_key(own_address)}
        return _live_match(store, live_runs_at(store, addresses))
    if is_of_list(message) or not message.sender:
        return None
    soon = arrived_at + CLOCKS_DIFFER
    if runs := live_runs_at(store, [address_key(message.sender)]):
        return _live_match(store, [run for run in runs if had_begun(store, run, soon)])
    return _of_company(store, message, soon)


def _live_match(store: Repositories, runs: Sequence[Run]) -> RunMatch | None:
    """Return the first of these live runs with the others; of one that goes on after a failed one, that too."""
    if not runs:
        return None
    first, further = runs[0], tuple(runs[1:])
    if (left := last_left(first)) is None and (before := gone_on_from(store, first)) is not None:
        return RunMatch(before, last_left(before), "address", further, later=first)
    return RunMatch(first, left, "address", further)


def is_theirs(store: Repositories, sequence: Run, sender: str) -> bool:
    """Say whether an address belongs to a run's person: the recipient's, a present or a former one."""
    if not sender:
        return False
    key = address_key(sender)
    written_to = {address_key(run.recipient) for run in sequence.steps if run.recipient and "@" in run.recipient}
    return key in written_to or sequence.contact_id in store.contacts.at_address(key)


def is_of_list(message: ParsedMessage) -> bool:
    """Say whether it came by a mailing list (RFC 2919), whose messages are not replies to our e-mails."""
    return bool(message.header("List-Id") or message.header("List-Post")) or message.header(
        "Precedence"
    ).lower() in ("list", "bulk")


def _named(store: Repositories, keys: Iterable[str], basis: Basis) -> RunMatch | None:
    pairs = store.runs.of_keys(keys)
    if not pairs:
        return None
    sequence, run = pairs[0]
    return RunMatch(sequence, run, basis, later=going_on_from(store, sequence, run.step.id))


def _of_company(store: Repositories, message: ParsedMessage, soon: datetime) -> RunMatch | None:
    """Return the one live run at the sender's company an e-mail of which has the subject that is answered."""
    host = address_key(message.sender).rpartition("@")[2] if message.sender else ""
    subject = bare_subject(message.subject)
    if not host or not subject or not _PREFIX.match(message.subject) or is_free_mail(host):
        return None
    result = [
        RunMatch(sequence, run, "company")
        for sequence in store.runs.by_ids(store.inbound.live_at_host(host))
        if (run := last_left(sequence))
        and had_begun(store, sequence, soon)
        and subject in {bare_subject(step.subject or "") for step in sequence.steps}
    ]
    return result[0] if len(result) == 1 else None


def bare_subject(subject: str) -> str:
    """Return a subject without ``Re:`` and its like, as it is compared."""
    return " ".join(_PREFIX.sub("", subject, count=1).split()).casefold()
