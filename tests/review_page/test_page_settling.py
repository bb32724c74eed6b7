"""Saying that an e-mail was not sent lets it leave again: an approval on every way there is to say it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.review_page.rungs import SignedPage
from tests.review_page.test_forgery_matrix import sql
from tests.world.mail_servers import DROP, Running, mail_server
from tests.world.page import PASSPHRASE, PageWorld, Visitor

from sequences_mcp.domain.actors import Actor
from sequences_mcp.errors import ApprovalError
from sequences_mcp.ports.embedded import Draft
from sequences_mcp.review import decide


@pytest.fixture
def server(world: PageWorld) -> Iterator[Running]:
    """Yield a mail server that drops the connection after the final dot, and the settings that name it."""
    with mail_server({"dot": DROP}) as running:
        world.more["SEQUENCES_SMTP_URL"] = f"smtp://127.0.0.1:{running.port}"
        yield running


def in_terminal(world: PageWorld) -> None:
    plan = world.plan(people=1)
    world.at_desk(lambda app: app.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("terminal")))


def lost(world: PageWorld, server: Running) -> Draft:
    """Return an e-mail whose fate nobody knows; the mail server takes everything from then on."""
    world.mails_after_work()
    server.inbox.script.clear()
    [draft] = world.at_desk(lambda app: app.local.list_drafts(plan_id=None, page=1, size=9)).items
    assert draft.why == "unknown"
    found: Draft = draft
    return found


def left(world: PageWorld, server: Running) -> int:
    """Return how many e-mails the mail server took in the end."""
    world.clock.forward(hours=1)
    world.mails_after_work()
    return len(server.inbox.taken)


def settles(person: Visitor, draft: Draft, *, sent: str = "no", **fields: str) -> int:
    """Open the text, and say whether it was sent."""
    digest = person.get(f"/texts/{draft.id}").field("digest")
    return person.post(f"/texts/{draft.id}/resolve", sent=sent, **{"digest": digest, **fields}).status


def test_a_cookie_alone_settles_nothing_on_the_page(world: PageWorld, server: Running) -> None:
    in_terminal(world)
    draft = lost(world, server)
    with world.page() as person:
        person.unlock()
        thief = Visitor(person.page_lock, person.cookie)
        for answer in ("no", "yes"):
            assert settles(thief, draft, sent=answer) == 403
            assert settles(thief, draft, sent=answer, key="guess") == 403
            assert settles(thief, draft, sent=answer, passphrase="wrong horse battery") == 403
        assert left(world, server) == 0
        assert settles(thief, draft, passphrase=PASSPHRASE) == 303
        assert left(world, server) == 1


def test_what_goes_again_is_the_text_that_was_on_the_screen(world: PageWorld, server: Running) -> None:
    in_terminal(world)
    draft = lost(world, server)
    with world.page() as person:
        person.unlock()
        unseen = person.post(f"/texts/{draft.id}/resolve", sent="no", digest=draft.digest)
        assert unseen.status == 409
        assert settles(person, draft, digest="0" * 64) == 409
        assert left(world, server) == 0
        assert settles(person, draft) == 303
        assert left(world, server) == 1


def test_it_is_recorded_as_an_approval_of_that_text(world: PageWorld, server: Running) -> None:
    in_terminal(world)
    draft = lost(world, server)
    with world.page() as person:
        person.unlock()
        assert settles(person, draft) == 303
        entries = world.at_desk(lambda app: app.records.list_audit(page=1, size=5)).items
        assert [one.actor for one in entries if one.action == "sequence.settled"] == ["page"]
        sql(world, "UPDATE step_run SET content = ?", "Other words than those that were seen.")
        assert left(world, server) == 0


def test_where_a_passkey_is_registered_it_has_to_be_signed_on_every_way(world: PageWorld, server: Running) -> None:
    with world.page() as visitor:
        person, plan = SignedPage(world, visitor), world.plan(people=1)
        assert person.send(plan, person.look(plan))
        draft = lost(world, server)
        elsewhere = person.signed(draft.to_sign, origin="http://localhost:1")
        for signature in ("", "{}", elsewhere, person.signed("0" * 64), person.signed(draft.digest)):
            assert settles(visitor, draft, signature=signature) == 409
        assert settles(visitor, draft, signature=person.signed(draft.to_sign), key="") == 403
        with pytest.raises(ApprovalError, match="not signed with a registered passkey"):
            world.at_desk(
                lambda app: decide.resolved_in_terminal(app, draft.id, sent=False, actor=Actor("terminal"))
            )
        assert left(world, server) == 0
        assert settles(visitor, draft, signature=person.signed(draft.to_sign)) == 303
        assert left(world, server) == 1


def test_each_attempt_of_unknown_fate_needs_a_signature_of_its_own(world: PageWorld, server: Running) -> None:
    with world.page() as visitor:
        person, plan = SignedPage(world, visitor), world.plan(people=1)
        assert person.send(plan, person.look(plan))
        first = lost(world, server)
        used = person.signed(first.to_sign)
        assert settles(visitor, first, signature=used) == 303
        server.inbox.script["dot"] = DROP
        world.clock.forward(hours=1)
        second = lost(world, server)
        assert (second.id, second.digest) == (first.id, first.digest)
        assert second.to_sign != first.to_sign
        assert settles(visitor, second, signature=used) == 409
        assert left(world, server) == 0
        assert settles(visitor, second, signature=person.signed(second.to_sign)) == 303
        assert left(world, server) == 1


def test_a_yes_to_send_again_stands_while_the_server_defers(world: PageWorld, server: Running) -> None:
    with world.page() as visitor:
        person, plan = SignedPage(world, visitor), world.plan(people=1)
        assert person.send(plan, person.look(plan))
        draft = lost(world, server)
        assert settles(visitor, draft, signature=person.signed(draft.to_sign)) == 303
        server.inbox.script["RCPT"] = "450 4.2.1 later"
        assert left(world, server) == 0
        server.inbox.script.clear()
        assert left(world, server) == 1


def test_the_signature_is_looked_at_again_when_it_leaves(world: PageWorld, server: Running) -> None:
    with world.page() as visitor:
        person, plan = SignedPage(world, visitor), world.plan(people=1)
        assert person.send(plan, person.look(plan))
        draft = lost(world, server)
        assert settles(visitor, draft, signature=person.signed(draft.to_sign)) == 303
        forged = {
            "origin": "http://localhost:1",
            "credential": person.signed(draft.to_sign, origin="http://localhost:1"),
        }
        sql(world, "UPDATE approval_signature SET assertion = ?", json.dumps(forged))
        assert left(world, server) == 0


def test_taking_somebody_off_the_list_asks_for_the_person(world: PageWorld) -> None:
    world.at_desk(lambda app: app.suppressions.suppress("address", "grace@hopper.example", reason="asked"))
    with world.page() as person:
        person.unlock()
        thief = Visitor(person.page_lock, person.cookie)
        lift = {"contact": "grace@hopper.example", "reason": "she wrote"}
        for proof in ({}, {"key": "guess"}, {"passphrase": "wrong horse battery"}):
            answer = thief.post("/suppressions/lift", **lift, **proof)
            assert "is off the list" not in answer.text
            assert "grace@hopper.example" in person.get("/suppressions").text
        assert "is off the list" in thief.post("/suppressions/lift", **lift, passphrase=PASSPHRASE).text
