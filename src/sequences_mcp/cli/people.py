"""The commands for people: imported from a file, exported to one, and exported or erased one by one."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sequences_mcp.cli.keyboard import (
    json_option,
    person_here,
    prove_passphrase,
    say,
    say_json,
    settings_here,
    with_context,
)
from sequences_mcp.errors import InvalidArgumentsError

if TYPE_CHECKING:
    from sequences_mcp.context import AppContext
    from sequences_mcp.ports.embedded import SavedTally
    from sequences_mcp.services.imports import ImportLine, ImportPreview, RowBecomes

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
MOST_LINES = 40


def _import() -> click.Command:
    @click.command("import", help="Take in people from a CSV or Excel file, all or none; it is shown first.")
    @click.argument("file", type=FILE)
    @click.option(
        "--map", "chosen", multiple=True, metavar="COLUMN=FACT", help="What a column holds; - is nothing."
    )
    @click.option("--set", "fill", multiple=True, metavar="FACT=VALUE", help="A fact of rows that do not say it.")
    @click.option("--partial", is_flag=True, help="Leave out what is refused, instead of importing nothing.")
    @click.option("--encoding", help="Of a CSV file, where it was not detected right.")
    @click.option("--sheet", help="Of a workbook; by default the first with rows.")
    @click.option("--dry-run", is_flag=True, help="Only say what would become of each row.")
    @click.option("--all", "all_rows", is_flag=True, help="Say it of every row, not of the first of each kind.")
    @click.option("--yes", is_flag=True, help="Import without asking.")
    @click.option("--json", "as_json", is_flag=True, help="As one JSON object, for programs; asks nothing.")
    def import_(file: Path, dry_run: bool, all_rows: bool, yes: bool, as_json: bool, **options: Any) -> None:
        from sequences_mcp.services.imports import import_json, import_people

        if as_json and not (dry_run or yes):
            raise InvalidArgumentsError("--json asks nothing.", next_step="Add --dry-run or --yes.")
        read = _reading(file, options)
        preview, saved = _imported(read, sure=yes and not dry_run, options=options)
        if as_json:
            click.echo(json.dumps(import_json(preview, saved=saved, most=None if all_rows else MOST_LINES)))
            sys.exit(0 if preview.is_allowed else 1)
        say(_shown(preview, most=None if all_rows else MOST_LINES))
        if saved is None and not dry_run and preview.is_allowed and preview.to_save:
            _require_terminal("Import them with --yes.")
            click.confirm(f"Import these {preview.to_save:,} people?", abort=True)
            saved = with_context(lambda app: import_people(app, preview))
        if saved is not None and preview.to_save:
            say([f"Imported: {saved.created:,} made, {saved.updated:,} changed."])
        elif not dry_run and preview.is_allowed:
            say(["Nothing to import: everybody is stored as the file has them."])
        else:
            say(["Nothing was imported."])
        sys.exit(0 if preview.is_allowed else 1)

    return import_


def _require_terminal(instead: str) -> None:
    if sys.stdin is None or not sys.stdin.isatty():
        raise InvalidArgumentsError("There is no terminal to ask; nothing was changed.", next_step=instead)


def _reading(file: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of reading a file: its bytes, and the columns as the options name them."""
    from sequences_mcp.importing.tables import MOST_BYTES

    with file.open("rb") as opened:  # its size is not asked for: a device has none, and a file may grow
        source = opened.read(MOST_BYTES + 1)
    if len(source) > MOST_BYTES:
        raise InvalidArgumentsError(f"{file} is larger than {MOST_BYTES >> 20} MB.", next_step="Split it.")
    return {
        "source": source,
        "chosen": _pairs(options["chosen"], "--map"),
        "fill": _pairs(options["fill"], "--set"),
        "encoding": options["encoding"],
        "sheet": options["sheet"],
    }


def _pairs(given: tuple[str, ...], option: str) -> dict[str, str]:
    pairs = {}
    for item in given:
        name, sign, value = item.rpartition("=") if option == "--map" else item.partition("=")
        if not sign or not name.strip():
            words = f"{option} {item[:60]!r} has no =."
            raise InvalidArgumentsError(words, next_step=f"Write {option} NAME=VALUE.")
        pairs[name.strip()] = value.strip()
    return pairs


def _imported(
    read: dict[str, Any], *, sure: bool, options: Mapping[str, Any]
) -> tuple[ImportPreview, SavedTally | None]:
    """Look through a file and, where that is sure and possible, import it; the second result is None otherwise.

    The file is taken out of ``read``, so that it is not in memory while its people are saved.
    """
    from sequences_mcp.services import imports

    async def run(app: AppContext) -> tuple[ImportPreview, SavedTally | None]:
        file = await imports.read_people_file(**read)
        read.clear()
        preview = await imports.look_through(app, file, partial=options["partial"])
        del file
        return preview, await imports.import_people(app, preview) if sure and preview.is_allowed else None

    return with_context(run)


