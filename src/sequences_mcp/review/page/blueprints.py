"""Blueprints as files on the review page: downloaded, pasted or chosen and looked through, saved, archived."""

from __future__ import annotations

from starlette.responses import Response

from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.errors import InvalidArgumentsError, SequencesError
from sequences_mcp.ports.provider import Provider
from sequences_mcp.review.page.request import PageRequest
from sequences_mcp.services import blueprint_files
from sequences_mcp.services.blueprint_files import BlueprintPreview

TYPES = {"json": "application/json", "markdown": "text/markdown"}
MOST_FINDINGS = 200


async def download_screen(page_request: PageRequest) -> Response:
    """Return a blueprint as a file, JSON or Markdown."""
    blueprint_id = page_request.path_part("blueprint")
    wanted = page_request.request.query_params.get("format", "json")
    form = next((form for form in blueprint_files.FORMS if form == wanted), None)
    if form is None:
        raise InvalidArgumentsError(
            "There is no such format.", next_step=f"It is {' or '.join(blueprint_files.FORMS)}."
        )
    text = await blueprint_files.export_blueprint(page_request.app, blueprint_id=blueprint_id, form=form)
    (file,) = blueprint_files.read_blueprint_files(text)
    name = blueprint_files.suggested_name(file.name, form)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text.encode(), media_type=f"{TYPES[form]}; charset=utf-8", headers=headers)


async def paste_screen(page_request: PageRequest) -> Response:
    """Show the form that takes a file's text."""
    return _shown(page_request, text="")


async def paste_form(page_request: PageRequest) -> Response:
    """Look through a text and show what is found; save it, where that is what the button says and it can be.

    ``shown`` is the text that the findings on the screen are about: another one is looked through first.
    """
    given, form = page_request.form.get("text", ""), page_request.form
    try:
        files = blueprint_files.read_blueprint_files(given, name=form.get("name", "").strip())
        provider = page_request.app.named(form.get("provider") or LOCAL).name
        previews = blueprint_files.look_through_blueprints(page_request.app, files, provider=provider)
    except InvalidArgumentsError as error:
        return _shown(page_request, text=given, fault=str(error))
    if "edit" in form and len(previews) == 1:
        try:
            given = blueprint_files.markdown_to_edit(previews[0].file)
        except InvalidArgumentsError as error:
            return _shown(page_request, text=given, previews=previews, fault=str(error))
        return _shown(page_request, text=given, previews=previews)
    is_sure = "save" in form and form.get("seen") == blueprint_files.previews_digest(previews)
    if not (is_sure and all(preview.is_allowed for preview in previews)):
        return _shown(page_request, text=given, previews=previews)
    try:
        made = await blueprint_files.import_blueprints(page_request.app, previews, provider=provider)
    except SequencesError as error:
        return _shown(page_request, text=given, previews=previews, fault=str(error))
    return page_request.redirect(f"/blueprints/{made[0].id}" if len(made) == 1 else "/blueprints")


def _shown(
    page_request: PageRequest, *, text: str, previews: tuple[BlueprintPreview, ...] = (), fault: str = ""
) -> Response:
    app = page_request.app
    takers = [name for name, provider in app.providers.items() if provider.offers(Provider.create_blueprint)]
    return page_request.render(
        "import_blueprint.html",
        text=text,
        fault=fault,
        previews=[(preview, preview.findings[:MOST_FINDINGS]) for preview in previews],
        is_allowed=bool(previews) and all(preview.is_allowed for preview in previews),
        seen=blueprint_files.previews_digest(previews),
        name=page_request.form.get("name", ""),
        provider=page_request.form.get("provider") or LOCAL,
        takers=takers,
    )


async def archive_form(page_request: PageRequest) -> Response:
    """Put a blueprint away, or take it back, and show it."""
    blueprint_id = page_request.path_part("blueprint")
    archived = page_request.form.get("archived") == "yes"
    await blueprint_files.archive_blueprint(page_request.app, blueprint_id=blueprint_id, archived=archived)
    return page_request.redirect(f"/blueprints/{blueprint_id}")
