"""How long it takes to say what an e-mail that came in is, over the tests' corpus, and how often it is right.

    python -m benchmarks.classify [how many damaged ones] [seed]

Prints a Markdown table and exits with 1 when a budget is broken: 20 ms for 99 of 100 messages, nothing crashed, no
address given up that may exist. Times are those of the processor, for all that is done before the database is
asked: parsing, judging, the ids, the new text, opt-out and absence. Then so many messages are read that are
damaged at random, 20,000 by default.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.inbound.test_inbound_bad_input import corpus, damaged, read
from tests.world.mail_corpus import bounces, machines
from tests.world.mail_replies import no_opt_outs, opt_outs

from sequences_mcp.engine.inbound.kind import OF_MAILERS, InboundKind, judge_inbound
from sequences_mcp.engine.inbound.opt_out import is_opt_out
from sequences_mcp.engine.inbound.own_text import new_text
from sequences_mcp.engine.inbound.parsing import parse_inbound

COUNT = 20_000
MOST = 20.0  # milliseconds


def spent(data: bytes) -> float:
    """Return the milliseconds of the processor that one message takes, the best of two."""
    times = []
    for _ in range(2):
        began = time.process_time()
        read(data)
        times.append(time.process_time() - began)
    return 1_000 * min(times)


def crashes(count: int, *, seed: int) -> int:
    """Return how many of so many damaged messages are not read to their end."""
    chance = random.Random(seed)
    result = 0
    for _ in range(count):
        data = damaged(chance.choice(corpus()), chance)
        try:
            read(data)
        except Exception as error:  # noqa: BLE001 - a crash of any kind is what is being looked for
            result += 1
            print(f"CRASH {error!r}: {data!r:.300}")
    return result


def quality() -> tuple[list[str], int]:
    """Return what of the corpus is told rightly, in sentences, and how many addresses were given up wrongly."""
    kinds = [(item, judge_inbound(parse_inbound(item.data)).kind) for item in (*bounces(), *machines())]
    reports = [(item, kind) for item, kind in kinds if item.kind in OF_MAILERS]
    lost = sum(kind not in OF_MAILERS for _, kind in reports)
    hard = InboundKind.HARD_BOUNCE
    wrong = sum(kind is hard and item.kind is not hard for item, kind in kinds)
    known = sum(kind is hard and item.kind is hard for item, kind in kinds)
    heard = [is_opt_out(new_text(parse_inbound(item.data).text, item.ours)) for item in opt_outs()]
    others = [is_opt_out(new_text(parse_inbound(item.data).text, item.ours)) for item in no_opt_outs()]
    return [
        f"{len(reports) - lost} of {len(reports)} reports known as such",
        f"{known} of {sum(item.kind is hard for item, _ in kinds)} addresses known to be gone, {wrong} wrongly",
        f"{sum(heard)} of {len(heard)} opt-outs heard, {sum(others)} of {len(others)} others taken for one",
    ], wrong


def main() -> int:
    count, seed = (int(value) for value in (*sys.argv[1:], str(COUNT), "1")[:2]) if sys.argv[1:] else (COUNT, 1)
    read(corpus()[0])
    times = sorted(spent(data) for data in corpus())
    middle, late = times[len(times) // 2], times[int(len(times) * 0.99)]
    sentences, wrong = quality()
    crashed = crashes(count, seed=seed)
    print("| what | found | at most |\n|---|--:|--:|")
    print(f"| {len(times)} messages, median | {middle:.1f} ms | |")
    print(f"| 99 of 100 | {late:.1f} ms | {MOST:.0f} ms |")
    print(f"| the slowest | {times[-1]:.1f} ms | |")
    print(f"| {count:,} damaged at random, crashed | {crashed} | 0 |")
    print("\n".join(f"| {sentence} | | |" for sentence in sentences))
    return int(late > MOST or crashed > 0 or wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
