"""What lies between a model and a vendor: a list at Topo through the server, and the bare httpx call for it.

Both go to the same sandbox, in a process of its own, in the same run. ``benchmarks.budgets`` measures it.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
from benchmarks.measure import LATENCY, Measured, facts, product_in_passing, taking_turns
from benchmarks.wire import BARE, PRODUCT, Child, Era

from sequences_sandbox.serve import settings

LISTED = {"provider": "topo"}
ASKED = {"page": 1, "size": 10}
ALLOWED = 2 * LATENCY  # a read tool, and the work of a call that is bounded, logged and read field by field


@contextmanager
def served() -> Iterator[Mapping[str, str]]:
    """Run the sandbox on a free port and yield the environment that points at it."""
    command = (*PRODUCT, "sandbox", "--port", "0")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as serving:
        assert serving.stdout is not None
        found = re.search(r"http://[\d.]+:(\d+)", serving.stdout.readline())
        assert found is not None
        try:
            yield settings(int(found[1]))
        finally:
            serving.terminate()


def overhead(environment: Mapping[str, str], era: Era, *, rounds: int) -> Measured:
    """Return by how many echoes of a bare server a list at Topo takes longer than the bare call."""
    headers = {"authorization": f"Bearer {environment['TOPO_API_KEY']}"}
    address = f"{environment['TOPO_BASE_URL']}/sequences"
    with (
        product_in_passing(environment, era=era) as child,
        Child(BARE, era=era) as bare,
        httpx.Client(headers=headers, trust_env=False) as client,
    ):
        child.list_tools()
        bare.list_tools()
        facts(child.call("list_sequences", LISTED))
        _, ours = child.ready("tools/call", {"name": "list_sequences", "arguments": LISTED})
        _, echo = bare.ready("tools/call", {"name": "echo", "arguments": {"text": "hello"}})
        best = taking_turns(
            {
                "ours": lambda: child.exchange(ours),
                "call": lambda: client.get(address, params=ASKED).raise_for_status(),
                "echo": lambda: bare.exchange(echo),
            },
            rounds=rounds,
        )
    over = (best["ours"] - best["call"]) / best["echo"]
    detail = f"{best['ours'] * 1000:.2f} ms, the call alone {best['call'] * 1000:.2f} ms"
    return Measured(f"list_sequences at Topo over the bare call, {era} era", over, ALLOWED, "echoes", detail)
