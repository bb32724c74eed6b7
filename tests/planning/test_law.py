"""What first messages lack by law: told once for a plan, an error where a house says so, covered by a yes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.world.data_folder import with_schema

from sequences_mcp.bootstrap import law_of as law_of_settings
from sequences_mcp.bootstrap import open_context, open_worker
from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.findings import Finding, Severity
from sequences_mcp.engine.approvals import draft_id
from sequences_mcp.errors import RefusedByGuardsError, SettingsError
from sequences_mcp.guards.law import built_in
from sequences_mcp.guards.policy import DEFAULT
from sequences_mcp.planning.warnings import number_of_warnings, warnings_of
from sequences_mcp.review.terminal import warned
from sequences_mcp.services.blueprints import check_blueprint, check_file, create_blueprint, waive
from sequences_mcp.services.contacts import save_contacts
from sequences_mcp.services.reviews import approve_plan, check_draft, edit_draft
from sequences_mcp.services.starts import StartReport, preview_sequence, start_sequence
from sequences_mcp.settings import read_settings

HELLO = {
    "id": "hello",
    "name": "Hello",
    "type": "EMAIL",
    "subject": "A role in Lyon",
    "content": "Hi {{firstname}}, would a short call about the role suit you?",
    "temporalityType": "ASAP",
}
TEXTED = {"id": "sms", "name": "Text", "type": "SMS", "content": "Hi, a word?", "temporalityType": "ASAP"}
LAW = '[law]\nsender = "Example Ltd, 12 High St, London"\nbasis = "legitimate interest"\n'
FR = {"email": "marie@curie.example", "first_name": "Marie", "country": "FR", "source": "GitHub"}
US = {"email": "grace@hopper.example", "first_name": "Grace", "country": "US"}
DE = {"email": "emmy@noether.example", "first_name": "Emmy", "country": "DE"}


async def silent(done: int, total: int) -> None:
    return None


def settings(folder: Path, law: str = "", *, house: str = "") -> Any:
    if law:
        (folder / "settings.toml").write_text(law, encoding="utf-8")
    if house:
        (folder / "law.toml").write_text(house, encoding="utf-8")
    return read_settings(environ(folder))


def environ(folder: Path) -> dict[str, str]:
    return {
        "SEQUENCES_DATA_DIR": str(with_schema(folder)),
        "SEQUENCES_SENDER": "Ada Lovelace <ada@lovelace.example>",
        "SEQUENCES_WINDOW": "Mon-Sun 00:00-24:00",
    }


async def started(app: AppContext, *people: Mapping[str, Any], steps: Any = (HELLO,), **more: Any) -> StartReport:
    blueprint = (await create_blueprint(app, name="Engineers", steps=list(steps))).blueprint
    contacts = [dict(person) for person in people]
    return await start_sequence(app, blueprint_id=blueprint.id, contacts=contacts, progress=silent, **more)


def law_of(findings: Any) -> dict[str, Finding]:
    return {finding.rule: finding for finding in findings if finding.rule.startswith("law.")}


async def test_without_a_law_table_nobody_hears_of_it_but_who_needs_to_have_consented(tmp_path: Path) -> None:
    async with open_context(settings(tmp_path), worker=False) as app:
        quiet = await started(app, FR, US, {**DE, "email": "x@y.example", "country": None})
        assert law_of(quiet.warnings) == {}
        assert quiet.plan.header.warnings == ()
        german = await started(app, DE, {**US, "email": "another@hopper.example"})
    [left] = german.left_out
    assert left.reasons[0].startswith("Consent is needed before the first message, and none is recorded")
    assert "Germany: UWG, section 7(2)" in left.reasons[0]
    assert german.plan.people == 1


async def test_each_missing_thing_is_told_once_a_country_with_its_statute_and_the_number_of_people(
    tmp_path: Path,
) -> None:
    async with open_context(settings(tmp_path, LAW), worker=False) as app:
        other = {**FR, "email": "irene@curie.example"}
        report = await started(app, FR, other, US)
    told = [finding.message for finding in report.warnings if finding.rule.startswith("law.")]
    assert len(told) == 6
    [french] = [text for text in told if "France" in text and "left in peace" in text]
    assert french.startswith(
        "2 people. The first message does not say how to be left in peace. France: CPCE, article"
    )
    assert "https://www.cnil.fr/" in french
    assert french.endswith("répondez simplement « non merci » et je ne vous écrirai plus.")
    [american] = [text for text in told if "postal" in text]
    assert american.startswith(
        "1 person. The first message has no postal address. The United States: CAN-SPAM Act"
    )
    assert american.endswith("Line to add: Example Ltd, 12 High St, London")
    assert not any("United States" in text and "data came from" in text for text in told)


LANGUAGES = {
    "en": "GB", "de": "LI", "fr": "FR", "es": "GB", "it": "GB", "pt": "PT", "nl": "GB", "pl": "GB", "sv": "SE",
    "da": "GB",
}  # fmt: skip


@pytest.mark.parametrize(("language", "country"), LANGUAGES.items())
async def test_the_lines_offered_in_the_persons_language_are_all_that_was_missing(
    tmp_path: Path, language: str, country: str
) -> None:
    person = {**FR, "country": country, "language": language, "consent": "web form"}
    async with open_context(settings(tmp_path, LAW), worker=False) as app:
        report = await started(app, person)
        missing = [f for rule, f in law_of(report.warnings).items() if rule != "law.consent_record"]
        assert {finding.rule for finding in missing} == {"law.sender", "law.opt_out", "law.source"}
        assert all(finding.start == finding.end == len(HELLO["content"]) for finding in missing)
        content = HELLO["content"] + "".join(finding.fix or "" for finding in missing)
        mended = await started(
            app, {**person, "email": "two@curie.example"}, steps=[{**HELLO, "content": content}]
        )
    assert set(law_of(mended.warnings)) <= {"law.consent_record"}


async def test_a_line_in_any_place_of_the_mail_counts_whatever_its_case(tmp_path: Path) -> None:
    content = (
        "Hi {{firstname}}, I came across your talk. Interested?\n\nAda\nEXAMPLE\n12 High St.\nLondon\n\n"
        "PS: To unsubscribe, reply STOP."
    )
    async with open_context(settings(tmp_path, LAW), worker=False) as app:
        report = await started(app, US, FR, steps=[{**HELLO, "content": content}])
    assert law_of(report.warnings) == {}


async def test_an_unknown_country_names_the_strictest_of_those_possible(tmp_path: Path) -> None:
    nobody_knows = {"email": "a@b.example", "first_name": "A"}
    by_clock = {**nobody_knows, "email": "c@d.example", "time_zone": "America/New_York"}
    by_phone = {**nobody_knows, "email": "e@f.example", "phone": "+4930123456"}
    async with open_context(settings(tmp_path, LAW), worker=False) as app:
        anywhere = law_of((await started(app, nobody_knows)).warnings)["law.country"].message
        clock = law_of((await started(app, by_clock)).warnings)["law.country"].message
        with pytest.raises(RefusedByGuardsError) as refused:
            await started(app, by_phone)
    assert "The strictest of those possible is" in anywhere and "where consent is needed" in anywhere
    assert "The strictest of those possible is Canada, where consent is needed: CASL" in clock
    assert "Germany: UWG" in str(refused.value.data["left_out_why"])


async def test_the_countries_of_the_workspace_are_those_possible(tmp_path: Path) -> None:
    async with open_context(settings(tmp_path, LAW + 'countries = ["GB", "US"]\n'), worker=False) as app:
        told = law_of((await started(app, {"email": "a@b.example", "first_name": "A"})).warnings)
    assert "strictest of those possible is the United Kingdom" in told["law.country"].message
    assert "Possibly the United States: CAN-SPAM" in told["law.postal_address"].message
    assert "law.consent_record" not in told


async def test_a_country_that_the_table_does_not_have_is_said(tmp_path: Path) -> None:
    async with open_context(settings(tmp_path, LAW), worker=False) as app:
        told = law_of((await started(app, {**US, "country": "BR"})).warnings)
    assert list(told) == ["law.country"]
    assert "law.toml has nothing about BR" in told["law.country"].message


async def test_a_blueprint_is_told_of_what_the_workspaces_countries_ask_for(tmp_path: Path) -> None:
    async with open_context(settings(tmp_path, LAW + 'countries = ["US"]\n'), worker=False) as app:
        made = await create_blueprint(app, name="Engineers", steps=[HELLO])
        checked = await check_blueprint(app, steps=[HELLO])
        assert set(law_of(made.findings)) == {"law.sender", "law.postal_address", "law.opt_out"}
        assert law_of(checked.findings) == law_of(made.findings)
        assert {f.severity for f in law_of(made.findings).values()} == {Severity.WARNING}


async def test_a_house_turns_a_reminder_into_an_error_and_adds_a_country(tmp_path: Path) -> None:
    house = (
        '[countries.FR.opt_out]\nseverity = "error"\n'
        '[countries.BR]\nname = "Brazil"\nlanguages = ["pt"]\n'
        'opt_out = { statute = "LGPD", link = "https://x.example" }\n'
        "[countries.DE]\nconsent = false\n"
    )
    async with open_context(settings(tmp_path, LAW, house=house), worker=False) as app:
        report = await started(app, FR, {**US, "country": "BR"}, DE)
    [left] = report.left_out
    assert left.contact.country == "FR"
    assert "left in peace. France: CPCE" in left.reasons[0]
    [brazilian] = [f.message for f in report.warnings if "Brazil" in f.message]
    assert "Brazil: LGPD (https://x.example). Line to add: Se preferir" in brazilian
    assert report.plan.people == 2


async def test_a_house_turns_a_reminder_into_an_error_for_every_country_in_guards_toml(tmp_path: Path) -> None:
    (tmp_path / "guards.toml").write_text('[severity]\n"law.opt_out" = "error"\n"law.consent" = "warning"\n')
    async with open_context(settings(tmp_path, LAW + 'countries = ["US"]\n'), worker=False) as app:
        with pytest.raises(RefusedByGuardsError):
            await create_blueprint(app, name="Engineers", steps=[HELLO])
        polite = {**HELLO, "content": f"{HELLO['content']} To unsubscribe, reply no."}
        report = await started(app, DE, steps=[polite])
    assert "1 person. Consent is needed" in law_of(report.warnings)["law.consent"].message


@pytest.mark.parametrize(
    ("house", "why"),
    [
        ("[countries.FR]\nopt_ou = true\n", "countries.FR.opt_ou: there is no such key"),
        ('[countries.FR.opt_out]\nseverity = "note"\n', "severity is error or warning"),
        ('[countries.FR]\nopt_out = "no_such"\n', "there is no [law.no_such]"),
        ("[countries.France]\nconsent = true\n", "two capital letters"),
        ("[contries.FR]\n", "'contries' is none of"),
        ("countries = 3\n", "countries holds tables alone"),
        ('[languages.fr]\nopt_out_line = "{name}"\n', "stand in braces"),
        ('[languages.fr]\nopt_out = "non"\n', "lists of phrases"),
        ("[countries.FR", "cannot be read as TOML"),
    ],
)
async def test_what_is_wrong_with_a_houses_file_is_said_at_the_start(tmp_path: Path, house: str, why: str) -> None:
    with pytest.raises(SettingsError) as refused:
        async with open_context(settings(tmp_path, house=house), worker=False):
            pass
    assert why in refused.value.message


@pytest.mark.parametrize(
    ("law", "why"),
    [
        ('[law]\nsendr = "x"\n', "did you mean sender"),
        ("[law]\nsender = 3\n", "a text in quotes"),
        ('[law]\ncountries = ["France"]\n', "'France' is not a country"),
        ('law = "yes"\n', "it has to be a table"),
    ],
)
def test_what_is_wrong_with_the_law_table_is_said_with_its_key(tmp_path: Path, law: str, why: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settings(tmp_path, law)
    assert why in refused.value.message


async def test_a_record_of_consent_is_shown_to_whoever_approves(tmp_path: Path) -> None:
    async with open_context(settings(tmp_path), worker=False) as app:
        report = await started(app, {**DE, "consent": "web form, 1 May"})
        record = law_of(report.warnings)["law.consent_record"]
        assert "Germany: UWG" in record.message
        assert record.excerpt == "“web form, 1 May”"
        assert any("web form, 1 May" in entry for entry in report.plan.header.warnings)


async def test_a_person_waives_consent_for_a_blueprint_and_the_plan_says_who(tmp_path: Path) -> None:
    async with open_context(settings(tmp_path), worker=False) as app:
        blueprint = (await create_blueprint(app, name="Engineers", steps=[HELLO])).blueprint
        with pytest.raises(RefusedByGuardsError):
            await start_sequence(app, blueprint_id=blueprint.id, contacts=[DE], progress=silent)
        until = app.clock() + timedelta(days=7)
        await waive(
            app,
            blueprint_id=blueprint.id,
            rule="law.consent",
            reason="on paper",
            until=until,
            actor=Actor("terminal:ada"),
        )
        report = await start_sequence(app, blueprint_id=blueprint.id, contacts=[DE], progress=silent)
    message = law_of(report.warnings)["law.consent_record"].message
    assert "None is recorded. Waived by terminal:ada until" in message and "on paper" in message


async def test_a_waived_reminder_is_no_warning_of_a_plan(tmp_path: Path) -> None:
    async with open_context(settings(tmp_path, LAW), worker=False) as app:
        blueprint = (await create_blueprint(app, name="Engineers", steps=[HELLO])).blueprint
        until = app.clock() + timedelta(days=7)
        await waive(
            app,
            blueprint_id=blueprint.id,
            rule="law.opt_out",
            reason="in the footer",
            until=until,
            actor=Actor("t"),
        )
        report = await start_sequence(app, blueprint_id=blueprint.id, contacts=[US], progress=silent)
    assert set(law_of(report.warnings)) == {"law.sender", "law.postal_address"}


async def test_a_yes_covers_the_reminders_as_they_were_shown(tmp_path: Path) -> None:
    async with open_context(settings(tmp_path, LAW), worker=False) as app:
        report = await started(app, US)
        plan = report.plan
        shown = await warnings_of(app, plan, people=5)
        assert law_of(shown.of_all) == law_of(report.warnings)
        assert await number_of_warnings(app, plan) == 3
        await approve_plan(app, plan_id=plan.id, digest=plan.digest, actor=Actor("terminal:ada"))
    with closing(sqlite3.connect(tmp_path / "sequences.db")) as database, database:
        fewer = json.dumps([entry.replace("1 person", "0 people") for entry in plan.header.warnings])
        database.execute("UPDATE plan SET covered = ?", [fewer])
    with open_worker(read_settings(environ(tmp_path))) as worker:
        worker.run_due()
    assert not list(tmp_path.glob("outbox/*.eml"))


async def test_an_approval_records_the_reminders_it_covers(tmp_path: Path) -> None:
    async with open_context(settings(tmp_path, LAW), worker=False) as app:
        plan = (await started(app, US)).plan
        await approve_plan(app, plan_id=plan.id, digest=plan.digest, actor=Actor("terminal:ada"))
    with closing(sqlite3.connect(tmp_path / "sequences.db")) as database:
        [(detail,)] = database.execute("SELECT detail FROM audit WHERE action = 'plan.approved'").fetchall()
    assert len(json.loads(detail)["warnings"]["of_all"]) == 3


async def test_a_text_written_for_one_person_is_looked_at_by_itself(tmp_path: Path) -> None:
    own = {**HELLO, "contentSource": "suggestedByKalent", "content": ""}
    polite = "I hire for Example Ltd, 12 High St, London. To unsubscribe, just reply no."
    one = {**US, "texts": {"hello": polite}}
    other = {**US, "email": "ada@x.example", "texts": {"hello": "Would a short call suit you?"}}
    async with open_context(settings(tmp_path, LAW), worker=False) as app:
        report = await started(app, one, other, steps=[own])
    assert law_of(report.warnings)["law.opt_out"].message.startswith("1 person.")


async def test_a_text_message_before_any_mail_is_reminded_of_as_well(tmp_path: Path) -> None:
    person = {**FR, "phone": "+33612345678"}
    async with open_context(settings(tmp_path, LAW), worker=False) as app:
        before = await started(app, person, steps=[TEXTED, HELLO])
        after = await started(
            app, {**person, "email": "b@c.example", "phone": "+33612345679"}, steps=[HELLO, TEXTED]
        )
        only_linkedin = {
            "id": "li", "name": "L", "type": "LINKEDIN", "linkedInType": "LINKEDIN_MESSAGE", "content": "Hi",
            "temporalityType": "ASAP",
        }  # fmt: skip
        german = {**DE, "linkedin_url": "https://linkedin.com/in/emmy"}
        by_hand = await started(app, german, steps=[only_linkedin])
    assert {f.step_id for f in before.warnings if f.rule == "law.opt_out"} == {"sms", "hello"}
    assert {f.step_id for f in after.warnings if f.rule == "law.opt_out"} == {"hello"}
    assert by_hand.left_out == () and law_of(by_hand.warnings) == {}


async def test_a_preview_shows_what_a_start_would_say(tmp_path: Path) -> None:
    async with open_context(settings(tmp_path, LAW), worker=False) as app:
        blueprint = (await create_blueprint(app, name="Engineers", steps=[HELLO])).blueprint
        shown = await preview_sequence(app, blueprint_id=blueprint.id, contacts=[US, DE])
    american, german = shown.people
    assert "law.postal_address" in law_of(american.person.findings)
    assert german.blocked and "Consent is needed" in german.blocked[0]


async def test_a_file_is_checked_by_what_the_workspace_says(tmp_path: Path) -> None:
    steps = json.dumps([HELLO])
    told = settings(tmp_path, LAW + 'countries = ["US"]\n')
    placed = check_file(steps, policy=DEFAULT, law=law_of_settings(told)())
    assert {place.finding.rule for place in placed} == {"law.sender", "law.postal_address", "law.opt_out"}
    (tmp_path / "settings.toml").unlink()
    assert check_file(steps, policy=DEFAULT, law=law_of_settings(settings(tmp_path))()) == ()


async def test_what_was_written_into_the_country_decides_over_a_number_and_a_clock(tmp_path: Path) -> None:
    person = {**FR, "phone": "+4930123456", "time_zone": "Europe/Berlin"}
    async with open_context(settings(tmp_path, LAW), worker=False) as app:
        told = law_of((await started(app, person)).warnings)
    assert "law.country" not in told
    assert "France: " in told["law.opt_out"].message


def test_every_country_names_its_laws_with_a_link_and_has_a_line_in_a_language_of_ten() -> None:
    table = built_in()
    assert len(table.languages) == 10
    for code, country in table.countries.items():
        assert {"sender", "opt_out"} <= country.demands.keys(), code
        assert all(demand.statute.link.startswith("https://") for demand in country.demands.values())
        assert set(country.languages) <= set(table.languages)


@pytest.mark.parametrize(("facts", "leaves"), [({}, False), ({"consent": "on paper"}, True)])
async def test_a_country_saved_after_the_yes_holds_the_first_message(
    tmp_path: Path, facts: dict[str, str], leaves: bool
) -> None:
    person = {"email": "emmy@noether.example", "first_name": "Emmy", "time_zone": "Europe/Berlin"}
    told = settings(tmp_path)
    async with open_context(told, worker=False) as app:
        plan = (await started(app, person)).plan
        await approve_plan(app, plan_id=plan.id, digest=plan.digest, actor=Actor("terminal:ada"))
        await save_contacts(app, contacts=[{**person, "country": "DE", **facts}])
    with open_worker(told) as worker:
        worker.run_due()
    assert bool(list(tmp_path.glob("outbox/*.eml"))) == leaves
    async with open_context(told, worker=False) as app:
        [run] = (await app.records.list_people(plan.id, page=1, size=1)).items
    held = run.sequence.steps[0].reason or ""
    assert leaves or held.startswith("law.consent: Consent is needed before the first message")


async def test_what_a_waiver_covered_leaves(tmp_path: Path) -> None:
    told = settings(tmp_path)
    async with open_context(told, worker=False) as app:
        blueprint = (await create_blueprint(app, name="Engineers", steps=[HELLO])).blueprint
        until = app.clock() + timedelta(days=7)
        await waive(
            app, blueprint_id=blueprint.id, rule="law.consent", reason="paper", until=until, actor=Actor("t:ada")
        )
        report = await start_sequence(app, blueprint_id=blueprint.id, contacts=[DE], progress=silent)
        await approve_plan(app, plan_id=report.plan.id, digest=report.plan.digest, actor=Actor("terminal:ada"))
    with open_worker(told) as worker:
        worker.run_due()
    assert len(list(tmp_path.glob("outbox/*.eml"))) == 1


MAILBOX = """
[mailboxes.ada]
name = "Ada Lovelace"
address = "ada@lovelace.example"
opt_out_line = true
signature = '''
Ada Lovelace
Example Ltd
12 High St, London'''
"""


async def test_what_the_mailbox_puts_below_every_text_counts_as_said(tmp_path: Path) -> None:
    async with open_context(settings(tmp_path, LAW + MAILBOX), worker=False) as app:
        report = await started(app, US, FR)
        checked = await check_blueprint(app, steps=[HELLO])
    assert set(law_of(report.warnings)) == {"law.source"}
    assert law_of(checked.findings).keys() <= {"law.source"}
    assert report.sample.sequence.steps[0].content != HELLO["content"]


async def test_a_line_that_would_be_untrue_for_some_is_offered_to_nobody(tmp_path: Path) -> None:
    other = {**FR, "email": "irene@curie.example", "source": "a conference"}
    async with open_context(settings(tmp_path, LAW), worker=False) as app:
        report = await started(app, FR, other)
    told = law_of(report.warnings)["law.source"]
    assert told.fix is None
    assert "GitHub" not in told.message and "differs from person to person" in told.message


async def test_a_person_who_reviews_is_told_that_it_is_no_legal_advice(tmp_path: Path) -> None:
    async with open_context(settings(tmp_path, LAW), worker=False) as app:
        plan = (await started(app, US)).plan
        shown = "\n".join(warned((await warnings_of(app, plan, people=5)).of_all))
        quiet = "\n".join(warned([Finding(rule="channel.markdown", severity=Severity.WARNING, message="x")]))
    assert shown.count("no legal advice") == 1
    assert "no legal advice" not in quiet


async def test_an_edited_text_is_held_against_what_a_house_made_an_error_as_a_start_is(tmp_path: Path) -> None:
    house = '[countries.FR.opt_out]\nseverity = "error"\n'
    polite = {**HELLO, "content": f"{HELLO['content']} To unsubscribe, just reply no."}
    rude = "Hi {{firstname}}, a call?"
    async with open_context(settings(tmp_path, LAW, house=house), worker=False) as app:
        report = await started(app, FR, US, steps=[polite])
        [marie, grace] = [
            item.sequence
            for country in ("FR", "US")
            for item in (await app.records.list_people(report.plan.id, page=1, size=5)).items
            if item.contact.country == country
        ]
        draft = draft_id(marie.steps[0])
        with pytest.raises(RefusedByGuardsError) as refused:
            await edit_draft(app, draft_id=draft, content=rude)
        assert [finding.rule for finding in refused.value.data["findings"]] == ["law.opt_out"]
        _, found = await check_draft(app, draft_id=draft, content=rude)
        assert "law.opt_out" in {finding.rule for finding in found}
        kept = await edit_draft(app, draft_id=draft, content=f"{rude} To unsubscribe, just reply no.")
        other = await edit_draft(app, draft_id=draft_id(grace.steps[0]), content=rude)
    assert kept.run.content == "Hi Marie, a call? To unsubscribe, just reply no."
    assert other.run.content == "Hi Grace, a call?"
