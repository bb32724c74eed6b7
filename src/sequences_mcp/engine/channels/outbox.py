"""Delivery into a folder: one ``.eml`` file an e-mail. Nothing leaves the machine."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from sequences_mcp.domain.run import TO_OUTBOX
from sequences_mcp.engine.channels.message import ComposedMessage, Receipt, require_sound_message
from sequences_mcp.engine.channels.replies import deferring, unknown_error


def deliver_to_outbox(
    folder: Path,
    message: ComposedMessage,
    *,
    before_dot: Callable[[], None],
    at: Callable[[str], None] = lambda phase: None,
) -> Receipt:
    """Write one e-mail and return where it is.

    The phases are those of SMTP: the text is on the disk before ``before_dot``; after it there is one rename. The
    file is named by its message id, so that a repeat cannot make a second one. Raises DeliveryDeferredError
    before the rename, DeliveryUnknownError when the disk failed after it.
    """
    require_sound_message(message)
    with deferring("writing to the outbox"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = _written(folder, message.data)
    target = folder / file_name(message)
    try:
        at("body")
        before_dot()
        with deferring("writing to the outbox"):
            draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    at("reply")
    _sync_folder(folder)
    return Receipt(f"{TO_OUTBOX}{target}")


def file_name(message: ComposedMessage) -> str:
    """Return the name an e-mail has in the outbox."""
    return f"{re.sub(r'[^A-Za-z0-9.@-]', '_', message.message_id.strip('<>'))}.eml"


def _written(folder: Path, data: bytes) -> Path:
    """Return a new hidden file that holds the data and is on the disk; only its owner may read it."""
    handle, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=folder)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # a folder cannot be opened there; the file system keeps its own journal of names
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise unknown_error(f"the file is in the outbox, but the disk did not confirm it ({error})") from error
