"""Hundreds of awkward rows through one blueprint: nothing empty, blank or left over reaches anybody."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import pytest
from tests.world.product import MAIL, Bureau

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.findings import errors_in, warnings_in
from sequences_mcp.domain.variables import is_blank
from sequences_mcp.errors import RefusedByGuardsError
from sequences_mcp.guards.check import check_value
from sequences_mcp.services.blueprints import create_blueprint
from sequences_mcp.services.reviews import approve_plan, refuse_plan
from sequences_mcp.services.starts import Preview, preview_sequence, start_sequence

STEP = {
    **MAIL,
    "subject": "{{candidateCompanyName}} and {{sourcingJobTitle}}",
    "content": "Hi {{firstname}} | {{lastname}} | {{candidateJobTitle}} | {{candidateCompanyName}} |\n"
    "{{candidateLocation}} | {{sourcingLocation}} | {{recruiterFirstname}} | {{recruiterLastname}}",
}
FIELDS = {
    "first_name": "firstname",
    "last_name": "lastname",
    "job_title": "candidateJobTitle",
    "company": "candidateCompanyName",
    "location": "candidateLocation",
}
KNOWN = dict(zip(FIELDS, ("Grace", "Hopper", "Admiral", "Navy", "Arlington"), strict=True))
GOOD = ["Zoë O’Brien", "李小龍", "R&D, Countess", "😀 X Æ A-12"]
BLANK = ["", " ", "\t\n", "\u00a0", "\u2003", "\u200b", "\u2060\ufeff", "\u3164", "\u2800", "\u00ad", "\u0301"]
ODD = [
    *("null", "None", "NULL", "undefined", "NaN", "N/A", "-", "?", ".", "TODO", "Test", "#REF!", "(name)"),
    *("{{firstname}}", "{{ lastname }}", "{firstname}", "[name]", "<name>", "%FNAME%", "${name}", "{% if x %}"),
    *("{{{firstname}}}", "Mr. [Bob]", "FIRST_NAME", "http://evil.example", "x" * 100, "&nbsp;", "A\u202eB"),
    *("nil", "--", "xxx", "#N/A", "{{unknown}}", "<b>Ada</b>", "[First Name]", "{{firstname}} {{lastname}}"),
    *("No Name", "Unknown", "Dear %s", "{0}", "@first@"),
    *("محمد", "שלום", "Jean-Luc Σ", "Ada\u2028X", "<script>", "((name))", "\u2066Ada"),
]  # fmt: skip
HEADERS = ["A\r\nBcc: b@x.example", "A\x00B", "A\x1b[2JB"]
WORLD = [
    *("Márta", "Siobhán", "Øystein", "Zoë", "Łukasz", "Nguyễn", "Jürgen", "Renée", "Beyoncé"),
    *("Ibrahim", "Fatima", "Svetlana", "Kwame", "Chloé", "Björn", "Anaïs", "Dimitri", "Yusuf"),
    *("Priyanka", "Hiroshi", "Mateus", "Oksana", "Tariq", "Ingrid", "Paolo", "Eszter", "Vikram"),
    *("Nadia", "Rasmus", "Ljubica", "Emeka", "Soraya", "Gael", "Iñaki"),
]  # fmt: skip
VALUES = [*GOOD, *WORLD, *BLANK, *ODD, *HEADERS]
TOKENS = [
    *("{{firstname}}", "{{ lastname }}", "[name]", "{{{firstname}}}", "{{unknown}}", "[First Name]", "${name}"),
    *("{{firstname}} {{lastname}}", "{% if x %}", "%FNAME%", "A\u202eB", "\u2066Ada", "A\x00B", "A\x1b[2JB"),
]  # fmt: skip
FORBIDDEN = re.compile(
    r"[{}\[\]<>%$\x00-\x09\x0b-\x1f]|^(null|none|undefined|nan|n/a|todo|test|\W)$", re.IGNORECASE
)


def rows() -> list[dict[str, Any]]:
    """Return one person for each value in each field, as a fact and as an override; a name as a name."""
    found: list[dict[str, Any]] = []
    for field, variable in FIELDS.items():
        values = VALUES if field.endswith("name") else [one for one in VALUES if one not in WORLD]
        for value in (one for one in values if not _is_refused(one)):
            found.append({**KNOWN, field: value})
            if value not in BLANK:  # an override that is blank is refused by itself
                found.append({**KNOWN, "variables": {variable: value}})
    return [{**one, "email": f"p{number}@hopper.example"} for number, one in enumerate(found)]


async def _silent(done: int, total: int) -> None:
    """Report nothing."""


async def test_of_hundreds_of_awkward_people_nobody_gets_a_hole_a_blank_or_a_leftover(bureau: Bureau) -> None:
    people = rows()
    assert len(people) >= 300
    async with bureau.app() as app:
        saved = await create_blueprint(app, name="All nine", steps=[STEP], job_title="Engineer", location="Lisbon")
        blueprint = saved.blueprint.id
        told = _told(await preview_sequence(app, blueprint_id=blueprint, contacts=people))
        fine = [one for one in people if told[one["email"]] == "fine"]
        others = [one for one in people if told[one["email"]] != "fine"]
        started = await start_sequence(app, blueprint_id=blueprint, contacts=fine, progress=_silent)
        assert (started.plan.warnings, started.left_out) == (0, ())
        await approve_plan(app, plan_id=started.plan.id, digest=started.plan.digest, actor=Actor("test"))
        odd = await start_sequence(app, blueprint_id=blueprint, contacts=others, progress=_silent)
        assert {one.contact.email for one in odd.left_out} == {e for e, how in told.items() if how == "left out"}
        await _everybody_is_warned_of(app, odd.plan.id)
        await refuse_plan(app, plan_id=odd.plan.id, reason="these names are wrong", actor=Actor("test"))
    bureau.work()
    _each_mail_is_whole(bureau, people)
    _whoever_got_none_is_told_why(bureau, told)


def _is_refused(value: str) -> bool:
    return not is_blank(value) and any(
        errors_in(check_value(name, given))
        for name in FIELDS
        for given in (value.strip(), " ".join(value.split()))
    )


async def test_no_token_is_taken_as_a_value_and_the_place_of_each_is_named(bureau: Bureau) -> None:
    assert all(map(_is_refused, TOKENS))
    given = [
        {"email": "a@hopper.example", **({field: value} if own else {"variables": {variable: value}})}
        for value in VALUES
        for field, variable in FIELDS.items()
        for own in (True, False)
        if not is_blank(value) and errors_in(check_value(field, " ".join(value.split())))
    ]
    async with bureau.app() as app:
        saved = await create_blueprint(app, name="All nine", steps=[STEP], job_title="x", location="y")
        for one in given:
            place = next(iter(one.get("variables", {}) or {k for k in one if k != "email"}))
            with pytest.raises(RefusedByGuardsError) as caught:
                await preview_sequence(
                    app, blueprint_id=saved.blueprint.id, contacts=[{"email": "b@c.example"}, one]
                )
            assert [row["place"] for row in caught.value.data["values"]] == [f"contact 2: {place}"]


def _told(preview: Preview) -> dict[str, str]:
    told = {}
    for shown in preview.people:
        email = shown.person.contact.email or ""
        warned = "warned" if warnings_in(shown.person.findings) else "fine"
        told[email] = "left out" if shown.blocked else warned
    return told


async def _everybody_is_warned_of(app: AppContext, plan_id: str) -> None:
    page, more = 1, True
    while more:
        found = await app.plans.list_people(plan_id, page=page, size=100)
        assert all(one.sequence.warnings for one in found.items)
        page, more = page + 1, found.has_more


def _each_mail_is_whole(bureau: Bureau, people: list[dict[str, Any]]) -> None:
    by_email = {one["email"]: one for one in people}
    assert len(bureau.outbox) >= len(FIELDS) * len(GOOD)
    for mail in bureau.outbox:
        person = by_email[str(mail["To"])]
        values = {variable: person[field] for field, variable in FIELDS.items()} | person.get("variables", {})
        first, second = mail.get_content().splitlines()
        wanted = [" ".join(values[name].split()) for name in FIELDS.values()]
        parts = first.removeprefix("Hi ").removesuffix(" |").split(" | ") + second.split(" | ")
        assert parts == [*wanted, "Lisbon", "Ada", "Lovelace"]
        assert mail["Subject"] == f"{wanted[3]} and Engineer"
        assert not [part for part in parts if FORBIDDEN.search(part) or not _shows(part)]


def _shows(part: str) -> bool:
    return any(unicodedata.category(letter)[0] in "LNSP" for letter in part)


def _whoever_got_none_is_told_why(bureau: Bureau, told: dict[str, str]) -> None:
    left = sum(how == "left out" for how in told.values())
    assert left == len(FIELDS) * len(BLANK)
    rows = bureau.rows("SELECT state, reason FROM step_run")
    assert len(rows) + left == len(told)
    assert {state for state, _ in rows} <= {"sent", "cancelled", "held"}
    assert [state for state, _ in rows].count("sent") == len(bureau.outbox)
    assert all(reason for state, reason in rows if state == "held")
    assert bureau.rows("SELECT DISTINCT reason FROM sequence WHERE status = 'REFUSED'") == [
        ("these names are wrong",)
    ]
