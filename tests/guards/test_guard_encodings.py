"""What an encoding left in a text is found with the character that was meant; paths and links are left alone."""

from __future__ import annotations

import pytest
from tests.guards.guard_examples import verdict

from sequences_mcp.domain.findings import Severity
from sequences_mcp.guards.check import check_text, check_value, replaced

CERTAIN = [
    (r"Hello\tMaria, we hire.", "Hello\tMaria, we hire."),
    (r"Hi Maria,\r\nI saw", "Hi Maria,\nI saw"),
    (r"Hi Maria,\nI saw", "Hi Maria,\nI saw"),
    (r"Hi Maria,\\n\\nI saw", "Hi Maria,\n\nI saw"),
    (r"Hi Maria,\n\n\nI saw", "Hi Maria,\n\n\nI saw"),
    (r"It\x27s a role", "It's a role"),
    (r"caf\xc3\xa9", "café"),
    (r"caf\xe9", "café"),
    (r"caf\u00e9", "café"),
    (r"caf\u00E9e", "cafée"),
    (r"caf\\u00e9", "café"),
    (r"Great \U0001F600 news", "Great 😀 news"),
    (r"Great \u{1F600} news", "Great 😀 news"),
    (r"Great \ud83d\ude00 news", "Great 😀 news"),
    (r"caf\303\251", "café"),
    (r"the \"best\" team", 'the "best" team'),
    (r"the \\\"best\\\" team", 'the "best" team'),
    (r"don\'t", "don't"),
    (r"24\/7", "24/7"),
    (r"https:\/\/acme.com\/jobs", "https://acme.com/jobs"),
    ("Hello%20Maria, we hire.", "Hello Maria, we hire."),
    ("Hello,%0D%0AMaria", "Hello,\nMaria"),
    ("caf%C3%A9 time", "café time"),
    ("it%E2%80%99s", "it’s"),
    ("caf=C3=A9 time", "café time"),
    ("It=E2=80=99s", "It’s"),
    ("=?utf-8?Q?Caf=C3=A9?= time", "Café time"),
    ("=?UTF-8?B?Q2Fmw6k=?= time", "Café time"),
    ("CafÃ© time", "Café time"),
    ("Itâ€™s", "It’s"),
    ("â€œquotedâ€\u009d", "“quoted”"),
    ("naÃ¯ve", "naïve"),
    ("DÃ©jÃ\u00a0 vu", "Déjà vu"),
    ("MÃœLLER", "MÜLLER"),
    ("Â£50", "£50"),
    ("helloÂ\u00a0there", "hello there"),
    ("ðŸ˜€ hi", "😀 hi"),
    ("ÐŸÑ€Ð¸Ð²ÐµÑ‚", "Привет"),
    ("niÄ™ma", "nięma"),
    ("cafÃƒÂ©", "café"),
    ("ä½\u00a0å¥½", "你好"),
    ("ï»¿Hi there", "Hi there"),
    ("It&amp;#39;s", "It's"),
    ("It&amp;amp;#39;s", "It's"),
    ("R&amp;amp;D", "R&D"),
    ("5&amp;nbsp;pm", "5 pm"),
]
DOUBTFUL = [
    (r"line one\nline two", "line one\nline two"),
    (r"one\ttwo", "one\ttwo"),
    ("cafu00e9", "café"),
    (r"it\047s", "it's"),
    ("hello there=20\nmore", "hello there\nmore"),
    ("caf=E9 time", "café time"),
    ("We build trains that run on time and would like to talk with you abou=\nt them", None),
]
FINE = [
    r"C:\temp\new and C:\\temp\\new",
    r"put it in C:\reports\team.",
    r"\\nas01\team and \\server\new",
    r"¯\_(ツ)_/¯ and \o/",
    r"a \neq b, 2\times 3, \theta and \nu",
    r"regex ^\d{3}\n$",
    r"write \x41",
    "100%, 100% remote, 50%20 off, %20 indirim, 20 %de rabais",
    "https://acme.com/a%20b/%C3%A9quipe?q=a%20b",
    "www.acme.com/a%20b",
    "mailto:jane@acme.com?subject=Hi%20there",
    "jane%20doe@acme.com",
    "x=20, a=C3, https://acme.com/?a=3D&b=20",
    "Grüße, Él — «sí»… É’s, MAÇû, CAFÉ”, ÉTÉ® PARÍS™ ÜBER…",
    "São Paulo £50 50°C ½ ©2024 m²",
    "ça va… « oui »",
    "Zażółć „gęślą” – jaźń, nię",
    "À\u00a0bientôt",
    "R&D, AT&T",
]


@pytest.mark.parametrize(("text", "meant"), CERTAIN)
def test_what_can_be_nothing_else_is_refused_with_the_character_itself(text: str, meant: str) -> None:
    findings = check_text(text, field="content")
    assert verdict(findings) == "reject"
    assert replaced(text, findings) == meant


@pytest.mark.parametrize(("text", "meant"), DOUBTFUL)
def test_what_may_be_meant_is_told_of(text: str, meant: str | None) -> None:
    findings = check_text(text, field="content")
    assert verdict(findings) == "ambiguous"
    assert meant is None or replaced(text, findings) == meant


@pytest.mark.parametrize("text", FINE)
def test_paths_links_and_prose_are_left_alone(text: str) -> None:
    assert {finding.rule for finding in check_text(text, field="content")} & {
        "foreign.escape",
        "foreign.encoded",
        "foreign.mojibake",
    } == set()


@pytest.mark.parametrize(
    "value", ["MÃ¼ller", "JosÃ©", "Ãœlkem", r"O\'Brien", "Acme%20Inc", r"Caf\u00e9", "Caf=C3=A9"]
)
def test_a_value_that_was_never_decoded_is_refused(value: str) -> None:
    for name in ("first_name", "candidateCompanyName", "job_title", "hook", "notes"):
        assert Severity.ERROR in {finding.severity for finding in check_value(name, value)}, name


def test_a_subject_has_no_break_in_its_fix() -> None:
    (finding,) = check_text(r"A role.\nToday", field="subject")
    assert finding.fix == " "


@pytest.mark.parametrize(
    "piece", [r"\na ", r"a\tb", "%20", "a%20b ", "=20", "a=C3=A9", "Ã©", "\\", r"\u00e9 ", "=\n"]
)
def test_many_of_them_are_looked_at_within_a_limit(piece: str) -> None:
    assert len(check_text(piece * 300, field="content")) <= 60


def test_an_encoded_word_of_no_charset_is_told_of_without_a_fix() -> None:
    (finding,) = check_text("=?utf-\u5c718?B?Qm9uam91cg==?= time", field="content")
    assert (finding.rule, finding.fix) == ("foreign.encoded", None)
