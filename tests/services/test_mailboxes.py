"""Several mailboxes in a data folder: each has its server, window and limits; nothing leaves from another."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from tests.world.mail_servers import STALL, Inbox, bytes_of, mail_server
from tests.world.product import MAIL, Bureau, Desktop, people, yes

from sequences_mcp.bootstrap import open_context, open_worker, utc_now, working
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.plan import Terms
from sequences_mcp.engine.channels.message import ComposedMessage, Receipt, require_sender
from sequences_mcp.errors import DeliveryWithheldError
from sequences_mcp.review.terminal import work_done
from sequences_mcp.upkeep import work_once

SIGNED = {**MAIL, "content": "Hi {{firstname}}, would a short call suit you? {{recruiterFirstname}}"}
FROM_BOB = {**SIGNED, "config": {"userId": "bob"}}


def settings_with(bureau: Bureau, *, default: str = "ada", **ways: tuple[str, ...]) -> None:
    """Write a file of settings with these mailboxes: the lines of each beside its name and address."""
    tables = [f'default_mailbox = "{default}"']
    for key, lines in ways.items():
        name, address = f"{key.title()} Example", f"{key}@example.com"
        named = () if any(line.startswith("name = ") for line in lines) else (f'name = "{name}"',)
        tables += [f"[mailboxes.{key}]", *named, f'address = "{address}"', *lines]
    bureau.folder.mkdir(mode=0o700, exist_ok=True)
    (bureau.folder / "settings.toml").write_text("\n".join(tables), encoding="utf-8")


@contextmanager
def two_servers(
    bureau: Bureau, script: dict[str, str] | None = None, **lines: str
) -> Iterator[tuple[Inbox, Inbox]]:
    """Give ada and bob a mail server each; ada's plays the script, ``lines`` are added to a mailbox."""
    with mail_server(script or {}) as first, mail_server({}) as second:
        settings_with(
            bureau,
            ada=(f'smtp = "smtp://127.0.0.1:{first.port}"', lines.get("ada", "")),
            bob=(f'smtp = "smtp://127.0.0.1:{second.port}"', lines.get("bob", "")),
        )
        yield first.inbox, second.inbox


async def start(desktop: Desktop, step: dict[str, Any], *, first: int = 1, number: int = 1) -> dict[str, Any]:
    """Start some people of their own on a blueprint of one step."""
    blueprint = await desktop.blueprint(step)
    found: dict[str, Any] = await desktop.call(
        "start_sequence", blueprint_id=blueprint, contacts=people(first + number - 1)[first - 1 :]
    )
    return found


async def both_started(bureau: Bureau, *, number: int = 1) -> None:
    """Have people under way from both mailboxes."""
    async with bureau.client("auto", yes) as desktop:
        await start(desktop, SIGNED, number=number)
        await start(desktop, FROM_BOB, first=number + 1, number=number)


def senders(inbox: Inbox) -> list[tuple[str, str]]:
    """Return of each message who sent it, and the name under its text."""
    mails = [message_from_bytes(bytes_of(taken), policy=policy.default) for taken in inbox.taken]
    return [(str(mail["From"]), str(mail.get_content()).split()[-1]) for mail in mails]


async def test_the_cap_of_one_mailbox_holds_up_no_other(bureau: Bureau) -> None:
    with two_servers(bureau, ada="daily_cap = 1") as (ada, bob):
        await both_started(bureau, number=3)
        bureau.work()
        assert (len(ada.taken), len(bob.taken)) == (1, 3)


async def test_the_window_is_that_of_the_mailbox(bureau: Bureau) -> None:
    with two_servers(bureau, ada='window = "Sun 08:00-09:00"') as (ada, bob):  # the test's day is a Monday
        await both_started(bureau)
        bureau.work()
        assert (len(ada.taken), len(bob.taken)) == (0, 1)


async def test_a_mailbox_that_is_refused_rests_and_the_other_goes_on(bureau: Bureau) -> None:
    with two_servers(bureau, {"MAIL": "550 5.7.1 the account is blocked"}) as (ada, bob):
        await both_started(bureau)
        bureau.work()
        assert (len(ada.taken), len(bob.taken)) == (0, 1)
        async with bureau.app() as app:
            [resting] = [one.what for one in app.troubles() if one.code == "mailbox_rests"]
    assert "ada@example.com" in resting


