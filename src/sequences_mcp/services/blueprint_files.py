"""Blueprints out to files and in from them, and put away: exported, looked through, imported, archived.

A file is looked through first: what was read of it, what was not taken over, and what the guards find. Saving
it goes the way of create_blueprint, so nothing gets in by a file that would be refused in a call.
"""

from __future__ import annotations

import json
from collections.abc import Sequence as Items
from hashlib import sha256
from typing import Any, Literal

from pydantic import ValidationError

from sequences_mcp.context import AppContext
from sequences_mcp.domain.blueprint import Blueprint, OnReply, Step
from sequences_mcp.domain.findings import Finding, Severity, errors_in, warnings_in
from sequences_mcp.domain.ids import LOCAL, IdKind, provider_of
from sequences_mcp.errors import InvalidArgumentsError, NotSupportedError, RefusedByGuardsError, SequencesError
from sequences_mcp.importing import blueprint_files, foreign_sequences
from sequences_mcp.importing.blueprint_files import BlueprintFile
from sequences_mcp.lazy_dataclasses import dataclass, replace
from sequences_mcp.planning import requirements
from sequences_mcp.ports.provider import Provider
from sequences_mcp.services import blueprints

FileForm = Literal["json", "markdown"]
FORMS: tuple[FileForm, ...] = ("json", "markdown")
MOST_FINDINGS = 200
"""How many findings about one blueprint of a file are kept."""
SUFFIXES = {"json": "json", "markdown": "md"}


async def export_blueprint(
    app: AppContext, *, blueprint_id: str, form: FileForm = "json", version: int | None = None
) -> str:
    """Return a blueprint as the text of a file, which ``read_blueprint_files`` reads back to the same steps.

    NotFoundError; InvalidArgumentsError for a vendor's blueprint whose steps are not known here.
    """
    blueprint = await app.provider_of(blueprint_id, IdKind.BLUEPRINT).get_blueprint(blueprint_id, version)
    if provider_of(blueprint_id) != LOCAL and not blueprint.steps:
        raise InvalidArgumentsError(
            "The steps of this blueprint are not known: its provider's API does not tell them.",
            next_step="Copy them from its own app.",
        )
    return as_form(blueprint_files.file_of(blueprint), form)


def as_form(file: BlueprintFile, form: FileForm) -> str:
    """Return a blueprint as JSON or as Markdown."""
    return blueprint_files.json_text(file) if form == "json" else blueprint_files.markdown_text(file)


def markdown_to_edit(file: BlueprintFile) -> str:
    """Return a blueprint that was read, unchecked, as Markdown; InvalidArgumentsError for no step."""
    steps: list[dict[str, Any]] = []
    for number, step in enumerate(file.steps, start=1):
        try:
            steps.append(blueprint_files.wire_step(Step.model_validate(step)))
        except ValidationError as error:
            fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(map(str, fault["loc"])) or "it"
            raise InvalidArgumentsError(
                f"Step {number} has not the form of a step, so that it cannot be written as Markdown: "
                f"{where[:80]}: {fault['msg']}.",
                next_step="Mend it in the file.",
            ) from error
    return as_form(replace(file, steps=tuple(steps)), "markdown")


def suggested_name(name: str, form: FileForm) -> str:
    """Return the name of a file for a blueprint: letters and digits of ASCII, which every system takes."""
    plain = "".join(character if character.isascii() and character.isalnum() else "-" for character in name)
    return f"{'-'.join(filter(None, plain.split('-')))[:60] or 'blueprint'}.{SUFFIXES[form]}"


def read_blueprint_files(text: str, *, name: str = "") -> tuple[BlueprintFile, ...]:
    """Return the blueprints in a text: ours as JSON or Markdown, or the JSON of another program.

    ``name`` is for those that have none. Of many findings the first are kept, and that there are more. Raises
    InvalidArgumentsError for a text that is none of these.
    """
    return tuple(map(_with_few_findings, _files_in(text, name=name)))


def _with_few_findings(file: BlueprintFile) -> BlueprintFile:
    """Return the file with its first findings where it has many, those that refuse it before the others."""
    if len(file.findings) <= MOST_FINDINGS:
        return file
    refusing_first = sorted(file.findings, key=lambda finding: finding.severity is not Severity.ERROR)
    number = len(refusing_first) - MOST_FINDINGS
    more = blueprint_files.import_finding("more", f"There are {number:,} more findings, which are not listed.")
    return replace(file, findings=(*refusing_first[:MOST_FINDINGS], more))


def _files_in(text: str, *, name: str) -> tuple[BlueprintFile, ...]:
    if len(text) > blueprint_files.LONGEST_FILE:
        raise InvalidArgumentsError(
            f"The file has more than {blueprint_files.LONGEST_FILE:,} characters.",
            next_step="Import one sequence at a time.",
        )
    plain = text.lstrip("\ufeff")
    if not plain.lstrip().startswith(("{", "[")):
        if blueprint_files.is_own_markdown(plain):
            return (blueprint_files.from_markdown(plain, name=name),)
        raise _unknown()
    try:
        value = json.loads(plain)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidArgumentsError(
            "The file has half of a character (\\ud800 to \\udfff), which is no text.", next_step="Take it out."
        ) from error
    except RecursionError as error:
        raise InvalidArgumentsError("The file is nested too deeply.", next_step=_WHAT_IS_READ) from error
    except ValueError as error:  # also a number of more digits than Python reads
        where = f"Line {error.lineno}, column {error.colno}: " if isinstance(error, json.JSONDecodeError) else ""
        raise InvalidArgumentsError(f"{where}this is not JSON.", next_step="Mend it there.") from error
    if blueprint_files.is_own_json(value):
        return (blueprint_files.from_json(value, name=name),)
    if files := foreign_sequences.known_sequences(value, name=name):
        return files
    raise _unknown()


