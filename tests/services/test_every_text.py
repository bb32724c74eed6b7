"""Every text that reaches a person is looked at: each at the door where it comes in, with the same bad words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from mcp.types import CallToolResult
from tests.world.product import GRACE, LINKEDIN, MAIL, WRITTEN, Bureau, Desktop, people, text_of, yes

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.sender import Sender
from sequences_mcp.errors import InvalidArgumentsError, RefusedByGuardsError
from sequences_mcp.first_visit import read_name
from sequences_mcp.guards.policy import DEFAULT
from sequences_mcp.lazy_dataclasses import replace
from sequences_mcp.planning.requirements import require_sound_sender
from sequences_mcp.services.reviews import approve_draft, list_reviews

REFUSED = {
    "a placeholder": "Bob [Your Company]",
    "an unknown variable": "Bob {{company_size}}",
    "another program's variable": "Bob {{ contact.name | default: 'you' }}",
    "a remnant of HTML": "Bob<br>Acme &nbsp;",
}
SAMPLE = "Your Name"  # an error where it is all there is, a warning where it stands among a person's own words
# Told of later: with the texts of a preview or a start, and to the person who reads the edited text.
TOLD_LATER = ("title of the role", "place of the role", "edited content", "edited subject")
ALL = {"type": "SMS", "content": "Hello {bad}", "subject": None, "linkedInType": None}
TEMPLATES: dict[str, dict[str, Any]] = {
    "subject": {"subject": "{bad}"},
    "content": {"content": "Hi {{firstname}},\n{bad}"},
    "Markdown": {"content": "Hi {{firstname}},\n**{bad}**", "format": "markdown"},
    "variant": {"variants": [{"name": "a", "content": "Hi {bad}"}, {"name": "b", "content": "Hi you"}]},
    "variant's subject": {"variants": [{"name": "a", "subject": "{bad}"}, {"name": "b", "subject": "Hi you"}]},
    "LinkedIn message": {**LINKEDIN, "content": "Hi, {bad}", "temporalityType": "ASAP", "delay": None},
    "LinkedIn note": {**ALL, "type": "LINKEDIN", "linkedInType": "LINKEDIN_INVITATION_WITH_MESSAGE"},
    "SMS": ALL,
    "WhatsApp": {**ALL, "type": "WHATSAPP"},
}
Door = Callable[[str], Awaitable[CallToolResult]]


def with_bad(value: Any, bad: str) -> Any:
    """Return a step with the bad words where it has room for them; keys without a value are left out."""
    if isinstance(value, dict):
        return {key: with_bad(part, bad) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [with_bad(part, bad) for part in value]
    return value.replace("{bad}", bad) if isinstance(value, str) else value


async def doors_of(desktop: Desktop) -> dict[str, Door]:
    """Return every way in which a text comes in by a tool, by the name of the text."""
    written = await desktop.blueprint(WRITTEN)
    plain = await desktop.blueprint()
    own = {"subject": "A role", "content": "Hi Grace, a word?"}
    [draft] = (
        await desktop.call("start_sequence", blueprint_id=written, contacts=[{**GRACE, "texts": {"own": own}}])
    )["sample"]["steps"]

    async def create(step: dict[str, Any], bad: str) -> CallToolResult:
        return await desktop.raw("create_blueprint", name="Any", steps=[with_bad({**MAIL, **step}, bad)])

    async def about(fact: str, bad: str) -> CallToolResult:
        return await desktop.raw("create_blueprint", name="Any", steps=[MAIL], **{fact: bad})

    async def start(blueprint: str, facts: dict[str, Any], bad: str) -> CallToolResult:
        person = with_bad({**GRACE, "email": "new@hopper.example", **facts}, bad)
        return await desktop.raw("start_sequence", blueprint_id=blueprint, contacts=[person])

    async def edit(fields: dict[str, str], bad: str) -> CallToolResult:
        return await desktop.raw("edit_draft", draft_id=draft["draft_id"], **with_bad({**own, **fields}, bad))

    return {
        **{name: partial(create, step) for name, step in TEMPLATES.items()},
        "title of the role": partial(about, "job_title"),
        "place of the role": partial(about, "location"),
        "person's content": partial(start, written, {"texts": {"own": {**own, "content": "Hi Grace,\n{bad}"}}}),
        "person's subject": partial(start, written, {"texts": {"own": {**own, "subject": "{bad}"}}}),
        "fact": partial(start, plain, {"first_name": "{bad}"}),
        "variable of a start": partial(start, plain, {"variables": {"firstname": "{bad}"}}),
        "edited content": partial(edit, {"content": "Hi Grace,\n{bad}"}),
        "edited subject": partial(edit, {"subject": "{bad}"}),
    }


async def test_every_text_that_reaches_a_person_is_refused_with_the_words_of_a_template(bureau: Bureau) -> None:
    passed = []
    async with bureau.client("auto", yes) as desktop:
        for text, door in (await doors_of(desktop)).items():
            for what, bad in REFUSED.items():
                result = await door(bad)
                if not result.is_error or "refused_by_guards" not in text_of(result):
                    passed.append((text, what, text_of(result)[:300]))
            result = await door(SAMPLE)
            if text not in TOLD_LATER and not result.is_error and '"warning"' not in text_of(result):
                passed.append((text, "a sample", text_of(result)[:300]))
    assert not passed, "\n".join(map(str, passed))


def test_a_sender_is_refused_with_the_words_of_a_template_wherever_the_settings_are_written_or_used() -> None:
    bob, passed = Sender.of("Bob Example", "bob@example.com"), []
    for bad in (*REFUSED.values(), SAMPLE):
        for sender in (Sender.of(bad, bob.address), replace(bob, signature=bad)):
            try:
                require_sound_sender(sender, DEFAULT)
                passed.append(bad)
            except RefusedByGuardsError:
                pass
        try:
            read_name(bad, DEFAULT)
            passed.append(bad)
        except InvalidArgumentsError as error:
            assert error.message.startswith("The guards refuse it: ")
    assert not passed, "\n".join(map(str, passed))


MAILBOX = """
[mailboxes.ada]
name = "Ada Lovelace"
address = "ada@lovelace.example"
signature = "Ada, by the river"
"""


async def test_a_name_or_a_signature_that_is_refused_since_the_yes_is_held_for_a_person(
    bureau: Bureau,
) -> None:
    bureau.folder.mkdir(mode=0o700)
    bureau.workspace.settings_file.write_text(MAILBOX, encoding="utf-8")
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint()
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(3))
    for number, forbidden in enumerate(("by the river", "lovelace", "by the sea")):
        bureau.workspace.guards.write_text(f'forbidden = ["{forbidden}"]', encoding="utf-8")
        bureau.work(most=1)
        assert len(bureau.outbox) == number // 2
    held = [why for [why] in bureau.rows("SELECT reason FROM step_run WHERE state = 'held'")]
    named = [why.partition("⟧")[2].partition(":")[0] for why in held]
    assert sorted(named) == [f" in the {text} of ada@lovelace.example" for text in ("sender", "signature")]
    assert all("mends it in settings.toml" in why for why in held)
    bureau.workspace.guards.write_text('forbidden = ["lovelace"]', encoding="utf-8")
    async with bureau.app() as app:
        drafts = (await list_reviews(app)).drafts.items
        assert len(drafts) == 2
        for draft in drafts:
            with pytest.raises(RefusedByGuardsError) as refused:
                await approve_draft(app, draft_id=draft.id, digest=draft.digest, actor=Actor("test"))
            assert "settings.toml" in refused.value.next_step
