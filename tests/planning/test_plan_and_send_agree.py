"""Whatever passes the plan and a yes is not held by the check at the send: a person is asked once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.world.product import MAIL, Bureau, Desktop, yes

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.blueprint import Step
from sequences_mcp.domain.findings import Severity
from sequences_mcp.domain.variables import fill_in, missing
from sequences_mcp.errors import RefusedByGuardsError
from sequences_mcp.guards.policy import DEFAULT
from sequences_mcp.planning.rendering import final_findings, quick_findings
from sequences_mcp.services.blueprints import create_blueprint
from sequences_mcp.services.reviews import approve_plan
from sequences_mcp.services.starts import start_sequence

WORDS = [
    "Prénom",
    "Name",
    "Vorname",
    "First Name",
    "Candidate",
    "Test",
    "TODO",
    "xxx",
    "null",
    "N/A",
    "lorem ipsum",
]
ODD = ["Maria,", "MARIA", "maria", "M.", "Dr.", '"Maria"', "Maria 🚀", "Silva, MBA | Hiring!", "a@b.example", "42"]
SIGNS = [
    "R&D",
    "Acme, Inc.",
    "[x]cube Labs",
    "Head of [everything]",
    "{Acme}",
    "C++ / C#",
    "محمد",
    "Yahoo!",
    "The",
]
PLAIN = ["Grace", "Anne-Marie", "O'Brien", "Globex 12", "Smith & Sons", "李小龍", "Re", "Hi", "G" * 90, "Dear Sir"]
VALUES = st.one_of(
    st.sampled_from([*WORDS, *ODD, *SIGNS, *PLAIN]),
    st.text("aeinorst ABZ'-.,&/!?:;()0123_*#", min_size=1, max_size=12),
)
CONTENTS = [
    "Hi {{firstname}},\n\nWhat you do at {{candidateCompanyName}} is close to it.",
    "{{firstname}}",
    "Hi {{firstname}} {{candidateCompanyName}}, shall we talk?",
    "({{firstname}}) at {{candidateCompanyName}}.\n{{candidateCompanyName}}\n- {{firstname}}",
    "Good day. {{firstname}}: {{candidateCompanyName}}; [{{firstname}}] is what I heard.",
    "The role is {{sourcingJobTitle}} and you, {{firstname}}, are near.",
    "x" * 250 + " {{firstname}} {{candidateCompanyName}}",
]
SUBJECTS = ["{{candidateCompanyName}}", "For {{firstname}}", "{{sourcingJobTitle}}", "{{firstname}}, a role"]
NOTE = {"type": "LINKEDIN", "linkedInType": "LINKEDIN_INVITATION_WITH_MESSAGE", "subject": None}
STEPS = st.builds(
    lambda content, subject, is_mail: {
        name: value
        for name, value in {**MAIL, "content": content, "subject": subject, **({} if is_mail else NOTE)}.items()
        if value is not None
    },
    st.sampled_from(CONTENTS),
    st.sampled_from(SUBJECTS),
    st.booleans(),
)
FACTS = ("first_name", "company")


async def _silent(done: int, total: int) -> None:
    """Report nothing."""


def _person(number: int, first_name: str, company: str) -> dict[str, Any]:
    profile = f"https://www.linkedin.com/in/p{number}"
    known = {"email": f"p{number}@hopper{number}.example", "linkedin_url": profile}
    return {**known, "first_name": first_name, "company": company}


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(step=STEPS, people=st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=12), title=VALUES)
async def test_what_a_person_approved_with_its_warnings_goes_out_without_being_held(
    tmp_path_factory: pytest.TempPathFactory, step: dict[str, Any], people: list[tuple[str, str]], title: str
) -> None:
    bureau = Bureau.at(Path(tmp_path_factory.mktemp("agree")))
    async with bureau.app() as app:
        try:
            made = await create_blueprint(app, name="Any", steps=[step], job_title=title)
        except RefusedByGuardsError:
            return
        contacts = []
        for number, facts in enumerate(people):
            try:
                await start_sequence_of_one(app, made.blueprint.id, _person(number, *facts))
            except RefusedByGuardsError:
                continue
            contacts.append(facts)
        plans = (await app.plans.list_plans(page=1, size=50)).items
        for plan in plans:
            await approve_plan(app, plan_id=plan.id, digest=plan.digest, actor=Actor("test"))
    bureau.work()
    held = bureau.rows("SELECT reason, subject, content FROM step_run WHERE state = 'held'")
    assert held == []
    assert len(bureau.rows("SELECT 1 FROM step_run WHERE state IN ('sent', 'open')")) == len(contacts)


async def start_sequence_of_one(app: Any, blueprint_id: str, contact: dict[str, Any]) -> None:
    """Plan a start for one person."""
    await start_sequence(app, blueprint_id=blueprint_id, contacts=[contact], progress=_silent)


@settings(max_examples=200, deadline=None)
@given(step=STEPS, first=VALUES, company=VALUES, title=VALUES)
@example(
    step={**MAIL, **NOTE, "content": "Hi {{firstname}}, you are at {{candidateCompanyName}}."},
    first="Maria",
    company="0",
    title="Engineer",
)
def test_the_quick_look_finds_what_the_check_itself_finds(
    step: dict[str, Any], first: str, company: str, title: str
) -> None:
    own = Step.model_validate(step)
    values: dict[str, str | None] = {
        "firstname": first,
        "candidateCompanyName": company,
        "sourcingJobTitle": title,
    }
    parts = [part for part in (own.subject, own.content) if part]
    if any(missing(part, values) for part in parts):
        return
    quick = quick_findings(own, values=values, earlier=(), policy=DEFAULT)
    if quick is None:
        return
    subject = fill_in(own.subject, values) if own.subject else None
    content = fill_in(own.content, values)
    found = final_findings(own, subject=subject, content=content, values=values, earlier=(), policy=DEFAULT)
    assert [one for one in found if one.variable or one.severity is Severity.ERROR] == list(quick)


@pytest.mark.parametrize("name", ["Prénom", "Name", "Vorname"])
async def test_a_word_for_a_name_is_warned_of_in_the_plan_and_leaves_after_one_yes(
    bureau: Bureau, name: str
) -> None:
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(MAIL)
        contact = {"email": "grace@hopper.example", "first_name": name}
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[contact])
        assert started["warnings"] >= 1
        assert started["approval"] == "given"
    bureau.work()
    assert [mail.get_content().split(",")[0] for mail in bureau.outbox] == [f"Hi {name}"]


async def test_a_warning_in_what_the_blueprint_is_about_is_asked_once(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        step = {**MAIL, "content": "Hi {{firstname}}, the role: {{sourcingJobTitle}}."}
        made = await desktop.call("create_blueprint", name="Any", steps=[step], job_title="Head of [everything]")
        contact = {"email": "grace@hopper.example", "first_name": "Grace"}
        blueprint = made["blueprint_id"]
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[contact])
        assert (started["warnings"] >= 1, started["approval"]) == (True, "given")
    bureau.work()
    assert len(bureau.outbox) == 1


async def test_a_text_edited_before_the_yes_is_warned_of_and_leaves_after_it(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        plan, draft = await _planned(desktop)
        await desktop.call("update_sequence", sequence_id=draft["sequence_id"], variables={"firstname": "GRACE"})
        waiting = (await desktop.call("list_reviews", plan_id=plan))["plans"]["items"][0]
        assert waiting["warnings"] >= 1
        async with bureau.app() as app:
            await approve_plan(app, plan_id=plan, digest=waiting["digest"], actor=Actor("test"))
    bureau.work()
    assert [mail.get_content().split(",")[0] for mail in bureau.outbox] == ["Hi GRACE"]


async def _planned(desktop: Desktop) -> tuple[str, dict[str, Any]]:
    blueprint = await desktop.blueprint(MAIL)
    contact = {"email": "grace@hopper.example", "first_name": "Grace"}
    started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[contact])
    assert started["warnings"] == 0
    return str(started["plan_id"]), started["sample"]
