"""The passphrase that only the person knows."""

from __future__ import annotations

import hmac
import json
import stat
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from tests.secrecy import planted

from sequences_mcp.errors import ApprovalError, InvalidArgumentsError
from sequences_mcp.review import proof
from sequences_mcp.review.passphrase import FILE_NAME, check, is_set, mark, set_passphrase

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
    assert {path.name for path in tmp_path.iterdir()} == {FILE_NAME, proof.FILE_NAME}


def test_what_a_proof_is_held_against_is_private_and_belongs_to_one_setting_of_the_passphrase(
    tmp_path: Path,
) -> None:
    set_passphrase(tmp_path, GOOD)
    file = tmp_path / proof.FILE_NAME
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    first = proof.stored(tmp_path, mark=mark(tmp_path))
    assert first is not None
    assert first.rounds >= 600_000
    assert GOOD not in file.read_text()
    set_passphrase(tmp_path, "another horse battery", old=GOOD)
    second = proof.stored(tmp_path, mark=mark(tmp_path))
    assert second is not None and second.key != first.key
    assert proof.stored(tmp_path, mark=first.mark) is None


def test_the_two_keys_are_those_of_the_standards_own_example() -> None:
    """RFC 7677, section 3: user `user`, passphrase `pencil`, 4096 rounds."""
    salt = b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    said = (
        b"n=user,r=rOprNGfwEbeRWgbNEkqO,"
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    key = proof.client_key("pencil", salt, 4096)
    signature = hmac.digest(proof.stored_key(key), said, "sha256")
    covered = bytes(one ^ other for one, other in zip(key, signature, strict=True))
    assert b64encode(covered) == b"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="


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
