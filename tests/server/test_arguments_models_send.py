"""Arguments in the forms that models really send them: nulls, other units, JSON text, one step for a list."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.world.product import GRACE, LINKEDIN, LINUS, MAIL, WRITTEN, World

from sequences_mcp.domain.blueprint import Delay, DelayUnit

NULLS: dict[str, Any] = {
    **MAIL,
    "linkedInType": None,
    "delay": None,
    "policy": None,
    "contentSource": None,
    "config": None,
}
TWO_DAYS = {"value": 2, "unit": "day"}
LATER = {**MAIL, "id": "later", "temporalityType": "DELAYED"}
INVITATION = {
    "id": "invite",
    "name": "Invite",
    "type": "LINKEDIN",
    "linkedInType": "LINKEDIN_INVITATION",
    "temporalityType": "ASAP",
}


@pytest.mark.parametrize(
    "step",
    [
        NULLS,
        {**MAIL, "policy": {"skipStepIfNoContact": None, "autoValidateAIDraft": None, "inviteTimeoutDays": None}},
        {**LATER, "delay": {"value": 2, "unit": "day"}, "linkedInType": None},
        {**INVITATION, "content": None, "subject": None},
    ],
    ids=["every optional field", "inside a policy", "beside a delay", "the content of an invitation"],
)
async def test_null_in_a_step_is_the_same_as_absent(world: World, step: dict[str, Any]) -> None:
    absent = {name: value for name, value in step.items() if value is not None and name != "policy"}
    async with world.client("auto") as desktop:
        given = await desktop.call("get_blueprint", blueprint_id=await desktop.blueprint(step))
        plain = await desktop.call(
            "get_blueprint", blueprint_id=await desktop.blueprint({"content": "", **absent})
        )
        assert given["steps"] == plain["steps"]


async def test_null_in_a_field_that_is_needed_is_told_as_missing(world: World) -> None:
    async with world.client("auto") as desktop:
        refused = await desktop.refused("create_blueprint", name="A", steps=[{**MAIL, "content": None}])
        assert "content is missing" in json.dumps(refused)


@pytest.mark.parametrize(
    ("given", "value", "unit"),
    [
        ({"value": 2, "unit": "hour"}, 120, DelayUnit.MINUTE),
        ({"value": 48, "unit": "hours"}, 2, DelayUnit.DAY),
        ({"value": 1.5, "unit": "hour"}, 90, DelayUnit.MINUTE),
        ({"value": 1, "unit": "week"}, 7, DelayUnit.DAY),
        ({"value": 3, "unit": "days"}, 3, DelayUnit.DAY),
        ({"value": 90, "unit": "Minutes"}, 90, DelayUnit.MINUTE),
        ({"value": 0.5, "unit": "minute"}, 30, DelayUnit.SECOND),
        ({"value": 2.0, "unit": "day"}, 2, DelayUnit.DAY),
    ],
)
def test_a_delay_in_another_unit_is_converted_exactly(given: dict[str, Any], value: int, unit: DelayUnit) -> None:
    assert Delay.model_validate(given) == Delay(value=value, unit=unit)


@pytest.mark.parametrize(
    "delay",
    [
        {"value": True, "unit": "day"},
        {"value": False, "unit": "hour"},
        {"value": 1, "unit": "month"},
        {"value": 0.0001, "unit": "second"},
        {"value": "soon", "unit": "hour"},
        {"value": -2, "unit": "hour"},
        {"value": 10_000, "unit": "hours"},
        {"value": [1], "unit": "day"},
        {"value": 1, "unit": 7},
    ],
)
async def test_a_delay_that_is_no_span_of_time_is_refused(world: World, delay: dict[str, Any]) -> None:
    async with world.client("auto") as desktop:
        refused = await desktop.refused("create_blueprint", name="A", steps=[MAIL, {**LATER, "delay": delay}])
        assert {found["field"] for found in refused["findings"]} <= {"delay.value", "delay.unit", "delay"}


async def test_a_delay_in_hours_is_kept_by_the_engine(world: World) -> None:
    async with world.client("auto") as desktop:
        kept = await desktop.blueprint(MAIL, {**LATER, "delay": {"value": 36, "unit": "hour"}})
        steps = (await desktop.call("get_blueprint", blueprint_id=kept))["steps"]
        assert steps[1]["delay"] == {"value": 2_160, "unit": "minute"}


@pytest.mark.parametrize(
    "form", ["each item as text", "the whole list as text", "one object alone", "one as text"]
)
async def test_steps_and_people_given_as_json_text_are_read(world: World, form: str) -> None:
    async with world.client("auto") as desktop:
        blueprint = await desktop.call(
            "create_blueprint", name="A", steps=written([MAIL], form), job_title="Engineer"
        )
        found = await desktop.call("get_blueprint", blueprint_id=blueprint["blueprint_id"])
        assert found["steps"][0]["content"] == MAIL["content"]
        shown = await desktop.call(
            "preview_sequence", blueprint_id=blueprint["blueprint_id"], contacts=written([GRACE], form)
        )
        assert "Hi Grace" in json.dumps(shown)


def written(items: list[dict[str, Any]], form: str) -> Any:
    return {
        "each item as text": [json.dumps(item) for item in items],
        "the whole list as text": json.dumps(items),
        "one object alone": items[0],
        "one as text": json.dumps(items[0]),
    }[form]


@pytest.mark.parametrize("text", ['{"id": ', "[1, 2", "{}}", "[" * 100_000])
async def test_text_that_only_looks_like_json_is_refused_as_text(world: World, text: str) -> None:
    async with world.client("auto") as desktop:
        refused = await desktop.refused("create_blueprint", name="A", steps=[text])
        assert refused["code"] == "refused_by_guards"


async def test_a_text_written_per_contact_brings_its_own_subject(world: World) -> None:
    step = {name: value for name, value in WRITTEN.items() if name not in ("subject", "content")}
    own = {"subject": "Compilers", "content": "Hi Grace, would a short call about compilers suit you?"}
    async with world.client("auto") as desktop:
        blueprint = await desktop.blueprint(step)
        people = [{**GRACE, "texts": {"own": own}}, {**LINUS, "texts": {"own": own["content"]}}]
        shown = await desktop.call("preview_sequence", blueprint_id=blueprint, contacts=people)
        assert "Compilers" in json.dumps(shown["people"][0])
        plan = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people)
        assert plan["people"] == 1
        assert "has a subject" in json.dumps(plan["left_out"])


ONE_CHANGED = [{**MAIL, "content": "Hi {{firstname}}, does a call on Monday suit you?"}]
THREE = [MAIL, {**LATER, "delay": {"value": 3, "unit": "day"}}, LINKEDIN]


@pytest.mark.parametrize(
    "steps",
    [ONE_CHANGED, ONE_CHANGED[0], [{**MAIL, "id": "another"}], [*ONE_CHANGED, THREE[2]]],
    ids=["a list of one", "the step itself", "a new one alone", "two of three"],
)
async def test_part_of_the_steps_given_for_the_whole_names_what_it_would_drop(world: World, steps: Any) -> None:
    async with world.client("auto") as desktop:
        kept = await desktop.blueprint(*THREE)
        refused = await desktop.refused("update_blueprint", blueprint_id=kept, expected_version=1, steps=steps)
        assert "steps is the whole list" in refused["message"]
        assert "later" in refused["would_drop"]
        assert (await desktop.call("get_blueprint", blueprint_id=kept))["version"] == 1


async def test_steps_are_removed_by_giving_the_others_unchanged(world: World) -> None:
    async with world.client("auto") as desktop:
        kept = await desktop.blueprint(*THREE)
        done = await desktop.call(
            "update_blueprint", blueprint_id=kept, expected_version=1, steps=[MAIL, LINKEDIN]
        )
        assert done["removed_steps"] == ["later"]
        found = await desktop.call("get_blueprint", blueprint_id=kept)
        assert [step["id"] for step in found["steps"]] == ["hello", "message"]


async def test_every_bad_row_of_a_call_is_told_in_one_answer_with_its_field_and_value(world: World) -> None:
    bad: list[Any] = [
        {**GRACE, "email": "no address"},
        GRACE,
        {**LINUS, "phone": 12},
        {"first_name": "Nobody"},
        {**LINUS, "emial": "x@y.example"},
        17,
        {**LINUS, "first_name": "{{firstname}}"},
    ]
    async with world.client("auto") as desktop:
        form = await desktop.refused("save_contacts", contacts=bad)
        facts = await desktop.refused(
            "save_contacts",
            contacts=[{**GRACE, "email": "no address"}, LINUS, {**GRACE, "country": "Narnia", "language": "??"}],
        )
        mixed = await desktop.refused(
            "save_contacts",
            contacts=[{**GRACE, "first_name": "[first name]"}, {**LINUS, "email": "linus at home"}],
        )
        people = (await desktop.call("find_contacts"))["total_count"]
    assert [(row["position"], row["field"]) for row in mixed["problems"]] == [(1, "first_name"), (2, "email")]
    assert [(row["position"], row.get("field")) for row in form["problems"]] == [
        (1, "email"),
        (3, "phone"),
        (4, None),
        (5, "emial"),
        (6, None),
        (7, "first_name"),
    ]
    assert form["problems"][-1]["value"] == "{{firstname}}"
    assert [(row["position"], row["field"], row["value"]) for row in facts["problems"]] == [
        (1, "email", "no address"),
        (3, "country", "Narnia"),
        (3, "language", "??"),
    ]
    assert people == 0


NOBODY = "local:ct_01ARZ3NDEKTSV4RRFFQ69G5FAV"
EVERY_KIND: list[Any] = [
    {**GRACE, "shoe": "42", "phone": "12"},
    {**GRACE, "email": "ada@hopper.example", "time_zone": "Mars/Olympus", "job_title": 7},
    {"email": "bo@hopper.example", "linkedin_url": "https://example.com/bo"},
    {"id": NOBODY},
    17,
    {"email": "cy@hopper.example", "country": "Narnia", "first_name": "[first name]"},
    {"phone": "+33639980101"},
    {"email": "cy@hopper.example", "first_name": "Cy"},
    {"email": "CY@hopper.example"},
]
USED = [
    *[(1, "phone"), (1, "shoe"), (2, "job_title"), (2, "time_zone"), (3, "linkedin_url"), (4, "id"), (5, None)],
    *[(6, "country"), (6, "first_name"), (9, None)],
]


@pytest.mark.parametrize("tool", ["save_contacts", "start_sequence", "preview_sequence"])
async def test_faults_of_form_of_values_and_of_ids_come_in_one_answer(world: World, tool: str) -> None:
    steps = [MAIL, {**SMS, "id": "text"}, LINKEDIN]
    async with world.client("auto") as desktop:
        more = {} if tool == "save_contacts" else {"blueprint_id": await desktop.blueprint(*steps)}
        first = await desktop.refused(tool, contacts=EVERY_KIND[:5], **more)
        second = await desktop.refused(tool, contacts=EVERY_KIND[5:], **more)
        people = (await desktop.call("find_contacts"))["total_count"]
    rows = [(row["position"], row.get("field")) for row in first["problems"]]
    rows += [(row["position"] + 5, row.get("field")) for row in second["problems"]]
    assert sorted(rows, key=str) == sorted(USED, key=str)
    assert people == 0


async def test_every_wrong_variable_and_text_of_a_person_is_told_at_once(world: World) -> None:
    person = {
        **GRACE,
        "variables": {"company": "Acme", "firstname": " ", "lastname": "{{lastname}}"},
        "texts": {"own": 7, "hello": {"text": "Hi"}},
    }
    async with world.client("auto") as desktop:
        blueprint = await desktop.blueprint()
        refused = await desktop.refused("start_sequence", blueprint_id=blueprint, contacts=[person, NOBODY])
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
        changed = await desktop.refused(
            "update_sequence", sequence_id=started["sample"]["sequence_id"], variables=person["variables"]
        )
    assert [(row["position"], row["field"]) for row in refused["problems"]] == [
        (1, "variables.company"),
        (1, "variables.firstname"),
        (1, "texts.own"),
        (1, "texts.hello"),
        (1, "lastname"),
        (2, "id"),
    ]
    for name in ("company", "firstname", "lastname"):
        assert name in changed["message"]


@pytest.mark.parametrize("tool", ["save_contacts", "start_sequence", "preview_sequence"])
async def test_of_many_bad_rows_the_first_ten_are_shown_and_the_rest_counted(world: World, tool: str) -> None:
    rows = [{**GRACE, "email": f"number {index}"} for index in range(700)]
    async with world.client("auto") as desktop:
        more = {} if tool == "save_contacts" else {"blueprint_id": await desktop.blueprint()}
        refused = await desktop.refused(tool, contacts=rows, **more)
        people = (await desktop.call("find_contacts"))["total_count"]
    assert (len(refused["problems"]), refused["more"], people) == (10, 690, 0)


async def test_a_bad_fact_that_a_sequence_does_not_use_is_a_warning_and_one_it_uses_is_refused(
    world: World,
) -> None:
    person = {**GRACE, "phone": "12", "company_domain": "not a host", "language": "??"}
    async with world.client("auto") as desktop:
        mail, text = await desktop.blueprint(MAIL), await desktop.blueprint({**SMS, "id": "text"})
        await desktop.call("preview_sequence", blueprint_id=mail, contacts=[person])
        plan = await desktop.call("start_sequence", blueprint_id=mail, contacts=[person, LINUS])
        refused = await desktop.refused(
            "start_sequence", blueprint_id=text, contacts=[{**LINUS, "phone": "12", "language": "??"}]
        )
        kept = (await desktop.call("find_contacts", query="grace"))["items"][0]
    assert plan["people"] == 2
    assert json.dumps(plan).count("person.fact_not_saved") >= 1
    assert "phone" in refused["message"]
    assert not {"phone", "company_domain", "language"} & set(kept)


SMS = {
    "id": "sms",
    "name": "Text",
    "type": "SMS",
    "content": "Hi {{firstname}}, call me.",
    "temporalityType": "ASAP",
}


async def test_an_id_with_facts_beside_it_is_one_person_with_both(world: World) -> None:
    async with world.client("auto") as desktop:
        blueprint = await desktop.blueprint()
        own = await desktop.contact(first_name="G.")
        both = {"id": own, "first_name": "Grace", "company": "Eckert", "note": "Met in Philadelphia"}
        shown = await desktop.call("preview_sequence", blueprint_id=blueprint, contacts=[both])
        untouched = (await desktop.call("find_contacts"))["items"]
        plan = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[both])
        found = (await desktop.call("find_contacts"))["items"]
        twice = await desktop.refused("start_sequence", blueprint_id=blueprint, contacts=[own, GRACE])
    assert "Hi Grace" in json.dumps(shown)
    assert untouched[0]["first_name"] == "G."
    assert plan["people"] == 1
    assert len(found) == 1
    assert (found[0]["id"], found[0]["company"]) == (own, "Eckert")
    assert "Philadelphia" in found[0]["notes"]
    assert "the same person" in twice["message"]


async def test_an_unknown_id_among_many_is_told_by_its_position(world: World) -> None:
    async with world.client("auto") as desktop:
        refused = await desktop.refused("save_contacts", contacts=[GRACE, {"id": "local:ct_0", "company": "A"}])
        wrong = await desktop.refused(
            "start_sequence", blueprint_id=await desktop.blueprint(), contacts=[GRACE, "local:bp_1", "topo"]
        )
    assert "contact 2" in refused["message"]
    assert [row["position"] for row in wrong["problems"]] == [2, 3]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({**LINKEDIN, "type": "LINKEDIN_MESSAGE"}, "write type LINKEDIN and linkedInType LINKEDIN_MESSAGE"),
        ({name: MAIL[name] for name in MAIL if name != "temporalityType"}, "one of ASAP, DELAYED"),
        ({name: MAIL[name] for name in MAIL if name != "type"}, "one of EMAIL, LINKEDIN"),
        ({**LATER, "delay": 2}, "delay is {value: a whole number, unit: day, minute or second}"),
        ({**LATER, "delay": {"days": 2}}, "delay.days is wrong: delay is {value"),
        ({**MAIL, "policy": "skip"}, "policy is {skipStepIfNoContact"),
        ({**MAIL, "subject": ["A role", "Your role"]}, "two to four to compare stand in variants"),
        ({**MAIL, "content": ["A text", "Another"]}, "two to four to compare stand in variants"),
        ({**MAIL, "variant": "A"}, "variant is no field of a step; write variants"),
        ({**MAIL, "body": "A text"}, "body is no field of a step; write content"),
        ("Hi Grace", "an object with id, name, type, temporalityType"),
    ],
)
async def test_a_step_of_the_wrong_form_is_told_what_to_write(
    world: World, step: dict[str, Any] | str, words: str
) -> None:
    async with world.client("auto") as desktop:
        assert words in json.dumps(await desktop.refused("create_blueprint", name="A", steps=[step]))


async def test_a_doubtful_value_for_a_run_is_a_warning_at_once(world: World) -> None:
    async with world.client("auto") as desktop:
        started = await desktop.call("start_sequence", blueprint_id=await desktop.blueprint(), contacts=[GRACE])
        run = started["sample"]["sequence_id"]
        done = await desktop.call("update_sequence", sequence_id=run, variables={"firstname": "MARIA"})
        plain = await desktop.call("update_sequence", sequence_id=run, variables={"firstname": "Maria"})
    assert "Likely: Maria." in done["warnings"][0]
    assert "warnings" not in plain


async def test_parts_of_a_step_or_a_person_may_be_json_text(world: World) -> None:
    variants = [{"subject": "A role"}, {"subject": "Your next role"}]
    step = {name: MAIL[name] for name in MAIL if name != "subject"}
    as_text = {
        **step,
        "temporalityType": "DELAYED",
        "variants": json.dumps(variants),
        "delay": json.dumps(TWO_DAYS),
    }
    async with world.client("auto") as desktop:
        [stored] = (await desktop.call("get_blueprint", blueprint_id=await desktop.blueprint(as_text)))["steps"]
        person = {**GRACE, "variables": json.dumps({"firstname": "Gracie"})}
        shown = await desktop.call("preview_sequence", blueprint_id=await desktop.blueprint(), contacts=[person])
    assert (stored["variants"], stored["delay"]) == (variants, TWO_DAYS)
    assert "Hi Gracie" in shown["people"][0]["steps"][0]["content"]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("record_reply", {"who": "Grace", "answer": "won"}),
        ("export_contact", {"contact": "Grace"}),
        ("erase_contact", {"contact": "Grace"}),
        ("suppress_contact", {"contact": "Grace", "reason": "She asked."}),
    ],
)
async def test_a_name_where_an_id_or_address_belongs_is_told_every_form(
    world: World, tool: str, arguments: dict[str, str]
) -> None:
    async with world.client("auto") as desktop:
        refused = await desktop.refused(tool, **arguments)
    assert "'Grace' is no" in refused["message"]
    assert all(form in refused["next"] for form in ("local:ct_", "name@example.com", "find_contacts"))


async def test_a_tool_that_only_a_vendor_brings_is_told_by_its_own_name(world: World) -> None:
    async with world.client("auto") as desktop:
        refused = await desktop.refused("check_operation", operation_id="local:op_1")
    assert refused["message"] == (
        "The tool check_operation is there only while Kalent, Clarky or Topo is connected."
    )
    assert refused["next"] == "A person at a terminal (sequences-mcp review resolve) does the same."


async def test_a_change_of_nothing_is_told_what_can_be_changed(world: World) -> None:
    async with world.client("auto") as desktop:
        made = await desktop.blueprint()
        refused = await desktop.refused("update_blueprint", blueprint_id=made, expected_version=1)
    assert all(name in refused["next"] for name in ("format", "archived", "on_reply"))
