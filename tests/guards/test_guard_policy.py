"""The house policy: what an operator may set, and what the guards make of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sequences_mcp.domain.findings import Severity
from sequences_mcp.errors import SettingsError
from sequences_mcp.guards.check import check_steps, check_text, check_values
from sequences_mcp.guards.policy import DEFAULT, GuardPolicy
from sequences_mcp.guards.policy_file import load_policy

WHOLE = """
free_linkedin_account = true
sms_segments = 2
max_steps = 10
forbidden = ["rock star", "ninja"]
allowed_brackets = ["Acme Labs"]

[severity]
"placeholders.example_host" = "error"
"channel.link_mismatch" = "warning"
"placeholders.square" = "error"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "guards.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        load_policy(written(folder, text))
    assert "guards.toml" in raised.value.message
    return list(raised.value.data["problems"])


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    policy = load_policy(written(tmp_path, WHOLE))
    assert policy == GuardPolicy(
        severity={
            "placeholders.example_host": Severity.ERROR,
            "channel.link_mismatch": Severity.WARNING,
            "placeholders.square": Severity.ERROR,
        },
        forbidden=("rock star", "ninja"),
        allowed_brackets=frozenset({"acme labs"}),
        free_linkedin_account=True,
        sms_segments=2,
        max_steps=10,
    )
    assert policy.invitation_note == 200


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert load_policy(written(tmp_path, "")) == DEFAULT
    assert DEFAULT.invitation_note == 300


def test_every_bad_entry_is_named_at_once(tmp_path: Path) -> None:
    text = """
    max_steps = 0
    sms_segments = true
    free_linkedin_account = "yes"
    forbidden = ["", "x"]
    allowed_brackets = "Acme"
    colour = "red"
    severity = 7
    """
    assert problems(tmp_path, text) == [
        "max_steps must be a whole number from 1 to 1000",
        "sms_segments must be a whole number from 1 to 1000",
        "free_linkedin_account must be true or false",
        "forbidden must be a list of phrases",
        "allowed_brackets must be a list of phrases",
        "'colour' is not a setting of the guards",
        "severity must be a table of rule ids",
    ]
    assert problems(tmp_path, "max_steps = 1001\nsms_segments = 1.5\nforbidden = [7]") == [
        "max_steps must be a whole number from 1 to 1000",
        "sms_segments must be a whole number from 1 to 1000",
        "forbidden must be a list of phrases",
    ]


def test_a_severity_must_name_a_rule_and_a_word_and_not_lower_an_error(tmp_path: Path) -> None:
    text = """
    [severity]
    "foreign.nothing" = "error"
    "foreign.sigil" = "fatal"
    "foreign.spintax" = 7
    "variables.unknown" = "warning"
    "structure.delay" = "note"
    "placeholders.square" = "note"
    "placeholders.ambiguous" = "note"
    "foreign.mojibake" = "note"
    """
    assert problems(tmp_path, text) == [
        "severity names 'foreign.nothing', which is no rule",
        "severity of foreign.sigil must be error, warning or note, not 'fatal'",
        "severity of foreign.spintax must be error, warning or note, not 7",
        "severity of variables.unknown cannot be lowered",
        "severity of structure.delay cannot be lowered",
        "severity of placeholders.square cannot be lowered",
    ]


@pytest.mark.parametrize(
    ("count", "is_fine"), [("0", False), ("1", True), ("1000", True), ("1001", False), ("true", False)]
)
def test_a_count_is_from_one_to_a_thousand(tmp_path: Path, count: str, is_fine: bool) -> None:
    text = f"sms_segments = {count}\n"
    if is_fine:
        assert load_policy(written(tmp_path, text)).sms_segments == int(count)
    else:
        assert problems(tmp_path, text) == ["sms_segments must be a whole number from 1 to 1000"]


@pytest.mark.parametrize("content", [b"a = ", b"\xff\xfe", b"= 1"])
def test_a_broken_file_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "guards.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="not TOML in UTF-8") as raised:
        load_policy(path)
    assert raised.value.next_step


def test_a_file_that_cannot_be_read_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_policy(tmp_path / "none.toml")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_policy(tmp_path)


def test_a_forbidden_phrase_is_refused_in_any_case_and_disguise() -> None:
    policy = GuardPolicy(forbidden=("rock star", "C++"))
    for text in ("A Rock Star!", "a rock\u200b star", "we do C++."):
        found = check_text(text, field="content", policy=policy)
        assert [finding.rule for finding in found] == ["channel.forbidden"]
    assert check_text("rock stars, C", field="content", policy=policy) == ()


def test_an_allowed_phrase_may_stand_in_brackets() -> None:
    policy = GuardPolicy(allowed_brackets=frozenset({"acme labs"}))
    assert check_text("from [Acme Labs ]", field="content", policy=policy) == ()
    assert len(check_text("from [Acme]", field="content", policy=policy)) == 1


def test_a_severity_can_be_set_for_texts_steps_and_values() -> None:
    policy = GuardPolicy(
        severity={
            "placeholders.ambiguous": Severity.ERROR,
            "values.direction": Severity.NOTE,
            "structure.one_invitation": Severity.ERROR,
            "placeholders.square": Severity.ERROR,
        }
    )
    assert check_text("[Remote] role", field="subject", policy=policy)[0].severity is Severity.ERROR
    assert check_values({"firstname": "محمد"}, policy=policy)[0].severity is Severity.NOTE
    step = {"id": "a", "name": "a", "type": "SMS", "content": "Hi", "temporalityType": "DELAYED"}
    assert check_steps([step], policy=policy).findings[0].severity is Severity.ERROR


def test_raising_a_rule_raises_what_it_says_in_doubt() -> None:
    policy = GuardPolicy(severity={"foreign.spintax": Severity.NOTE})
    assert check_text("{Hi|Yo} J", field="content", policy=policy)[0].severity is Severity.NOTE


@pytest.mark.parametrize(
    "rule",
    [
        *("channel.markup", "channel.subject_markup", "channel.control", "channel.header", "channel.homograph"),
        *("channel.active_content", "values.control", "structure.name"),
    ],
)
def test_what_hides_or_is_markup_cannot_be_let_out_by_the_house(tmp_path: Path, rule: str) -> None:
    for word in ("warning", "note"):
        assert problems(tmp_path, f'[severity]\n"{rule}" = "{word}"') == [f"severity of {rule} cannot be lowered"]
