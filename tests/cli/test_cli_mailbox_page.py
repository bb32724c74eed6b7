"""The page "Connect your mailbox": its settings are read, its servers found, its commands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click import Context, Group
from tests.secrecy import planted

from sequences_mcp.cli import command_line
from sequences_mcp.mail_setup.autoconfig import recognised
from sequences_mcp.settings import read_settings

PAGE = (Path(__file__).parents[2] / "docs" / "connect-your-mailbox.md").read_text("utf-8")
TABLES = re.findall(r"^```toml\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("table", TABLES)
def test_the_settings_of_the_page_are_settings(table: str, tmp_path: Path) -> None:
    for name in re.findall(r'file = "([\w.-]+)"', table):
        path = tmp_path / name
        path.touch(mode=0o600)
        path.write_text(planted.BAD_SETTING.value)
    (tmp_path / "settings.toml").write_text(table)
    settings = read_settings({"SEQUENCES_DATA_DIR": str(tmp_path), "ADA_PASSWORD": planted.BAD_SETTING.value})
    assert settings.mailbox.smtp_url is not None
    assert settings.mailbox.imap_url is not None
    assert (settings.mailbox.oauth is None) == ("oauth" not in table)


@pytest.mark.parametrize("address", ["ada@gmail.com", "ada@office365.com", "ada@fastmail.com"])
def test_the_servers_of_the_page_are_those_that_are_found(address: str) -> None:
    provider = recognised(address)
    assert provider is not None
    assert f'smtp = "{provider.smtp}"' in PAGE
    assert f'imap = "{provider.imap}"' in PAGE


def test_the_commands_of_the_page_are_commands() -> None:
    group = command_line()
    mail = group.get_command(Context(group), "mail")
    assert isinstance(mail, Group)
    used = re.findall(r"sequences-mcp mail ([a-z-]+)([^\n`]*)", PAGE)
    assert {name for name, _ in used} == {"connect", "sign-in", "test"}
    for name, rest in used:
        known = {option for parameter in mail.commands[name].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known
