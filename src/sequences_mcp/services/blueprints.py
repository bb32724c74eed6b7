"""Blueprints: checked, created, updated, read, and their warnings waived."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Items
from datetime import datetime
from functools import partial
from json.decoder import scanstring  # type: ignore[attr-defined]  # public name, missing from typeshed
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from sequences_mcp.context import AppContext
from sequences_mcp.domain import invisible
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.blueprint import Blueprint, OnReply, ReplyRules, Sourcing, Step, TextKind
from sequences_mcp.domain.findings import Finding, Severity, Waiver, waived
from sequences_mcp.domain.ids import LOCAL, IdKind, provider_of
from sequences_mcp.domain.page import DEFAULT_SIZE, Page
from sequences_mcp.domain.variables import is_blank
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.guards.check import Report, check_steps
from sequences_mcp.guards.check import apply_fixes as mend
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.planning import requirements
from sequences_mcp.planning.recipient_rows import GivenValue, require_sound_values
from sequences_mcp.planning.reminders import RULES_ABOUT_PEOPLE, reminders_for, reminders_of_steps
from sequences_mcp.ports.embedded import SequenceFilter
from sequences_mcp.ports.provider import Provider
from sequences_mcp.services.vendor_writes import request_change
from sequences_mcp.vendors.registry import titles

if TYPE_CHECKING:
    from sequences_mcp.guards.law import Law
    from sequences_mcp.guards.policy import GuardPolicy


async def waive(
    app: AppContext, *, blueprint_id: str, rule: str, reason: str, until: datetime, actor: Actor
) -> Waiver:
    """Record the waiver. Only a present warning can be waived, with a reason, until a time in the future.

    What the law asks for depends on the people of a start, so its rules can be waived before one: also consent,
    which is an error otherwise. Raises InvalidArgumentsError for anything else; no other error can be waived.
    """
    app.provider_of(blueprint_id, IdKind.BLUEPRINT)
    findings = (await get_blueprint(app, blueprint_id=blueprint_id)).findings
    present = sorted({finding.rule for finding in findings if finding.severity is Severity.WARNING})
    if rule not in (*present, *RULES_ABOUT_PEOPLE):
        raise InvalidArgumentsError(
            f"{rule} is no warning in this blueprint.",
            next_step=f"Its warnings: {', '.join(present) or 'none'}. Errors cannot be waived.",
        )
    if not reason.strip() or until <= app.clock():
        raise InvalidArgumentsError("The reason is blank, or the time is past.", next_step="Give both.")
    waiver = Waiver(blueprint_id=blueprint_id, rule=rule, reason=reason.strip(), actor=actor, until=until)
    await app.waivers.waive(waiver)
    return waiver


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The findings, the steps where their form is right, and the mended steps where that was asked for."""

    findings: tuple[Finding, ...]
    steps: tuple[Step, ...] | None
    fixed_steps: tuple[Step, ...] | None = None


async def check_blueprint(
    app: AppContext, *, steps: object | None = None, blueprint_id: str | None = None, apply_fixes: bool = False
) -> CheckReport:
    """Return what the guards find in ``steps`` or in a stored blueprint; exactly one of the two is given."""
    if steps is None and blueprint_id is None:
        raise InvalidArgumentsError(
            "Nothing to check.", next_step="Give steps, or the blueprint_id of a stored one (list_blueprints)."
        )
    if steps is not None and blueprint_id is not None:
        raise InvalidArgumentsError("Give either steps or blueprint_id.", next_step="Leave the other one out.")
    if blueprint_id is not None:
        stored = await get_blueprint(app, blueprint_id=blueprint_id)
        report = Report(findings=stored.findings, steps=stored.blueprint.steps)
    else:
        result = check_steps(steps, policy=app.policy)
        # A vendor may use what the embedded engine does not, and nobody has said yet where this will be stored.
        unused = tuple(requirements.without_effect(app, result.well_formed, severity=Severity.WARNING))
        lacking = reminders_of_steps(app, result.well_formed)
        report = Report(findings=result.findings + unused + lacking, steps=result.steps)
    fixed = mend(report.steps, report.findings) if apply_fixes and report.steps is not None else None
    return CheckReport(report.findings, report.steps, fixed)


_SPACE = re.compile(r"[ \t\n\r]*")
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.")

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class JsonPlace:
    """A line and a column, both from 1, in code points."""

    line: int
    column: int


