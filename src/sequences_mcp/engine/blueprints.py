"""Blueprints, waived warnings and changes that wait for a person."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Items
from contextlib import contextmanager

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.blueprint import Blueprint, ReplyRules, Sourcing, Step
from sequences_mcp.domain.findings import Waiver
from sequences_mcp.domain.ids import LOCAL, IdKind, parse_id
from sequences_mcp.domain.page import Page
from sequences_mcp.engine import four_eyes
from sequences_mcp.engine.context import EngineContext, EngineVerbs, LocalMethods, require_page
from sequences_mcp.errors import (
    ApprovalError,
    ConflictError,
    InvalidArgumentsError,
    NotFoundError,
    StaleVersionError,
)
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.ports.embedded import PendingChange
from sequences_mcp.store.unit_of_work import UnitOfWork


class LocalBlueprints(LocalMethods):
    """Blueprints in the store: those of the engine, and vendors' as they were last seen."""

    async def list_blueprints(self, *, page: int, size: int) -> Page[Blueprint]:
        """Return the newest versions, newest first."""
        return await self.list_known(LOCAL, page=page, size=size)

    async def list_archived(self, *, page: int, size: int) -> Page[Blueprint]:
        """Return those that were put away, the latest change first."""
        require_page(page, size)
        engine = self.engine
        return engine.store.blueprints.page(LOCAL, page=page, size=size, archived=True, reader=engine.reader)

    async def archive_blueprint(
        self, blueprint_id: str, *, archived: bool, expected_version: int | None = None
    ) -> Blueprint:
        """Put a blueprint away, or take it back; NotFoundError, StaleVersionError."""
        parsed_id = str(parse_id(blueprint_id, IdKind.BLUEPRINT))
        with self._writing(parsed_id, expected_version, is_new=False) as (work, _):
            if work.blueprints.set_archived(parsed_id, archived=archived, now=self.engine.clock()):
                self.engine.audit(work, "blueprint.archived" if archived else "blueprint.unarchived", parsed_id)
        return await self.get_blueprint(parsed_id)

    async def keep_private(
        self, blueprint_id: str, *, private: bool, expected_version: int | None = None
    ) -> Blueprint:
        """Make a blueprint its owner's alone, or everybody's; NotFoundError, StaleVersionError.

        InvalidArgumentsError for whoever would make it private without being its owner.
        """
        parsed_id = str(parse_id(blueprint_id, IdKind.BLUEPRINT))
        with self._writing(parsed_id, expected_version, is_new=False) as (work, _):
            return self._moved(work, await self.get_blueprint(parsed_id), private=private)

    def _moved(self, work: UnitOfWork, newest: Blueprint, *, private: bool) -> Blueprint:
        owner = self.engine.owner
        if private and not (owner and newest.owner == owner):
            raise _not_theirs(owner)
        if work.blueprints.set_private(newest.id, private=private, now=self.engine.clock()):
            self.engine.audit(work, "blueprint.made_private" if private else "blueprint.shared", newest.id)
        return newest.model_copy(update={"private": private})

    async def list_known(self, provider: str, *, page: int, size: int) -> Page[Blueprint]:
        """Return the newest versions kept here of one provider's blueprints, newest first."""
        require_page(page, size)
        return self.engine.store.blueprints.page(provider, page=page, size=size, reader=self.engine.reader)

    async def get_blueprint(self, blueprint_id: str, version: int | None = None) -> Blueprint:
        """Return one version, the newest by default; NotFoundError."""
        parsed_id = str(parse_id(blueprint_id, IdKind.BLUEPRINT))
        blueprint = self.engine.store.blueprints.find(parsed_id, version=version)
        if blueprint is None or not blueprint.is_seen_by(self.engine.reader):
            raise missing_blueprint(parsed_id, version)
        return blueprint

    async def create_blueprint(
        self,
        *,
        name: str,
        steps: Items[Step],
        sourcing: Sourcing,
        replies: ReplyRules | None = None,
        private: bool = False,
    ) -> Blueprint:
        """Store a new blueprint as version 1; InvalidArgumentsError for a private one of nobody who signed in."""
        new_id = self.engine.new_id(IdKind.BLUEPRINT)
        with self._writing(new_id, None, is_new=True) as (work, _):
            made = self._added(new_id, name=name, steps=steps, sourcing=sourcing, replies=replies)
            return self._moved(work, made, private=True) if private else made

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
        """Store the next version; StaleVersionError, with the difference, when a newer one is there."""
        return self._added(
            str(parse_id(blueprint_id, IdKind.BLUEPRINT)),
            name=name,
            steps=steps,
            sourcing=sourcing,
            replies=replies,
            expected_version=expected_version,
        )

    async def remember(self, blueprint_id: str, *, name: str, steps: Items[Step], sourcing: Sourcing) -> Blueprint:
        """Store what was just written to a vendor as the newest version known here of its blueprint."""
        return self._added(blueprint_id, name=name, steps=steps, sourcing=sourcing)

    async def note(self, blueprint_id: str, *, name: str) -> Blueprint:
        """Store what was told of a vendor's blueprint, where it is new; its steps are not known."""
        return self._added(blueprint_id, name=name, steps=(), sourcing=Sourcing(), only_renamed=True)

    async def require_newest(self, blueprint_id: str, version: int) -> None:
        """Raise StaleVersionError, with the difference, when ``version`` is not the newest known here."""
        newest = await self.get_blueprint(blueprint_id)
        if newest.version != version:
            raise self._stale(newest, version)

    def _added(
        self,
        blueprint_id: str,
        *,
        name: str,
        steps: Items[Step],
        sourcing: Sourcing,
        replies: ReplyRules | None = None,
        expected_version: int | None = None,
        only_renamed: bool = False,
    ) -> Blueprint:
        """Store the next version, the first of a blueprint that is not known, and return it.

        With ``expected_version`` only on that version: NotFoundError, StaleVersionError. ``only_renamed`` keeps
        the newest where it has the same name.
        """
        with self._writing(blueprint_id, expected_version, is_new=expected_version is None) as (work, newest):
            if only_renamed and newest is not None and newest.name == name:
                return newest
            blueprint = Blueprint(
                id=blueprint_id,
                name=name,
                version=newest.version + 1 if newest else 1,
                steps=tuple(steps),
                sourcing=sourcing,
                created_at=self.engine.clock(),
                replies=replies or (newest.replies if newest else ReplyRules()),
                archived=newest is not None and newest.archived,
                owner=newest.owner if newest else self.engine.owner,
                private=newest is not None and newest.private,
            )
            work.blueprints.add_version(blueprint)
            if newest is None and blueprint.owner:
                work.blueprints.set_owner(blueprint_id, blueprint.owner)
            self.engine.audit(work, "blueprint.version_added", blueprint_id, version=blueprint.version, name=name)
            return blueprint

    @contextmanager
    def _writing(
        self, blueprint_id: str, expected_version: int | None, *, is_new: bool
    ) -> Iterator[tuple[UnitOfWork, Blueprint | None]]:
        """Give a unit of work and the newest version, or None where the blueprint ``is_new``.

        NotFoundError; StaleVersionError unless ``expected_version`` is the newest, or None.
        """
        with self.engine.store.transaction() as work:
            newest = work.blueprints.find(blueprint_id)
            if not is_new and (newest is None or not newest.is_seen_by(self.engine.reader)):
                raise missing_blueprint(blueprint_id)
            if newest is not None and expected_version not in (None, newest.version):
                raise self._stale(newest, expected_version or 0)
            yield work, newest

    def _stale(self, newest: Blueprint, expected: int) -> StaleVersionError:
        base = self.engine.store.blueprints.find(newest.id, version=expected)
        look = "Look at the difference" if base else "get_blueprint shows it; look at it"
        return StaleVersionError(
            f"The blueprint is at version {newest.version}, not {expected}.",
            next_step=f"{look}, then update with expected_version {newest.version}.",
            data={"version": newest.version, "difference": blueprint_difference(base, newest) if base else []},
        )


