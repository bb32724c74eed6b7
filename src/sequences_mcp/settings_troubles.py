"""What is missing or said twice in the settings, in words for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sequences_mcp.mailbox import SMTP_SETTING, how_to_set_sender

if TYPE_CHECKING:
    from datetime import datetime

    from sequences_mcp.domain.findings import Trouble
    from sequences_mcp.settings import Settings


def settings_troubles(settings: Settings, *, is_sent_elsewhere: bool, now: datetime) -> list[Trouble]:
    """Return what is missing or said twice in the settings.

    ``is_sent_elsewhere``: another process sends, so that what this one lacks stops nothing.
    """
    from sequences_mcp.domain.findings import Trouble

    troubles, is_alone = [], not is_sent_elsewhere
    if settings.mailbox.sender is None:
        unset = "SEQUENCES_SENDER is not set: nothing can be started."
        troubles.append(
            Trouble(code="no_sender", what=unset, remedy=how_to_set_sender(settings.file), stops=is_alone)
        )
    for conflict in settings.conflicts:
        remedy = "Make them the same, or remove one."
        troubles.append(Trouble(code="settings_differ", what=conflict, remedy=remedy, stops=False))
    for name, why in settings.lacking.items():
        remedy = "Give it to this process, or leave the work to one that has it."
        stops = name == SMTP_SETTING and is_alone  # a further mailbox stops its own alone
        troubles.append(Trouble(code="no_secret", what=f"A secret is missing: {why}.", remedy=remedy, stops=stops))
    for mailbox in settings.mailboxes:
        if mailbox.sign_in and mailbox.sender:
            from sequences_mcp.sign_in.tokens import signed_out

            troubles.extend(signed_out(mailbox.sign_in, sender=mailbox.sender.address, now=now))
    if settings.lacks_temporal:
        from sequences_mcp.engine.temporal import INSTALL, NOT_INSTALLED

        troubles.append(Trouble(code="no_temporal", what=NOT_INSTALLED, remedy=INSTALL, stops=is_alone))
    if settings.mailbox.smtp_url is None:
        unset = (
            f"SEQUENCES_SMTP_URL is not set: e-mails are written to {settings.mailbox.outbox}, nothing is sent."
        )
        remedy = "Run `sequences-mcp mail connect`, which connects your mailbox."
        troubles.append(Trouble(code="outbox", what=unset, remedy=remedy, stops=False))
    return troubles
