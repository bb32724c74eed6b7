"""The passphrase that only the person knows."""

from __future__ import annotations

import hashlib
import hmac
import json
import stat
from hashlib import sha256
from pathlib import Path

import pytest
from tests.secrecy import planted
from tests.world.data_folder import QUICK, choose_passphrase

from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import ApprovalError, InvalidArgumentsError
from sequences_mcp.review.lock import passphrase as lock
from sequences_mcp.review.lock.passphrase import (
    check_passphrase,
    is_set,
    passphrase_id,
    set_passphrase,
    verifier,
)
from sequences_mcp.store.safekeeping import FolderRecords

GOOD = planted.PASSPHRASE.value
NEXT = planted.NEW_PASSPHRASE.value


def kept(folder: Path) -> FolderRecords:
    """Return the records of a data folder."""
    return FolderRecords(Workspace(folder))


def test_the_right_passphrase_passes_and_a_wrong_one_does_not(tmp_path: Path) -> None:
    choose_passphrase(Workspace(tmp_path), GOOD)
    assert is_set(kept(tmp_path))
    check_passphrase(kept(tmp_path), f" {GOOD}\n")
    for wrong in ("", GOOD.upper(), GOOD[:-1], f"{GOOD}!"):
        with pytest.raises(ApprovalError, match=r"The passphrase is wrong\. Try again; nothing was approved\."):
            check_passphrase(kept(tmp_path), wrong)


def test_only_its_owner_may_read_the_file_and_it_holds_no_passphrase(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    set_passphrase(kept(folder), GOOD)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, Workspace(folder).passphrase)] == [0o700, 0o600]
    record = json.loads(Workspace(folder).passphrase.read_text())
    assert set(record) == {"version", "salt", "check", "n", "r", "p", "database"}
    assert record["n"] * record["r"] * 128 >= 64 * 2**20  # the memory one guess costs
    assert GOOD not in Workspace(folder).passphrase.read_text()


def test_the_same_passphrase_is_stored_differently_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        set_passphrase(kept(tmp_path / name), GOOD)
    one, two = (json.loads(Workspace(tmp_path / name).passphrase.read_text()) for name in ("one", "two"))
    assert one["salt"] != two["salt"]
    assert one["check"] != two["check"]


def test_a_change_needs_the_present_one(tmp_path: Path) -> None:
    choose_passphrase(Workspace(tmp_path), GOOD)
    for old in (None, "", planted.MISTYPED.value):
        with pytest.raises(ApprovalError, match="wrong"):
            set_passphrase(kept(tmp_path), NEXT, old=old)
    check_passphrase(kept(tmp_path), GOOD)
    set_passphrase(kept(tmp_path), NEXT, old=GOOD)
    check_passphrase(kept(tmp_path), NEXT)
    with pytest.raises(ApprovalError):
        check_passphrase(kept(tmp_path), GOOD)
    assert {path.name for path in tmp_path.iterdir()} == {
        "passphrase.json",
        "proof.json",
        "passphrase.lock",
    }


def test_what_a_proof_is_held_against_is_private_and_belongs_to_one_setting_of_the_passphrase(
    tmp_path: Path,
) -> None:
    set_passphrase(kept(tmp_path), GOOD)
    file = Workspace(tmp_path).proof
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    first = lock.stored(kept(tmp_path), passphrase_id=passphrase_id(kept(tmp_path)))
    assert first is not None
    assert GOOD not in file.read_text()
    set_passphrase(kept(tmp_path), "another horse battery", old=GOOD)
    second = lock.stored(kept(tmp_path), passphrase_id=passphrase_id(kept(tmp_path)))
    assert second is not None and second.key != first.key
    assert lock.stored(kept(tmp_path), passphrase_id=first.passphrase_id) is None


def old_file(folder: Path, passphrase: str) -> bytes:
    """Write the files of an earlier version: the slow hash itself, and another one, of PBKDF2, for proofs."""
    salt, cost = b"s" * 16, {"n": QUICK, "r": 8, "p": 1}
    slow = hashlib.scrypt(passphrase.encode(), salt=salt, maxmem=2**28, dklen=32, **cost)
    record = {"salt": salt.hex(), "hash": slow.hex(), **cost, "database": True}
    Workspace(folder).passphrase.write_text(json.dumps(record), encoding="utf-8")
    other = {
        "salt": salt.hex(),
        "rounds": 600_000,
        "key": "00" * 32,
        "mark": passphrase_id(kept(folder)),
    }
    Workspace(folder).proof.write_text(json.dumps(other), encoding="utf-8")
    return slow


