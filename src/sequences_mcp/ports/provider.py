"""What a provider can do: the one base class of the embedded engine and of every vendor.

A provider overrides what it has; every other method raises NotSupportedError, and :meth:`Provider.offers` tells
the two apart. Ids are whole ids (``local:bp_…``); times are aware.
"""
# mypy: disable-error-code="empty-body"
# A method below is a declaration alone: ``unless_overridden`` gives it its body.

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from functools import wraps
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar, cast

from sequences_mcp.errors import NotSupportedError

if TYPE_CHECKING:
    from datetime import datetime

    from sequences_mcp.domain.blueprint import Blueprint, ReplyRules, Sourcing, Step
    from sequences_mcp.domain.contact import Contact
    from sequences_mcp.domain.findings import Finding
    from sequences_mcp.domain.page import Page
    from sequences_mcp.domain.plan import Plan
    from sequences_mcp.domain.run import ReplyKind, Run, StopReason, StopScope, TaskOutcome
    from sequences_mcp.ports import embedded, vendor

Method = TypeVar("Method", bound=Callable[..., Any])
IN_ITS_APP = "It can be done in {title}'s own app."


def unless_overridden(verb: str, *, instead: str = IN_ITS_APP) -> Callable[[Method], Method]:
    """Make a method raise NotSupportedError: the provider has no way to ``verb``, and ``instead`` is what to do.

    ``{title}`` in ``instead`` stands for the provider's title.
    """

    def declared(method: Method) -> Method:
        vars(method)["unsupported"] = (verb, instead)

        @wraps(method)
        def answer(self: Provider, *_: object, **__: object) -> NoReturn:
            raise self.not_supported(method)

        @wraps(method)
        async def answer_later(self: Provider, *_: object, **__: object) -> NoReturn:
            raise self.not_supported(method)

        return cast("Method", answer_later if iscoroutinefunction(method) else answer)

    return declared


