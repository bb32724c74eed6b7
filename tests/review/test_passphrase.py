"""The passphrase that only the person knows."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from tests.secrecy import planted

from sequences_mcp.errors import ApprovalError, InvalidArgumentsError
from sequences_mcp.review.passphrase import FILE_NAME, check, is_set, set_passphrase

GOOD = planted.PASSPHRASE.value
NEXT = planted.NEW_PASSPHRASE.value


def test_the_right_passphrase_passes_and_a_wrong_one_does_not(tmp_path: Path) -> None:
    set_passphrase(tmp_path, GOOD)
    assert is_set(tmp_path)
    check(tmp_path, f" {GOOD}\n")
    for wrong in ("", GOOD.upper(), GOOD[:-1], f"{GOOD}!"):
        with pytest.raises(ApprovalError, match=r"The passphrase is wrong\. Try again; nothing was approved\."):
            check(tmp_path, wrong)


def test_only_its_owner_may_read_the_file_and_it_holds_no_passphrase(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    set_passphrase(folder, GOOD)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / FILE_NAME)] == [0o700, 0o600]
    record = json.loads((folder / FILE_NAME).read_text())
    assert set(record) == {"salt", "hash", "n", "r", "p"}
    assert record["n"] * record["r"] * 128 >= 64 * 2**20  # the memory one guess costs
    assert GOOD not in (folder / FILE_NAME).read_text()


def test_the_same_passphrase_is_stored_differently_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        set_passphrase(tmp_path / name, GOOD)
    one, two = (json.loads((tmp_path / name / FILE_NAME).read_text()) for name in ("one", "two"))
    assert one["salt"] != two["salt"]
    assert one["hash"] != two["hash"]


def test_a_change_needs_the_present_one(tmp_path: Path) -> None:
    set_passphrase(tmp_path, GOOD)
    for old in (None, "", planted.MISTYPED.value):
        with pytest.raises(ApprovalError, match="wrong"):
            set_passphrase(tmp_path, NEXT, old=old)
    check(tmp_path, GOOD)
    set_passphrase(tmp_path, NEXT, old=GOOD)
    check(tmp_path, NEXT)
    with pytest.raises(ApprovalError):
        check(tmp_path, GOOD)
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize("short", ["", "       ", "1234567", " 123456 "])
def test_a_short_one_is_refused(tmp_path: Path, short: str) -> None:
    with pytest.raises(InvalidArgumentsError, match="8 characters or more"):
        set_passphrase(tmp_path, short)
    assert not is_set(tmp_path)


def test_without_one_nothing_can_be_approved(tmp_path: Path) -> None:
    with pytest.raises(ApprovalError, match="set-passphrase"):
        check(tmp_path, "")


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"salt": 1}', '{"salt": "zz", "hash": "", "n": 2, "r": 8, "p": 1}']
)
def test_a_damaged_file_lets_nobody_in_and_says_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text, encoding="utf-8")
    with pytest.raises(ApprovalError, match="cannot be read as a passphrase's hash"):
        check(tmp_path, GOOD)
    with pytest.raises(ApprovalError):
        set_passphrase(tmp_path, GOOD, old=GOOD)