async def test_a_server_that_does_not_answer_keeps_no_other_mailbox_waiting(bureau: Bureau) -> None:
    bureau.clock.now = utc_now()
    with two_servers(bureau, {"MAIL": STALL}) as (ada, bob):
        await both_started(bureau)
        with working(bureau.settings, clock=utc_now):
            arrived_within(bob, 1)
        assert len(ada.taken) == 0


STACK = 2**30  # bytes


@contextmanager
def room_for_one_thread() -> Iterator[None]:
    """Leave this process the address space for the stack of one more thread, and of no second one."""
    import resource

    taken = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    before, size = resource.getrlimit(resource.RLIMIT_AS), threading.stack_size(STACK)
    resource.setrlimit(resource.RLIMIT_AS, (taken + STACK + STACK // 2, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
        threading.stack_size(size)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere address space is not what limits threads")
def test_a_worker_that_cannot_be_started_leaves_none_at_work_that_was(bureau: Bureau) -> None:
    settings_with(bureau, ada=(), bob=())
    before = {*threading.enumerate()}
    begun = working(bureau.settings, clock=bureau.clock, after=600.0)
    with room_for_one_thread(), pytest.raises(RuntimeError, match="start new thread"), begun:
        pass
    assert {*threading.enumerate()} <= before


def arrived_within(inbox: Inbox, number: int, *, seconds: float = 60.0) -> None:
    """Return once so many messages have arrived; fails after a minute."""
    last, waiting = time.monotonic() + seconds, threading.Event()
    while len(inbox.taken) < number:
        assert time.monotonic() < last, "nothing arrived"
        waiting.wait(0.01)


async def test_a_run_stays_with_its_mailbox_when_another_becomes_the_default(bureau: Bureau) -> None:
    with two_servers(bureau) as (ada, bob):
        async with bureau.client("auto", yes) as desktop:
            await start(desktop, SIGNED)
        file = bureau.folder / "settings.toml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace('default_mailbox = "ada"', 'default_mailbox = "bob"'), encoding="utf-8")
        bureau.work()
        assert senders(ada) == [("Ada Example <ada@example.com>", "Ada")]
        assert bob.taken == []


async def test_nothing_passes_the_final_dot_when_its_plan_went_to_another_mailbox_meanwhile(
    bureau: Bureau,
) -> None:
    with two_servers(bureau) as (ada, bob):
        async with bureau.client("auto", yes) as desktop:
            await start(desktop, SIGNED)
        settings = bureau.settings
        other: Terms = settings.mailboxes[1].terms
        with open_worker(settings, clock=bureau.clock) as worker:

            def at(point: str) -> None:
                if point == "before_handed_over":
                    with worker.store.transaction() as work:
                        [(plan_id,)] = bureau.rows("SELECT id FROM plan")
                        plan = work.plans.find(plan_id)
                        assert plan is not None
                        work.plans.update(replace(plan, header=replace(plan.header, terms=other)))

            worker.at = at
            worker.run_due(limit=1)
        assert (ada.taken, bob.taken) == ([], [])


def test_a_mailbox_lets_no_message_of_another_sender_out() -> None:
    opened: list[ComposedMessage] = []

    def deliver(message: ComposedMessage, **points: object) -> Receipt:
        opened.append(message)
        return Receipt("250 ok")

    message = ComposedMessage(message_id="<1@x>", sender="bob@example.com", recipient="g@h.example", data=b"")
    with pytest.raises(DeliveryWithheldError, match=r"it is from bob@example\.com"):
        require_sender("ada@example.com", deliver)(message)
    assert opened == []
    assert require_sender("bob@example.com", deliver)(message).reply == "250 ok"


async def test_a_start_says_when_its_own_mailbox_sends(bureau: Bureau) -> None:
    with two_servers(bureau, ada='window = "Sun 08:00-09:00"'):  # the test's day is a Monday
        async with bureau.client() as desktop:
            told = [(await start(desktop, SIGNED)), (await start(desktop, FROM_BOB, first=2))]
    ada, bob = ["; ".join(one["sample"]["due"]) for one in told]
    assert "Sun" in ada and "Mon" in bob, (ada, bob)


async def test_a_mailbox_that_rests_is_no_obstacle_to_a_start_from_another(bureau: Bureau) -> None:
    with two_servers(bureau, {"MAIL": "550 5.7.1 the account is blocked"}):
        await both_started(bureau)
        bureau.work()
        async with bureau.client("auto", yes) as desktop:
            told = [await start(desktop, SIGNED, first=3), await start(desktop, FROM_BOB, first=4)]
    ada, bob = [one["next"] for one in told]
    assert "Nothing leaves from ada@example.com now" in ada
    assert "refuses" not in bob


async def test_a_process_that_begins_serves_each_of_its_mailboxes(bureau: Bureau) -> None:
    with two_servers(bureau):
        async with open_context(bureau.settings, worker=True, clock=bureau.clock, work_after=60) as app:
            [worker] = app.workers()
        assert worker.serves == {mailbox.terms.fingerprint for mailbox in bureau.settings.mailboxes}


def test_what_went_to_the_outbox_is_not_told_as_sent(bureau: Bureau) -> None:
    with mail_server({}) as server:
        settings_with(bureau, ada=(f'smtp = "smtp://127.0.0.1:{server.port}"',), bob=())
        [first, *_] = work_done(replace(work_once(bureau.settings), accepted=2, in_outbox=3))
    assert first == "E-mails sent: 2; written to the outbox folder, which reaches nobody: 3."


def test_due_work_is_done_once_where_the_default_mailbox_lacks_its_password(bureau: Bureau) -> None:
    lacking = ('smtp = "smtp://127.0.0.1:9"', 'password = { env = "NOT_HERE" }')
    settings_with(bureau, ada=lacking, bob=())
    done = work_once(bureau.settings)
    assert (done.accepted, done.to_outbox) == (0, False)


@pytest.mark.parametrize(
    ("line", "field", "rule"),
    [
        ('signature = "Bob\\n[Your Company]"', "signature", "placeholders.square"),
        ('name = "[Your Name]"', "sender", "placeholders.square"),
        ('name = "Your Name"', "sender", "values.heading"),
    ],
)
async def test_the_guards_look_at_what_every_e_mail_says_of_its_sender_before_a_start(
    bureau: Bureau, line: str, field: str, rule: str
) -> None:
    with two_servers(bureau, bob=line) as (adas, bobs):
        async with bureau.client("auto", yes) as desktop:
            blueprint = await desktop.blueprint(SIGNED)
            start = {"blueprint_id": blueprint, "contacts": people(1)}
            shown = await desktop.call("preview_sequence", **start, sender="bob")
            refused = await desktop.refused("start_sequence", **start, sender="bob")
            started = await desktop.call("start_sequence", **start)
        bureau.work()
    assert refused["code"] == "refused_by_guards" and "bob@example.com" in refused["message"]
    assert [(each["rule"], each["field"]) for each in refused["findings"]] == [(rule, field)]
    assert shown["people"][0]["left_out"][0].startswith(f"The guards refuse the {field} of these messages: ")
    assert started["plan_id"] and (len(adas.taken), len(bobs.taken)) == (1, 0)


async def test_a_start_names_the_mailbox_that_it_leaves_from(bureau: Bureau) -> None:
    with two_servers(bureau, bob='signature = "Bob, by the river"') as (adas, bobs):
        async with bureau.client("auto", yes) as desktop:
            blueprint = await desktop.blueprint(SIGNED)
            done = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(1), sender="bob")
            again = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(2)[1:])
        bureau.work()
    assert (done["plan_id"] != again["plan_id"]) and len(bobs.taken) == len(adas.taken) == 1
    [from_bob], [from_ada] = bobs.taken, adas.taken
    mail = message_from_bytes(bytes_of(from_bob), policy=policy.default)
    assert str(mail["From"]) == "Bob Example <bob@example.com>"
    assert "suit you? Bob\r\n\r\nBob, by the river" in mail.as_bytes(policy=policy.SMTP).decode()
    assert b"From: Ada Example <ada@example.com>" in bytes_of(from_ada)
    assert bureau.rows("SELECT count(DISTINCT terms) FROM plan") == [(2,)]


