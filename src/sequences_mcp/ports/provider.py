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

from sequences_mcp.domain.actors import Actor
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
    """Make a method raise NotSupportedError: the provider cannot ``verb``; ``instead`` is the next step.

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
        """Say whether this provider overrides a method of :class:`Provider`, and so supports it."""
        return getattr(cls, method.__name__) is not method

    def require(self, method: Callable[..., Any]) -> None:
        """Raise NotSupportedError unless the provider supports this method; checked before any argument."""
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
        """Return one line on what the API key permits, as far as the vendor reports it."""

    # Blueprints: reusable lists of steps; a version never changes.

    @unless_overridden("list blueprints")
    async def list_blueprints(self, *, page: int, size: int) -> Page[Blueprint]:
        """Return the newest versions, newest first."""

    @unless_overridden("read blueprints")
    async def get_blueprint(self, blueprint_id: str, version: int | None = None) -> Blueprint:
        """Return one version, the newest by default; NotFoundError."""

    @unless_overridden("create blueprints")
    async def create_blueprint(
        self,
        *,
        name: str,
        steps: Items[Step],
        sourcing: Sourcing,
        replies: ReplyRules | None = None,
        private: bool = False,
    ) -> Blueprint:
        """Store a new blueprint as version 1; ``private``: as its owner's alone, where that is offered."""

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

    @unless_overridden("keep blueprints private", instead="Decide who sees a blueprint in {title}'s own app.")
    async def keep_private(
        self, blueprint_id: str, *, private: bool, expected_version: int | None = None
    ) -> Blueprint:
        """Make a blueprint its owner's alone, or everybody's. Doing it again changes nothing.

        NotFoundError; InvalidArgumentsError for whoever is not its owner; StaleVersionError unless
        ``expected_version`` is the newest.
        """

    @unless_overridden("list archived blueprints")
    async def list_archived(self, *, page: int, size: int) -> Page[Blueprint]:
        """Return those that were put away, the latest change first."""

    # Sourcings: where a vendor keeps its candidates and blueprints.

    @unless_overridden("list sourcings")
    async def list_sourcings(self, *, page: int, size: int) -> Page[vendor.SourcingRow]:
        """Return one page of sourcings."""

    @unless_overridden("search a sourcing")
    async def find_candidates(self, sourcing_id: str, query: str, *, page: int, size: int) -> Page[Contact]:
        """Return one page of a sourcing's people whose facts contain the query."""

    @unless_overridden("create blueprints in a sourcing")
    async def create_in_sourcing(
        self, sourcing_id: str, *, name: str, steps: Items[Step], config: Mapping[str, Any] | None = None
    ) -> Blueprint:
        """Create a blueprint in a sourcing; it is version 1 here.

        ``config`` is the vendor's sequence-level configuration, passed on unchanged.
        """

    @unless_overridden("configure blueprints")
    async def configure_blueprint(
        self, known: Blueprint, *, name: str, steps: Items[Step], config: Mapping[str, Any]
    ) -> Blueprint:
        """Change a blueprint at the vendor, of which ``known`` is the present version, with its configuration."""

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
        """Return which person each entry would update and what saving would refuse; no row raises.

        ``optional`` names the facts that are left out where they are invalid, instead of refusing the person.
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
    async def prepare_matched(self, matched: embedded.Matched) -> bytes:
        """Return people as they were matched, ready for ``save_prepared``; nothing is stored."""

    @unless_overridden("save contacts")
    async def save_prepared(
        self, parts: Items[bytes], *, since: int, concerns: Callable[[Contact], bool]
    ) -> embedded.SavedTally | None:
        """Store all that was prepared in one transaction.

        None where people were changed after the place ``since``, or are new and ``concerns`` says so of one.
        """

    @unless_overridden("save contacts")
    async def place_in_audit(self) -> int:
        """Return how far the audit has come: what ``save_prepared`` compares with."""

    @unless_overridden("read people")
    async def identity_of(self, contact_id: str) -> vendor.Identity:
        """Return by what else a vendor knows the person of one of its ids; NotFoundError."""

    # Contact lists: where a vendor takes people in, such as Topo's lists and Kalent's sourcings.

    contacts_a_request: int = 1
    """How many people one request of :meth:`place_contacts` takes."""
    contacts_a_call: int = 1
    """How many people one call takes, in several requests."""

    @unless_overridden("take people in")
    def contact_misfit(self, person: vendor.ContactInput) -> vendor.Misfit | None:
        """Return why the vendor could not store a person, or None."""

    @unless_overridden("take people in")
    async def placed_already(
        self, place_id: str, people: Items[vendor.ContactInput]
    ) -> tuple[vendor.PlacedContact | None, ...]:
        """Return, for each person, the outcome where they are in the place already, else None. Only reads.

        Raises ApprovalError for a place that enrols whoever is added.
        """

    @unless_overridden("take people in")
    async def place_contacts(
        self, place_id: str, people: Items[vendor.ContactInput]
    ) -> tuple[vendor.PlacedContact, ...]:
        """Add people to a place in one request and return the outcome of each."""

    @unless_overridden("take people in")
    async def count_placed(self, place_id: str, people: Items[vendor.ContactInput]) -> tuple[int | None, str]:
        """Return how many of these are in the place now, None where that cannot be read, and one line on it."""

    # Exclusions: a vendor's own list of those it must not import again. ``kind`` is ``address``, ``domain`` or
    # ``profile``, the address of a LinkedIn page.

    @unless_overridden("exclude people")
    async def is_excluded(self, kind: str, value: str) -> bool:
        """Say whether a target is on the vendor's exclusion list."""

    @unless_overridden("exclude people")
    async def exclude(self, kind: str, value: str, *, message: str) -> None:
        """Put a target on the vendor's exclusion list, permanently."""

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
        """Return the version that a start would use.

        Its ``steps`` are empty where the vendor's API does not return them. Raises NotFoundError, and
        ConflictError for a blueprint that enrols nobody now.
        """

    @unless_overridden("start sequences")
    async def person_to_enrol(
        self, request: vendor.PersonRequest, *, blueprint: Blueprint, reviewed_there: bool
    ) -> vendor.VendorPerson:
        """Return one person as the vendor knows them; NotFoundError, InvalidArgumentsError.

        ``reviewed_there`` is False where the operator allowed that the vendor's own review is skipped.
        """

    @unless_overridden("start sequences")
    async def standings(self, people: Items[vendor.VendorPerson]) -> list[vendor.PersonStanding]:
        """Return, in order, what the vendor's runs say about each person of a start, read in one pass."""

    @unless_overridden("start sequences")
    async def preflight(self, plan: Plan, people: Items[Run]) -> vendor.PreflightSnapshot:
        """Read, just before the request, the state that a later read is compared with. Only reads."""

    @unless_overridden("start sequences")
    async def enrol(self, order: vendor.EnrolmentBatch) -> tuple[vendor.EnrolmentOutcome, ...]:
        """Enrol these people in one request, the only write of a start.

        An error is raised only where it concerns all of them.
        """

    @unless_overridden("start sequences")
    async def read_enrolment_back(self, order: vendor.EnrolmentBatch) -> tuple[vendor.EnrolmentOutcome, ...]:
        """Return what the vendor shows of an enrolment whose outcome is unknown."""

    @unless_overridden("start sequences")
    async def follow_run(self, run: Run, *, baseline: str | None) -> embedded.SequenceDetail | None:
        """Return an enrolled run as the vendor reports it, or None while it shows none.

        ``baseline`` is what :meth:`preflight` read about this person.
        """

    # Runs, read and paced. Control calls raise ConflictError naming the status and the legal moves.

    @unless_overridden("list sequences")
    async def list_sequences(self, wanted: embedded.SequenceFilter) -> Page[embedded.SequenceDetail]:
        """Return one page of runs."""

    @unless_overridden("read sequences")
    async def get_sequence(self, sequence_id: str) -> embedded.SequenceDetail:
        """Return one run; NotFoundError."""

    @unless_overridden("pause a sequence")
    async def pause_sequence(self, sequence_id: str, *, until: datetime) -> embedded.SequenceDetail:
        """Pause a run until a future time; its delays are extended by the pause."""

    @unless_overridden("pause every sequence")
    async def pause_live(self, *, until: datetime) -> int:
        """Pause every live run whose next step is due before ``until``; return how many were paused."""

    @unless_overridden("resume sequences together")
    async def resume_paused(self, *, since: datetime, until: datetime) -> int:
        """Resume the runs that were paused together; return how many were."""

    @unless_overridden("resume a sequence")
    async def resume_sequence(self, sequence_id: str) -> embedded.SequenceDetail:
        """Resume a paused run now."""

    @unless_overridden("stop a sequence", instead="Stop it in {title}'s own app, now.")
    async def stop_sequence(
        self, sequence_id: str, *, reason: StopReason, scope: StopScope
    ) -> list[embedded.SequenceDetail]:
        """Stop a run permanently; return every run that was stopped, this one first."""

    @unless_overridden("tell whose runs go on")
    async def not_stopped(self, sequence_id: str) -> Mapping[str, tuple[str, ...]]:
        """Return, by reason, the runs of actual or possible colleagues that a stop left alone."""

    @unless_overridden("change variables")
    async def update_variables(
        self, sequence_id: str, *, variables: Mapping[str, str | None]
    ) -> embedded.SequenceDetail:
        """Merge overrides into a run's variables; None removes an override."""

    @unless_overridden("change variables")
    async def require_used(self, sequence_id: str, *, variables: Mapping[str, str | None]) -> None:
        """Raise InvalidArgumentsError for a variable that no text of the run uses; only reads."""

    # Live runs at a vendor, whoever started them. A target is a kind (``address``, ``domain``, ``profile``,
    # ``contact``) and its value.

    @unless_overridden("look for somebody's runs")
    def can_look_for(self, targets: Items[tuple[str, str]]) -> bool:
        """Say whether the vendor's runs can be searched for people by these targets."""

    @unless_overridden("look for somebody's runs")
    async def live_runs_of(self, targets: Items[tuple[str, str]]) -> list[embedded.SequenceDetail]:
        """Return the live runs that may reach the people of these targets.

        Raises SequencesError where the list cannot be read, or not completely.
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
        self, draft_id: str, *, digest: str, actor: Actor, signature: str | None = None
    ) -> embedded.Draft:
        """Record the approval of exactly this text of a live run, so that it may be sent."""

    @unless_overridden("resolve e-mails")
    async def resolve_unknown(
        self, draft_id: str, *, sent: bool, actor: Actor, digest: str | None = None, signature: str | None = None
    ) -> Run:
        """Record what a person found out about an e-mail of unknown outcome.

        With ``sent`` False it is sent once more, which approves the text again: ApprovalError when ``digest``, of
        the text that the person saw, is not its present one, or is not signed where a passkey is registered.
        """

    # Steps done by hand, and what people answered.

    @unless_overridden("list tasks")
    async def list_tasks(self, *, page: int, size: int) -> Page[embedded.OpenTask] | Page[vendor.VendorTask]:
        """Return the open tasks, oldest first; a vendor's in its own words, the first few with their messages."""

    @unless_overridden("complete tasks")
    async def complete_task(self, task_id: str, *, outcome: TaskOutcome) -> embedded.OpenTask | vendor.VendorTask:
        """Record the outcome of a task; ConflictError for one that is over.

        ACCEPTED is for invitations only, and valid for one that is open, or done and not yet accepted. A vendor's
        task can only be skipped: NotSupportedError for any other outcome.
        """

    @unless_overridden("list tasks")
    async def task_status(self, task_id: str) -> str | None:
        """Return the vendor's word for how a task stands, or None where it is not among the newest."""

    @unless_overridden("tell who answered")
    async def list_replies(self, wanted: embedded.ReplyFilter) -> Page[embedded.ReceivedReply]:
        """Return one page of incoming messages and recorded answers, the newest first."""

    @unless_overridden("read answers")
    async def get_reply(self, reply_id: str) -> embedded.ReceivedReply:
        """Return one incoming message or recorded answer; NotFoundError."""

    @unless_overridden("read answers")
    async def may_be_about(self, reply_id: str) -> list[embedded.SequenceDetail]:
        """Return the runs that an incoming message may be about, the one it is listed with first."""

    @unless_overridden("read answers")
    async def resolve_reply(
        self, reply_id: str, *, sequence_id: str | None, actor: Actor
    ) -> embedded.ReceivedReply:
        """Record a person's decision about an incoming message and apply it.

        ``sequence_id`` is the run it is about, None for no run. Raises ConflictError for a message that needs no
        decision, or was decided before.
        """

    @unless_overridden("record answers")
    async def record_reply(
        self, contact_id: str, answer: ReplyKind, *, until: datetime | None = None, about: str | None = None
    ) -> list[embedded.SequenceDetail]:
        """Store an answer and apply it to every run of the person here; return those runs.

        ``about`` is the id of the run that was named, where one was.
        """
