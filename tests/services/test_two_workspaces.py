"""Two workspaces in one process: two contexts that are open at once and share nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.secrecy import planted
from tests.world.product import GRACE, LINUS, Bureau, Desktop

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import ApprovalError, NotFoundError
from sequences_mcp.review.lock.passphrase import check_passphrase, is_set, set_passphrase
from sequences_mcp.services.reviews import approve_plan
from sequences_mcp.store.safekeeping import FolderRecords

PASSPHRASE = planted.PASSPHRASE.value


@pytest.fixture
def other(bureau: Bureau, tmp_path: Path) -> Bureau:
    """Another workspace of this process, with another sender, under the same clock."""
    second = replace(bureau, folder=tmp_path / "second")
    return second.having(SENDER="Charles Babbage <charles@babbage.example>")


async def approved(app: AppContext, desktop: Desktop, contact: dict[str, str]) -> str:
    """Start and approve one person's sequence in a workspace; return the id of its plan."""
    started = await desktop.call("start_sequence", blueprint_id=await desktop.blueprint(), contacts=[contact])
    plan = await approve_plan(
        app, plan_id=started["plan_id"], digest=started["digest"], actor=Actor("terminal:ada")
    )
    return plan.id


async def test_two_contexts_open_at_once_have_no_row_in_common(bureau: Bureau, other: Bureau) -> None:
    async with bureau.app("agent") as first, other.app("agent") as second:
        async with bureau.client() as here, other.client() as there:
            one, two = await approved(first, here, GRACE), await approved(second, there, LINUS)
            person = await here.contact()
            suppressed = await here.call("suppress_contact", contact=GRACE["email"], reason="asked")
            assert suppressed
            with pytest.raises(NotFoundError):
                await second.plans.get_plan(one)
            with pytest.raises(NotFoundError):
                await first.plans.get_plan(two)
            with pytest.raises(NotFoundError):
                await second.local.get_contacts([person])
            again = await there.call("start_sequence", blueprint_id=await there.blueprint(), contacts=[GRACE])
            assert again["people"] == 1 and not again.get("left_out")
        assert first.workspace == bureau.workspace and second.workspace == other.workspace
        assert first.workspace != second.workspace
    assert {row[0] for row in bureau.rows("SELECT email FROM contact")} == {GRACE["email"]}
    assert {row[0] for row in other.rows("SELECT email FROM contact")} == {GRACE["email"], LINUS["email"]}
    audits = [{row[0] for row in world.rows("SELECT subject FROM audit")} for world in (bureau, other)]
    assert [{one, two} & subjects for subjects in audits] == [{one}, {two}]


async def test_each_workspace_sends_its_own_e_mails_as_its_own_sender(bureau: Bureau, other: Bureau) -> None:
    async with bureau.app() as first, other.app() as second, bureau.client() as here, other.client() as there:
        await approved(first, here, GRACE)
        await approved(second, there, LINUS)
    bureau.work()
    other.work()
    assert [(mail["From"], mail["To"]) for mail in bureau.outbox] == [
        ("Ada Lovelace <ada@lovelace.example>", GRACE["email"])
    ]
    assert [(mail["From"], mail["To"]) for mail in other.outbox] == [
        ("Charles Babbage <charles@babbage.example>", LINUS["email"])
    ]


def test_a_passphrase_of_one_workspace_approves_nothing_in_another(tmp_path: Path) -> None:
    first, second = Workspace(tmp_path / "first"), Workspace(tmp_path / "second")
    set_passphrase(FolderRecords(first), PASSPHRASE)
    assert is_set(FolderRecords(first)) and not is_set(FolderRecords(second))
    with pytest.raises(ApprovalError, match="No passphrase"):
        check_passphrase(FolderRecords(second), PASSPHRASE)
