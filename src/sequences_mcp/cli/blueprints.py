"""The commands for blueprints: listed, written to a file, read from one, archived."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sequences_mcp.cli.keyboard import json_option, say, say_json, settings_here, text_of_file, with_context
from sequences_mcp.errors import InvalidArgumentsError

if TYPE_CHECKING:
    from sequences_mcp.domain.blueprint import Blueprint
    from sequences_mcp.services.blueprint_files import BlueprintPreview

FILE = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
FORM = click.Choice(["json", "markdown"])
MOST_LINES = 40


def _blueprints() -> click.Group:
    group = click.Group("blueprints", help="List blueprints, write them to files, read them in, archive them.")
    made = {
        "list": _list(),
        "export": _export(),
        "import": _import(),
        "archive": _archive(),
        "unarchive": _unarchive(),
        "share": _share(),
    }
    for name, command in made.items():
        group.add_command(command, name)
    return group


def _list() -> click.Command:
    @click.command(help="List blueprints, the latest change first.")
    @click.option("--archived", is_flag=True, help="Those that were archived, instead of the others.")
    @click.option("--provider", default="local", show_default=True, help="Whose blueprints.")
    @click.option("--page", type=click.IntRange(1, 100_000), default=1, show_default=True)
    @json_option
    def list_(archived: bool, provider: str, page: int, as_json: bool) -> None:
        from sequences_mcp.services.blueprints import list_blueprints

        listed = with_context(
            lambda app: list_blueprints(app, provider=provider, archived=archived, page=page, size=50)
        )
        if as_json:
            say_json({"total_count": listed.total_count, "page": page, "items": list(map(_row, listed.items))})
            return
        say(_lines(listed.items) or [listed.beyond or "None."])
        if listed.has_more:
            say([f"There is more: --page {page + 1}."])

    return list_


def _row(blueprint: Blueprint) -> dict[str, Any]:
    facts = {"id": blueprint.id, "name": blueprint.name, "version": blueprint.version}
    private = {"private_to": blueprint.owner} if blueprint.private else {}
    return {**facts, "steps": len(blueprint.steps), "archived": blueprint.archived, **private}


def _lines(blueprints: tuple[Blueprint, ...]) -> list[str]:
    return [
        f"{item.id}  {item.name}, version {item.version}, {_steps(len(item.steps))}"
        f"{f', private to {item.owner}' if item.private else ''}"
        for item in blueprints
    ]


def _steps(number: int) -> str:
    return "1 step" if number == 1 else f"{number:,} steps"


def _export() -> click.Command:
    @click.command(help="Write a blueprint as JSON or Markdown, which import reads back to the same steps.")
    @click.argument("blueprint")
    @click.option("--format", "form", type=FORM, default="json", show_default=True)
    @click.option("--version", type=click.IntRange(1), help="By default the newest.")
    @click.option(
        "--to", "target", type=click.Path(dir_okay=False, path_type=Path), help="A file; else shown here."
    )
    @click.option("--force", is_flag=True, help="Replace a file that is there.")
    def export(blueprint: str, form: Any, version: int | None, target: Path | None, force: bool) -> None:
        from sequences_mcp.services.blueprint_files import export_blueprint

        text = with_context(lambda app: export_blueprint(app, blueprint_id=blueprint, form=form, version=version))
        if target is None:
            _show(text)
        else:
            _write(target, text, force=force)
            say([f"Written: {target}"])

    return export


def _show(text: str) -> None:
    """Print a file's text; to a terminal without control characters, into a pipe unchanged."""
    if sys.stdout.isatty():
        say(text.splitlines())
    else:
        click.echo(text.encode(), nl=False)


def _write(target: Path, text: str, *, force: bool) -> None:
    """Write a file; InvalidArgumentsError where there is one already, or none can be written."""
    try:
        with target.open("wb" if force else "xb") as file:
            file.write(text.encode())
    except FileExistsError as error:
        raise InvalidArgumentsError(
            f"{target} is there already.", next_step="Add --force, or name another."
        ) from error
    except OSError as error:
        raise InvalidArgumentsError(
            f"{target} cannot be written ({error.strerror}).", next_step="Name another file."
        ) from error