def test_a_passphrase_is_derived_once_and_no_file_holds_a_cheaper_hash_or_the_key(tmp_path: Path) -> None:
    set_passphrase(kept(tmp_path), GOOD)
    found = verifier(kept(tmp_path))
    assert found is not None
    held, derivation = found
    key = derivation.key(f" {GOOD}\n")
    record = json.loads(Workspace(tmp_path).passphrase.read_text())
    assert derivation.salt.hex() == record["salt"]
    assert record["check"] == sha256(hmac.digest(key, b"check", "sha256")).hexdigest()
    assert held.key == sha256(hmac.digest(key, b"Client Key" + held.salt, "sha256")).digest()
    texts = Workspace(tmp_path).passphrase.read_text() + Workspace(tmp_path).proof.read_text()
    assert key.hex() not in texts and "rounds" not in texts


def test_a_file_of_an_earlier_version_is_written_anew_when_its_passphrase_is_typed(tmp_path: Path) -> None:
    slow, before = old_file(tmp_path, GOOD), passphrase_id(kept(tmp_path))
    assert verifier(kept(tmp_path)) is None
    with pytest.raises(ApprovalError, match="wrong"):
        check_passphrase(kept(tmp_path), NEXT)
    assert "hash" in Workspace(tmp_path).passphrase.read_text()
    check_passphrase(kept(tmp_path), GOOD)
    record = json.loads(Workspace(tmp_path).passphrase.read_text())
    assert (record["version"], record["database"]) == (2, True)
    assert slow.hex() not in Workspace(tmp_path).passphrase.read_text()
    assert "rounds" not in Workspace(tmp_path).proof.read_text()
    assert passphrase_id(kept(tmp_path)) == before  # the same passphrase: known browsers stay known
    assert verifier(kept(tmp_path)) is not None
    check_passphrase(kept(tmp_path), GOOD)
    with pytest.raises(ApprovalError, match="wrong"):
        check_passphrase(kept(tmp_path), NEXT)
    set_passphrase(kept(tmp_path), NEXT, old=GOOD)
    assert passphrase_id(kept(tmp_path)) != before


def test_how_accents_are_composed_makes_no_difference(tmp_path: Path) -> None:
    found = lock.Derivation(b"salt", n=2)
    assert found.key("caf\u00e9 au lait") == found.key(" cafe\u0301 au lait\n") != found.key("cafe au lait")


def test_the_derivation_is_that_of_the_standard() -> None:
    """RFC 7914, section 12: `pleaseletmein`, N=16384, r=8, p=1."""
    key = lock.Derivation(b"SodiumChloride", 16384, 8, 1).key("pleaseletmein")
    assert key.hex() == "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"


@pytest.mark.parametrize("short", ["", "       ", "1234567", " 123456 "])
def test_a_short_one_is_refused(tmp_path: Path, short: str) -> None:
    with pytest.raises(InvalidArgumentsError, match="8 characters or more"):
        set_passphrase(kept(tmp_path), short)
    assert not is_set(kept(tmp_path))


def test_without_one_nothing_can_be_approved(tmp_path: Path) -> None:
    with pytest.raises(ApprovalError, match="set-passphrase"):
        check_passphrase(kept(tmp_path), "")


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"salt": 1}', '{"salt": "zz", "hash": "", "n": 2, "r": 8, "p": 1}']
)
def test_a_damaged_file_lets_nobody_in_and_says_what_to_do(tmp_path: Path, text: str) -> None:
    Workspace(tmp_path).passphrase.write_text(text, encoding="utf-8")
    with pytest.raises(ApprovalError, match="cannot be read as a passphrase's hash"):
        check_passphrase(kept(tmp_path), GOOD)
    with pytest.raises(ApprovalError):
        set_passphrase(kept(tmp_path), GOOD, old=GOOD)
