"""E-mails into a folder, with the same promises."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sequences_mcp.domain.sender import Sender
from sequences_mcp.engine.channels.message import ComposedMessage, compose
from sequences_mcp.engine.channels.outbox import deliver_to_outbox, file_name
from sequences_mcp.errors import ConflictError, DeliveryDeferredError, DeliveryWithheldError

NAME = "abc@example.com.eml"


def message(message_id: str = "<abc@example.com>", content: str = "Hi Bob\n") -> ComposedMessage:
    return compose(
        sender=Sender("ada@example.com", "Ada", "Lovelace"),
        recipient="bob@example.org",
        subject="Hello",
        content=content,
        message_id=message_id,
        date=datetime(2026, 11, 23, 9, tzinfo=UTC),
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_e_mail_becomes_one_private_file_and_the_receipt_says_where(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "outbox"
    receipt = deliver_to_outbox(folder, message(), before_dot=lambda: None)
    assert names(folder) == [NAME]
    assert (folder / NAME).read_bytes() == message().data
    assert receipt.reply == f"written to {folder / NAME}"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / NAME).stat().st_mode) == 0o600


def test_the_text_is_there_but_not_yet_delivered_at_the_point_of_no_return(tmp_path: Path) -> None:
    seen: list[list[Path]] = []
    deliver_to_outbox(tmp_path, message(), before_dot=lambda: seen.append(list(tmp_path.iterdir())))
    (before,) = seen
    assert [path.suffix for path in before] == [".tmp"]


def test_a_repeat_cannot_make_a_second_file(tmp_path: Path) -> None:
    for _ in range(2):
        deliver_to_outbox(tmp_path, message(), before_dot=lambda: None)
    assert names(tmp_path) == [NAME]


def test_a_worker_that_lost_its_lease_leaves_nothing(tmp_path: Path) -> None:
    def lost() -> None:
        raise ConflictError("Lease 1 no longer covers it.", next_step="Nothing to do.")

    with pytest.raises(ConflictError):
        deliver_to_outbox(tmp_path, message(), before_dot=lost)
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_made_defers(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DeliveryDeferredError, match="writing to the outbox"):
        deliver_to_outbox(tmp_path / "file" / "outbox", message(), before_dot=lambda: None)


def test_a_rename_that_fails_left_nothing_and_may_be_tried_again(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(DeliveryDeferredError):
        deliver_to_outbox(tmp_path, message(), before_dot=lambda: None)
    assert names(tmp_path) == [NAME]


def test_bytes_with_another_recipient_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(DeliveryWithheldError):
        deliver_to_outbox(tmp_path, replace(message(), recipient="eve@example.org"), before_dot=lambda: None)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "hostile", ["<../../x@example.com>", "<a/b@example.com>", "<.@example.com>", "<a\\b@x.y>"]
)
def test_no_message_id_names_a_file_elsewhere(hostile: str) -> None:
    name = file_name(replace(message(), message_id=hostile))
    assert name == os.path.basename(name)  # noqa: PTH119 - the very question is what a system takes for a path
    assert "\\" not in name
    assert name.endswith(".eml")
