"""How much disk a run and an e-mail take on PostgreSQL, each with its indexes, by table.

People are started in a blueprint of four steps through the product, so that they have what a run has: contact,
plan, texts, rows of the audit. Then some of the first e-mails are sent. What each of both adds to the tables is
divided by their number; changed rows leave room behind, which counts too, as it does in use.

    python -m benchmarks.sizes_postgres --runs 3000 --sent 500

Needs PostgreSQL's programs.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

import psycopg
from benchmarks.due import TERMS, now, provider, worker_on
from tests.world.database_server import own_server

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.blueprint import Channel, Delay, DelayUnit, Sourcing, Step, Temporality
from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.plan import PlanHeader
from sequences_mcp.domain.run import StepRun
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.engine.provider import LocalProvider
from sequences_mcp.ports.embedded import ContactEntry, PlannedPerson
from sequences_mcp.store.unit_of_work import Store

TEXT = "We are looking for somebody who does what you do, and what you wrote about it is close to our work. " * 7
STEPS = [
    Step(
        id=f"s{number}",
        name=f"Step {number}",
        type=Channel.EMAIL,
        subject="A position in Lisbon",
        content=TEXT,
        temporality_type=Temporality.DELAYED if number else Temporality.ASAP,
        delay=Delay(value=3, unit=DelayUnit.DAY) if number else None,
    )
    for number in range(4)
]
SIZES = """
    SELECT relname::text, pg_total_relation_size(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
    """


def main() -> int:
    """Run and print the figures."""
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--runs", type=int, default=3_000)
    wanted.add_argument("--sent", type=int, default=500)
    options = wanted.parse_args()
    with (
        own_server() as served,
        tempfile.TemporaryDirectory() as folder,
        Store.open(Workspace(Path(folder)), now=now(), url=served.url) as store,
    ):
        empty = sizes(served.url)
        asyncio.run(start(provider(store), options.runs))
        started = sizes(served.url)
        worker_on(store).run_due(limit=options.sent)
        sent = sizes(served.url)
    show("a run of four steps, planned and approved", started - empty, options.runs)
    show("an e-mail that was sent", sent - started, options.sent)
    return 0


def sizes(url: str) -> Counter[str]:
    """Return the bytes of each table with its indexes."""
    with psycopg.connect(url, autocommit=True) as server:
        server.execute("VACUUM ANALYZE")
        return Counter({str(name): int(size) for name, size in server.execute(SIZES).fetchall()})


def show(what: str, grown: Counter[str], number: int) -> None:
    """Print the bytes of one of a number."""
    print(f"  {what}: {grown.total() / number:,.0f} bytes")
    for name, size in grown.most_common(8):
        print(f"    {name:<20} {size / number:>8,.0f}")


async def start(local: LocalProvider, count: int) -> None:
    """Start so many people at once, each with a text of four steps."""
    blueprint = await local.create_blueprint(name="Due", steps=STEPS, sourcing=Sourcing())
    header = PlanHeader(
        blueprint_id=blueprint.id,
        blueprint_version=blueprint.version,
        blueprint_name=blueprint.name,
        terms=TERMS,
        expires_at=now() + timedelta(hours=1),
    )
    plan = await local.plans.open_plan(header)
    entries = [
        ContactEntry(
            ContactFields(
                email=f"{os.urandom(8).hex()}@example.org",
                first_name="Ada",
                last_name="Lovelace",
                company="Analytical Engines",
                job_title="Engineer",
            )
        )
        for _ in range(count)
    ]
    people = [
        PlannedPerson(
            contact=saved.contact,
            variables={},
            time_zone="UTC",
            steps=tuple(
                StepRun(
                    key=local.plans.new_keys(1)[0],
                    step=step,
                    recipient=saved.contact.email,
                    subject=step.subject,
                    content=step.content,
                )
                for step in STEPS
            ),
        )
        for saved in await local.save_contacts(entries)
    ]
    await local.plans.add_people(plan.id, people)
    plan = await local.plans.seal_plan(plan.id)
    await local.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("benchmark"))


if __name__ == "__main__":
    sys.exit(main())
