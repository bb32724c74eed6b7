"""The front page of campaigns, one campaign, one contact, the search, blueprints and settings."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import date, timedelta
from email import message_from_string
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tests.review_page.page_browser import DESK, PHONE, screen
from tests.world.answers import ADA, comes_in
from tests.world.inbound_mail import Sent, reply
from tests.world.page import LINKEDIN, MAIL, WRITTEN, PageWorld, Visitor

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.reports import Share, StepReport, WeekTally, tally_step
from sequences_mcp.domain.run import SequenceStatus
from sequences_mcp.ports.embedded import SequenceFilter
from sequences_mcp.review.page.campaigns import BAR, step_bars, week_bars
from sequences_mcp.review.page.screens import SCREENS
from sequences_mcp.services.suppression import suppress_contact

LATER = {**MAIL, "id": "later", "temporalityType": "DELAYED", "delay": {"value": 3, "unit": "day"}}
CODES = re.compile(r"\b(?:WAITING_FOR_(?:LEAD|USER)|STOPPED_EARLY|handed_over)\b")


def begun(world: PageWorld, *steps: dict[str, object], people: int = 3, first: int = 0) -> Plan:
    """Start so many people, say yes and send what is due; their e-mails are as if a server had taken them."""
    plan = world.plan(*(steps or (MAIL, LATER)), people=people, first=first)
    world.at_desk(lambda app: app.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("test")))
    world.mails_after_work()
    return plan


def runs_of(world: PageWorld, plan: Plan) -> list[object]:
    wanted = SequenceFilter(blueprint_id=plan.header.blueprint_id, size=100)
    return list(world.at_desk(lambda app: app.local.list_sequences(wanted)).items)


def test_the_front_page_says_how_each_campaign_goes_and_what_is_next(world: PageWorld, person: Visitor) -> None:
    plan = begun(world)
    page = person.get("/").text
    assert f'<a href="/campaigns/{plan.header.blueprint_id}">Engineers</a>' in page
    assert "3 people, 3 under way" in page
    assert "no worker: nothing leaves before one runs" in page
    assert "ada@lovelace.example: to the outbox folder, which reaches nobody" in page
    assert page.count('class="meter"') == 2
    assert "3 in the outbox folder" in page
    assert "next e-mail <time" in page
    assert not CODES.search(page)


def test_before_anything_was_started_the_front_page_says_what_to_do(person: Visitor) -> None:
    page = person.get("/").text
    assert "Nobody was started yet." in page
    assert "Nothing. You are up to date." in page
    assert "No e-mail is due." in page


def test_what_waits_stands_on_the_front_page_of_campaigns(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(WRITTEN, people=2)
    page = person.get("/").text
    assert f'href="/plans/{plan.id}"' in page
    assert "2 texts to write" in page
    assert "2 people, 2 wait for approval" in page


def test_everything_is_paused_at_once_and_goes_on_together(world: PageWorld, person: Visitor) -> None:
    plan = begun(world)
    away = runs_of(world, plan)[0].sequence  # type: ignore[attr-defined]
    sooner = world.clock.now + timedelta(days=2)
    world.at_desk(lambda app: app.local.pause_sequence(away.id, until=sooner))
    world.forward(hours=1)
    told = person.post("/pause-all", days="5").text
    assert "3 people are paused for 5 days." in told
    until = world.clock.now + timedelta(days=5)
    assert {one.sequence.paused_until for one in runs_of(world, plan)} == {until}  # type: ignore[attr-defined]
    front = person.get("/")
    assert re.search(r"2 people are paused until <time [^>]*data-day>Saturday</time>", front.text)
    world.forward(hours=1)
    person.post("/resume-all", since=front.field("since"), until=front.field("until"))
    statuses = [one.sequence.status for one in runs_of(world, plan)]  # type: ignore[attr-defined]
    assert statuses.count(SequenceStatus.ACTIVE) == 2
    assert statuses.count(SequenceStatus.WAITING_FOR_LEAD) == 1  # whoever was paused before stays so


@pytest.mark.parametrize("days", ["", "0", "-3", "400", "soon"])
def test_a_pause_of_no_days_is_refused(world: PageWorld, person: Visitor, days: str) -> None:
    plan = begun(world, people=1)
    assert person.post("/pause-all", days=days).status == 422
    assert runs_of(world, plan)[0].sequence.paused_until is None  # type: ignore[attr-defined]
    assert person.post("/resume-all", since="yesterday", until="").status == 422


def test_what_failed_stands_on_top_and_is_planned_anew(world: PageWorld, person: Visitor) -> None:
    plan = begun(world, people=2)
    [first, second] = runs_of(world, plan)
    fail(world, [one.sequence.id for one in (first, second)])  # type: ignore[attr-defined]
    page = person.get("/").text
    assert "What failed" in page
    assert "2: the server said no" in page
    assert page.index("What failed") < page.index("What waits for you")
    again = person.post(f"/campaigns/{plan.header.blueprint_id}/retry")
    assert again.status == 303
    shown = person.get(again.headers["location"]).text
    assert "2 people" in shown
    assert "What failed" not in person.get("/").text


def fail(world: PageWorld, run_ids: list[str]) -> None:
    """Let runs end as failed, as a refusal of the second e-mail would leave them."""
    with closing(sqlite3.connect(world.folder / "sequences.db")) as database, database:
        for run_id in run_ids:
            database.execute(
                "UPDATE step_run SET state = 'failed', reason = 'the server said no'"
                " WHERE step = 1 AND sequence_no = (SELECT no FROM sequence WHERE id = ?)",
                (run_id,),
            )
            database.execute(
                "UPDATE sequence SET status = 'FAILED', reason = 'the server said no', next_run_at = NULL,"
                " lane = 'free' WHERE id = ?",
                (run_id,),
            )


def test_a_campaign_shows_people_steps_weeks_and_texts(world: PageWorld, person: Visitor) -> None:
    plan = begun(world)
    mail = message_from_string(world.mails[0])
    sent = Sent(message_id=str(mail["Message-ID"]), sender=ADA, recipient=str(mail["To"]))
    comes_in(world, reply(sent, "Yes, gladly."))
    page = person.get(f"/campaigns/{plan.header.blueprint_id}").text
    assert "<h1>Engineers</h1>" in page
    assert re.search(r"<dt>replied</dt><dd>1</dd>", page)
    assert re.search(r"<dt>in the outbox folder</dt><dd>3</dd>", page)
    assert "How they read, filled in for a made-up person" in page
    assert "{{" not in page and "</span> Engineer</li>" in page  # the subject, its variable filled in
    assert f"/sequences?blueprint={plan.header.blueprint_id}" in page
    everybody = person.get(f"/sequences?blueprint={plan.header.blueprint_id}").text
    assert "Sequences of Engineers" in everybody
    assert everybody.count('class="card"') == 3


@pytest.mark.parametrize("path", ["/blueprints", "/campaigns", "/sequences", "/mails", "/search?q=example"])
def test_a_page_past_the_end_of_a_list_says_where_it_ends_and_leads_there(
    world: PageWorld, person: Visitor, path: str
) -> None:
    begun(world)
    page = person.get(f"{path}{'&' if '?' in path else '?'}page=9").text
    assert "There is no page 9: the last is 1." in page
    assert re.search(r'<a rel="prev" href="[^"]*page=1">Page 1, the last</a>', page)


def test_an_unknown_campaign_blueprint_or_contact_is_no_page(person: Visitor) -> None:
    for path in ("/campaigns/local:bp_1", "/blueprints/local:bp_1", "/contacts/local:ct_1", "/contacts/x"):
        assert person.get(path).status == 404, path


def test_a_contact_shows_everything_planned_sent_and_received(world: PageWorld, person: Visitor) -> None:
    plan = begun(world, MAIL, LINKEDIN, people=1)
    mail = message_from_string(world.mails[0])
    sent = Sent(message_id=str(mail["Message-ID"]), sender=ADA, recipient=str(mail["To"]))
    comes_in(world, reply(sent, "Yes, <b>gladly</b>."))
    other = world.plan(MAIL, people=1)
    contact_id = runs_of(world, plan)[0].sequence.contact_id  # type: ignore[attr-defined]
    page = person.get(f"/contacts/{contact_id}").text
    assert "person0@hopper.example" in page
    assert page.count('<section class="decide"') == 2
    assert "Hi Grace, would a short call about the role suit you?" in page
    assert "Yes, &lt;b&gt;gladly&lt;/b&gt;." in page
    assert "they replied" in page
    assert "waits for approval" in page
    assert "will not be sent" in page
    assert other.id not in page
    world.at_desk(lambda app: suppress_contact(app, contact=contact_id, reason="they asked"))
    assert "Must never be contacted: they asked" in person.get(f"/contacts/{contact_id}").text


def test_what_came_of_somebody_is_recorded_once_their_run_is_over(world: PageWorld, person: Visitor) -> None:
    plan = begun(world, MAIL, people=1)
    run = runs_of(world, plan)[0].sequence  # type: ignore[attr-defined]
    assert "What came of it:" in person.get(f"/sequences/{run.id}").text
    person.post(f"/sequences/{run.id}/reply", answer="won")
    assert re.search(r"<dt>won</dt><dd>1</dd>", person.get(f"/campaigns/{plan.header.blueprint_id}").text)
    assert "1 won" in person.get("/").text
    assert "won" in person.get(f"/contacts/{run.contact_id}").text


def test_the_search_finds_people_and_campaigns_and_takes_signs_as_they_are(
    world: PageWorld, person: Visitor
) -> None:
    plan = begun(world, people=2)
    by_name = person.get("/search?q=Hopper1").text
    assert by_name.count("/contacts/local:ct_") == 1
    assert f"/campaigns/{plan.header.blueprint_id}" in person.get("/search?q=ngineer").text
    for query in ("%25", "_", "%27%20OR%201=1", "%22%3E%3Cscript%3E"):
        page = person.get(f"/search?q={query}")
        assert page.status == 200
        assert "/contacts/local:ct_" not in page.text
        assert "<script>" not in page.text
    assert person.get("/search").text.count("/contacts/local:ct_") == 2


def test_the_list_of_sequences_is_filtered_and_keeps_its_filters_from_page_to_page(
    world: PageWorld, person: Visitor
) -> None:
    plan = begun(world, people=40)
    first = person.get(f"/sequences?q=hopper&status=ACTIVE&blueprint={plan.header.blueprint_id}").text
    assert first.count('class="card"') == 30
    assert "40 under way" in first
    following = re.search(r'<a rel="next" href="([^"]*)"', first)
    assert following
    second = person.get(following[1].replace("&amp;", "&")).text
    assert second.count('class="card"') == 10
    assert person.get("/sequences?q=hopper39").text.count('class="card"') == 1
    assert "None." in person.get("/sequences?status=FAILED").text
    world.plan(people=2, first=60)
    assert "40 under way, 2 wait for approval" in person.get("/sequences").text


def test_a_paused_run_is_paused_until_a_day_and_never_a_code(world: PageWorld, person: Visitor) -> None:
    plan = begun(world, people=1)
    run = runs_of(world, plan)[0].sequence  # type: ignore[attr-defined]
    until = world.clock.now + timedelta(days=4)
    world.at_desk(lambda app: app.local.pause_sequence(run.id, until=until))
    audit = person.get("/audit").text
    assert "status under way → paused" in audit and "paused until <code><time" in audit
    assert "status new → waits for approval" in audit and "state to come → being sent" in audit
    assert not CODES.search(audit.replace("sequence.handed_over", ""))
    for path in ("/sequences", f"/sequences/{run.id}", f"/contacts/{run.contact_id}"):
        page = person.get(path).text
        assert re.search(r"paused until <time [^>]*data-day>Friday</time>", page), path
        words = re.sub(r'(?:value|href)="[^"]*"', "", page)
        assert not CODES.search(words), path


def test_times_in_sentences_are_times_that_the_browser_shows_in_the_readers_zone(
    world: PageWorld, person: Visitor
) -> None:
    plan = begun(world, people=1)
    run = runs_of(world, plan)[0].sequence  # type: ignore[attr-defined]
    world.at_desk(lambda app: app.local.pause_sequence(run.id, until=world.clock.now + timedelta(days=30)))
    waiting = world.plan(MAIL, LATER, LINKEDIN, people=2, first=50, time_zone="Asia/Tokyo")
    paths = ["/", "/sequences", f"/sequences/{run.id}", f"/contacts/{run.contact_id}", "/settings"]
    for path in (*paths, f"/plans/{waiting.id}", f"/campaigns/{plan.header.blueprint_id}"):
        outside = re.sub(r"<time.*?</time>", "", person.get(path).text)
        assert not re.search(r"\d{4}-\d\d-\d\d|\d \w{3} \d{4}", outside.split("<main", 1)[1]), path


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_what_happened_to_an_email_that_left_fits_the_window(
    world: PageWorld, browser: Browser, shots: Path, size: dict[str, int]
) -> None:
    begun(world, people=1)
    with screen(browser, world, shots, viewport=size) as reader:
        reader.opens("/audit")
        reader.unlocks()
        assert "message id" in reader.tab.inner_text("main")
        assert not reader.tab.evaluate("document.documentElement.scrollWidth > window.innerWidth")


def test_a_reader_sees_a_time_of_their_own_zone_and_the_clock_of_whoever_is_elsewhere(
    world: PageWorld, browser: Browser, shots: Path
) -> None:
    elsewhere = world.plan(people=1, time_zone="Asia/Tokyo")
    here = world.plan(people=1, first=9, time_zone="Europe/Paris")
    with screen(browser, world, shots, locale="en-GB", timezone_id="Europe/Berlin") as reader:
        reader.opens(f"/plans/{elsewhere.id}")
        reader.unlocks()
        assert "24 Nov 2026, 00:00 (08:00 Asia/Tokyo)" in reader.tab.locator(".message .when").first.inner_text()
        reader.opens(f"/plans/{here.id}")
        assert reader.tab.locator(".message .when").first.inner_text() == "about 23 Nov 2026, 13:00"


def test_a_blueprint_is_read_as_a_made_up_person_would_get_it(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(MAIL, WRITTEN, people=1)
    listed = person.get("/blueprints").text
    assert f'href="/blueprints/{plan.header.blueprint_id}"' in listed
    page = person.get(f"/blueprints/{plan.header.blueprint_id}").text
    assert "Hi Robin, would a short call about the role suit you?" in page
    assert "Hi {{firstname}}, would a short call" in page
    assert "Written for each person, and read by you before it leaves." in page
    assert world.rows("SELECT count(*) FROM contact WHERE email LIKE 'robin%'") == [(0,)]


def test_the_settings_are_shown_and_nothing_of_them_is_secret_or_changed(
    world: PageWorld, person: Visitor
) -> None:
    page = person.get("/settings").text
    assert str(world.folder) in page
    assert "Ada Lovelace" in page
    assert page.count("<form") == 2  # the search and the lock


def test_every_screen_but_the_lock_is_behind_the_session_and_every_form_asks_for_its_token(
    world: PageWorld, visitor: Visitor
) -> None:
    begun(world, people=1)
    mine = [
        (method, path)
        for method, path, _ in SCREENS
        if re.match(r"/(campaigns|pause|resume|search|cont|bluep|sett)", path)
    ]
    assert len(mine) >= 10
    for method, path in mine:
        answer = visitor.send(method, re.sub(r"\{\w+\}", "local:bp_1", path))
        assert "Hopper" not in answer.text
        assert "Unlock" in answer.text or answer.status in (401, 403), path
    visitor.unlock()
    assert visitor.post("/pause-all", days="3", csrf="0" * 64).status == 403


def test_bars_are_as_wide_as_their_numbers_and_say_them_in_words() -> None:
    nobody = StepReport(
        version=1, step_id="s", name="Hello", channel="EMAIL", subject=None, tally=tally_step(0, [])
    )
    [bar] = step_bars([nobody])
    assert (bar.stretches, bar.words) == ((), "0 sent, 0 replied")
    [week] = week_bars([WeekTally(date(2026, 11, 23), 30, 10)])
    assert sum(width for _, _, width in week.stretches) == pytest.approx(BAR)
    assert Share(0, 0).words == "nobody yet"