async def test_a_preview_shows_what_would_leave_from_the_mailbox_that_is_named(bureau: Bureau) -> None:
    with two_servers(bureau):
        async with bureau.client() as desktop:
            given = {"blueprint_id": await desktop.blueprint(SIGNED), "contacts": people(1)}
            texts = [
                (await desktop.call("preview_sequence", **given, **chosen))["people"][0]["steps"][0]["content"]
                for chosen in ({}, {"sender": "bob"})
            ]
            unknown = await desktop.refused("preview_sequence", **given, sender="eve")
    assert "suit you? Ada" in texts[0] and "suit you? Bob" in texts[1]
    assert "there are ada, bob" in f"{unknown['message']} {unknown['next']}"


async def test_a_mailbox_that_there_is_not_is_refused_with_those_there_are_and_nothing_is_saved(
    bureau: Bureau,
) -> None:
    with two_servers(bureau):
        async with bureau.client() as desktop:
            blueprint = await desktop.blueprint(SIGNED)
            theirs = await desktop.blueprint(FROM_BOB)
            for sender, id_, words in (
                ("eve", blueprint, "there are ada, bob"),
                ("", blueprint, "there are ada, bob"),
                ("bob@example.com", blueprint, "there are ada, bob"),
                ("ada", theirs, "the blueprint itself names the mailbox"),
            ):
                refused = await desktop.refused(
                    "start_sequence", blueprint_id=id_, contacts=people(1), sender=sender
                )
                assert words in refused["message"].lower(), refused
            await desktop.call("start_sequence", blueprint_id=theirs, contacts=people(1), sender="bob")
    assert bureau.rows("SELECT count(*) FROM contact") == [(1,)]


