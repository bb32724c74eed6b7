"""Hosts that look like another: told of in links, addresses, values, with the name that goes over the wire."""

from __future__ import annotations

import pytest

from sequences_mcp.domain.findings import Severity
from sequences_mcp.guards.check import check_text, check_value


@pytest.mark.parametrize(
    ("text", "wire", "severity"),
    [
        ("see https://p\u0430ypal.com/x", "xn--pypal-4ve.com", Severity.ERROR),
        ("write to maria@g\u043eogle.com", "xn--gogle-jye.com", Severity.ERROR),
        ("see www.\u0430\u0440\u0440\u04cf\u0435.com", "xn--80ak6aa92e.com", Severity.WARNING),
        ("see \u0430\u0440\u0440\u04cf\u0435.com today", "xn--80ak6aa92e.com", Severity.WARNING),
        ("see https://xn--80ak6aa92e.com/jobs", "xn--80ak6aa92e.com", Severity.WARNING),
        ("see https://xn--pypal-4ve.com", "xn--pypal-4ve.com", Severity.ERROR),
        ("see https://jobs.\u03b1cme.example", "jobs.xn--cme-nxc.example", Severity.ERROR),
    ],
)
def test_a_host_that_looks_like_another_is_told_of_with_its_name_on_the_wire(
    text: str, wire: str, severity: Severity
) -> None:
    found = [one for one in check_text(text, field="content") if one.rule == "channel.homograph"]
    assert [one.severity for one in found] == [severity]
    assert wire in found[0].message


@pytest.mark.parametrize(
    "text",
    [
        "https://m\u00fcller.example and https://soci\u00e9t\u00e9.fr",
        "https://\u4f8b\u3048.jp and https://acme\u30b8\u30e3\u30d1\u30f3.jp",
        "\u044f\u043d\u0434\u0435\u043a\u0441.\u0440\u0444 and https://\u043f\u043e\u0447\u0442\u0430.\u0440\u0444",
        "\u041f\u0440\u0438\u0432\u0435\u0442.Node.js \u0438 C++",
        "https://stra\u00dfe.de",
    ],
)
def test_a_host_in_one_script_or_in_scripts_that_belong_together_is_left_alone(text: str) -> None:
    assert [one.excerpt for one in check_text(text, field="content") if one.rule == "channel.homograph"] == []


def test_an_address_of_a_person_is_looked_at_too() -> None:
    (found,) = check_value("email", "maria@p\u0430ypal.com")
    assert (found.rule, found.severity) == ("channel.homograph", Severity.ERROR)
    assert "xn--pypal-4ve.com" in found.message
