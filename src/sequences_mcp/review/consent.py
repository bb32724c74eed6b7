"""What a person must have done before an approval counts, and what the screens report about it.

One person of the plan was opened with all their texts, every text that was written or changed for one person was
opened, each variant of a step was opened as somebody gets it, for a large plan the number of people was stated,
and where an approval covers warnings their number.
``Reading`` (``lock.sessions``) records what was on the screen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from sequences_mcp.context import AppContext
from sequences_mcp.domain.blueprint import variant_letter
from sequences_mcp.domain.digests import person_digest, text_digest
from sequences_mcp.domain.invisible import is_showable
from sequences_mcp.domain.plain_words import as_shown
from sequences_mcp.domain.plan import OPEN, Plan
from sequences_mcp.domain.records import PlanTally, VariantTally
from sequences_mcp.domain.run import TERMINAL, Run, StepRun
from sequences_mcp.domain.shown import MANY, DutyShown, PlanShown, is_own_text
from sequences_mcp.errors import SequencesError
from sequences_mcp.lazy_dataclasses import dataclass, replace
from sequences_mcp.planning.warnings import number_of_warnings
from sequences_mcp.ports.embedded import Draft, SequenceDetail
from sequences_mcp.review.lock.sessions import Reading
from sequences_mcp.review.presentation import people_words, present_plan
from sequences_mcp.services.sequences import get_sequence

PAGE = 100
_NAMED = 3
_SAMPLE = {  # by whether a vendor carries the plan out
    False: "Open one person and read their texts",
    True: "Open one person and read what the vendor is given about them, and their texts where they are known",
}


def show_text(reading: Reading, sequence: Run, run: StepRun) -> None:
    """Note that this text is on the screen in full."""
    reading.opened[run.key] = text_digest(sequence, run).hex()
    _note_sample(reading, sequence)


def show_person(reading: Reading, sequence: Run) -> None:
    """Note that all there is to read about this person is on the screen in full."""
    reading.opened |= dict(parts_of(sequence))
    _note_sample(reading, sequence)


def parts_of(sequence: Run) -> Iterator[tuple[str, str]]:
    """Yield the key and the digest of each thing to read about a person.

    These are their texts and, at a vendor, the facts it is given about them. Where a vendor's API does not return
    the texts of a blueprint, the facts are all there is.
    """
    if sequence.is_at_vendor:
        yield sequence.id, person_digest(sequence).hex()
    for run in sequence.steps:
        yield run.key, text_digest(sequence, run).hex()


def is_texts_open(reading: Reading, sequence: Run) -> bool:
    """Say whether all there is to read about this person, as it is now, was on the screen in full."""
    parts = dict(parts_of(sequence))
    return bool(parts) and parts.items() <= reading.opened.items()


def _note_sample(reading: Reading, sequence: Run) -> None:
    if is_texts_open(reading, sequence):
        reading.samples.setdefault(sequence.plan_id, set()).add(sequence.id)


async def show_plan_to(app: AppContext, plan: Plan, *, reading: Reading) -> PlanShown:
    """Return a plan with the conditions of its approval, and record in ``reading`` that this state was shown."""
    shown = await present_plan(app, plan)
    state = state_shown(plan.digest, shown.tally.pauses)
    if plan.digest and state not in reading.seen:
        # The number of the newest audit row: if the approval fails, what happened since is listed (changes_since).
        reading.seen[state] = await app.records.last_audit_number()
    return replace(
        shown, duties=await duties(app, plan, tally=shown.tally, reading=reading, warnings=shown.warnings)
    )


def state_shown(digest: str, pauses: str) -> str:
    """Return the key of one state of a plan: its digest and who was paused in it (``PlanTally.pauses``)."""
    return f"{digest}:{pauses}"


async def duties(
    app: AppContext, plan: Plan, *, tally: PlanTally, reading: Reading, warnings: int
) -> tuple[DutyShown, ...]:
    """Return the conditions of approving a plan, each done or not; empty for a plan that is decided."""
    if plan.status not in OPEN:
        return ()
    plan_path = f"/plans/{plan.id}"
    required = [
        DutyShown(
            _SAMPLE[plan.header.is_at_vendor], await sample_opened(app, plan, reading), f"{plan_path}/sample"
        )
    ]
    if plan.missing_texts:
        required.append(
            DutyShown(f"{plan.missing_texts:,} texts are still to be written", False, f"{plan_path}/texts")
        )
    if to_read := await _to_read(app, plan):
        left, _ = await _next_own(app, plan, reading, after=None)
        # Comparing every text of a large plan takes long; there the page leaves the answer open and objection()
        # gives it at the approval.
        read = None if not left and to_read > PAGE else not left
        words = f"Read the {to_read:,} {_texts_words(to_read)} written or changed for one person"
        more = f": {left:,} {'person' if left == 1 else 'people'} to go" if left else ""
        required.append(DutyShown(f"{words}{more}", read, f"{plan_path}/unread"))
    if known := await variants_of_plan(app, plan, reading):
        waiting = [variant.words for variant in known if not variant.is_read]
        to_go = f": {', '.join(waiting)} to go" if waiting else ""
        words = f"Read each of the {len(known)} variants as somebody gets it{to_go}"
        required.append(DutyShown(words, not waiting, f"{plan_path}/unread"))
    if tally.concerned > MANY:
        required.append(DutyShown(f"State how many people it reaches: {tally.concerned:,}", None, ""))
    if warnings:
        required.append(DutyShown(f"Say that you have seen {_warnings_words(warnings)}", None, ""))
    return tuple(required)


@dataclass(frozen=True, slots=True)
class StatedNumbers:
    """What a person said with an approval: how many people it reaches, and how many warnings they have seen."""

    people: int | None
    warnings: int | None


async def objection(
    app: AppContext, plan: Plan, *, tally: PlanTally, reading: Reading, stated: StatedNumbers
) -> str:
    """Return why the plan cannot be approved yet, or an empty string."""
    if not await sample_opened(app, plan, reading):
        return "Open one person of this plan first: what you approve has to have been on your screen."
    if unread := [label async for label in _unread(app, plan, reading)]:
        left = ", ".join(unread[:_NAMED])
        more = f" and {len(unread) - _NAMED:,} more" if len(unread) > _NAMED else ""
        return f"Texts written or changed for one person have not been opened: {left}{more}. Read them first."
    if waiting := [variant.words for variant in await variants_of_plan(app, plan, reading) if not variant.is_read]:
        listed = ", ".join(waiting)
        return f"Variants have not been opened as somebody gets them: {listed}. Read each of them first."
    # Stating the number shows that the person knows how many people an approval of a large plan reaches.
    if tally.concerned > MANY and stated.people != tally.concerned:
        return f"This plan reaches {tally.concerned:,} people. State that number to approve it."
    if (warnings := await number_of_warnings(app, plan)) and stated.warnings != warnings:
        return f"This plan has {_warnings_words(warnings)[4:]}. Say that you have seen what it warns of."
    if (name := await _unshowable(app, plan)) is not None:
        return f"The texts for {name} hold characters that cannot be shown, so they cannot be approved. Edit them."
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantShown:
    """One variant of a step in a plan that waits: how many people get it, and whether it was read for one of them.

    ``sequence_id`` is whom to open to read it, ``person`` their name.
    """

    step_id: str
    letter: str
    people: int
    is_read: bool
    sequence_id: str
    person: str

    @property
    def words(self) -> str:
        """Which one it is, for how many people, and where it can be read."""
        step = as_shown(self.step_id, keep="")
        return f"{self.letter} of step {step} ({people_words(self.people)}, such as {self.person})"


async def variants_of_plan(app: AppContext, plan: Plan, reading: Reading) -> list[VariantShown]:
    """Return each variant that people of a plan wait for; one is read as any of them gets it now, in full."""
    if plan.status not in OPEN or plan.header.is_at_vendor:
        return []
    results: list[VariantShown] = []
    for variant in await app.records.variants_in(plan.id, opened=reading.opened):
        step_id, detail, is_read = await _opened_variant(app, variant, reading)
        results.append(
            VariantShown(
                step_id=step_id,
                letter=variant_letter(variant.number),
                people=variant.people,
                is_read=is_read,
                sequence_id=detail.sequence.id,
                person=as_shown(detail.contact.display_name, keep=""),
            )
        )
    return results


async def _opened_variant(
    app: AppContext, variant: VariantTally, reading: Reading
) -> tuple[str, SequenceDetail, bool]:
    """Return the step of a variant, who can be opened to read it, and whether it was read as it is now."""
    detail = await get_sequence(app, sequence_id=variant.opened or variant.first)
    run = detail.sequence.steps[variant.place]
    return run.step.id, detail, _is_read(reading, detail.sequence, run)


async def next_unread(
    app: AppContext, plan: Plan, reading: Reading, *, after: str | None = None
) -> tuple[int, str | None]:
    """Return how many people are to be opened for a text that has to be read, and the run of whose turn is next.

    That is the first of them after ``after`` in the list of people who have a text of their own; then of those by
    whom the variants can be read. In a large plan a text that was changed after it was opened is not found here;
    ``objection`` finds it.
    """
    left, turn = await _next_own(app, plan, reading, after=after)
    variants = [variant for variant in await variants_of_plan(app, plan, reading) if not variant.is_read]
    people = list(dict.fromkeys(variant.sequence_id for variant in variants))
    return left + len(people), turn or next(iter(people), None)


async def _next_own(app: AppContext, plan: Plan, reading: Reading, *, after: str | None) -> tuple[int, str | None]:
    if not plan.to_read and not plan.missing_texts:
        return 0, None
    left, turn = await app.records.unread_people(
        plan.id, opened=reading.opened, spared=await _spared(app, plan), after=after
    )
    if left or plan.to_read > PAGE:
        return left, turn
    changed = [draft.sequence.id async for draft in _unread_texts(app, plan, reading)]
    return len(set(changed)), changed[0] if changed else None


def unread_texts(app: AppContext, sequence: Run, *, reading: Reading) -> list[StepRun]:
    """Return the texts of one person that have to be read and were not opened as they are now."""
    if not sequence.waits_for_plan or sequence.is_at_vendor:
        return []
    return [
        run
        for run in sequence.steps
        if is_own_text(run) and not is_spared(app, run) and not _is_read(reading, sequence, run)
    ]


async def sample_opened(app: AppContext, plan: Plan, reading: Reading) -> bool:
    """Say whether a person of the plan who still waits was opened, with the texts they have now."""
    for sequence_id in reading.samples.get(plan.id, ()):
        sequence = (await get_sequence(app, sequence_id=sequence_id)).sequence
        if sequence.status not in TERMINAL and is_texts_open(reading, sequence):
            return True
    return False


async def _unread(app: AppContext, plan: Plan, reading: Reading) -> AsyncIterator[str]:
    if not plan.to_read:
        return
    async for draft in _unread_texts(app, plan, reading):
        yield f"{as_shown(draft.contact.display_name, keep='')} ({draft.run.step.id})"


async def _unread_texts(app: AppContext, plan: Plan, reading: Reading) -> AsyncIterator[Draft]:
    async for draft in _texts(app, plan.id):
        is_open = _is_read(reading, draft.sequence, draft.run) or is_spared(app, draft.run)
        if draft.run.content is not None and not is_open:
            yield draft


async def _spared(app: AppContext, plan: Plan) -> tuple[str, ...]:
    """Return the ids of the steps whose texts need not be read unless they were edited."""
    if not app.unread_drafts:
        return ()
    blueprint = await app.plans.version_of(plan.header.blueprint_id, plan.header.blueprint_version)
    return tuple(step.id for step in blueprint.steps if step.policy.auto_validate_ai_draft)


def is_spared(app: AppContext, run: StepRun) -> bool:
    """Say whether this text need not be read: setting and blueprint allow that, unless the text was edited."""
    return app.unread_drafts and run.step.policy.auto_validate_ai_draft and not run.text_generation


async def _to_read(app: AppContext, plan: Plan) -> int:
    if not plan.to_read or not app.unread_drafts:
        return plan.to_read
    texts = [draft.run async for draft in _texts(app, plan.id)]
    return sum(run.content is not None and not is_spared(app, run) for run in texts)


def _texts_words(number: int) -> str:
    return "text" if number == 1 else "texts"


def _warnings_words(number: int) -> str:
    return "the 1 warning" if number == 1 else f"the {number:,} warnings"


def _is_read(reading: Reading, sequence: Run, run: StepRun) -> bool:
    return reading.opened.get(run.key) == text_digest(sequence, run).hex()


async def _texts(app: AppContext, plan_id: str) -> AsyncIterator[Draft]:
    page = 1
    while True:
        batch = await app.local.list_drafts(plan_id=plan_id, page=page, size=PAGE)
        for draft in batch.items:
            yield draft
        if not batch.has_more:
            return
        page += 1


async def _unshowable(app: AppContext, plan: Plan) -> str | None:
    page = 1
    while True:
        people = await app.plans.list_people(plan.id, page=page, size=500)
        for detail in people.items:
            if detail.sequence.waits_for_plan and not _showable(detail):
                return detail.contact.display_name
        if not people.has_more:
            return None
        page += 1


def _showable(detail: SequenceDetail) -> bool:
    return all(map(is_showable, detail.sequence.vendor_facts.values())) and all(
        is_showable(part)
        for run in detail.sequence.steps
        for part in (run.recipient, run.subject, run.content)
        if part
    )


async def changes_since(app: AppContext, plan: Plan, since: int) -> list[str]:
    """Return what happened to a plan and its people after an audit row, the newest first, in words."""
    lines = []
    entries = await app.records.list_audit(page=1, size=PAGE)
    for entry in entries.items:
        # The newest entries come first.
        if entry.number <= since:
            break
        who = await _of_plan(app, plan, entry.subject)
        if who is not None:
            steps = ", ".join(str(step["id"]) for step in entry.detail.get("steps", ()))
            what = entry.action.partition(".")[2].replace("_", " ")
            reason = entry.detail.get("reason")
            sentence = f"{who}: {what}{f' (step {steps})' if steps else ''}{f', {reason}' if reason else ''}"
            lines.append(f"{entry.at:%H:%M:%S} UTC, by {entry.actor}: {sentence}")
    return lines


async def _of_plan(app: AppContext, plan: Plan, subject: str) -> str | None:
    if subject == plan.id:
        return "the plan"
    # Of the other subjects, such as contacts and blueprints, none belongs to one plan.
    if ":seq_" not in subject:
        return None
    try:
        detail = await get_sequence(app, sequence_id=subject)
    except SequencesError:
        return None
    return detail.contact.display_name if detail.sequence.plan_id == plan.id else None