def _shown(preview: ImportPreview, *, most: int | None) -> Iterator[str]:
    """Yield how a file was read and what would become of its rows: those that are refused first."""
    file = preview.file
    yield f"{file.table.format.words}{f'; an export of {file.mapping.export}' if file.mapping.export else ''}."
    width = max(len(column.name) for column in file.mapping.columns)
    for column in file.mapping.columns:
        holds = "(not imported)" if column.target == "-" else column.target
        yield f"  #{column.index + 1:<3} {column.name or '(no name)':<{width}}  {holds}"
    yield "Another meaning of a column: --map 'COLUMN=FACT', or --map '#3=FACT' for the third."
    yield ""
    groups: tuple[tuple[RowBecomes, ...], ...] = (("refused",), ("made", "changed", "unchanged"))
    for kinds in groups:
        lines = preview.shown(*kinds, most=most)[:most]
        for line in lines:
            yield from _line(line)
        total = sum(preview.counts[kind] for kind in kinds)
        if total > len(lines):
            yield f"  … and {total - len(lines):,} more rows ({', '.join(kinds)})"
    yield ""
    yield (
        ", ".join(f"{preview.counts[kind]:,} {kind}" for kind in preview.counts)
        + f", of {preview.rows:,} row{'' if preview.rows == 1 else 's'}."
    )
    if preview.suppressed:
        yield f"{preview.suppressed:,} are on the list of those never to contact, and stay on it."
    if preview.facts_left_out:
        yield f"{preview.facts_left_out:,} facts are wrong and are left out."
    if preview.uncertain:
        looks = "value looks" if preview.uncertain == 1 else "values look"
        yield f"{preview.uncertain:,} {looks} wrong, imported as given:"
        for warning in preview.warnings:
            yield f"  row {warning.position:<7,} {warning.field} {(warning.value or '')[:80]!r}: {warning.problem}"
        if preview.uncertain > len(preview.warnings):
            yield f"  … and {preview.uncertain - len(preview.warnings):,} more"
    if not preview.is_allowed:
        yield "With a row refused nothing is imported. --partial leaves out what is refused and imports the rest."


def _line(line: ImportLine) -> Iterator[str]:
    words = (f"{change.name}: {change.earlier or '(nothing)'} -> {change.value}" for change in line.changes)
    changes = ", ".join(words)
    never = f"; never to be contacted: {line.never}" if line.never else ""
    yield f"  row {line.number:<7,} {line.becomes:<9} {line.who}{f' ({changes})' if changes else ''}{never}"
    for problem in line.problems:
        value = f" {problem.value[:80]!r}" if problem.value else ""
        left_out = "" if line.becomes == "refused" else " (left out)"
        yield f"              {problem.field or 'the row'}{value}: {problem.problem}{left_out}"


def _export() -> click.Command:
    from sequences_mcp.services.exports import KINDS

    @click.command("export", help="Write everything of one kind to a private CSV or JSON file.")
    @click.argument("what", type=click.Choice(KINDS), required=False)
    @click.option("--format", "as_format", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
    @click.option("--to", type=NEW_FILE, help="A new file; else one in the data folder, kept a day.")
    @click.option("--delete", is_flag=True, help="Delete the exports that are in the data folder.")
    @click.option("--json", "as_json", is_flag=True, help="Say what was written as one JSON object, for programs.")
    def export(what: Any, as_format: Any, to: Path | None, delete: bool, as_json: bool) -> None:
        if delete == bool(what):
            kinds = ", ".join(KINDS)
            raise InvalidArgumentsError("Say what to export, or --delete.", next_step=f"One of {kinds}.")
        facts = _deleted() if delete else _exported(what, as_format=as_format, to=to)
        if as_json:
            click.echo(json.dumps(facts))
        elif delete:
            say([f"Deleted: {facts['deleted']}."])
        else:
            say([f"{facts['rows']:,} {what}: {facts['file']}", *_until(facts)])

    return export


def _until(facts: Mapping[str, Any]) -> Iterator[str]:
    if until := facts.get("kept_until"):
        yield f"It is deleted after {until}; `sequences-mcp export --delete` does it now."


def _deleted() -> dict[str, Any]:
    from sequences_mcp.private_files import delete_exports

    return {"deleted": delete_exports(settings_here().workspace.exports)}


def _exported(what: Any, *, as_format: Any, to: Path | None) -> dict[str, Any]:
    from sequences_mcp.services.exports import write_export

    file = with_context(lambda app: write_export(app, what, as_format=as_format, to=to))
    until = {} if to else {"kept_until": f"{file.kept_until:%Y-%m-%d %H:%M} UTC"}
    return {"what": what, "rows": file.rows, "bytes": file.size, "file": str(file.path), **until}


def _erase() -> click.Command:
    @click.command(help="Erase all data of one person, for good; they are never contacted again.")
    @click.argument("contact", metavar="ID_OR_ADDRESS")
    @click.option("--passphrase-file", type=FILE)
    @json_option
    def erase(contact: str, passphrase_file: Path | None, as_json: bool) -> None:
        from sequences_mcp.review import decide

        look = with_context(lambda app: decide.look_at_erasure(app, contact))
        say(look.lines, aside=as_json)
        prove_passphrase(passphrase_file)
        done = with_context(lambda app: decide.erase_in_terminal(app, contact, seen=look, actor=person_here()))
        if as_json:
            say_json({**asdict(done.tally), "at_vendors": dict(done.at_vendors), "copies": done.copies})
        else:
            say(decide.erasure_lines(done))

    return erase


def _export_contact() -> click.Command:
    @click.command("export-contact", help="Write all data of one person into a private file of the data folder.")
    @click.argument("contact", metavar="ID_OR_ADDRESS")
    @json_option
    def export_contact(contact: str, as_json: bool) -> None:
        from sequences_mcp.services.erasure import export_contact

        exported = with_context(lambda app: export_contact(app, contact=contact))
        if as_json:
            say_json({"file": exported.file, "counts": exported.counts, "at_vendors": exported.at_vendors})
            return
        say([f"{exported.file}", *(f"  {number:>6,}  {name}" for name, number in exported.counts.items())])
        say(f"Not in it: {title} holds more ({words})." for title, words in exported.at_vendors.items())

    return export_contact


COMMANDS = {"import": _import, "export": _export, "erase": _erase, "export-contact": _export_contact}
