"""A preview tells of each person what a start would do with them, and does none of it."""

from __future__ import annotations

from typing import Any

from tests.world.product import GRACE, LINUS, MAIL, Bureau, Desktop, plant, yes

STEP = {**MAIL, "content": "Hi {{firstname}}, how is {{candidateCompanyName}}?"}


async def told(desktop: Desktop, *contacts: Any) -> list[list[str]]:
    """Return why each person would be left out."""
    [blueprint] = (await desktop.call("list_blueprints"))["items"]
    shown = await desktop.call("preview_sequence", blueprint_id=blueprint["id"], contacts=list(contacts))
    return [one.get("left_out", []) for one in shown["people"]]


async def test_each_person_gets_their_own_reasons_saved_or_not(bureau: Bureau) -> None:
    navy, kernel = {**GRACE, "company": "Navy"}, {**LINUS, "company": "Kernel"}
    phone_only = {"phone": "+33612345678", "first_name": "Ada", "company": "Engines"}
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint(STEP)
        await desktop.call("suppress_contact", contact=GRACE["email"], reason="asked us to stop")
        everybody = [navy, kernel, {**kernel, "email": "x@torvalds.example", "company": None}, phone_only]
        reasons = await told(desktop, *everybody)
        assert reasons[0] == ["suppressed: asked us to stop"]
        assert reasons[1] == []
        assert "{{candidateCompanyName}} would be blank" in reasons[2][0]
        assert "No e-mail address is known" in reasons[3][0]
        assert await told(desktop, *reversed(everybody)) == list(reversed(reasons))
        assert (await desktop.call("find_contacts"))["total_count"] == 0
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=everybody)
        assert [one["reasons"] for one in started["left_out"]] == [reasons[0], reasons[2], reasons[3]]
        [busy] = (await told(desktop, {"email": LINUS["email"]}))[0]
        assert busy.startswith("already in local:seq_")


async def test_stored_values_that_look_like_variables_are_never_filled_in_and_refuse_the_person(
    bureau: Bureau,
) -> None:
    async with bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint(STEP)
        contact = await desktop.contact(company="Plain")
        plant(bureau.folder, "Plain", "{{recruiterFirstname}} [x]")
        shown = await desktop.call("preview_sequence", blueprint_id=blueprint, contacts=[contact])
        [person] = shown["people"]
        assert person["steps"][0]["content"] == "Hi Grace, how is {{recruiterFirstname}} [x]?"
        refused = await desktop.refused("start_sequence", blueprint_id=blueprint, contacts=[contact])
    assert person["left_out"] == refused["left_out"][0]["reasons"] != []


async def test_a_start_shows_what_the_preview_showed(bureau: Bureau) -> None:
    untidy = {**GRACE, "first_name": "  Grace\nBrewster ", "company": "The\t Navy"}
    async with bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint(STEP)
        shown = await desktop.call("preview_sequence", blueprint_id=blueprint, contacts=[untidy])
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[untidy])
    text = "Hi Grace Brewster, how is The Navy?"
    assert shown["people"][0]["steps"][0]["content"] == started["sample"]["steps"][0]["content"] == text


async def test_a_blueprint_needs_a_name_that_shows(bureau: Bureau) -> None:
    async with bureau.client("auto") as desktop:
        for name in ("", "  ", "\u200b", "\u3164\n"):
            error = await desktop.refused("create_blueprint", name=name, steps=[MAIL])
            assert error["message"] == "name is blank or longer than 200 characters."
