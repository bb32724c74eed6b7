"""Start somebody at the planted vendor, in a process of its own; print what became of it as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from sequences_mcp.bootstrap import open_context
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.ids import IdKind, parse_id
from sequences_mcp.errors import SequencesError
from sequences_mcp.services.connections import list_providers
from sequences_mcp.services.enrolment import enrol_at_vendor
from sequences_mcp.services.sequences import get_sequence, list_tasks
from sequences_mcp.services.starts import start_sequence
from sequences_mcp.settings import read_settings


async def _silent(done: int, total: int) -> None:
    """Report to nobody."""


async def used(folder: Path, key: str) -> dict[str, object]:
    """Return what a person and a model are told on the way."""
    environ = {
        "SEQUENCES_DATA_DIR": str(folder),
        "SEQUENCES_SENDER": "Ada <ada@lovelace.example>",
        "PIGEON_API_KEY": key,
    }
    (folder / "settings.toml").write_text('[pigeon]\nloft_id = "pigeon:loft_9"\n', encoding="utf-8")
    async with open_context(read_settings(environ), worker=False) as app:
        report = await list_providers(app)
        started = await start_sequence(
            app,
            blueprint_id="pigeon:post",
            contacts=[{"email": "grace@hopper.example", "first_name": "Grace"}],
            progress=_silent,
        )
        plan = await app.plans.approve_plan(started.plan.id, digest=started.plan.digest, actor=Actor("terminal"))
        stopped = await enrol_at_vendor(app, plan_id=plan.id)
        run = await get_sequence(app, sequence_id=started.sample.sequence.id)
        try:
            await list_tasks(app, provider="pigeon")
        except SequencesError as error:
            refused = error.message
        return {
            "id": str(parse_id("pigeon:post", IdKind.BLUEPRINT)),
            "providers": {provider.name: [*provider.can, provider.note] for provider in report.providers},
            "terms": plan.header.terms.delivery,
            "stopped": stopped,
            "run": [run.sequence.provider, run.sequence.remote_id, run.provider_status],
            "refused": refused,
        }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(used(Path(sys.argv[1]), sys.argv[2]))))
