"""How long the guards take: an ordinary blueprint, hostile texts of 100 kB, and the values of 10,000 contacts.

    python benchmarks/guard_speed.py

Prints a Markdown table and exits with 1 when a budget is broken: 2 ms median for five steps, 50 ms for 100 kB,
0.3 s for the values. Times are those of the processor, and of hostile texts the best of three, so that a busy
machine counts for little.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

from sequences_mcp.domain.variables import VARIABLES
from sequences_mcp.guards.check import check_steps, check_text, check_values

LIMIT = 100_000
TEXT = """Hi {{firstname}},

I'm hiring a {{sourcingJobTitle}} in {{sourcingLocation}} and your work as {{candidateJobTitle}} at
{{candidateCompanyName}} caught my eye: 100 % remote is possible.

Stack: Go, Postgres, k8s; ~30% on-call; $150k–$180k. JD: https://acme.com/jobs/42?ref=mail
See https://acme.com/jobs/42, or the study [1].

Worth a 15-minute chat on Tue/Wed?

Best,
{{recruiterFirstname}} {{recruiterLastname}}
"""
STEP = {"name": "Mail", "type": "EMAIL", "content": TEXT, "subject": "{{sourcingJobTitle}}, {{firstname}}?"}

# Each to be repeated so many times and cut at 100 kB; the numbers stay just below the limits of structure.crowded.
HOSTILE = {
    "6,000 opening brackets": ("[", 6_000),
    "100 kB of braces": ("{", LIMIT),
    "nested 50,000 deep": ("[" * 50_000 + "]" * 50_000, 1),
    "nested 290 deep": ("[" * 290 + "a " * 40_000 + "]" * 290, 1),
    "290 [ without an end": ("[" + "a " * 160, 290),
    "290 long brackets": ("[" + "word " * 60 + "] ", 290),
    "290 near-ranges": ("[1" + "0" * 150 + "- x] ", 290),
    "290 near-numbers": ("[" + "1 " * 75 + "x] ", 290),
    "290 near-literals": ("a[" + "'a', " * 30 + "] ", 290),
    "290 near-links": ("[a](" + "b" * 190 + " ", 290),
    "290 subscripts": ("a[" + "b + " * 35 + "] ", 290),
    "290 elisions": ('"[...]" ' + "a " * 90, 290),
    "145 doubled braces": ("{{" + "name " * 130 + "}} ", 145),
    "145 near misses": ("{{" + "firstnameX" * 4 + "}} ", 145),
    "290 single braces": ("{" + "a " * 90 + "} ", 290),
    "145 alternatives": ("{a|" + "b " * 160 + "} ", 145),
    "1,900 angles": ("<a" + "b" * 45 + " ", 1_900),
    "1,900 tags": ("<b>" + "b" * 45 + " ", 1_900),
    "1,900 attributes": ("<a href='" + "b" * 35 + " ", 950),
    "1,900 entities": ("&amp;" + "b" * 40 + " ", 1_900),
    "1,900 parentheses": ("(" + "b" * 45 + " ", 1_900),
    "1,900 invisible letters": ("b\u200b" + "b" * 40, 1_900),
    "event attributes": ("<a " + " on" * 33_000, 1),
    "letters": ("a", LIMIT),
    "blanks": (" ", LIMIT),
    "Cyrillic": ("а", LIMIT),
    "Chinese": ("会", LIMIT),
    "Arabic": ("م", LIMIT),
    "ligatures": ("ﬁ", LIMIT),
    "combining marks": ("e\u0301", LIMIT),
    "dots": ("a.", LIMIT),
    "greetings": ("Hi null, ", LIMIT),
    "titles": ("dear mr mr mr ", LIMIT),
    "hyphens": ("a -name ", LIMIT),
    "bare variables": ("candidateJobTitle ", LIMIT),
    "preambles": ("sure! here is ", LIMIT),
    "hosts": ("your company.", LIMIT),
    "emphases": ("*a b ", 1_900),
    "closed emphases": ("*" + "a " * 20 + "b* ", 950),
    "underscores": ("_a b " + "c" * 40, 1_900),
    "code": ("`a b " + "c" * 40, 1_900),
    "headings": ("# a\n", 4_900),
    "quotes": ("> a\n" + "b" * 14, 1_900),
    "tables": ("|-|-\n", 290),
    "table rows": ("a" * 340 + "|\n", 290),
    "fences": ("```\n" + "b" * 140, 660),
    "dividers": ("--- ", LIMIT),
    "equals": ("= -- = ", 1_900),
    "verbs": ("insert ", LIMIT),
    "capitals": ("ADD A B C D E F ", LIMIT),
    "variants": ("variant a: ", LIMIT),
    "variant lines": ("- - - variant a\n", 4_900),
    "blanks and lines": (" " * 19 + "\n", 4_900),
    "Persian": ("می\u200cخواهم ", 1_900),
    "emoji": ("👩🏽\u200d⚕\ufe0f", LIMIT),
    "selectors": ("a\ufe01", LIMIT),
    "links": ("https://а.example/ " + "b" * 30 + " ", LIMIT),
    "links of one word": ("https://а.example/ " + "b" * 30, LIMIT),
    "comments": ("// add ", LIMIT),
    "notes in parentheses": ("(note: check) ", 1_900),
    "orders to put something here": ("insert here, ", LIMIT),
    "days": ("30 ", LIMIT),
    "turns": ("user: a\n", 4_900),
    "labels": ("option 1: \n", 4_900),
    "paths": ("$a.b.c ", 1_900),
    "samples": ("Muster AG ", LIMIT),
    "lost letters": ("a?b ", LIMIT),
    "groups of x": ("xx,", LIMIT),
    "doubled names": ("Hi a a ", LIMIT),
    "lenticular": ("【会社名】" + "あ" * 60, 290),
}


def best(work: Callable[[], object], *, of: int) -> float:
    times = []
    for _ in range(of):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times) * 1000


def to_limit(text: str, times: int) -> str:
    return (text * times).encode()[:LIMIT].decode(errors="ignore")


def main() -> None:
    check_text("Hi", field="content")
    steps = [{**STEP, "id": str(number), "temporalityType": "ASAP"} for number in range(5)]
    assert not check_steps(steps).findings
    medians = [best(lambda: check_steps(steps), of=1) for _ in range(300)]
    values = dict.fromkeys(VARIABLES, "Anne-Marie O’Connor")
    rows = [("five steps, median", statistics.median(medians), 2.0)]
    rows += [
        ("values of 10,000 contacts", best(lambda: [check_values(values) for _ in range(10_000)], of=1), 300.0)
    ]
    for name, (text, times) in HOSTILE.items():
        whole = to_limit(text, times)
        for field in ("content", "subject"):
            took = best(partial(check_text, whole, field=field), of=3)
            rows.append((f"{name} ({field})", took, 50.0))
    print("| what | ms | at most |\n|---|--:|--:|")
    print("\n".join(f"| {name} | {took:.1f} | {most:.0f} |" for name, took, most in rows))
    sys.exit(any(took > most for _, took, most in rows))


if __name__ == "__main__":
    main()
