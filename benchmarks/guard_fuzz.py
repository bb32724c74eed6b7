"""A million generated and mutated texts through the guards: none may raise, none may take 50 ms.

    python benchmarks/guard_fuzz.py [COUNT] [SEED]

Half of the texts are labelled ones, cut, joined and with signs thrown in; half are drawn from signs and letters.
Times are processor time, which a busy machine stretches less than the clock; a text over the limit gets three more
tries. Interrupted, it says what was found so far.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from sequences_mcp.guards.check import check_text

LABELLED = Path(__file__).parents[1] / "tests" / "guards"
SIGNS = "[]{}<>()%$#@&;|*_«»‹›【】［］｛｝“”\"'`:/\\.,!?-=^~ \n\r\t\x00\u200b\u202e\ufdd0\ud800é山م🏴"
BITS = [
    "{{",
    "}}",
    "[company]",
    "{{firstname}}",
    "](",
    "&lt;",
    "&#123;",
    "<b>",
    "</b>",
    "<!--",
    "{%",
    "*|",
    "Hi ",
    "null",
]
SLOW = 0.05


def seeds() -> list[str]:
    names = ("corpus.jsonl", "own_cases.jsonl")
    lines = [line for name in names for line in (LABELLED / name).read_text(encoding="utf-8").splitlines()]
    return [text for line in lines if len(text := json.loads(line)["text"]) < 2_000]


def mutated(dice: random.Random, texts: list[str]) -> str:
    text = dice.choice(texts)
    for _ in range(dice.randint(1, 6)):
        place = dice.randint(0, len(text))
        match dice.randrange(5):
            case 0:
                text = text[:place] + dice.choice(SIGNS) + text[place:]
            case 1:
                text = text[:place] + text[place + dice.randint(1, 9) :]
            case 2:
                text = text[:place] + dice.choice(BITS) + text[place:]
            case 3:
                text = text[place:] + text[:place]
            case _:
                text = (text + dice.choice(texts))[:1_000]
    return text


def drawn(dice: random.Random) -> str:
    letters = SIGNS + "abcXYZ012 {{}}[[]]"
    return "".join(dice.choices(letters, k=dice.randint(0, 60))) * dice.choice((1, 1, 1, 1, 5))


def seconds(text: str, field: str) -> tuple[float, int]:
    start = time.thread_time()
    found = check_text(text, field=field)  # type: ignore[arg-type]
    return time.thread_time() - start, len(found)


def main(count: int, seed: int) -> None:
    dice = random.Random(seed)
    texts = seeds()
    tally: Counter[str] = Counter()
    check_text("Hi", field="content")
    worst, begun, done = 0.0, time.process_time(), 0
    with suppress(KeyboardInterrupt):
        for number in range(count):
            text = mutated(dice, texts) if number % 2 else drawn(dice)
            field = "subject" if number % 5 == 0 else "content"
            done = number + 1
            try:
                took, found = seconds(text, field)
            except Exception as error:  # noqa: BLE001 - any exception at all is what this looks for
                tally["crashed"] += 1
                print(f"crashed: {error!r} on {text!a}", file=sys.stderr)
                continue
            if took > SLOW:
                took = min(seconds(text, field)[0] for _ in range(3))
            tally["slow"] += took > SLOW
            tally["with findings"] += found > 0
            worst = max(worst, took)
    total = time.process_time() - begun
    print(f"{done} texts in {total:.0f} s: {tally['crashed']} crashed, {tally['slow']} took more than 50 ms")
    print(f"worst {worst * 1000:.1f} ms, mean {total / done * 1e6:.0f} µs, {tally['with findings']} with findings")
    sys.exit(1 if tally["crashed"] or tally["slow"] else 0)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
