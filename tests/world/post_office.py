"""A real mail server on loopback that puts each message it says yes to on the disk before it says so."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import Envelope, Session
from tests.world.fake_mail_server import Inbox, ScriptedController, free_port

PATIENCE = 120.0


class PostOffice(Inbox):
    """Keeps messages as numbered files; ``script`` makes the server misbehave, phase by phase."""

    def __init__(self, folder: Path) -> None:
        super().__init__({})
        folder.mkdir()
        self.folder = folder
        self.port = free_port()
        self._arrived = threading.Condition()

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a message as the script says; what is taken is on the disk before the answer."""
        before = len(self.taken)
        answer = await super().handle_DATA(server, session, envelope)
        if len(self.taken) > before:
            self._keep(before, bytes(envelope.content or b""))
        return answer

    def _keep(self, number: int, content: bytes) -> None:
        with self._arrived:
            with (self.folder / f"{number:04}.eml").open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            self._arrived.notify_all()

    @property
    def messages(self) -> list[EmailMessage]:
        """What is on the disk, in order of arrival."""
        files = sorted(self.folder.glob("*.eml"))
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]

    @property
    def sent(self) -> list[tuple[str, str]]:
        """Recipient and subject of each message, sorted."""
        return sorted((str(mail["To"]), str(mail["Subject"])) for mail in self.messages)

    def wait_for(self, number: int) -> list[EmailMessage]:
        """Return all messages once there are so many; fails after two minutes."""
        with self._arrived:
            arrived = self._arrived.wait_for(lambda: len(self.messages) >= number, timeout=PATIENCE)
        assert arrived, f"{len(self.messages)} of {number} e-mails arrived: {self.sent}"
        return self.messages


@contextmanager
def post_office(folder: Path) -> Iterator[PostOffice]:
    """Run a mail server that keeps its messages in a folder."""
    office = PostOffice(folder)
    controller = ScriptedController(
        office, hostname="127.0.0.1", port=office.port, server_hostname="mx.example.org", enable_SMTPUTF8=True
    )
    controller.start()
    try:
        yield office
    finally:
        controller.stop()