def _not_theirs(owner: str) -> InvalidArgumentsError:
    if owner:
        return InvalidArgumentsError(
            "Only whoever made a blueprint can keep it to themselves.",
            next_step="create_blueprint with private: true makes one of your own.",
        )
    return InvalidArgumentsError(
        "Nobody signs in here, so there is nobody to keep a blueprint from.", next_step="Leave private out."
    )


def missing_blueprint(blueprint_id: str, version: int | None = None) -> NotFoundError:
    """Return the error for a blueprint that is not there, or not for whoever asks."""
    which = "" if version is None else f"version {version} of "
    return NotFoundError(
        f"There is no {which}blueprint {blueprint_id}.", next_step="list_blueprints shows what there is."
    )


def blueprint_difference(old: Blueprint, new: Blueprint) -> list[str]:
    """Return a unified diff of two versions, one field a line."""
    import difflib

    names = (f"version {old.version}", f"version {new.version}")
    lines = difflib.unified_diff(_lines(old), _lines(new), *names, lineterm="", n=1)
    return list(lines)


def _lines(blueprint: Blueprint) -> list[str]:
    unshown = {
        "id",
        "version",
        "created_at",
        "archived",
        "owner",
        "private",
        *(["replies"] if blueprint.replies == ReplyRules() else []),
    }
    shown = blueprint.model_dump(mode="json", exclude=unshown, exclude_none=True)
    return json.dumps(shown, ensure_ascii=False, indent=1).splitlines()


