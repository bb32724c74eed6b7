"""Single texts on the page: edited beside the guards' findings, approved as they were shown, settled."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from tests.world.page import LINKEDIN, MAIL, WRITTEN, Answer, PageWorld, Visitor

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.domain.run import Run, StepState
from sequences_mcp.ports.embedded import Draft
from sequences_mcp.services.reviews import edit_draft


def first_draft(world: PageWorld, plan: Plan) -> Draft:
    people = world.at_desk(lambda app: app.plans.list_people(plan.id, page=1, size=1))
    key = people.items[0].sequence.steps[0].key
    draft: Draft = world.at_desk(lambda app: app.local.get_draft(f"local:draft_{key}"))
    return draft


def save(person: Visitor, draft: Draft, content: str, **fields: str) -> Answer:
    page = person.get(f"/texts/{draft.id}")
    fields = {"digest": page.field("digest"), "subject": "Engineer", **fields}
    return person.post(f"/texts/{draft.id}", content=content, **fields)


def test_an_edit_is_stored_and_leads_back_to_the_person(world: PageWorld, person: Visitor) -> None:
    draft = first_draft(world, world.plan())
    answer = save(person, draft, "Hi {{firstname}},\r\nshall we talk?")
    assert answer.headers["location"] == f"/plans/{draft.sequence.plan_id}/people/{draft.sequence.id}"
    present = world.at_desk(lambda app: app.local.get_draft(draft.id))
    assert present.run.content == "Hi Grace,\nshall we talk?"


def test_a_text_the_guards_refuse_is_not_stored_and_not_lost(world: PageWorld, person: Visitor) -> None:
    draft = first_draft(world, world.plan())
    answer = save(person, draft, "Hi [name], shall we talk?")
    assert answer.status == 409
    assert "Hi [name], shall we talk?</textarea>" in answer.text
    assert 'class="error"' in answer.text
    assert world.at_desk(lambda app: app.local.get_draft(draft.id)).run.content == draft.run.content


def test_an_edit_voids_the_digest_that_was_shown(world: PageWorld, person: Visitor) -> None:
    plan = world.plan()
    person.get(person.get(f"/plans/{plan.id}/sample").headers["location"])
    digest = person.get(f"/plans/{plan.id}").field("digest")
    draft = first_draft(world, plan)
    save(person, draft, "Another text.")
    person.get(f"/plans/{plan.id}/people/{draft.sequence.id}")
    answer = person.post(f"/plans/{plan.id}/approve", digest=digest)
    assert answer.status == 409
    assert "What changed since you read it" in answer.text
    assert "by page: Grace Hopper0: rewritten (step hello)" in answer.text
    assert world.present(plan.id).status is PlanStatus.WAITING


def test_two_people_editing_one_text_do_not_overwrite_each_other(world: PageWorld, person: Visitor) -> None:
    draft = first_draft(world, world.plan())
    stale = person.get(f"/texts/{draft.id}").field("digest")
    world.at_desk(lambda app: edit_draft(app, draft_id=draft.id, content="The agent was faster."))
    answer = save(person, draft, "My own words.", digest=stale)
    assert answer.status == 409
    assert "My own words.</textarea>" in answer.text
    assert "The agent was faster." in answer.text


def test_checking_says_what_the_guards_find_and_stores_nothing(world: PageWorld, person: Visitor) -> None:
    draft = first_draft(world, world.plan())
    body = urlencode({"csrf": person.get("/").field("csrf"), "content": "Hi %FIRSTNAME%,", "subject": "Hello"})
    headers = {"Accept": "application/json"}
    told = json.loads(person.send("POST", f"/texts/{draft.id}/check", body=body, headers=headers).text)
    assert [one["severity"] for one in told["findings"]] == ["error"]
    page = person.send("POST", f"/texts/{draft.id}/check", body=body).text
    assert told["findings"][0]["rule"] in page
    assert world.at_desk(lambda app: app.local.get_draft(draft.id)).digest == draft.digest


def test_a_missing_text_is_written_and_then_counts_as_one_to_read(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(WRITTEN, people=1)
    assert plan.missing_texts == 1
    draft = first_draft(world, plan)
    assert "still to be written" in person.get(f"/plans/{plan.id}/texts").text
    assert save(person, draft, "Hi {{firstname}}, your talk was good.").status == 303
    present = world.present(plan.id)
    assert (present.missing_texts, present.to_read) == (0, 1)


def test_an_edited_text_of_a_live_sequence_waits_for_its_own_yes(world: PageWorld, person: Visitor) -> None:
    sequence, draft = live(world, person)
    save(person, draft, "Hi Grace, one more thing.")
    page = person.get(f"/texts/{draft.id}")
    digest = page.field("digest")
    assert person.post(f"/texts/{draft.id}/approve", digest="0" * 64).status == 409
    assert person.post(f"/texts/{draft.id}/approve", digest=digest).status == 303
    now = world.at_desk(lambda app: app.local.get_sequence(sequence.id)).sequence
    assert now.steps[1].state is StepState.PLANNED


def live(world: PageWorld, person: Visitor) -> tuple[Run, Draft]:
    """Return a sequence under way and the draft of its second step."""
    plan = world.plan(LINKEDIN | {"temporalityType": "ASAP", "delay": None}, LATER, people=1)
    world.at_desk(lambda app: app.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("test")))
    people = world.at_desk(lambda app: app.plans.list_people(plan.id, page=1, size=1))
    sequence = people.items[0].sequence
    draft_id = f"local:draft_{sequence.steps[1].key}"
    return sequence, world.at_desk(lambda app: app.local.get_draft(draft_id))


LATER = {**MAIL, "id": "later", "temporalityType": "DELAYED", "delay": {"value": 3, "unit": "day"}}


def test_a_text_in_markdown_is_shown_as_it_is_read_and_drawn_as_its_html_without_addresses(
    world: PageWorld, person: Visitor
) -> None:
    content = "Hi {{firstname}}, **one** [word](https://acme.com/jobs)?\n\n# A role\n\na < b"
    draft = first_draft(world, world.plan({**MAIL, "format": "markdown", "content": content}))
    page = person.get(f"/texts/{draft.id}").text
    assert "Hi Grace, one word (https://acme.com/jobs)?" in page
    assert "<p>Hi Grace, <strong>one</strong> <u>word</u>?</p>" in page
    assert "<b>A role</b>" in page and "<p>a &lt; b</p>" in page
    assert "Text in Markdown" in page and "**one** [word](https://acme.com/jobs)?" in page
    assert 'href="https://acme.com' not in page
    shown = person.get(f"/plans/{draft.sequence.plan_id}/people/{draft.sequence.id}").text
    assert "as text and as HTML that says the same" in shown


def test_an_edit_in_markdown_with_tags_is_refused_and_a_value_in_it_stays_words(
    world: PageWorld, person: Visitor
) -> None:
    markdown = {**MAIL, "format": "markdown", "content": "Hi {{firstname}}, a *call*?"}
    draft = first_draft(world, world.plan(markdown))
    assert save(person, draft, "Hi <b>you</b>, a call?").status == 409
    assert save(person, draft, "Hi {{firstname}}, [see](https://acme.com/{{firstname}})").status == 409
    save(person, draft, "Hi {{firstname}}, a **short** call?")
    present = world.at_desk(lambda app: app.local.get_draft(draft.id)).run
    assert (present.content, present.readable) == ("Hi Grace, a **short** call?", "Hi Grace, a short call?")
