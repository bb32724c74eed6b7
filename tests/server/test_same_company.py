"""A stop of a whole company reaches its people under every spelling, and nobody who only looks like them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.world.product import MAIL, Desktop, World

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.companies import company_key, is_same_company
from sequences_mcp.domain.contact import ContactFields

ACME = [
    "Acme", "ACME", "Acme, Inc.", "Acme GmbH", "Acme GmbH & Co. KG", "Acme Co., Ltd.", "Acme Sp. z o.o.",
    "Acme A/S",
    "Acme sp. z o. o.", "Acme S.A. de C.V.", "Acme S. A. de C. V.", "Acme Pty Ltd", "Acme AG & Co. KGaA",
    "Acmé S.p.A.",
    "Acme B.V.", "Acme Sdn. Bhd.", "The Acme Company", "Acme UG (haftungsbeschränkt)", "Acme Private Limited",
    "ООО Acme", "Acme S.à r.l.", "Công ty TNHH Acme", "บริษัท Acme จำกัด", "Acme Anonim Şirketi", "Acme Α.Ε.",
    "Acme Aktiengesellschaft", "Acme e.K.", "gGmbH Acme", "Acme d.d.", "Acme SARL AU", "㈱Acme", "Acme 유한회사",
]  # fmt: skip


@pytest.mark.parametrize("name", ACME)
def test_a_legal_form_is_no_part_of_a_name(name: str) -> None:
    assert company_key(name) == "acme"


@pytest.mark.parametrize("name", ["Acme Bank", "Acme Studios", "Acmeo", "SAP SE", "Group Acme"])
def test_another_name_stays_another_name(name: str) -> None:
    assert company_key(name) not in (None, "acme")


@pytest.mark.parametrize(
    "name",
    ["Self-employed", "N/A", "Stealth Startup", "Freelancer", "-", "", "Inc.", "GmbH & Co. KG", "The Group"],
)
def test_what_names_no_company_makes_nobody_a_colleague(name: str) -> None:
    one = ContactFields(email="a@gmail.com", company=name)
    other = ContactFields(email="b@one.example", company=name)
    assert not is_same_company(one, other)


SAME = [
    ({"email": "a@acme.example"}, {"email": "b@acme.example"}),
    ({"email": "a@acme.example"}, {"email": "b@mail.acme.example"}),
    ({"email": "a@eu.acme.co.uk"}, {"email": "b@us.acme.co.uk"}),
    ({"email": "a@acme.com", "company": "Acme Inc."}, {"email": "b@acme.de", "company": "ACME GmbH"}),
    ({"email": "a@gmail.com", "company": "Acme Inc."}, {"email": "b@acme.de", "company": "Acme"}),
    ({"email": "a@gmail.com", "company_domain": "www.acme.example"}, {"email": "b@acme.example"}),
    ({"email": "a@straße.de"}, {"email": "b@xn--strae-oqa.de"}),
    ({"email": "a@netlify.app"}, {"email": "b@netlify.app"}),  # its own people: customers have names below it
]
OTHERS = [
    ({"email": "a@gmail.com"}, {"email": "b@gmail.com"}),
    ({"email": "a@gmx.fr", "company_domain": "gmx.fr"}, {"email": "b@gmx.fr", "company_domain": "gmx.fr"}),
    ({"email": "a@one.co.uk"}, {"email": "b@two.co.uk"}),
    ({"email": "a@one.github.io"}, {"email": "b@two.github.io"}),
    ({"email": "a@acme.example", "company": "Acme"}, {"email": "b@acmeo.example", "company": "Acme Bank"}),
    ({"email": "a@straße.de"}, {"email": "b@strasse.de"}),
    ({"email": "a@netlify.app"}, {"email": "b@customer.netlify.app"}),
    ({"email": "a@alumni.stanford.edu"}, {"email": "b@alumni.stanford.edu"}),
    ({"email": "a@vip.qq.com"}, {"email": "b@qq.com"}),
    ({"email": "a@comhem.se"}, {"email": "b@comhem.se"}),
    ({"phone": "+33144556677"}, {"phone": "+33144556678"}),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_people_of_one_registered_domain_or_one_name_are_colleagues(
    one: dict[str, str], other: dict[str, str]
) -> None:
    assert is_same_company(ContactFields(**one), ContactFields(**other))


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_strangers_are_no_colleagues(one: dict[str, str], other: dict[str, str]) -> None:
    assert not is_same_company(ContactFields(**one), ContactFields(**other))


async def stopped(
    world: World, desktop: Desktop, *people: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Start these people, stop the company of the first; return the result and each run's id by address."""
    asked = await desktop.call(
        "start_sequence",
        blueprint_id=await desktop.blueprint(MAIL),
        contacts=[{"first_name": "Ada", **p} for p in people],
    )
    async with world.app() as app:
        await app.plans.approve_plan(asked["plan_id"], digest=asked["digest"], actor=Actor("ada"))
    runs = {one["email"]: one["id"] for one in (await desktop.call("list_sequences"))["items"]}
    said = await desktop.call(
        "stop_sequence", sequence_id=runs[people[0]["email"]], reason="LOSE", scope="COMPANY"
    )
    return said, runs


async def test_a_company_stop_names_whom_it_left_alone_and_why(world: World) -> None:
    async with world.client("auto") as desktop:
        said, runs = await stopped(
            world,
            desktop,
            {"email": "a@acme.example", "company": "Acme GmbH & Co. KG"},
            {"email": "b@jobs.acme.example"},
            {"email": "c@acme.de", "company": "ACME S.A. de C.V."},
            {"email": "d@acmebank.example", "company": "Acme Bank"},
            {"email": "e@other.example", "company": "Other"},
        )
    assert said["stopped_count"] == 3
    assert {one["id"] for one in said["stopped"]} == {
        runs[email] for email in ("a@acme.example", "b@jobs.acme.example", "c@acme.de")
    }
    [(why, told)] = said["not_stopped"].items()
    assert "only similar" in why
    assert told == f"1: {runs['d@acmebank.example']}"


async def test_two_strangers_at_a_mail_provider_are_left_alone_and_told_so(world: World) -> None:
    async with world.client("auto") as desktop:
        said, runs = await stopped(
            world,
            desktop,
            {"email": "a@gmail.com", "company": "Acme"},
            {"email": "b@gmail.com"},
            {"email": "c@gmail.com", "company": "Acme, Inc."},
        )
    assert {one["id"] for one in said["stopped"]} == {runs["a@gmail.com"], runs["c@gmail.com"]}
    assert said["not_stopped"] == {
        "only the same mail provider (gmail.com), which strangers share": f"1: {runs['b@gmail.com']}"
    }
