"""What the law asks for, as a model meets it: at vendors too, and where a start was allowed beforehand."""

from __future__ import annotations

from typing import Any

import pytest
from mcp.types import ElicitResult
from tests.world.kept_starts import asked_for
from tests.world.product import MAIL, Bureau, yes
from tests.world.vendors import ALI, ZOE, Connected

GERMAN = {"email": "emmy@noether.example", "first_name": "Emmy", "company": "Göttingen", "country": "DE"}


@pytest.mark.parametrize("vendor", ["clarky", "topo"])
async def test_whoever_has_not_consented_is_left_out_of_a_start_at_a_vendor(
    vendors: Connected, vendor: str
) -> None:
    _, asked = await asked_for(vendors, vendor, contacts=[{**ZOE, "country": "DE"}, ALI])
    [left] = asked["left_out"]
    assert left["email"] == ZOE["email"]
    assert left["reasons"][0].startswith("Consent is needed before the first message")


async def test_a_start_that_was_allowed_beforehand_waits_for_a_person_where_a_record_is_to_be_looked_at(
    bureau: Bureau,
) -> None:
    async with bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint(MAIL)
    async with bureau.having(AUTO_APPROVE=f"{blueprint}@1").client("auto") as desktop:
        await desktop.call("save_contacts", contacts=[{**GERMAN, "consent": "they said so"}])
        started = await desktop.call(
            "start_sequence", blueprint_id=blueprint, contacts=[GERMAN["email"]], auto_approve=True
        )
    assert started["outcome"] == "waiting_for_approval"
    assert "they said so" in str(started)


async def test_the_dialog_of_a_small_start_names_the_record_of_consent(bureau: Bureau) -> None:
    shown: list[str] = []

    def asked(text: str) -> ElicitResult:
        shown.append(text)
        return yes(text)

    async with bureau.client("auto", asked) as desktop:
        blueprint = await desktop.blueprint(MAIL)
        await desktop.call(
            "start_sequence", blueprint_id=blueprint, contacts=[{**GERMAN, "consent": "they said so"}]
        )
    assert any("Consent is needed" in text and "they said so" in text for text in shown), shown


async def test_neither_a_note_nor_a_variable_nor_another_spelling_of_the_country_stands_for_consent(
    bureau: Bureau,
) -> None:
    async with bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint(MAIL)
        changes: tuple[dict[str, Any], ...] = (
            {"note": "consent: yes"},
            {"country": " de "},
            {"consent": "   "},
            {"variables": {"consent": "yes"}},
        )
        for number, change in enumerate(changes):
            contact = {**GERMAN, **change, "email": f"emmy{number}@noether.example"}
            refused = await desktop.refused("start_sequence", blueprint_id=blueprint, contacts=[contact])
            assert "Consent is needed" in str(refused) or "variables" in str(refused), refused