class JsonMap:
    """The offset of every value in a valid JSON text, by path."""

    def __init__(self, text: str) -> None:
        """Raises json.JSONDecodeError for a text that is not JSON."""
        self.value = json.loads(text)
        self._text = text
        self._offsets: dict[Path, int] = {}
        self._walk((), _skip(text, 0))

    def place(self, path: Path, point: int = 0) -> JsonPlace:
        """Return where code point ``point`` of the string at ``path`` stands, or the nearest value above it."""
        while path not in self._offsets:
            path, point = path[:-1], 0
        offset = self._offsets[path]
        if self._text[offset] == '"':
            offset = self._inside(offset + 1, point)
        line = self._text.count("\n", 0, offset) + 1
        return JsonPlace(line, offset - self._text.rfind("\n", 0, offset))

    def _inside(self, offset: int, point: int) -> int:
        for _ in range(point):
            escape = _ESCAPE.match(self._text, offset)
            offset = escape.end() if escape else offset + 1
        return offset

    def _walk(self, path: Path, offset: int) -> int:
        self._offsets[path] = offset
        opening = self._text[offset]
        if opening == '"':
            return int(scanstring(self._text, offset + 1)[1])
        if opening not in "{[":
            return json.JSONDecoder().raw_decode(self._text, offset)[1]
        for key, child in self._children(offset, is_object=opening == "{"):
            self._end = self._walk((*path, key), child)
        return self._end

    def _children(self, offset: int, *, is_object: bool) -> Iterator[tuple[str | int, int]]:
        index = 0
        self._end = _skip(self._text, offset + 1)
        while self._text[self._end] not in "}]":
            key: str | int = index
            start = self._end
            if is_object:
                key, start = scanstring(self._text, start + 1)
                start = _skip(self._text, _skip(self._text, start) + 1)
            yield key, start
            self._end = _skip(self._text, self._end)
            if self._text[self._end] == ",":
                self._end = _skip(self._text, self._end + 1)
            index += 1
        self._end += 1


def _skip(text: str, offset: int) -> int:
    match = _SPACE.match(text, offset)
    return match.end() if match else offset


