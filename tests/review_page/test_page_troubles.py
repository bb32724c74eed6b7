"""The front page says what is wrong now, since when, and what to do."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from tests.review_page.test_forgery_matrix import sql
from tests.world.page import MAIL, PageWorld, Visitor

from sequences_mcp.domain.actors import Actor


def test_the_front_page_tells_of_work_that_nobody_does(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(MAIL, people=2)
    world.at_desk(lambda app: app.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("test")))
    assert "no worker runs" not in person.get("/").text
    world.clock.forward(hours=1)
    text = person.get("/").text
    assert "What is wrong now" in text
    assert "2 things are due and no worker runs." in text
    assert "sequences-mcp work" in text
    assert "stops sending" in text


def test_the_front_page_tells_of_a_database_of_another_machine(world: PageWorld, person: Visitor) -> None:
    assert "take-over" not in person.get("/").text
    with closing(sqlite3.connect(world.folder / "sequences.db")) as database, database:
        database.execute("UPDATE lineage SET machine = 'another'")
    world.at_desk(lambda app: app.plans.list_plans(page=1, size=1))  # any process that opens it notices
    assert "sequences-mcp review take-over" in person.get("/").text


def test_what_is_wrong_is_counted_in_words_that_fit_and_names_no_tool(world: PageWorld, person: Visitor) -> None:
    plan = world.plan(MAIL, people=2)
    world.at_desk(lambda app: app.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("test")))
    world.mails_after_work()
    for one, many in ((1, ""), (2, "s")):
        statement = "UPDATE sequence SET status = 'FAILED' WHERE no <= ?"
        sql(world, statement, str(one))
        sql(world, "UPDATE step_run SET state = 'unknown' WHERE sequence_no <= ?", str(one))
        text = person.get("/").text
        assert f"{one} sequence{many} failed in the last 7 days." in text
        assert f"Nobody knows whether {one} e-mail{many} arrived." in text
        assert "list_sequences" not in text
        assert "<code>sequences-mcp review list</code>" in text
