"""The blueprint and the people that the benchmarks work with: made up, and always the same."""

from __future__ import annotations

from typing import Any

SETTINGS = {"SEQUENCES_SENDER": "Ada Lovelace <ada@lovelace.example>", "SEQUENCES_TIME_ZONE": "Europe/Lisbon"}
SOURCING = {"job_title": "Staff Engineer", "location": "Lisbon"}
COMPANIES = ("Globex", "Initech", "Hooli", "Umbrella", "Acme")
TEXT = (
    "Hi {{firstname}},\n\nI am hiring a {{sourcingJobTitle}} in {{sourcingLocation}}, and what you do at "
    "{{candidateCompanyName}} is close to it. Would a short call suit you?\n\n{{recruiterFirstname}}"
)


def steps(count: int) -> list[dict[str, Any]]:
    """Return so many e-mail steps, the first at once and the others three days apart."""
    return [_step(number) for number in range(count)]


def _step(number: int) -> dict[str, Any]:
    later = {"temporalityType": "DELAYED", "delay": {"value": 3, "unit": "day"}}
    return {
        "id": f"step{number}",
        "name": f"Step {number}",
        "type": "EMAIL",
        "subject": f"{{{{sourcingJobTitle}}}} in {{{{sourcingLocation}}}} ({number + 1})",
        "content": TEXT,
        **(later if number else {"temporalityType": "ASAP"}),
    }


def people(count: int) -> list[dict[str, str]]:
    """Return so many people with everything the texts ask for."""
    return [_person(number) for number in range(count)]


def _name(number: int) -> str:
    """Return a made-up name of letters alone, another one for each number below a quarter of a million."""
    syllables = []
    for _ in range(3):
        number, place = divmod(number, 65)
        syllables.append("bdfgklmnprstv"[place // 5] + "aeiou"[place % 5])
    return "".join(syllables).capitalize() + "n"


def _person(number: int) -> dict[str, str]:
    company = COMPANIES[number % len(COMPANIES)]
    return {
        "email": f"person.{number}@{company.lower()}{number // 50}.example",
        "first_name": _name(number),
        "last_name": _name(number + 7_777),
        "company": f"{company} {number // 50}",
        "job_title": "Engineer",
        "location": "Porto",
        "time_zone": "Europe/Lisbon",
    }
