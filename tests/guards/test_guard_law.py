"""What the law asks of a first message, as the guards tell it: who is named, which country, which file."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.guards.guard_examples import first_message

from sequences_mcp.domain.findings import Finding, Severity
from sequences_mcp.domain.sender import LawSetting
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.guards.law import FirstMessage, Law, PersonFacts, built_in, findings_about, law_in

NAMED = "Hi, this is Example Ltd, 12 High St, London. Reply no to be left in peace."


def told_of(found: tuple[Finding, ...]) -> set[str]:
    return {finding.rule for finding in found}


def test_a_workspace_without_a_file_of_its_own_has_the_table_of_the_package(tmp_path: Path) -> None:
    setting = LawSetting(sender="Example Ltd, London")
    law = law_in(Workspace(tmp_path), setting)
    assert (law.table, law.setting) == (built_in(), setting)
    (tmp_path / "law.toml").write_text("[countries.FR]\nopt_out = false\n", encoding="utf-8")
    assert "opt_out" not in law_in(Workspace(tmp_path), setting).table.countries["FR"].demands


def test_a_demand_of_true_is_the_houses_own_rule_and_a_name_is_that_of_a_statute(tmp_path: Path) -> None:
    house = '[countries.BR]\nopt_out = true\nconsent = { severity = "error" }\n'
    (tmp_path / "law.toml").write_text(house, encoding="utf-8")
    demands = law_in(Workspace(tmp_path), None).table.countries["BR"].demands
    assert demands["opt_out"].statute.statute == "the house's own rule"
    assert demands["opt_out"].severity is None
    assert demands["consent"].severity is Severity.ERROR
    of_france = built_in().countries["FR"].demands["opt_out"].statute
    assert of_france.statute != "the house's own rule"


def test_a_country_that_the_table_lacks_is_said_and_nothing_else() -> None:
    assert told_of(first_message(country="AQ", text=NAMED)) == {"law.country"}
    assert "law.country" not in told_of(first_message(country="FR", text=NAMED))


@pytest.mark.parametrize(
    ("countries", "rules"),
    [(("DE",), {"law.consent"}), (("US",), set()), (("DE", "US"), set()), (("DE", "AT"), set()), ((), set())],
)
def test_without_a_setting_only_consent_is_asked_for_and_only_where_the_country_is_known(
    countries: tuple[str, ...], rules: set[str]
) -> None:
    law = Law(table=built_in(), setting=None)
    found = findings_about(law, PersonFacts(countries=countries), [FirstMessage("s1", "Hi", end=2)])
    assert told_of(tuple(found)) == rules


@pytest.mark.parametrize(
    ("sender", "text", "is_named"),
    [
        ("J.P. Morgan, London", "Hi from J.P. Morgan in London", True),
        ("J.P. Morgan, London", "Hi from JP Morgan in London", False),
        ("J.P. Morgan Ltd, London", "Hi from JP Morgan in London", True),
        ("Morgan Ltd, London", "Hi from Morgan in London", True),
    ],
)
def test_a_sender_is_named_as_they_are_spelled_or_without_the_form_of_the_company(
    sender: str, text: str, is_named: bool
) -> None:
    law = Law(table=built_in(), setting=LawSetting(sender=sender))
    found = findings_about(law, PersonFacts(countries=("FR",)), [FirstMessage("s1", text, end=len(text))])
    assert ("law.sender" in told_of(tuple(found))) != is_named