def _import() -> click.Command:
    @click.command(
        "import", help="Read blueprints from a file: ours, or a sequence of another program. It is shown first."
    )
    @click.argument("file", type=FILE)
    @click.option("--name", help="Of a sequence that has none; by default the file's.")
    @click.option(
        "--provider", default="local", show_default=True, help="Where to save it: a provider, or a sourcing there."
    )
    @click.option("--dry-run", is_flag=True, help="Only say what would be saved.")
    @click.option(
        "--as-markdown", "target", type=click.Path(dir_okay=False, path_type=Path), help="Write it to edit."
    )
    @click.option("--yes", is_flag=True, help="Save without asking.")
    @click.option("--json", "as_json", is_flag=True, help="As one JSON object, for programs; asks nothing.")
    def import_(
        file: Path, name: str | None, provider: str, dry_run: bool, target: Path | None, yes: bool, as_json: bool
    ) -> None:
        from sequences_mcp.services.blueprint_files import preview_facts

        only_looks = dry_run or target is not None
        if as_json and not (only_looks or yes):
            raise InvalidArgumentsError("--json asks nothing.", next_step="Add --dry-run or --yes.")
        text = _text(file)
        title = name or ("" if str(file) == "-" else file.stem)
        previews, saved = _imported(text, name=title, provider=provider, sure=yes and not only_looks)
        if target is not None:
            _write(target, _edited(previews), force=False)
        is_allowed = all(preview.is_allowed for preview in previews)
        if as_json:
            say_json({"blueprints": list(map(preview_facts, previews)), "saved": list(map(_row, saved or ()))})
            sys.exit(0 if is_allowed else 1)
        say(line for preview in previews for line in _shown(preview))
        if saved is None and not only_looks and is_allowed:
            _require_terminal()
            click.confirm(f"Save {'it' if len(previews) == 1 else f'these {len(previews)}'}?", abort=True)
            previews, saved = _imported(text, name=title, provider=provider, sure=True)
        say(_ending(saved, is_allowed=is_allowed, target=target))
        sys.exit(0 if is_allowed else 1)

    return import_


def _text(file: Path) -> str:
    if str(file) != "-":
        return text_of_file(file)
    return sys.stdin.buffer.read().decode("utf-8-sig", "replace")


def _require_terminal() -> None:
    if sys.stdin is None or not sys.stdin.isatty():
        raise InvalidArgumentsError(
            "There is no terminal to ask; nothing was saved.", next_step="Save it with --yes."
        )


def _imported(
    text: str, *, name: str, provider: str, sure: bool
) -> tuple[tuple[BlueprintPreview, ...], tuple[Blueprint, ...] | None]:
    """Look through a file and, where that is sure and possible, save it; else the second result is None."""
    import asyncio

    from sequences_mcp.bootstrap import open_context
    from sequences_mcp.cli.keyboard import person_here
    from sequences_mcp.services import blueprint_files

    async def run() -> tuple[tuple[BlueprintPreview, ...], tuple[Blueprint, ...] | None]:
        files = blueprint_files.read_blueprint_files(text, name=name)
        async with open_context(settings_here(), worker=False, actor=person_here()) as app:
            previews = blueprint_files.look_through_blueprints(app, files, provider=provider)
            if not (sure and all(preview.is_allowed for preview in previews)):
                return previews, None
            return previews, await blueprint_files.import_blueprints(app, previews, provider=provider)

    return asyncio.run(run())


def _edited(previews: tuple[BlueprintPreview, ...]) -> str:
    """Return what was read as Markdown to be edited; InvalidArgumentsError for several in one file."""
    from sequences_mcp.services.blueprint_files import markdown_to_edit

    if len(previews) > 1:
        raise InvalidArgumentsError(
            f"The file has {len(previews)} sequences.",
            next_step="Export one at a time there, to edit it as Markdown.",
        )
    return markdown_to_edit(previews[0].file)


def _shown(preview: BlueprintPreview) -> Iterator[str]:
    from sequences_mcp.services.blueprint_files import finding_line

    file = preview.file
    yield f"{file.name or '(no name)'}: {_steps(len(file.steps))}, read as a file of {file.origin}."
    lines = sorted(map(finding_line, preview.findings), key=lambda line: line[:1])
    yield from (f"  {line}" for line in lines[:MOST_LINES])
    if len(lines) > MOST_LINES:
        yield f"  … and {len(lines) - MOST_LINES:,} more"
    yield f"  {preview.counted}."


def _ending(saved: tuple[Blueprint, ...] | None, *, is_allowed: bool, target: Path | None) -> Iterator[str]:
    if target is not None:
        yield f"Written to be edited: {target}. Import that file then."
    elif saved is not None:
        yield from (f"Saved: {line}" for line in _lines(saved))
    else:
        yield "Nothing was saved."
    if not is_allowed and target is None:
        yield "Errors refuse it. --as-markdown FILE writes what was read; mend it there and import that file."


def _archive() -> click.Command:
    return _moved("Archive a blueprint: it is no longer listed and not started. Its runs go on.", archived=True)


def _unarchive() -> click.Command:
    return _moved("Take an archived blueprint back.", archived=False)


def _moved(about: str, *, archived: bool) -> click.Command:
    @click.command(help=about)
    @click.argument("blueprint")
    def move(blueprint: str) -> None:
        from sequences_mcp.services.blueprint_files import archive_blueprint

        moved = with_context(lambda app: archive_blueprint(app, blueprint_id=blueprint, archived=archived))
        became = "archived. Its runs go on." if archived else "listed again, and people can be started in it."
        say([f"{moved.name} is {became}"])

    return move


def _share() -> click.Command:
    @click.command(help="Let everybody see a blueprint that somebody keeps private, as when they have left.")
    @click.argument("blueprint")
    def share(blueprint: str) -> None:
        from sequences_mcp.services.blueprint_files import share_blueprint

        shared = with_context(lambda app: share_blueprint(app, blueprint_id=blueprint))
        say([f"{shared.name} is seen by everybody."])

    return share


COMMANDS: dict[str, Callable[[], click.Command]] = {"blueprints": _blueprints}