class Provider:
    """What carries blueprints out: the embedded engine, or a vendor through its API.

    ``lacks`` has, by method, the verb for what cannot be done, where a provider has another word for it.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    lacks: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def offers(cls, method: Callable[..., Any]) -> bool:
        """Say whether this provider can do what a method of :class:`Provider` declares: it overrides it."""
        return getattr(cls, method.__name__) is not method

    def require(self, method: Callable[..., Any]) -> None:
        """Raise NotSupportedError, before anything else is looked at, unless the provider offers this method."""
        if not self.offers(method):
            raise self.not_supported(method)

    def not_supported(self, method: Callable[..., Any]) -> NotSupportedError:
        """Return the error of a method that the provider does not have."""
        verb, instead = vars(method)["unsupported"]
        return NotSupportedError(
            f"{self.title} has no way to {self.lacks.get(method.__name__, verb)} over its API.",
            next_step=instead.format(title=self.title),
        )

    # The key of an account.

    @unless_overridden("tell what its key may do")
    async def about_key(self) -> str:
        """Return one line: what the key may do, as far as the vendor tells."""

    # Blueprints: reusable lists of steps; a version never changes.

    @unless_overridden("list blueprints")
    async def list_blueprints(self, *, page: int, size: int) -> Page[Blueprint]:
        """Return the newest versions, newest first."""

    @unless_overridden("read blueprints")
    async def get_blueprint(self, blueprint_id: str, version: int | None = None) -> Blueprint:
        """Return one version, the newest by default; NotFoundError."""

    @unless_overridden("create blueprints")
    async def create_blueprint(
        self, *, name: str, steps: Items[Step], sourcing: Sourcing, replies: ReplyRules | None = None
    ) -> Blueprint:
        """Store a new blueprint as version 1."""

    @unless_overridden("update blueprints")
    async def update_blueprint(
        self,
        blueprint_id: str,
        *,
        expected_version: int,
        name: str,
        steps: Items[Step],
        sourcing: Sourcing,
        replies: ReplyRules | None = None,
    ) -> Blueprint:
        """Store the next version; StaleVersionError when ``expected_version`` is not the newest."""

    @unless_overridden("archive blueprints", instead="Archive it in {title}'s own app.")
    async def archive_blueprint(
        self, blueprint_id: str, *, archived: bool, expected_version: int | None = None
    ) -> Blueprint:
        """Put a blueprint away, or take it back: it is not listed and not started. What was started goes on.

        Doing it again changes nothing. NotFoundError; StaleVersionError unless ``expected_version`` is the newest.
        """

    @unless_overridden("list archived blueprints")
    async def list_archived(self, *, page: int, size: int) -> Page[Blueprint]:
        """Return those that were put away, the latest change first."""

    # Sourcings: where a vendor keeps its candidates and blueprints.

    @unless_overridden("list sourcings")
    async def list_sourcings(self, *, page: int, size: int) -> Page[vendor.SourcingRow]:
        """Return one page."""

    @unless_overridden("search a sourcing")
    async def find_candidates(self, sourcing_id: str, query: str, *, page: int, size: int) -> Page[Contact]:
        """Return one page of a sourcing's people whose facts contain the query."""

    @unless_overridden("create blueprints in a sourcing")
    async def create_in_sourcing(
        self, sourcing_id: str, *, name: str, steps: Items[Step], config: Mapping[str, Any] | None = None
    ) -> Blueprint:
        """Create a blueprint there, which becomes version 1 as known here.

        ``config`` is the vendor's sequence-level configuration, passed on as it is.
        """

    @unless_overridden("configure blueprints")
    async def configure_blueprint(
        self, known: Blueprint, *, name: str, steps: Items[Step], config: Mapping[str, Any]
    ) -> Blueprint:
        """Change a blueprint there together with its configuration; ``known`` is the version that is changed."""

    # Contacts: people, one row each, matched by e-mail, and by phone where one of the two has no e-mail.

    @unless_overridden("search contacts")
    async def find_contacts(self, query: str, *, page: int, size: int) -> Page[Contact]:
        """Return people whose name, address, company or title contains the query; all for an empty one."""

    @unless_overridden("read contacts")
    async def get_contacts(self, contact_ids: Items[str]) -> list[Contact]:
        """Return these people in this order; NotFoundError names every id that is not there."""

    @unless_overridden("save contacts")
    async def match_contacts(
        self, people: Items[embedded.ContactEntry], *, optional: frozenset[str] = frozenset()
    ) -> embedded.Matched:
        """Return whom saving each would update, and what it would refuse: nothing is raised for a bad row.

        ``optional`` names the facts that are left out where they are wrong, instead of refusing the person.
        """

    @unless_overridden("save contacts")
    async def save_contacts(
        self,
        entries: Items[embedded.ContactEntry],
        *,
        optional: frozenset[str] = frozenset(),
        leaves_erased_out: bool = False,
    ) -> list[embedded.SavedContact]:
        """Upsert all or none, in order. Fields that are None keep what is stored; notes are appended.

        Whoever was erased is refused, or with ``leaves_erased_out`` returned without being stored.
        """

    @unless_overridden("save contacts")
    async def save_matched(self, matched: embedded.Matched) -> embedded.SavedTally:
        """Store people as they were just matched, in the open transaction, without looking anybody up again."""

    @unless_overridden("read people")
    async def identity_of(self, contact_id: str) -> vendor.Identity:
        """Return who stands behind a vendor's id of a person; NotFoundError."""

    # Contact lists: where a vendor takes people in, such as Topo's lists and Kalent's sourcings.

    contacts_a_request: int = 1
    """How many people one request of :meth:`place_contacts` takes."""
    contacts_a_call: int = 1
    """How many people one call takes, in several requests."""

    @unless_overridden("take people in")
    def contact_misfit(self, person: vendor.ContactInput) -> vendor.Misfit | None:
        """Return why the vendor could not take somebody, or None."""

    @unless_overridden("take people in")
    async def placed_already(
        self, place_id: str, people: Items[vendor.ContactInput]
    ) -> tuple[vendor.PlacedContact | None, ...]:
        """Return, for each, what is so already, or None for those who are to be put there.

        Changes nothing. ApprovalError for a place that starts a sequence for whoever is put there.
        """

    @unless_overridden("take people in")
    async def place_contacts(
        self, place_id: str, people: Items[vendor.ContactInput]
    ) -> tuple[vendor.PlacedContact, ...]:
        """Put people there in one request and return what became of each."""

    @unless_overridden("take people in")
    async def count_placed(self, place_id: str, people: Items[vendor.ContactInput]) -> tuple[int | None, str]:
        """Return how many of these are there now, None where nobody can tell, and one line about it."""

    # Exclusions: a vendor's own list of those it must not import again. ``kind`` is ``address``, ``domain`` or
    # ``profile``, the address of a LinkedIn page.

    @unless_overridden("exclude people")
    async def is_excluded(self, kind: str, value: str) -> bool:
        """Say whether it is on the list."""

    @unless_overridden("exclude people")
    async def exclude(self, kind: str, value: str, *, message: str) -> None:
        """Put it on the list, for good."""

    # Starts at a vendor. Nothing is enrolled before a person has approved the plan that names everybody.

    people_a_start: int = 1
    """How many people one request enrols at most."""
    takes_several: bool = False
    """Whether one person may have several e-mail addresses and phone numbers in a start."""
    has_review: bool = False
    """Whether the vendor can have a person read its texts before they leave, and be told not to."""
    names_sender: bool = True
    """Whether a start says who sends, where the blueprint itself may name nobody."""

    @unless_overridden("start sequences")
    async def blueprint_to_start(self, blueprint_id: str) -> Blueprint:
        """Return what would be started, as its newest version known here; its steps are empty where no API tells
        them. NotFoundError; ConflictError for one that takes nobody now.
        """

    @unless_overridden("start sequences")
    async def person_to_enrol(
        self, request: vendor.PersonRequest, *, blueprint: Blueprint, reviewed_there: bool
    ) -> vendor.VendorPerson:
        """Return one person; NotFoundError, InvalidArgumentsError.

        ``reviewed_there`` False: the operator allowed that the vendor's own review is left out.
        """

    @unless_overridden("start sequences")
    async def standings(self, people: Items[vendor.VendorPerson]) -> list[vendor.PersonStanding]:
        """Return what is read about everybody of a start at once, in order."""

    @unless_overridden("start sequences")
    async def preflight(self, plan: Plan, people: Items[Run]) -> vendor.PreflightSnapshot:
        """Read what a later look has to be compared with, just before the request. Changes nothing."""

    @unless_overridden("start sequences")
    async def enrol(self, order: vendor.EnrolmentBatch) -> tuple[vendor.EnrolmentOutcome, ...]:
        """Enrol them; raise for what concerns them all. The one write."""

    @unless_overridden("start sequences")
    async def read_enrolment_back(self, order: vendor.EnrolmentBatch) -> tuple[vendor.EnrolmentOutcome, ...]:
        """Return what the vendor shows of an order whose outcome is unknown."""

    @unless_overridden("start sequences")
    async def follow_run(self, run: Run, *, baseline: str | None) -> embedded.SequenceDetail | None:
        """Return a run that was handed over as the vendor tells of it, or None while it shows none.

        ``baseline`` is what :meth:`preflight` read about this person.
        """

    # Runs, read and paced. Control calls raise ConflictError naming the status and the legal moves.

    @unless_overridden("list sequences")
    async def list_sequences(self, wanted: embedded.SequenceFilter) -> Page[embedded.SequenceDetail]:
        """Return one page."""

    @unless_overridden("read sequences")
    async def get_sequence(self, sequence_id: str) -> embedded.SequenceDetail:
        """Return one run; NotFoundError."""

    @unless_overridden("pause a sequence")
    async def pause_sequence(self, sequence_id: str, *, until: datetime) -> embedded.SequenceDetail:
        """Wait until a future time; the clocks of delays stand still."""

    @unless_overridden("pause every sequence")
    async def pause_live(self, *, until: datetime) -> int:
        """Pause every run that would go on before then; return how many were."""

    @unless_overridden("resume sequences together")
    async def resume_paused(self, *, since: datetime, until: datetime) -> int:
        """Let runs go on that were paused together; return how many were."""

    @unless_overridden("resume a sequence")
    async def resume_sequence(self, sequence_id: str) -> embedded.SequenceDetail:
        """Go on now."""

    @unless_overridden("stop a sequence", instead="Stop it in {title}'s own app, now.")
    async def stop_sequence(
        self, sequence_id: str, *, reason: StopReason, scope: StopScope
    ) -> list[embedded.SequenceDetail]:
        """Stop for good; return every sequence that was stopped, this one first."""

    @unless_overridden("tell whose runs go on")
    async def not_stopped(self, sequence_id: str) -> Mapping[str, tuple[str, ...]]:
        """Return why → runs that go on, of people who are or look like this run's contact's colleagues."""

    @unless_overridden("change variables")
    async def update_variables(
        self, sequence_id: str, *, variables: Mapping[str, str | None]
    ) -> embedded.SequenceDetail:
        """Merge overrides into a run's variables; None removes one."""

    @unless_overridden("change variables")
    async def require_used(self, sequence_id: str, *, variables: Mapping[str, str | None]) -> None:
        """Raise InvalidArgumentsError for a variable that no text of the run can have; changes nothing."""

    # Live runs at a vendor, whoever started them. A target is a kind (``address``, ``domain``, ``profile``,
    # ``contact``) and its value.

    @unless_overridden("look for somebody's runs")
    def can_look_for(self, targets: Items[tuple[str, str]]) -> bool:
        """Say whether the vendor can be asked about whoever these targets cover."""

    @unless_overridden("look for somebody's runs")
    async def live_runs_of(self, targets: Items[tuple[str, str]]) -> list[embedded.SequenceDetail]:
        """Return the live runs that may reach whoever these targets cover.

        SequencesError where that cannot be read, or not to its end.
        """

    # Single texts that wait for a person.

    @unless_overridden("list drafts")
    async def list_drafts(self, *, plan_id: str | None, page: int, size: int) -> Page[embedded.Draft]:
        """Return texts that wait for a person: of one plan, or of every live sequence."""

    @unless_overridden("read drafts")
    async def get_draft(self, draft_id: str) -> embedded.Draft:
        """Return one text; NotFoundError."""

    @unless_overridden("edit drafts")
    async def rewrite_texts(
        self,
        sequence_id: str,
        texts: Mapping[str, embedded.StepText],
        *,
        findings: tuple[Finding, ...] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Run:
        """Replace pending texts by step id, the warnings about this person, and the overrides when given.

        ``findings``: the warnings about this person's own data and texts from now on.
        Raises ConflictError when one of the steps is in flight or over. Voids the approval of each text.
        """

    @unless_overridden("approve drafts")
    async def approve_draft(
        self, draft_id: str, *, digest: str, actor: str, signature: str | None = None
    ) -> embedded.Draft:
        """Record the yes to exactly this text of a live sequence and let it go."""

    @unless_overridden("settle e-mails")
    async def resolve_unknown(
        self, draft_id: str, *, sent: bool, actor: str, digest: str | None = None, signature: str | None = None
    ) -> Run:
        """Record what a person found out about an e-mail whose fate was unknown; not sent: it goes once more.

        That is a yes to this text: ApprovalError when ``digest``, of the text that the person saw, is not its
        present one, or is not signed where a passkey is registered.
        """

    # Steps done by hand, and what people answered.

    @unless_overridden("list tasks")
    async def list_tasks(self, *, page: int, size: int) -> Page[embedded.OpenTask] | Page[vendor.VendorTask]:
        """Return the open ones, oldest first; a vendor's in its own words, the first few with their messages."""

    @unless_overridden("complete tasks")
    async def complete_task(self, task_id: str, *, outcome: TaskOutcome) -> embedded.OpenTask | vendor.VendorTask:
        """Record what became of a task; ConflictError for one that is over.

        ACCEPTED is for invitations only, and legal for one that is open or done and not yet accepted. A vendor's
        task can be skipped alone: NotSupportedError for any other outcome.
        """

    @unless_overridden("list tasks")
    async def task_status(self, task_id: str) -> str | None:
        """Return the vendor's word for how a task stands, or None where it is not among the newest."""

    @unless_overridden("tell who answered")
    async def list_replies(self, wanted: embedded.ReplyFilter) -> Page[embedded.ReceivedReply]:
        """Return one page of what came back, the newest first."""

    @unless_overridden("read answers")
    async def get_reply(self, reply_id: str) -> embedded.ReceivedReply:
        """Return one thing that came back; NotFoundError."""

    @unless_overridden("read answers")
    async def may_be_about(self, reply_id: str) -> list[embedded.SequenceDetail]:
        """Return the runs that something which came in may be about: the one it is listed with first."""

    @unless_overridden("read answers")
    async def resolve_reply(self, reply_id: str, *, sequence_id: str | None, actor: str) -> embedded.ReceivedReply:
        """Record what a person says about something that came in, and do what follows; None: it is nothing.

        ConflictError for what needs no decision, or was decided before.
        """

    @unless_overridden("record answers")
    async def record_reply(
        self, contact_id: str, answer: ReplyKind, *, until: datetime | None = None, about: str | None = None
    ) -> list[embedded.SequenceDetail]:
        """Keep what somebody answered, and do what follows to every run of theirs here; return those runs.

        ``about`` is the id of the run that was named, where one was.
        """
