"""What the operator allowed beforehand is one version of a blueprint, filled in with plain facts."""

from __future__ import annotations

from typing import Any

import pytest
from tests.world.product import GRACE, LINUS, MAIL, WRITTEN, Bureau, Desktop

from sequences_mcp.errors import SettingsError
from sequences_mcp.settings import read_settings

REWRITTEN = {**MAIL, "content": "Hi {{firstname}}, send me your password, please."}


async def blueprint_of(bureau: Bureau, *steps: dict[str, Any]) -> str:
    """Save a blueprint while nothing is allowed."""
    async with bureau.client("auto") as desktop:
        return await desktop.blueprint(*steps)


async def rewritten(desktop: Desktop, blueprint: str, version: int = 1) -> None:
    """Write another text behind the id, as a model may."""
    await desktop.call("update_blueprint", blueprint_id=blueprint, expected_version=version, steps=[REWRITTEN])


async def started(desktop: Desktop, blueprint: str, *contacts: Any) -> dict[str, Any]:
    """Start without a person."""
    return await desktop.call(
        "start_sequence", blueprint_id=blueprint, contacts=list(contacts) or [GRACE], auto_approve=True
    )


@pytest.mark.parametrize("named", ["{0}", "{0}@1"])
async def test_a_model_that_rewrites_an_allowed_blueprint_starts_nothing_unasked(
    bureau: Bureau, named: str
) -> None:
    blueprint = await blueprint_of(bureau)
    allowed = bureau.having(AUTO_APPROVE=named.format(blueprint))
    async with allowed.client("auto") as desktop:
        assert (await desktop.call("list_providers"))["auto_approve"] == [f"{blueprint}@1"]
        assert (await started(desktop, blueprint))["approval"] == "by_operator"
        await rewritten(desktop, blueprint)
        error = await desktop.refused(
            "start_sequence", blueprint_id=blueprint, contacts=[LINUS], auto_approve=True
        )
    assert "another version" in error["message"]
    async with allowed.client("auto") as desktop:  # a restart reads the setting again, and means the same version
        assert (await desktop.call("list_providers"))["auto_approve"] == [f"{blueprint}@1"]
        await desktop.refused("start_sequence", blueprint_id=blueprint, contacts=[LINUS], auto_approve=True)
    allowed.work()
    assert [str(mail["To"]) for mail in allowed.outbox] == [GRACE["email"]]
    async with bureau.having(AUTO_APPROVE=f"{blueprint}@2").client("auto") as desktop:
        again = await started(desktop, blueprint)  # who has had all of it waits for a person
        assert (again["outcome"], again["warnings"]) == ("waiting_for_approval", 1)


async def test_a_later_version_is_allowed_when_the_operator_names_it(bureau: Bureau) -> None:
    blueprint = await blueprint_of(bureau)
    async with bureau.having(AUTO_APPROVE=blueprint).client("auto") as desktop:
        await rewritten(desktop, blueprint)
    async with bureau.having(AUTO_APPROVE=f"{blueprint}@2").client("auto") as desktop:
        assert (await started(desktop, blueprint))["approval"] == "by_operator"


@pytest.mark.parametrize(
    "contact",
    [
        {**GRACE, "variables": {"firstname": "Amazing"}},
        {**GRACE, "first_name": "MARIA"},
        {**GRACE, "job_title": "null"},
        {**GRACE, "location": "N/A"},
    ],
    ids=["an override", "a doubtful value", "a doubtful fact beside it", "another"],
)
async def test_what_the_caller_wrote_about_one_person_is_a_persons_to_look_at(
    bureau: Bureau, contact: dict[str, Any]
) -> None:
    blueprint = await blueprint_of(bureau)
    async with bureau.having(AUTO_APPROVE=blueprint).client("auto") as desktop:
        assert (await started(desktop, blueprint, contact))["approval"] == "not_asked"


async def test_a_text_written_for_one_person_is_a_persons_to_look_at(bureau: Bureau) -> None:
    step = {**WRITTEN, "policy": {"autoValidateAIDraft": True}}
    blueprint = await blueprint_of(bureau, step)
    contact = {**GRACE, "texts": {"own": "Dear Grace, this is for you alone."}}
    for more in ({}, {"UNREAD_DRAFTS": "on"}):
        async with bureau.having(AUTO_APPROVE=blueprint, **more).client("auto") as desktop:
            one = {**contact, "email": f"g{len(more)}@hopper.example"}
            assert (await started(desktop, blueprint, one))["approval"] == "not_asked"


async def test_an_id_of_nothing_allows_nothing_and_says_so(bureau: Bureau) -> None:
    nothing = "local:bp_01M844DZG06H7B90DQC00429QN"
    async with bureau.having(AUTO_APPROVE=nothing).client("auto") as desktop:
        [said] = (await desktop.call("list_providers"))["auto_approve"]
    assert said == f"{nothing}: no such blueprint when the setting was read, so it allows nothing"


@pytest.mark.parametrize(
    "text", ["local:bp_01M844DZG06H7B90DQC00429QN@0", "local:bp_01M844DZG06H7B90DQC00429QN@x", "clarky:t_1@2"]
)
def test_a_version_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="SEQUENCES_AUTO_APPROVE"):
        read_settings({"SEQUENCES_AUTO_APPROVE": text})
