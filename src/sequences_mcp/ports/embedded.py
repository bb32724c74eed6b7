"""The values that the embedded engine and its callers exchange.

Ids are whole ids (``local:bp_…``); times are aware.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.contact import Contact, ContactFields
from sequences_mcp.domain.digests import NEWEST, ChangeFacts, change_digest
from sequences_mcp.domain.erasure import ERASE
from sequences_mcp.domain.findings import Finding, RowProblem, errors_in
from sequences_mcp.domain.inbound import ReceivedKind, ReplyEntry
from sequences_mcp.domain.making import quickly_made
from sequences_mcp.domain.run import Run, SequenceStatus, StepRun, VendorStep
from sequences_mcp.domain.sender import Sender
from sequences_mcp.lazy_dataclasses import dataclass, field

MOST_ON_LOOP = 500  # people saved by the event loop's own thread: about 50 ms


@quickly_made
@dataclass(frozen=True, slots=True)
class SavedContact:
    """The result of one upsert.

    ``dropped`` are optional facts that were invalid and therefore not saved. ``is_stored`` is False for a person
    who was erased, of whom nothing is stored again.
    """

    contact: Contact
    created: bool
    dropped: tuple[RowProblem, ...] = ()
    is_stored: bool = True


@dataclass(frozen=True, slots=True)
class SavedTally:
    """How many people an upsert created and updated."""

    created: int
    updated: int


@quickly_made
@dataclass(frozen=True, slots=True)
class ContactEntry:
    """One person to save, with a note to append.

    ``id`` is given where the facts of a known person are to change, the address included. ``position`` is the
    row's number in the call, from 1; without it, its place in the list. ``checked`` says that ``fields`` are
    normalised already, and which optional facts were left out as invalid.
    """

    fields: ContactFields
    note: str | None = None
    id: str | None = None
    position: int | None = None
    checked: tuple[RowProblem, ...] | None = None


@dataclass(frozen=True, slots=True)
class Matched:
    """Which stored person each row of a call is about, None for a new one, and what saving would refuse.

    Nothing is known for a row among the ``problems``. ``entries`` are the rows with their facts normalised;
    ``identities`` has, where it is known, the key by which a row's person differs from the others of the call.
    """

    people: tuple[Contact | None, ...]
    problems: tuple[RowProblem, ...]
    entries: tuple[ContactEntry, ...] = ()
    identities: tuple[str, ...] = ()


WaitingFor = Literal["approval", "task", "decision", "time"]
PeopleKind = Literal["", "own", "warned", "out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceFilter:
    """The filters of a list of runs; the bounds in time are exclusive.

    ``contact`` is an id, or part of a name or address; ``company`` part of a company's name, or its domain;
    ``waiting_for`` is what a run waits for: a person's approval of its plan, a task, a decision about a held or
    unknown text, or only time.
    """

    status: SequenceStatus | None = None
    provider_status: str | None = None
    waiting_for: WaitingFor | None = None
    blueprint_id: str | None = None
    contact: str | None = None
    company: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    sort_by: Literal["created_at", "updated_at", "status"] = "created_at"
    sort_order: Literal["asc", "desc"] = "asc"
    page: int = 1
    size: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleFilter:
    """Which people of a plan are listed.

    ``search`` is part of a name, address, company or title; ``kind`` those with a text of their own, with
    warnings, or taken out.
    """

    search: str = ""
    kind: PeopleKind = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What happens next in a run: when (None: nothing by itself), and why it waits."""

    next_at: datetime | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorActivity:
    """Something that happened in a run at a vendor, in the vendor's own words."""

    type: str | None
    channel: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorFacts:
    """What a vendor reports of a run besides its status; None for what it does not report.

    ``sequence_id`` is Clarky's id of the texts it wrote, ``list_id`` the list a person came from, ``progress`` the
    vendor's fields about steps as JSON, ``action_required`` its words about what a person has to do; ``why`` is
    this program's wording of what its status implies.
    """

    created_at: datetime | None = None
    updated_at: datetime | None = None
    last_step_executed_at: datetime | None = None
    replied_at: datetime | None = None
    paused_until: datetime | None = None
    stop_reason: str | None = None
    blueprint_name: str | None = None
    list_id: str | None = None
    sequence_id: str | None = None
    progress: str | None = None
    action_required: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorReading:
    """When a vendor was asked about a run, and what it answered."""

    read_at: datetime
    provider_status: str | None
    facts: VendorFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceDetail:
    """A sequence with the person it runs for and what comes next; ``provider_status`` is a vendor's own word.

    ``contact`` has no id where the vendor has deleted the person. ``facts`` are the vendor's, as of
    ``read_at`` (None: just now).
    ``steps_there`` are a vendor's own steps; ``activities`` the newest first; ``unavailable_because`` why they
    are not here.
    ``error`` is what the vendor answered when the run could not be handed over (``errors.error_facts``).
    ``replies`` are what came back, the oldest first, as far as ``came_back`` has not more.
    ``is_unseen``: its blueprint is somebody else's alone; ``is_nameless``: neither its id nor its name are told.
    """

    sequence: Run
    contact: Contact
    outlook: Outlook
    provider_status: str | None = None
    facts: VendorFacts | None = None
    read_at: datetime | None = None
    blueprint_name: str | None = None
    is_unseen: bool = False
    is_nameless: bool = False
    steps_there: tuple[VendorStep, ...] = ()
    activities: tuple[VendorActivity, ...] = ()
    unavailable_because: str | None = None
    error: Mapping[str, Any] | None = None
    replies: tuple[ReplyEntry, ...] = ()
    came_back: int = 0

    @property
    def blueprint_told(self) -> str | None:
        """The id of its blueprint, where whoever looks at it may know that."""
        return None if self.is_nameless else self.sequence.blueprint_id or None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyFilter:
    """Which replies a list shows; ``waiting``: those a person has to decide about, ``since``: then or later.

    ``contact`` is an id, or part of a name or address.
    """

    kind: ReceivedKind | None = None
    contact: str | None = None
    blueprint_id: str | None = None
    sequence_id: str | None = None
    since: datetime | None = None
    waiting: bool = False
    page: int = 1
    size: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedReply:
    """An incoming message or a recorded answer, with its person and run where these are known.

    ``step`` is the step it answers; ``blueprint_name`` is None where it is not known.
    """

    entry: ReplyEntry
    contact: Contact | None
    sequence: Run | None
    step: StepRun | None = None
    blueprint_name: str | None = None

    @property
    def came_at(self) -> datetime:
        """When it came: its Date header, where that lies between what it answers and when it was read here."""
        left = self.step.executed_at if self.step else None
        dated, read = self.entry.sent_at, self.entry.at
        return dated if dated and left and left <= dated <= read else read

    @classmethod
    def at_vendor(cls, detail: SequenceDetail, *, reply_id: str, at: datetime) -> ReceivedReply:
        """Return that the person of a vendor's run replied, which is all that its API tells."""
        run = detail.sequence
        status = detail.provider_status or run.status.value
        entry = ReplyEntry(
            id=reply_id,
            stored_kind="reply",
            waits=False,
            contact_id=detail.contact.id,
            sequence_id=run.remote_id or run.id,
            key=None,
            effect=f"the run is {status} there",
            at=at,
        )
        facts = detail.facts or VendorFacts()
        name = detail.blueprint_name or facts.blueprint_name
        return cls(entry=entry, contact=detail.contact, sequence=run, blueprint_name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerDraft:
    """An answer for the folder of drafts, in the thread of what it answers.

    ``answers`` is the Message-ID of that and ``refers_to`` the ids of the thread before it, in brackets; ``name``
    is what the draft's own id is made from, so that the same answer is the same draft.
    """

    sender: Sender
    recipient: str
    subject: str
    content: str
    answers: str
    refers_to: tuple[str, ...]
    name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StepText:
    """One text for one person; with ``keeps_subject`` it changes the content alone of one that has a subject."""

    subject: str | None
    content: str
    keeps_subject: bool = False


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPerson:
    """One person of a start with their final texts and all that was found about them.

    ``steps`` are those of the run that the person gets once they are in the plan; the content of one is None while
    it still has to be written. ``vendor_facts`` is what a vendor is given, ``zone_source`` from where the time
    zone is known. ``reminders`` are what first messages lack by law: a plan tells them once for all of its people.
    """

    contact: Contact
    variables: Mapping[str, str]
    time_zone: str
    steps: tuple[StepRun, ...]
    zone_source: str = ""
    findings: tuple[Finding, ...] = ()
    vendor_facts: Mapping[str, str] = field(default_factory=dict)
    reminders: tuple[Finding, ...] = ()

    @property
    def refusals(self) -> tuple[Finding, ...]:
        """Why this person cannot be in a plan."""
        return errors_in(self.findings)

    @property
    def missing_texts(self) -> tuple[str, ...]:
        """The steps whose text is still to be written for this person."""
        return tuple(planned.step.id for planned in self.steps if planned.content is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One text waiting for a person: part of a waiting plan, or edited after its approval.

    ``why`` is ``missing``, ``written`` (per contact, to be read), ``edited`` or ``unknown`` (an e-mail that may
    have been delivered, to be resolved). ``digest`` is that of the text; ``to_sign`` is what a passkey signs for a
    yes: the digest, or, for an e-mail of unknown outcome, a digest of the text and of the attempt.
    """

    id: str
    why: Literal["missing", "written", "edited", "held", "unknown"]
    sequence: Run
    run: StepRun
    contact: Contact
    digest: str
    to_sign: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTask:
    """A step a person does by hand, with the final text ready to copy."""

    id: str
    sequence: Run
    run: StepRun
    contact: Contact


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressed:
    """What a suppression covers, and what it stopped."""

    kind: Literal["address", "domain", "contact"]
    value: str
    stopped: tuple[SequenceDetail, ...]
    already: bool


@dataclass(frozen=True, slots=True)
class Lifted:
    """A suppression that a person removed, its reason, and the entries that still cover the same person.

    An entry is a kind and a value: ``domain:acme.com``.
    """

    kind: Literal["address", "domain", "contact"]
    value: str
    was: str
    still: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a write tool.

    ``fingerprint`` is a SHA-256 of its arguments; ``derived``: the caller gave no key, so ``key`` was derived from
    them.
    """

    tool: str
    key: str | None
    fingerprint: str
    derived: bool = False

    @property
    def lifetime(self) -> timedelta:
        """For how long the same call gets the answer of the first one."""
        return timedelta(hours=24) if self.derived else timedelta(days=30)


CHANGE_LASTS = timedelta(hours=24)
ChangeStanding = Literal["waiting", "approved", "refused", "expired"]
_CAME_TO = {
    "done": "It was done",
    "not_done": "It was not done",
    "unknown": "Nobody knows whether it was done",
    "begun": "It is under way",
    None: "Nothing was sent",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChange:
    """A change at a vendor that waits for a person's approval.

    ``earlier`` has the values before the change, by the same names. ``came_to`` is the state of the request to the
    vendor once the change was approved.
    """

    id: str
    tool: str
    subject: str
    arguments: Mapping[str, Any]
    earlier: Mapping[str, Any]
    asked_at: datetime
    digest_version: int = NEWEST
    approved_by: Actor | None = None
    refused_by: Actor | None = None
    reason: str | None = None
    decided_at: datetime | None = None
    came_to: str | None = None

    @property
    def expires_at(self) -> datetime:
        """Until when a person can approve it."""
        return self.asked_at + CHANGE_LASTS

    @property
    def digest(self) -> str:
        """What an approval covers: the target, and each value before and after."""
        facts = ChangeFacts(self.id, self.tool, self.subject, self.arguments, self.earlier)
        return change_digest(facts, version=self.digest_version)

    def standing(self, now: datetime) -> ChangeStanding:
        """Return whether it waits, or how it was decided."""
        if self.approved_by:
            return "approved"
        if self.refused_by:
            return "refused"
        return "waiting" if now < self.expires_at else "expired"

    def state_words(self, now: datetime) -> str:
        """Return how it stands, in words."""
        standing = self.standing(now)
        if standing == "approved":
            came_to = "They were erased." if self.tool == ERASE else _CAME_TO[self.came_to]
            return f"approved by {self.approved_by}, {self.decided_at:%Y-%m-%d %H:%M} UTC. {came_to}"
        if standing == "refused":
            return f"rejected by {self.refused_by}: {self.reason}"
        return f"{standing}, {'until' if standing == 'waiting' else 'since'} {self.expires_at:%Y-%m-%d %H:%M} UTC"
