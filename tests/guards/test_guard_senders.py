"""The name and the signature of a sender, which come from the settings and which everybody reads."""

from __future__ import annotations

import pytest

from sequences_mcp.domain.findings import Severity
from sequences_mcp.domain.sender import Sender
from sequences_mcp.guards.policy import DEFAULT, GuardPolicy
from sequences_mcp.guards.senders import check_sender
from sequences_mcp.lazy_dataclasses import replace

BOB = Sender.of("Bob Example", "bob@example.com")
NOBODIES = """
[Your Name]|{{firstname}} X|<b>Ada</b>|&amp;Ada Lovelace|%FIRST_NAME% X|Your Name|YOUR NAME|Dr. Your Name
First Last|Firstname Lastname|Vorname Nachname|Prénom Nom|Nome Cognome|Имя Фамилия|Full Name|Sender Name
Name|Sender|Ihr Name|Your Name Here|Insert Name|Max Mustermann|Test User|Test Test|Test|Foo Bar|Xxxx|asdf
N/A|undefined|null null|Name Name
"""
PEOPLE = """
Ada Lovelace|Dr. Ada Lovelace, PhD|Ada Lovelace (she/her)|Ada from Acme|The Acme Team|Bob|John Doe|Jane Doe
Max Muster|Mark Sample|Jean Test|Test Murphy|Chris First|Last Lee|Jennifer Null|Nan Na|Sandra Name|Ime|Nama
Nom Nguyen|Mia Sender|John Appleseed|Ola Nordmann|山田太郎|Thomas Example|Jürgen Nachname|Will Power|Tu Anh
Max Mustermann-Schulz|Ad Min
"""
LEFT = "Your Name|Company Name|Your Title, Your Company|Max Mustermann|First Last|{{name}}|<br>|[Your Company]"
LINES = "Bob|Your Recruiter|Ihr Ansprechpartner|Phone|Mobile: +49 30 1234|John Doe|Acme GmbH|Sales Director|--"


def names_in(text: str) -> list[str]:
    """Return the names of a table."""
    return [name for line in text.split("\n") if line for name in line.split("|")]


def test_a_name_that_a_template_left_is_refused_and_a_rare_name_is_not() -> None:
    of_name = {name: check_sender(Sender.of(name, "a@b.example"), DEFAULT) for name in names_in(NOBODIES + PEOPLE)}
    assert [name for name, found in of_name.items() if found] == names_in(NOBODIES)
    assert {finding.field for found in of_name.values() for finding in found} == {"sender"}


def test_a_line_that_a_template_left_in_a_signature_is_refused_with_its_place() -> None:
    found = {
        line: check_sender(replace(BOB, signature=f"Bob\n{line}"), DEFAULT) for line in names_in(f"{LEFT}|{LINES}")
    }
    assert [line for line, findings in found.items() if findings] == names_in(LEFT)
    [finding] = found["Company Name"]
    assert (finding.field, finding.rule, finding.start, finding.end) == ("signature", "values.heading", 4, 16)
    assert not check_sender(replace(BOB, signature="Bob\nCompany Name"), DEFAULT, signs=False)


@pytest.mark.parametrize(("name", "passes"), [("Foo Bar", True), ("[Your Name]", False)])
def test_a_house_may_make_a_warning_of_an_example_but_not_of_a_placeholder(name: str, passes: bool) -> None:
    house = GuardPolicy(severity={"values.sample": Severity.WARNING, "placeholders.square": Severity.WARNING})
    assert (not check_sender(Sender.of(name, "a@b.example"), house)) is passes
