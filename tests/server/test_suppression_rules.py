"""What may be listed, by whom, how it shows, and that only a person takes anybody off the list."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.world.product import GRACE, MAIL, Desktop, World

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.companies import is_free_mail, is_public_suffix, registered_domain
from sequences_mcp.errors import InvalidArgumentsError, NotFoundError
from sequences_mcp.server.catalog import tool_names
from sequences_mcp.services.suppression import lift_suppression, suppress_contact
from sequences_mcp.store import journals

SUFFIXES = ["com", "co.uk", "github.io", "de", "公司.cn", "xn--55qx5d.cn", "CO.UK.", "@com.au", "kawasaki.jp"]
FREE = ["gmail.com", "GMX.de", "yahoo.com.br", "hotmail.se", "mail.gmail.com", "orange.fr", "proton.me", "qq.com"]
FREE += ["vip.qq.com", "alumni.mit.edu", "comhem.se"]


@pytest.mark.parametrize("domain", SUFFIXES)
async def test_a_public_suffix_is_nobodys_and_is_refused_to_everybody(world: World, domain: str) -> None:
    async with world.client("auto") as desktop:
        refused = await desktop.refused("suppress_contact", contact=domain, reason="asked")
    assert refused["code"] == "invalid_arguments"
    async with world.app("page") as app:
        with pytest.raises(InvalidArgumentsError):
            await suppress_contact(app, contact=domain, reason="asked")


COPIED = [
    "Zoe <zoe@one.example>",
    "mailto:zoe@one.example",
    "zoe@one.example.",
    "Zoe@One.example;",
    "<zoe@one.example>",
]


@pytest.mark.parametrize("text", COPIED)
async def test_an_address_is_barred_as_it_was_copied_with_what_stood_around_it(world: World, text: str) -> None:
    async with world.client("auto") as desktop:
        done = await desktop.call("suppress_contact", contact=text, reason="asked")
    assert (done["kind"], done["value"]) == ("address", "zoe@one.example")


@pytest.mark.parametrize("domain", FREE)
async def test_a_mail_providers_domain_is_for_a_person_to_list_and_one_address_at_it_for_anybody(
    world: World, domain: str
) -> None:
    address = f"zoe@{domain.lower()}"
    async with world.client("auto") as desktop:
        refused = await desktop.refused("suppress_contact", contact=domain, reason="asked")
        assert "gives addresses to anybody" in refused["message"]
        assert "sequences-mcp review suppress" in refused["next"]
        done = await desktop.call("suppress_contact", contact=address, reason="asked")
        assert (done["kind"], done["value"]) == ("address", address)
    async with world.app("page") as app:
        listed = await suppress_contact(app, contact=domain, reason="asked")
    assert listed.kind == "domain"


@pytest.mark.parametrize(
    "domain", ["globex.example", "acme.co.uk", "shop.github.io", "straße.de", "outlook.acme.com"]
)
async def test_the_domain_of_one_organisation_is_listed_as_before(world: World, domain: str) -> None:
    async with world.client("auto") as desktop:
        assert (await desktop.call("suppress_contact", contact=domain, reason="asked"))["kind"] == "domain"


def test_whose_a_domain_is_comes_from_kept_lists() -> None:
    assert registered_domain("jobs.mail.acme.co.uk") == "acme.co.uk"
    assert registered_domain("mail.xn--strae-oqa.de") == "xn--strae-oqa.de"
    assert is_public_suffix("github.io") and not is_public_suffix("github.com")
    assert not any(map(is_free_mail, ("sap.com", "siemens.com", "google.com", "globex.example")))


async def test_no_tool_takes_anybody_off_the_list(world: World) -> None:
    assert not [
        name for name in tool_names(("kalent", "clarky", "topo")) if "lift" in name or "unsuppress" in name
    ]
    async with world.client("auto") as desktop:
        person = await desktop.contact()
        await desktop.call("suppress_contact", contact=GRACE["email"], reason="asked")
        await desktop.call("save_contacts", contacts=[{**GRACE, "note": "Changed her mind, contact again."}])
        await desktop.call("save_contacts", contacts=[{"id": person, "email": "grace@new.example"}])
        found = await desktop.call("find_contacts", query="Grace")
    assert found["items"][0]["never_contact"] == "asked"


async def listed(world: World) -> str:
    """Start somebody, list their address, and return the run."""
    async with world.client("auto") as desktop:
        blueprint = await desktop.blueprint(MAIL)
        await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
        await desktop.call("suppress_contact", contact=GRACE["email"], reason="asked on the phone")
        runs = await desktop.call("list_sequences")
    return str(runs["items"][0]["id"])


async def test_a_run_that_the_list_stopped_says_so(world: World) -> None:
    run = await listed(world)
    async with world.client("auto") as desktop:
        seen = await desktop.call("get_sequence", sequence_id=run)
    assert "suppressed: asked on the phone" in json.dumps(seen)


async def test_a_person_lifts_it_with_a_reason_and_the_audit_and_the_journal_say_so(world: World) -> None:
    await listed(world)
    async with world.app() as app:
        with pytest.raises(InvalidArgumentsError, match="reason"):
            await lift_suppression(app, contact=GRACE["email"], reason=" ", actor=Actor("page"))
        done = await lift_suppression(
            app, contact=" GRACE@hopper.example ", reason="she wrote", actor=Actor("page")
        )
        assert (done.value, done.was, done.still) == (GRACE["email"], "asked on the phone", ())
        with pytest.raises(NotFoundError, match="is not on the list"):
            await lift_suppression(app, contact=GRACE["email"], reason="again", actor=Actor("page"))
        audit = (await app.records.list_audit(page=1, size=5)).items[0]
    assert (audit.action, audit.actor, audit.subject) == (
        "suppression.lifted",
        "page",
        f"address:{GRACE['email']}",
    )
    assert audit.detail == {"reason": "she wrote", "was": "asked on the phone"}
    lines, _ = journals.journal_tail(world.folder / journals.SUPPRESSIONS, 0)
    assert [(one["do"], one["value"]) for one in lines] == [("suppress", GRACE["email"]), ("lift", GRACE["email"])]
    async with world.client("auto") as desktop:
        assert "never_contact" not in (await desktop.call("find_contacts", query="Grace"))["items"][0]
        again = await desktop.call("start_sequence", blueprint_id=await desktop.blueprint(MAIL), contacts=[GRACE])
    assert again["outcome"] == "waiting_for_approval"


async def test_what_still_covers_them_is_named(world: World) -> None:
    async with world.client("auto") as desktop:
        person = await desktop.contact()
        await desktop.call("suppress_contact", contact="hopper.example", reason="company")
        await desktop.call("suppress_contact", contact=person, reason="asked")
    async with world.app() as app:
        done = await lift_suppression(app, contact=GRACE["email"], reason="she wrote", actor=Actor("page"))
        assert set(done.still) == {"domain:hopper.example", f"contact:{person}"}
        done = await lift_suppression(app, contact=person, reason="she wrote", actor=Actor("page"))
        assert done.still == ("domain:hopper.example",)
        await lift_suppression(app, contact="https://www.Hopper.example/", reason="she wrote", actor=Actor("page"))
        with pytest.raises(NotFoundError):
            await lift_suppression(app, contact="hopper.example", reason="again", actor=Actor("page"))


async def test_a_person_of_a_mail_provider_that_is_listed_is_lifted_only_with_the_provider(world: World) -> None:
    async with world.app("page") as app:
        await suppress_contact(app, contact="gmail.com", reason="house rule")
        with pytest.raises(NotFoundError, match=r"What covers it is domain:gmail\.com"):
            await lift_suppression(app, contact="zoe@gmail.com", reason="she wrote", actor=Actor("page"))


async def remembered(desktop: Desktop) -> list[dict[str, Any]]:
    return list((await desktop.call("find_contacts"))["items"])


async def test_everybody_of_a_listed_company_is_shown_as_such(world: World) -> None:
    async with world.client("auto") as desktop:
        await desktop.contact()
        await desktop.contact(email="linus@torvalds.example", first_name="Linus", linkedin_url=None)
        await desktop.call("suppress_contact", contact="hopper.example", reason="a customer")
        shown = {one["email"]: one.get("never_contact") for one in await remembered(desktop)}
    assert shown == {"grace@hopper.example": "a customer", "linus@torvalds.example": None}
