"""A plan of ten thousand people opens in under a second and stays usable."""

from __future__ import annotations

import time

from page_world import LINKEDIN, MAIL, Visitor, World

PEOPLE = 10_000
BUDGET = 1.0


def test_a_plan_of_ten_thousand_people_opens_in_under_a_second(world: World, person: Visitor) -> None:
    later = {**MAIL, "id": "later", "temporalityType": "DELAYED", "delay": {"value": 3, "unit": "day"}}
    plan = world.plan(MAIL, LINKEDIN, later, people=PEOPLE)
    person.get("/")
    for path in ("", "?page=100", "?page=200", "/sample"):
        began = time.perf_counter()
        answer = person.get(f"/plans/{plan.id}{path}")
        took = time.perf_counter() - began
        assert answer.status in (200, 303)
        assert took < BUDGET, f"{path} took {took:.2f} s"
        print(f"{path or 'first page'}: {took * 1000:.0f} ms, {len(answer.text) // 1024} kB")