@dataclass(frozen=True, slots=True)
class LocalWaivers(EngineVerbs):
    """Warnings that a person has waived for a while."""

    engine: EngineContext

    async def waive(self, waiver: Waiver) -> None:
        """Store a person's waiver of a warning."""
        with self.engine.store.transaction() as work:
            work.waivers.insert(waiver, now=self.engine.clock())
            detail = {"rule": waiver.rule, "reason": waiver.reason, "until": waiver.until, "by": waiver.actor}
            self.engine.audit(work, "blueprint.waived", waiver.blueprint_id, **detail)

    async def waivers_of(self, blueprint_id: str) -> tuple[Waiver, ...]:
        """Return the waivers that hold now."""
        return self.engine.store.waivers.in_force(blueprint_id, now=self.engine.clock())


@dataclass(frozen=True, slots=True)
class LocalChanges(EngineVerbs):
    """Changes of what a vendor sends, which wait for a person."""

    engine: EngineContext

    async def ask(
        self, tool: str, subject: str, *, arguments: Mapping[str, object], earlier: Mapping[str, object]
    ) -> PendingChange:
        """Store a change that waits for approval, or return the one that waits already."""
        store, now = self.engine.store, self.engine.clock()
        with store.transaction() as work:
            change_id = work.changes.same(tool, subject, arguments=arguments, earlier=earlier, now=now)
            if change_id is None:
                change_id = self.engine.new_id(IdKind.OPERATION)
                change = PendingChange(
                    id=change_id, tool=tool, subject=subject, arguments=arguments, earlier=earlier, asked_at=now
                )
                work.changes.insert(change)
                self.engine.audit(work, "change.asked", subject, change=change_id, tool=tool)
        return await self.get(change_id)

    async def find(self, change_id: str) -> PendingChange | None:
        """Return the change with this id, or None."""
        return self.engine.store.changes.find(change_id)

    async def get(self, change_id: str) -> PendingChange:
        """Return one change; NotFoundError."""
        return self._require(change_id, next_step=_LISTED)

    def _require(self, change_id: str, *, next_step: str) -> PendingChange:
        change = self.engine.store.changes.find(change_id)
        if change is None:
            raise NotFoundError(f"There is no change {change_id}.", next_step=next_step)
        return change

    async def of_request(self, subject: str, fingerprint: str) -> PendingChange | None:
        """Return the approved change that a write with this fingerprint carries out, or None."""
        return self.engine.store.changes.of_request(subject, fingerprint)

    async def waiting(self, *, page: int, size: int) -> Page[PendingChange]:
        """Return the changes that wait for a person, the oldest first."""
        require_page(page, size)
        store, now = self.engine.store, self.engine.clock()
        with store.snapshot() as work:
            total = work.changes.count_waiting(now=now).number
            changes = work.changes.waiting(skip=(page - 1) * size, size=size, now=now) if total else ()
        return Page(changes, total, page, size)

    async def approve(
        self, change_id: str, *, digest: str, actor: Actor, signature: str | None = None
    ) -> PendingChange:
        """Record that a person approved exactly this digest, once.

        Raises ApprovalError for another digest and where a passkey has to sign it, ConflictError when it is
        decided or too old.
        """
        return self.approved_now(change_id, digest=digest, actor=actor, signature=signature)

    async def approve_again(
        self, change_id: str, *, digest: str, actor: Actor, signature: str | None = None
    ) -> PendingChange:
        """Record the approval to send the same request again; ApprovalError, ConflictError as for the first."""
        return self.approved_now(change_id, digest=digest, actor=actor, signature=signature, again=True)

    async def keep_first_yes(
        self, change_id: str, *, digest: str, actor: Actor, signature: str | None = None
    ) -> None:
        """Keep the first of two approvals of a change, and raise ApprovalPendingError; return at the second."""
        if await self.engine.insisting(
            lambda work: self._is_first_yes(work, change_id, digest=digest, actor=actor, signature=signature)
        ):
            raise four_eyes.still_pending(actor)

    def _is_first_yes(
        self, work: UnitOfWork, change_id: str, *, digest: str, actor: Actor, signature: str | None
    ) -> bool:
        change = self._require(change_id, next_step=_LISTED)
        authors = four_eyes.asked_by(work, subject=change.subject, change_id=change_id)
        return four_eyes.keep_first(
            self.engine, work, change_id, digest=digest, actor=actor, signature=signature, authors=authors
        )

    def approved_now(
        self, change_id: str, *, digest: str, actor: Actor, signature: str | None, again: bool = False
    ) -> PendingChange:
        """Store the approval of exactly this digest, signed where a passkey is registered; return the change.

        A transaction that is open is joined.
        """
        engine, now = self.engine, self.engine.clock()
        with engine.store.transaction() as work:
            change = self._require(change_id, next_step=_LISTED if again else _WAITS)
            is_open = change.came_to == "unknown" if again else change.standing(now) == "waiting"
            if not is_open:
                raise ConflictError(
                    f"This change is {change.state_words(now)}.", next_step="Have it asked for again."
                )
            if digest != change.digest:
                raise ApprovalError("This is not the change that was shown.", next_step="Look at it again.")
            if self._is_first_yes(work, change_id, digest=digest, actor=actor, signature=signature):
                raise four_eyes.still_pending(actor)  # which keeps nothing: see ``keep_first_yes``
            engine.require_signature(digest, signature)
            work.approvals.record(change_id, digest=digest, actor=actor, signature=signature, now=now)
            engine.audit(work, "change.approved", change_id, by=actor)
            if not again:
                work.changes.approve(change_id, actor=actor, now=now)
            return self._require(change_id, next_step=_LISTED)

    async def refuse(self, change_id: str, *, reason: str, actor: Actor) -> PendingChange:
        """Record a rejection or a withdrawal; ConflictError when it is decided or too old."""
        with self.engine.store.transaction() as work:
            self._require_waiting(change_id)
            work.changes.reject(change_id, actor=actor, reason=reason, now=self.engine.clock())
            self.engine.audit(work, "change.refused", change_id, by=actor, reason=reason)
        return await self.get(change_id)

    def _require_waiting(self, change_id: str) -> None:
        change, now = self._require(change_id, next_step=_WAITS), self.engine.clock()
        if change.standing(now) != "waiting":
            raise ConflictError(f"This change is {change.state_words(now)}.", next_step="Have it asked for again.")


_LISTED, _WAITS = "sequences-mcp review list shows them.", "list_reviews shows what waits."
