"""What comes in that is about no run: kept for a while as data, shown, decided about by a person."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.inbound.test_inbound_effects import comes, listed, run_of, started, two_at_one_address
from tests.world.answers import begun, comes_in
from tests.world.engine import SENDER, EngineWorld
from tests.world.inbound_mail import Sent, complaint, reply, report
from tests.world.product import Bureau, yes

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.inbound import ReceivedKind, ReplyEntry
from sequences_mcp.domain.run import SequenceStatus
from sequences_mcp.errors import ConflictError
from sequences_mcp.ports.embedded import ReplyFilter
from sequences_mcp.store.inbound import MOST_UNMATCHED, UNMATCHED_FOR

S = SequenceStatus
NOBODY = Sent(message_id="<other@else.example>", sender=SENDER.address, recipient="zoe@else.example")


def unmatched(world: EngineWorld) -> list[ReplyEntry]:
    """Return what is listed as unmatched, the newest first."""
    return list(world.store.inbound.page(ReplyFilter(kind=ReceivedKind.UNMATCHED, size=100)).items)


def numbered(number: int) -> bytes:
    """Return a message of a stranger, one of many."""
    return reply(NOBODY, f"Number {number}", refers=False, subject=f"Number {number}")


async def test_a_strangers_message_is_kept_with_its_kind_and_words_and_waits_for_nobody(
    world: EngineWorld,
) -> None:
    await started(world)
    assert comes(world, reply(NOBODY, "Can you help me?", refers=False)) is None
    assert comes(world, report(NOBODY, status="5.1.1")) is None
    assert [(one.stored_kind, one.waits, one.sequence_id) for one in unmatched(world)] == [
        ("hard_bounce", False, None),
        ("reply", False, None),
    ]
    [words] = [one for one in unmatched(world) if one.stored_kind == "reply"]
    assert (words.text, words.sender, words.is_authenticated) == ("Can you help me?", "zoe@else.example", False)
    assert world.store.inbound.page(ReplyFilter()).items == ()
    assert world.store.inbound.page(ReplyFilter(waiting=True)).items == ()


@pytest.mark.parametrize(
    "more", ["List-Id: <dev.lists.example>", "Auto-Submitted: auto-generated", "Precedence: bulk"]
)
async def test_nothing_is_kept_of_lists_and_machines(world: EngineWorld, more: str) -> None:
    await started(world)
    comes(world, reply(NOBODY, "News", refers=False, more=more))
    assert unmatched(world) == []


async def test_nothing_is_kept_before_anything_was_written_from_the_mailbox(world: EngineWorld) -> None:
    comes(world, reply(NOBODY, "Hello", refers=False))
    assert unmatched(world) == []


async def test_only_the_newest_are_kept_and_none_for_longer_than_a_month(world: EngineWorld) -> None:
    await started(world)
    for number in range(MOST_UNMATCHED + 3):
        comes(world, numbered(number))
    page = world.store.inbound.page(ReplyFilter(kind=ReceivedKind.UNMATCHED, size=1))
    assert (page.total_count, page.items[0].text) == (MOST_UNMATCHED, f"Number {MOST_UNMATCHED + 2}")
    world.clock.forward(days=UNMATCHED_FOR / timedelta(days=1), minutes=1)
    comes(world, numbered(9_999))
    assert [one.text for one in unmatched(world)] == ["Number 9999"]


async def test_long_words_are_cut(world: EngineWorld) -> None:
    await started(world)
    comes(world, reply(NOBODY, "word " * 2_000, refers=False))
    assert len(unmatched(world)[0].text) == 2_000


async def test_who_asks_not_to_be_written_to_waits_for_a_person_and_is_not_where_they_are_known(
    world: EngineWorld,
) -> None:
    sent = await started(world)
    comes(world, reply(sent, "Yes"))  # their run is over
    known = Sent(message_id=NOBODY.message_id, sender=SENDER.address, recipient="bob@acme.example")
    assert comes(world, reply(known, "Please remove me from your list.", refers=False)) == "never written to again"
    assert list(await listed(world)) == ["bob@acme.example"]
    assert comes(world, reply(NOBODY, "Please remove me from your list.", refers=False)) is None
    [waits] = world.store.inbound.page(ReplyFilter(waiting=True)).items
    assert (waits.sender, waits.stored_kind) == ("zoe@else.example", "opt_out")


async def test_what_a_person_says_is_about_a_run_is_its_answer_with_rows_in_the_audit(world: EngineWorld) -> None:
    await started(world)
    comes(world, reply(NOBODY, "It is me, Bob, from home.", refers=False))
    run, [entry] = await run_of(world), unmatched(world)
    decided = await world.local.resolve_reply(entry.id, sequence_id=run.id, actor=Actor("a person"))
    assert (decided.entry.decision, decided.entry.sequence_id) == ("about_run", run.id)
    assert (await run_of(world)).status is S.SUCCEEDED
    assert unmatched(world) == []
    assert [one.text for one in world.received(run.id)] == ["It is me, Bob, from home."]
    audit = await world.local.records.list_audit(page=1, size=50)
    [row] = [one for one in audit.items if one.action == "inbound.decided"]
    assert (row.actor, row.subject) == ("a person", run.id)
    assert (row.detail["decision"], row.detail["effect"]) == ("about_run", "the run succeeded")
    with pytest.raises(ConflictError):
        await world.local.resolve_reply(decided.entry.id, sequence_id=None, actor=Actor("a person"))


async def test_what_a_person_says_is_nothing_is_decided_once(world: EngineWorld) -> None:
    await started(world)
    comes(world, numbered(1))
    [entry] = unmatched(world)
    await world.local.resolve_reply(entry.id, sequence_id=None, actor=Actor("a person"))
    assert unmatched(world)[0].decision == "nothing"
    with pytest.raises(ConflictError):
        await world.local.resolve_reply(entry.id, sequence_id=None, actor=Actor("a person"))
    assert (await run_of(world)).status is S.ACTIVE


# Everything that waits can be decided


async def waiting(world: EngineWorld, data: bytes) -> ReplyEntry:
    """Let something come in that a person has to decide about; return it."""
    comes(world, data)
    [entry] = world.store.inbound.page(ReplyFilter(waiting=True)).items
    return entry


async def test_a_report_that_names_only_the_address_can_be_said_to_be_about_it(world: EngineWorld) -> None:
    await started(world)
    other = Sent(message_id="<unrelated@else.example>", recipient="bob@acme.example")
    entry = await waiting(world, report(other, status="5.1.1"))
    await world.local.resolve_reply(entry.id, sequence_id=(await run_of(world)).id, actor=Actor("a person"))
    assert (await run_of(world)).status is S.FAILED
    assert list(await listed(world)) == ["bob@acme.example"]


async def test_a_complaint_that_names_only_the_address_can_be_said_to_be_theirs(world: EngineWorld) -> None:
    await started(world)
    other = Sent(message_id="<unrelated@else.example>", recipient="bob@acme.example")
    data = complaint(other).replace(b"Version: 1", b"Version: 1\r\nOriginal-Rcpt-To: <bob@acme.example>")
    entry = await waiting(world, data)
    await world.local.resolve_reply(entry.id, sequence_id=(await run_of(world)).id, actor=Actor("a person"))
    assert (await run_of(world)).status is S.STOPPED_EARLY


async def test_of_an_answer_that_may_be_about_two_runs_a_person_says_which(world: EngineWorld) -> None:
    sent = await two_at_one_address(world)
    comes(world, reply(sent["bob@acme.example"], "Sure", refers=False))
    [entry] = world.store.inbound.page(ReplyFilter(waiting=True)).items
    may_be = [one.sequence.id for one in await world.local.may_be_about(entry.id)]
    second = await run_of(world, "bob@home.example")
    assert second.id in may_be
    await world.local.resolve_reply(entry.id, sequence_id=second.id, actor=Actor("a person"))
    assert (await run_of(world, "bob@home.example")).status is S.SUCCEEDED
    assert (await run_of(world)).status is S.WAITING_FOR_USER
    assert world.store.inbound.page(ReplyFilter(waiting=True)).items == ()


async def test_what_is_nothing_leaves_the_text_held_until_a_person_approves_it(world: EngineWorld) -> None:
    await started(world)
    other = Sent(message_id="<unrelated@else.example>", recipient="bob@acme.example")
    entry = await waiting(world, report(other, status="5.1.1"))
    await world.local.resolve_reply(entry.id, sequence_id=None, actor=Actor("a person"))
    assert world.store.inbound.page(ReplyFilter(waiting=True)).items == ()
    assert (await run_of(world)).status is S.WAITING_FOR_USER
    assert not await listed(world)


# The list


async def test_the_list_names_them_and_shows_them_when_asked_for(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        await begun(bureau, desktop)
        comes_in(bureau, reply(NOBODY, "Can you help me?", refers=False))
        plain = await desktop.call("list_replies")
        assert plain["items"] == []
        assert "kind unmatched: 1" in plain["note"]
        [row] = (await desktop.call("list_replies", kind="unmatched"))["items"]
        assert (row["kind"], row["text"], row["authenticated"]) == ("unmatched", "Can you help me?", False)
        assert row["answered_from"] == "zoe@else.example"
        refused = await desktop.refused("draft_reply", reply_id=row["id"], content="Hello.")
    assert refused["code"] == "conflict"


@pytest.mark.parametrize("sender", ["carol@acme.example", "zoe@else.example"], ids=["a colleague", "a stranger"])
async def test_no_answer_is_drafted_to_a_machine_of_somebody_who_was_not_written_to(
    bureau: Bureau, sender: str
) -> None:
    async with bureau.client("auto", yes) as desktop:
        [sent] = (await begun(bureau, desktop)).values()
        away = reply(
            Sent(message_id="<unrelated@else.example>", recipient=sender, sender=sent.sender),
            "I am away until Monday.",
            subject="Out of office",
            more="Auto-Submitted: auto-replied",
            refers=False,
        )
        comes_in(bureau, away)
        rows = (await desktop.call("list_replies", kind="unmatched"))["items"]
        for row in rows:
            refused = await desktop.refused("draft_reply", reply_id=row["id"], content="Hello.")
            assert (refused["code"], "automatic message" in refused["message"]) == ("conflict", True)
    assert len(rows) == 1


async def test_words_that_name_no_e_mail_of_ours_are_said_to_be_not_authenticated(bureau: Bureau) -> None:
    async with bureau.client("auto", yes) as desktop:
        [sent] = (await begun(bureau, desktop)).values()
        comes_in(bureau, reply(sent, "Please remove me from your list.", refers=False))
        page = await desktop.call("list_replies")
        [row] = page["items"]
        assert (row["kind"], row["effect"], row["authenticated"]) == ("opt_out", "never written to again", False)
        assert "anybody can write" in page["note"]
        comes_in(bureau, reply(sent, "And thank you."))
        newest = (await desktop.call("list_replies"))["items"][0]
    assert "authenticated" not in newest