async def test_the_one_mailbox_of_the_environment_has_no_name_to_give(bureau: Bureau) -> None:
    async with bureau.client() as desktop:
        refused = await desktop.refused(
            "start_sequence", blueprint_id=await desktop.blueprint(MAIL), contacts=people(1), sender="ada"
        )
    assert "has no name" in refused["message"] and refused["next"] == "Leave sender out."


async def test_the_same_start_from_another_mailbox_is_another_start(bureau: Bureau) -> None:
    with two_servers(bureau):
        async with bureau.client() as desktop:
            blueprint = await desktop.blueprint(SIGNED)
            given = {"blueprint_id": blueprint, "contacts": people(1)}
            plans = [
                (await desktop.call("start_sequence", **given, **more))["plan_id"]
                for more in ({}, {"sender": "bob"}, {"sender": "bob"}, {})
            ]
            key = {"idempotency_key": "one"}
            await desktop.call("start_sequence", **given, **key, sender="bob")
            reused = await desktop.refused("start_sequence", **given, **key)
    assert plans[0] == plans[3] != plans[1] == plans[2]
    assert reused["code"] == "key_reused"


async def test_what_the_operator_allowed_beforehand_leaves_from_the_mailbox_it_was_allowed_for(
    bureau: Bureau,
) -> None:
    with two_servers(bureau) as (adas, bobs):
        async with bureau.client() as desktop:
            blueprint = await desktop.blueprint(MAIL)
        allowed = bureau.having(AUTO_APPROVE=f"{blueprint}@1")
        async with allowed.client() as desktop:
            given = {"blueprint_id": blueprint, "auto_approve": True}
            contacts = [(await desktop.contact(**person)) for person in people(2)]
            chosen = await desktop.call("start_sequence", **given, contacts=contacts[:1], sender="bob")
            usual = await desktop.call("start_sequence", **given, contacts=contacts[1:], sender="ada")
        allowed.work()
    assert (chosen["status"], usual["status"]) == ("waiting", "approved")
    assert (len(adas.taken), len(bobs.taken)) == (1, 0)


async def test_whoever_failed_is_planned_anew_from_the_mailbox_they_began_with(bureau: Bureau) -> None:
    with two_servers(bureau) as (adas, bobs):
        async with bureau.client("auto", yes) as desktop:
            blueprint = await desktop.blueprint(MAIL)
            bobs.script["RCPT"] = "550 5.2.1 The email account that you tried to reach is disabled."
            await desktop.call("start_sequence", blueprint_id=blueprint, contacts=people(1), sender="bob")
            bureau.work()
            assert bureau.rows("SELECT status FROM sequence") == [("FAILED",)]
            bobs.script.clear()
            planned = await desktop.call("retry_failed", blueprint_id=blueprint)
            async with bureau.app() as app:
                await app.plans.approve_plan(planned["plan_id"], digest=planned["digest"], actor=Actor("terminal"))
            bureau.work()
    assert (len(adas.taken), len(bobs.taken)) == (0, 1)