_WHAT_IS_READ = (
    "What is read: a blueprint of this program as JSON or Markdown, and what the APIs of "
    f"{', '.join(sorted(foreign_sequences.READERS))} give of a sequence with its steps, as JSON."
)


def _unknown() -> InvalidArgumentsError:
    return InvalidArgumentsError("This is the form of no file that is known here.", next_step=_WHAT_IS_READ)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlueprintPreview:
    """A blueprint of a file as it would be saved: what was read, and all findings, those about the file first."""

    file: BlueprintFile
    findings: tuple[Finding, ...]

    @property
    def is_allowed(self) -> bool:
        """Whether it can be saved as it is."""
        return not errors_in(self.findings)

    @property
    def counted(self) -> str:
        """How many findings refuse, warn and tell, in words."""
        numbers = {
            "error": len(errors_in(self.findings)),
            "warning": len(warnings_in(self.findings)),
            "note": sum(finding.severity is Severity.NOTE for finding in self.findings),
        }
        return ", ".join(f"{number} {word}{'' if number == 1 else 's'}" for word, number in numbers.items())


def look_through_blueprints(
    app: AppContext, files: Items[BlueprintFile], *, provider: str = LOCAL
) -> tuple[BlueprintPreview, ...]:
    """Return the blueprints of a file as they would be saved with a provider; saves nothing."""
    app.named(provider_of(provider)).require(Provider.create_blueprint)
    return tuple(
        BlueprintPreview(file=file, findings=(*file.findings, *_judged(app, file, provider))) for file in files
    )


def _judged(app: AppContext, file: BlueprintFile, provider: str) -> tuple[Finding, ...]:
    """Return what create_blueprint would find in it, or refuse it for."""
    try:
        blueprints.valid_name(file.name)
        blueprints.sourcing_given(app, job_title=file.job_title, location=file.location)
        _, findings = requirements.approved_by_guards(app, list(file.steps), provider=provider_of(provider))
    except RefusedByGuardsError as error:
        refusing: tuple[Finding, ...] = tuple(error.data.get("findings", ()))
        return refusing or (blueprint_files.import_finding("refused", str(error), severity=Severity.ERROR),)
    except (InvalidArgumentsError, NotSupportedError) as error:
        return (blueprint_files.import_finding("refused", str(error), severity=Severity.ERROR),)
    return findings


def previews_digest(previews: Items[BlueprintPreview]) -> str:
    """Return a SHA-256 of what was read and found, to tell whether it is still what somebody looked at."""
    return sha256(repr(tuple(previews)).encode("utf-8", "replace")).hexdigest()


async def import_blueprints(
    app: AppContext, previews: Items[BlueprintPreview], *, provider: str = LOCAL
) -> tuple[Blueprint, ...]:
    """Save the blueprints that were looked through; RefusedByGuardsError, before any is saved, for an error."""
    findings = [finding for preview in previews for finding in preview.findings]
    requirements.require_no_errors(tuple(findings))
    made: list[Blueprint] = []
    for file in (preview.file for preview in previews):
        try:
            report = await blueprints.create_blueprint(
                app,
                name=file.name,
                steps=list(file.steps),
                job_title=file.job_title,
                location=file.location,
                provider=provider,
                on_reply=OnReply(file.on_reply) if file.on_reply else None,
                stop_company=file.stop_company,
            )
        except SequencesError as error:
            if made:
                error.next_step = f"Saved before it: {', '.join(item.id for item in made)}. {error.next_step}"
            raise
        made.append(report.blueprint)
    return tuple(made)


async def archive_blueprint(app: AppContext, *, blueprint_id: str, archived: bool) -> Blueprint:
    """Put a blueprint away, or take it back; NotSupportedError for a vendor's. Its runs go on either way."""
    return await app.provider_of(blueprint_id, IdKind.BLUEPRINT).archive_blueprint(blueprint_id, archived=archived)


async def share_blueprint(app: AppContext, *, blueprint_id: str) -> Blueprint:
    """Return a blueprint that everybody sees from now on; NotFoundError, NotSupportedError for a vendor's."""
    return await app.provider_of(blueprint_id, IdKind.BLUEPRINT).keep_private(blueprint_id, private=False)


def finding_line(finding: Finding) -> str:
    """Return a finding on one line, for a terminal."""
    where = " ".join(filter(None, (finding.step_id, finding.field)))
    place = f"{where}: " if where else ""
    excerpt = f" {finding.excerpt}" if finding.excerpt else ""
    return f"{finding.severity.value:<8}{place}{finding.message}{excerpt} ({finding.rule})"


def preview_facts(preview: BlueprintPreview) -> dict[str, Any]:
    """Return a preview as JSON values."""
    return {
        "from": preview.file.origin,
        "name": preview.file.name,
        "steps": len(preview.file.steps),
        "findings": [
            {
                "rule": finding.rule,
                "severity": finding.severity.value,
                "step_id": finding.step_id,
                "field": finding.field,
                "message": finding.message,
            }
            for finding in preview.findings
        ],
    }