_OF_LIST = re.compile(r"(\w+)\[(\d+)\]")
_NUMBERED = re.compile(r"steps\[(\d+)\](?:\.(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Located:
    """A finding and where it stands in the file."""

    finding: Finding
    start: JsonPlace
    end: JsonPlace


def check_file(text: str, *, policy: GuardPolicy, law: Law | None = None) -> tuple[Located, ...]:
    """Return the findings in a JSON text that is a list of steps or an object with ``steps``.

    Raises InvalidArgumentsError, with the line, for a text that is not JSON or has no steps.
    """
    try:
        source = JsonMap(text)
    except json.JSONDecodeError as error:
        raise InvalidArgumentsError(
            f"Line {error.lineno}, column {error.colno}: this is not JSON ({error.msg}).",
            next_step="Mend it there.",
        ) from error
    except RecursionError as error:
        raise InvalidArgumentsError("The file is nested too deeply.", next_step="Give a list of steps.") from error
    root, steps = _steps(source)
    report = check_steps(steps, policy=policy)
    lacking = reminders_for(law, report.well_formed, policy=policy) if law is not None else ()
    findings = (*report.findings, *lacking)
    return tuple(_located(source, finding, root=root, steps=steps) for finding in findings)


def _steps(source: JsonMap) -> tuple[Path, object]:
    if isinstance(source.value, list):
        return (), source.value
    if isinstance(source.value, dict) and "steps" in source.value:
        return ("steps",), source.value["steps"]
    raise InvalidArgumentsError(
        "The file holds no steps.", next_step="It is a JSON list of steps, or an object with the key `steps`."
    )


def _located(source: JsonMap, finding: Finding, *, root: Path, steps: object) -> Located:
    path, field = root, finding.field or ""
    if numbered := _NUMBERED.fullmatch(field):  # a step without an id
        path, field = (*root, int(numbered[1])), numbered[2] or ""
    if finding.step_id is not None and isinstance(steps, list):
        ids = [step.get("id") if isinstance(step, dict) else None for step in steps]
        if finding.step_id in ids:
            path = (*root, ids.index(finding.step_id))
    for name in field.split(".") if field else ():
        of_list = _OF_LIST.fullmatch(name)  # a variant of a step
        path = (*path, of_list[1], int(of_list[2])) if of_list else (*path, name)
    return Located(finding, source.place(path, finding.start), source.place(path, finding.end))


async def create_blueprint(
    app: AppContext,
    *,
    name: str,
    steps: object,
    job_title: str | None = None,
    location: str | None = None,
    provider: str = LOCAL,
    config: Mapping[str, Any] | None = None,
    on_reply: OnReply | None = None,
    stop_company: bool | None = None,
    private: bool = False,
) -> requirements.BlueprintReport:
    """Return the blueprint, version 1, with its warnings; RefusedByGuardsError when a finding refuses.

    ``provider`` is a name, or the id of a Kalent sourcing, whose own title and place fill the variables. There
    the steps may be given later, and ``config`` is Kalent's sequence-level configuration. ``private``: nobody sees
    it but whoever makes it, who has signed in.
    """
    if private:
        app.named(provider_of(provider)).require(Provider.keep_private)
    checked, findings = requirements.approved_by_guards(app, steps, provider=provider_of(provider), config=config)
    sourcing = sourcing_given(app, job_title=job_title, location=location)
    valid, replies = valid_name(name), _changed_rules(ReplyRules(), on_reply, stop_company)
    if provider == LOCAL:
        require_no_config(config)
        made = await app.local.create_blueprint(
            name=valid, steps=checked, sourcing=sourcing, replies=replies, private=private
        )
        return requirements.BlueprintReport(made, (*findings, *requirements.after_answers(made)))
    _require_no_rules(replies)
    made = await _created(app, provider, name=valid, steps=checked, sourcing=sourcing, config=config)
    return requirements.BlueprintReport(made, findings)


async def _created(
    app: AppContext,
    provider: str,
    *,
    name: str,
    steps: tuple[Step, ...],
    sourcing: Sourcing,
    config: Mapping[str, Any] | None,
) -> Blueprint:
    where = app.named(provider_of(provider))
    if not where.offers(Provider.create_in_sourcing):
        require_no_config(config)
        return await where.create_blueprint(name=name, steps=steps, sourcing=sourcing)
    if sourcing != Sourcing():
        raise InvalidArgumentsError(
            "A blueprint in a sourcing has its sourcing's own title and place.",
            next_step="Leave out job_title and location.",
        )
    return await where.create_in_sourcing(provider, name=name, steps=steps, config=config)


def _changed_rules(old: ReplyRules, on_reply: OnReply | None, stop_company: bool | None) -> ReplyRules | None:
    """Return the rules for answers with what is given changed, or None where nothing is."""
    if on_reply is None and stop_company is None:
        return None
    return ReplyRules(
        on_reply=old.on_reply if on_reply is None else on_reply,
        stop_company=old.stop_company if stop_company is None else stop_company,
    )


def _require_no_rules(replies: ReplyRules | None) -> None:
    """Raise InvalidArgumentsError for rules about answers that a vendor would not heed."""
    if replies is not None:
        raise InvalidArgumentsError(
            "What follows an answer cannot be set for a vendor's blueprint.",
            next_step="Leave on_reply and the rule for the company out; the vendor's own app has both.",
        )


def require_no_config(config: Mapping[str, Any] | None) -> None:
    """Raise InvalidArgumentsError for a configuration where nothing would heed it."""
    if config is not None:
        configured = titles(lambda vendor: vendor.has_configuration, last="or")
        raise InvalidArgumentsError(
            f"config is the configuration of a {configured} blueprint; no other provider has one.",
            next_step="Leave it out. What can be set is in the steps' delay, policy and temporalityType.",
        )


def valid_name(name: str) -> str:
    """Return a blueprint's name, trimmed.

    Raises InvalidArgumentsError when it is blank, over 200 characters or one line, or hides some of them.
    """
    if is_blank(name) or len(name) > 200:
        raise InvalidArgumentsError("name is blank or longer than 200 characters.", next_step="Give a short name.")
    if run := next(invisible.hidden_spans(name.strip()), None):
        raise InvalidArgumentsError(
            f"name has characters that cannot be seen ({invisible.names_of(name.strip(), run)}).",
            next_step="Give the name without them.",
        )
    if invisible.breaks_line(name.strip()):
        raise InvalidArgumentsError("name has a line break in it.", next_step="Give a name on one line.")
    return name.strip()


def sourcing_given(app: AppContext, *, job_title: str | None, location: str | None) -> Sourcing:
    """Return what a caller says a blueprint is about; RefusedByGuardsError for a placeholder."""
    sourcing = Sourcing(job_title=clean(job_title), location=clean(location))
    values = [GivenValue("", "job_title", sourcing.job_title), GivenValue("", "location", sourcing.location)]
    require_sound_values(values, policy=app.policy)
    return sourcing


def clean(text: str | None) -> str | None:
    """Return the text trimmed, or None where nothing is left."""
    return (text or "").strip() or None


async def update_blueprint(
    app: AppContext,
    *,
    blueprint_id: str,
    expected_version: int,
    name: str | None = None,
    steps: object | None = None,
    job_title: str | None = None,
    location: str | None = None,
    config: Mapping[str, Any] | None = None,
    on_reply: OnReply | None = None,
    stop_company: bool | None = None,
    archived: bool | None = None,
    private: bool | None = None,
) -> requirements.BlueprintReport:
    """Return the new version; what is None stays as it was, ``steps`` replaces the whole list.

    A shorter list that also changes or adds steps is refused: it is mostly the one step that was to be changed,
    and would drop the others. Removing steps is a call of its own, with the remaining ones unchanged. ``archived``
    puts it away or takes it back, ``private`` makes it its owner's alone or everybody's: neither is a new version.

    A vendor's blueprint in which people were started waits for a person: ApprovalError. Raises StaleVersionError
    when ``expected_version`` is not the newest, RefusedByGuardsError on an error.
    """
    provider = app.provider_of(blueprint_id, IdKind.BLUEPRINT)
    moves = _moves(provider, archived=archived, private=private)
    if all(item is None for item in (name, steps, job_title, location, config, on_reply, stop_company)):
        _require_change(moves)
        for move in moves:
            await move(blueprint_id, expected_version=expected_version)
        return await get_blueprint(app, blueprint_id=blueprint_id)
    old = await provider.get_blueprint(blueprint_id)
    replies = _changed_rules(old.replies, on_reply, stop_company)
    if provider.name != LOCAL:
        _require_no_rules(replies)
    if isinstance(steps, list):
        _require_whole_list(old.steps, steps)
    checked, findings = requirements.approved_by_guards(
        app,
        requirements.wire_steps(old) if steps is None else steps,
        provider=provider.name,
        config=config,
    )
    given = sourcing_given(app, job_title=job_title, location=location)
    sourcing = Sourcing(
        job_title=old.sourcing.job_title if job_title is None else given.job_title,
        location=old.sourcing.location if location is None else given.location,
    )
    new_name = old.name if name is None else valid_name(name)
    if provider.name != LOCAL and not app.is_approved and await _has_runs(app, blueprint_id):
        requested = {
            "expected_version": expected_version,
            "name": name,
            "steps": None
            if steps is None
            else [step.model_dump(mode="json", exclude_none=True) for step in checked],
            "job_title": job_title,
            "location": location,
            "config": config,
        }
        earlier = await present_blueprint(app, blueprint_id)
        await request_change(app, "update_blueprint", blueprint_id, arguments=requested, earlier=earlier)
    if config is not None and provider.offers(Provider.configure_blueprint):
        known = old.model_copy(update={"version": expected_version})
        configured = await provider.configure_blueprint(known, name=new_name, steps=checked, config=config)
        return requirements.BlueprintReport(configured, findings)
    require_no_config(config)
    blueprint = await provider.update_blueprint(
        blueprint_id,
        expected_version=expected_version,
        name=new_name,
        steps=checked,
        sourcing=sourcing,
        replies=replies,
    )
    for move in moves:
        blueprint = await move(blueprint_id)
    findings += tuple(requirements.after_answers(blueprint))
    remaining = {step.id for step in blueprint.steps}
    removed = tuple(step.id for step in old.steps if step.id not in remaining)
    return requirements.BlueprintReport(blueprint, findings, removed)


def _moves(
    provider: Provider, *, archived: bool | None, private: bool | None
) -> list[Callable[..., Awaitable[Blueprint]]]:
    """Return what else is done with a blueprint than a new version; NotSupportedError for a vendor's."""
    moves: list[Callable[..., Awaitable[Blueprint]]] = []
    if archived is not None:
        provider.require(Provider.archive_blueprint)
        moves.append(partial(provider.archive_blueprint, archived=archived))
    if private is not None:
        provider.require(Provider.keep_private)
        moves.append(partial(provider.keep_private, private=private))
    return moves


def _require_change(moves: Items[object]) -> None:
    """Raise InvalidArgumentsError where nothing is given that would change anything."""
    if not moves:
        raise InvalidArgumentsError(
            "Nothing to change.",
            next_step="Give name, steps, job_title, location, on_reply, format, archived or private.",
        )


async def steps_in_format(
    app: AppContext, steps: list[Any] | None, text_format: TextKind, *, blueprint_id: str | None = None
) -> list[Any]:
    """Return the steps of a call in which each EMAIL step that says no format has this one.

    Without ``steps`` those of the stored blueprint: all its EMAIL steps then have it.
    """
    from sequences_mcp.importing.blueprint_files import with_format

    if steps is not None or blueprint_id is None:
        return list(with_format(steps or [], text_format.value))
    stored = await app.provider_of(blueprint_id, IdKind.BLUEPRINT).get_blueprint(blueprint_id)
    bare = [{**step, "format": None} for step in requirements.wire_steps(stored)]
    return list(with_format(bare, text_format.value))


async def present_blueprint(app: AppContext, blueprint_id: str) -> dict[str, object]:
    """Return a blueprint as it is known now: its version, name and steps."""
    provider = app.provider_of(blueprint_id, IdKind.BLUEPRINT)
    blueprint = await provider.get_blueprint(blueprint_id)
    facts = {
        "name": blueprint.name,
        "job_title": blueprint.sourcing.job_title,
        "location": blueprint.sourcing.location,
    }
    return {"expected_version": blueprint.version, **facts, "steps": _written(blueprint.steps)}


def blueprint_as_kept(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a blueprint that an older program may have kept, its steps as this one writes them."""
    steps = facts.get("steps")
    return {**facts} if steps is None else {**facts, "steps": _written(map(Step.model_validate, steps))}


def _written(steps: Iterable[Step]) -> list[dict[str, Any]]:
    return [step.model_dump(mode="json", exclude_none=True) for step in steps]


async def _has_runs(app: AppContext, blueprint_id: str) -> bool:
    """Say whether people were started in a vendor's blueprint from here: its change may reach who is under way."""
    provider, page = provider_of(blueprint_id), 1
    while True:
        wanted = SequenceFilter(blueprint_id=blueprint_id, page=page, size=100)
        results = await app.vendor_runs.list_runs(provider, wanted)
        if any(item.sequence.is_handed_over for item in results.items):
            return True
        if not results.has_more:
            return False
        page += 1


def _require_whole_list(old: Items[Step], given: list[object]) -> None:
    """Raise InvalidArgumentsError when a list drops steps and is not just what remains of the old one."""
    remaining = [_unchanged(step, old) for step in given]
    dropped = [step.id for step in old if step.id not in {_id(step) for step in given}]
    if len(given) < len(old) and dropped and not all(remaining):
        raise InvalidArgumentsError(
            f"steps is the whole list. This call gives {len(given)} of {len(old)} steps and would drop "
            f"{', '.join(dropped)}.",
            next_step="Give every step, changed or not, as get_blueprint shows them. To remove steps, first give "
            "the remaining ones unchanged; a wholly new list is a new blueprint (create_blueprint).",
            data={"would_drop": dropped},
        )


def _unchanged(value: object, old: Items[Step]) -> bool:
    try:
        return Step.model_validate(value) in old
    except ValidationError:
        return False


def _id(value: object) -> object:
    return value.get("id") if isinstance(value, dict) else None


async def get_blueprint(
    app: AppContext, *, blueprint_id: str, version: int | None = None
) -> requirements.BlueprintReport:
    """Return one version, the newest by default; NotFoundError."""
    provider = app.provider_of(blueprint_id, IdKind.BLUEPRINT)
    blueprint = await provider.get_blueprint(blueprint_id, version)
    if provider.name != LOCAL and not blueprint.steps:
        return requirements.BlueprintReport(blueprint, ())  # its API does not tell them
    findings = requirements.findings_of(blueprint.steps, app.policy)
    if provider.name == LOCAL:
        findings += (
            *requirements.without_effect(app, blueprint.steps),
            *requirements.unread(app, blueprint.steps),
            *requirements.after_answers(blueprint),
        )
    findings += reminders_of_steps(app, blueprint.steps)
    return requirements.BlueprintReport(blueprint, waived(findings, await app.waivers.waivers_of(blueprint.id)))


async def list_blueprints(
    app: AppContext, *, provider: str = LOCAL, archived: bool = False, page: int = 1, size: int = DEFAULT_SIZE
) -> Page[Blueprint]:
    """Return the newest versions, newest first; of Kalent and Clarky, those this server has seen.

    ``archived``: those that were put away, instead of the others; NotSupportedError for a vendor's.
    """
    where = app.named(provider)
    if archived:
        return await where.list_archived(page=page, size=size)
    return await where.list_blueprints(page=page, size=size)
