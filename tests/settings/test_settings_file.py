"""``settings.toml``: what every process of a data folder shares, with secrets by reference alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.secrecy import planted
from tests.secrecy.hearing import heard

from sequences_mcp.errors import SettingsError
from sequences_mcp.settings import Settings, read_settings

SECRET = planted.BAD_SETTING.value
WHOLE = """\
window = "Mon-Sun 00:00-24:00"
time_zone = "Europe/Lisbon"
elicitation = false
review_page = false
notice = ["ops@example.com", "ada@example.com"]
auto_approve = ["local:bp_1@2"]
late_days = 3
erase_after_days = 400
unread_drafts = true
worker = false
guards = "house.toml"
log_level = "INFO"
default_mailbox = "ada"

[mailboxes.ada]
name = "Ada Lovelace"
address = "ada@example.com"
smtp = "smtps://smtp.example.com:465"
password = { env = "ADA_PASSWORD" }
daily_cap = 20
spacing = 60

[clarky]
api_key = { file = "clarky.secret" }
base_url = "https://clarky.example/v1"
bot_id = "b_1"
"""


class Folder:
    """A data folder with a file of settings."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, text: str, name: str = "settings.toml", *, mode: int = 0o600) -> Path:
        """Write a file of the folder."""
        file = self.path / name
        file.write_text(text, encoding="utf-8")
        file.chmod(mode)
        return file

    def read(self, **environ: str) -> Settings:
        """Return the settings as a process with this environment reads them."""
        return read_settings({"SEQUENCES_DATA_DIR": str(self.path), **environ})

    def problems(self, text: str, **environ: str) -> list[str]:
        """Return the complaints about a file."""
        file = self.write(text)
        with pytest.raises(SettingsError) as caught:
            self.read(**environ)
        file.unlink()  # a secret may stand in it
        assert SECRET not in f"{caught.value} {caught.value.data}"
        return [str(line) for line in caught.value.data["problems"]]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty data folder."""
    return Folder(tmp_path)


def mailbox(*lines: str) -> str:
    """Return a file with one mailbox, these lines added to it."""
    return "\n".join(['[mailboxes.ada]\nname = "Ada"\naddress = "ada@example.com"', *lines])


TWO = """\
default_mailbox = "ada"
[mailboxes.ada]
name = "Ada"
address = "ada@example.com"
[mailboxes.bob]
name = "Bob Noyce"
address = "bob@example.com"
"""


def test_every_setting_can_stand_in_the_file(folder: Folder) -> None:
    folder.write(WHOLE)
    folder.write("", "house.toml")
    folder.write(f"{SECRET}\n", "clarky.secret")
    found = folder.read(ADA_PASSWORD=SECRET)
    assert found.mailbox.sender is not None and (found.mailbox.sender.name, found.mailbox.sender.address) == (
        "Ada Lovelace",
        "ada@example.com",
    )
    assert found.mailbox.smtp_url is not None
    assert found.mailbox.smtp_url.value == f"smtps://ada%40example.com:{SECRET}@smtp.example.com:465"
    assert (found.mailbox.window, found.time_zone, found.mailbox.daily_cap, found.mailbox.spacing) == (
        "Mon-Sun 00:00-24:00",
        "Europe/Lisbon",
        20,
        60,
    )
    assert (found.elicitation, found.review_page, found.unread_drafts, found.worker) == (False, False, True, False)
    assert found.notice == ("ops@example.com", "ada@example.com")
    assert (set(found.auto_approve), found.late_days, found.log_level) == ({"local:bp_1@2"}, 3, "INFO")
    assert found.erase_after_days == 400
    assert found.guards == folder.path / "house.toml"
    assert found.accounts["clarky"].key.value == SECRET
    assert found.accounts["clarky"].base_url == "https://clarky.example/v1"
    assert (found.conflicts, found.lacking) == ((), {})
    assert SECRET not in f"{found!r} {found}"


def test_what_the_file_leaves_out_the_environment_fills(folder: Folder) -> None:
    folder.write("daily_cap = 20\n")
    found = folder.read(SEQUENCES_SENDER="Ada <ada@example.com>", SEQUENCES_SPACING="5")
    assert found.mailbox.sender is not None
    assert (found.mailbox.daily_cap, found.mailbox.spacing, found.conflicts) == (20, 5, ())
    assert found.origins["SEQUENCES_DAILY_CAP"] == "settings.toml, daily_cap"
    assert found.origins["SEQUENCES_SPACING"] == "environment"
    assert found.origins["SEQUENCES_WINDOW"] == "default"


def test_where_both_say_something_else_the_file_wins_and_that_is_said(folder: Folder) -> None:
    folder.write("\ndaily_cap = 20\nwindow = 'Mon-Fri 08:00-19:00'\n")
    found = folder.read(SEQUENCES_DAILY_CAP="50", SEQUENCES_WINDOW="Mon-Fri 08:00-19:00")
    assert found.mailbox.daily_cap == 20
    [said] = found.conflicts
    assert said.startswith("settings.toml, line 2, daily_cap and the environment variable SEQUENCES_DAILY_CAP")
    assert (
        folder.read(SEQUENCES_DAILY_CAP="many").mailbox.daily_cap == 20
    )  # even where the environment's makes no sense


def test_two_passwords_that_differ_are_said_without_either(folder: Folder) -> None:
    folder.write(mailbox('smtp = "smtps://mail.example:465"', 'password = { env = "ADA_PASSWORD" }'))
    other = f"smtps://ada%40example.com:other-{SECRET}@mail.example:465"
    found = folder.read(ADA_PASSWORD=SECRET, SEQUENCES_SMTP_URL=other)
    [said] = found.conflicts
    assert "SEQUENCES_SMTP_URL" in said
    assert SECRET not in said


def test_the_environment_fills_the_account_at_the_server_that_the_file_names(folder: Folder) -> None:
    folder.write(mailbox('smtp = "smtps://mail.example:465"'))
    whole = f"smtps://ada:{SECRET}@mail.example:465"
    found = folder.read(SEQUENCES_SMTP_URL=whole)
    assert found.mailbox.smtp_url is not None and found.mailbox.smtp_url.value == whole
    assert found.conflicts == ()
    other = folder.read(SEQUENCES_SMTP_URL=f"smtps://ada:{SECRET}@other.example:465")
    assert other.mailbox.smtp_url is not None and other.mailbox.smtp_url.value == "smtps://mail.example:465"
    assert len(other.conflicts) == 1


def test_a_password_that_the_file_refers_to_in_vain_is_filled_by_the_environments(folder: Folder) -> None:
    folder.write(mailbox('smtp = "smtps://mail.example:465"', 'password = { env = "ADA_PASSWORD" }'))
    whole = f"smtps://ada:{SECRET}@mail.example:465"
    found = folder.read(SEQUENCES_SMTP_URL=whole)
    assert found.mailbox.smtp_url is not None and found.mailbox.smtp_url.value == whole
    assert (found.lacking, found.conflicts, found.mailbox.can_send) == ({}, (), True)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f'password = "{SECRET}"', "no secret stands in this file"),
        (f'smtp = "smtps://ada:{SECRET}@mail.example"', "no password stands in this file"),
        (f'smtp = "smtp://:{SECRET}@mail.example"', "no password stands in this file"),
    ],
)
def test_a_password_in_the_file_is_refused_with_what_to_do(folder: Folder, line: str, words: str) -> None:
    [said] = [one for one in folder.problems(mailbox(line)) if words in one]
    assert said.startswith("settings.toml, line 4, mailboxes.ada.")
    assert '{ env = "NAME" }, { file = "path" } or { keyring = true }' in said


@pytest.mark.parametrize("rest", [f"ada:{SECRET}@db.example/x", f"ada@db.example/x?password={SECRET}"])
def test_a_password_in_a_databases_address_is_refused_wherever_it_stands(folder: Folder, rest: str) -> None:
    [said] = folder.problems(f'database = "postgresql://{rest}"\n')
    assert said.startswith("settings.toml, line 1, database: no password stands in this file")


def test_a_key_of_a_vendor_in_the_file_is_refused_with_what_to_do(folder: Folder) -> None:
    [said] = folder.problems(f'[topo]\napi_key = "{SECRET}"\n')
    assert said.startswith("settings.toml, line 2, topo.api_key: no secret stands in this file")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("windw = 'x'\n", "settings.toml, line 1, windw: there is no such key; did you mean window?"),
        ("# one\n\nzzz = 1\n", "settings.toml, line 3, zzz: there is no such key; allowed are window, daily_cap"),
        ("data_dir = '/x'\n", "settings.toml, line 1, data_dir: the data folder is where this file is"),
        ("daily_cap = 0\n", "settings.toml, line 1, daily_cap: '0' is not a whole number from 1 to 10000"),
        ("daily_cap = '20'\n", "settings.toml, line 1, daily_cap: it has to be a whole number, without quotes"),
        ("daily_cap = true\n", "daily_cap: it has to be a whole number"),
        ("worker = 'yes'\n", "settings.toml, line 1, worker: it has to be true or false"),
        ("worker = 1\n", "settings.toml, line 1, worker: it has to be true or false"),
        ("worker = []\n", "settings.toml, line 1, worker: it has to be true or false"),
        ("window = ''\n", "settings.toml, line 1, window: it has to be a text in quotes"),
        ("notice = [1]\n", "settings.toml, line 1, notice: it has to be a list of texts"),
        ("\nwindow = '''\nMon\n'''\n", "settings.toml, line 2, window: "),
        ("time_zone = 'Paris'\n", "line 1, time_zone: 'Paris' is not an IANA time zone"),
        ("guards = 'nowhere.toml'\n", "settings.toml, line 1, guards: "),
        ("mailboxes = 'ada'\n", "settings.toml, line 1, mailboxes: it has to be a table"),
        ("default_mailbox = 'bob'\n" + mailbox(), "default_mailbox: it has to name a table"),
        (
            mailbox("nme = 'x'"),
            "settings.toml, line 4, mailboxes.ada.nme: there is no such key; did you mean name",
        ),
        (mailbox("[mailboxes.bob]"), "line 4, mailboxes.bob: there are several mailboxes: default_mailbox = "),
        (TWO + "daily_cap = 0\n", "line 8, mailboxes.bob.daily_cap: "),
        (TWO + "smtp = 'smtp://ada@mail.example'\n", "line 8, mailboxes.bob.smtp: it names a user"),
        (TWO.replace("bob@", "ADA@"), "mailboxes.bob: ADA@example.com is another mailbox's address already"),
        (TWO.replace("[mailboxes.bob]", "[mailboxes.'b o']"), "the name of a mailbox has letters of English"),
        ("default_mailbox = 'ada'\n" + mailbox("[mailboxes.bob]"), "mailboxes.bob: name and address are missing"),
        ("[mailboxes.ada]\nname = 'Ada'\n", "settings.toml, line 1, mailboxes.ada: address is missing"),
        ("[mailboxes.ada]\nname='Ada'\naddress='ada'\n", "settings.toml, line 2, mailboxes.ada.name: "),
        (mailbox("smtp = 'mail.example'"), "line 4, mailboxes.ada.smtp: it does not start with smtp://"),
        (mailbox("smtp = 'smtp://ada@mail.example'"), "line 4, mailboxes.ada.smtp: it names a user"),
        (mailbox("password = { env = 'X' }"), "line 4, mailboxes.ada.password: there is no smtp beside it"),
        (mailbox("smtp='smtp://h'", "password = { vault = 'x' }"), "it has to say where the secret is"),
        (mailbox("smtp='smtp://h'", "password = { env = 'A', file = 'b' }"), "it has to say where the secret is"),
        (
            mailbox("smtp='smtp://h'", "password = { env = '' }"),
            "line 5, mailboxes.ada.password: env has",
        ),
        ("[clarky]\nbot = 'x'\n", "settings.toml, line 2, clarky.bot: there is no such key; did you mean bot_id?"),
        ("[topo]\nbot_id = 'x'\n", "settings.toml, line 2, topo.bot_id: there is no such key"),
        ("daily_cap = 1\ndaily_cap = 2\n", "is not TOML: Cannot overwrite a value (at line 2"),
        ("daily_cap = \n", "is not TOML: Invalid value (at line 1"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_its_key_and_what_is_allowed(
    folder: Folder, text: str, words: str
) -> None:
    assert words in " | ".join(folder.problems(text))


def test_everything_wrong_in_file_and_environment_is_told_at_once(folder: Folder) -> None:
    found = folder.problems("daily_cap = 0\nwindw = 1\n", SEQUENCES_SPACING="x")
    assert len(found) == 3


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a = '\xe9'", b"x" * 300_000, b"a = " + b"[" * 5_000])
def test_a_file_that_is_none_is_a_problem_and_no_crash(folder: Folder, content: bytes) -> None:
    (folder.path / "settings.toml").write_bytes(content)
    with pytest.raises(SettingsError):
        folder.read()


def test_a_mark_at_its_beginning_and_other_line_ends_are_read(folder: Folder) -> None:
    (folder.path / "settings.toml").write_bytes("\ufeffdaily_cap = 20\r\nspacing = 7\r\n".encode())
    assert folder.read().mailbox.spacing == 7


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ('{ env = "ADA_PASSWORD" }', "the environment variable ADA_PASSWORD is not set in this process"),
        ('{ file = "nowhere" }', "cannot be read: No such file or directory"),
        ('{ file = "open.secret" }', "others can read"),
        ('{ file = "empty" }', "has to hold the secret alone, on one line"),
        ('{ file = "two.secret" }', "has to hold the secret alone, on one line"),
    ],
)
def test_a_secret_that_cannot_be_had_here_leaves_the_rest_as_it_is(
    folder: Folder, reference: str, why: str
) -> None:
    folder.write(SECRET, "open.secret", mode=0o644)
    folder.write("", "empty")
    folder.write(f"{SECRET}\n{SECRET}", "two.secret")
    folder.write(mailbox('smtp = "smtps://mail.example:465"', f"password = {reference}"))
    found = folder.read()
    assert why in found.lacking["SEQUENCES_SMTP_URL"]
    assert found.mailbox.smtp_url is not None and found.mailbox.smtp_url.value == "smtps://mail.example:465"
    assert not found.mailbox.can_send
    assert SECRET not in f"{found!r}{dict(found.lacking)}"


KEYCHAIN = """\
import keyring, sys
from keyring.backend import KeyringBackend
class Memory(KeyringBackend):
    priority = 1
    def get_password(self, service, name):
        return {("sequences-mcp", "mailboxes.ada.password"): "told"}.get((service, name))
    def set_password(self, service, name, password): ...
    def delete_password(self, service, name): ...
keyring.set_keyring(Memory())
from sequences_mcp.settings import read_settings
found = read_settings({"SEQUENCES_DATA_DIR": sys.argv[1]})
print(found.mailbox.smtp_url.value if not found.lacking else found.lacking)
"""


def said_by(code: str, folder: Folder) -> str:
    """Return what a process of its own prints that is given the data folder."""
    command = [sys.executable, "-c", code, str(folder.path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    heard("what a process said", said.stdout + said.stderr)
    return said.stdout


@pytest.mark.parametrize(("name", "ends"), [("true", "ada%40example.com:told@mail.example:465"), ('"other"', "")])
def test_a_secret_can_be_in_the_systems_keychain(folder: Folder, name: str, ends: str) -> None:
    pytest.importorskip("keyring")
    folder.write(mailbox('smtp = "smtps://mail.example:465"', f"password = {{ keyring = {name} }}"))
    said = said_by(KEYCHAIN, folder)
    assert ends in said
    if not ends:
        assert "Run: keyring set sequences-mcp other" in said


READ = """\
from sequences_mcp.settings import read_settings
found = read_settings({"SEQUENCES_DATA_DIR": sys.argv[1]})
"""


def test_without_the_package_the_keychain_is_told_as_lacking(folder: Folder) -> None:
    folder.write(mailbox('smtp = "smtps://mail.example:465"', "password = { keyring = true }"))
    said = said_by(f"import sys; sys.modules['keyring'] = None\n{READ}print(found.lacking)", folder)
    assert "pip install 'sequences-mcp[keyring]'" in said


def test_without_a_file_its_reader_is_not_even_loaded(folder: Folder) -> None:
    names = "'tomllib', 'sequences_mcp.settings_file', 'keyring'"
    said = said_by(f"import sys\n{READ}print([name for name in ({names}) if name in sys.modules])", folder)
    assert said == "[]\n"


def test_a_further_mailbox_has_what_it_says_and_else_what_holds_for_the_whole_folder(folder: Folder) -> None:
    folder.write("daily_cap = 20\n" + TWO + 'smtp = "smtp://mail.example:587"\nspacing = 5\n')
    first, second = folder.read().mailboxes
    assert (first.name, first.sender and first.sender.address, first.smtp_url) == (
        "ada",
        "ada@example.com",
        None,
    )
    assert (second.name, second.sender and second.sender.name) == ("bob", "Bob Noyce")
    assert second.smtp_url is not None and second.smtp_url.value == "smtp://mail.example:587"
    assert (first.daily_cap, second.daily_cap, first.spacing, second.spacing) == (20, 20, 30, 5)


def test_a_password_that_a_further_mailbox_lacks_keeps_the_default_one_from_nothing(folder: Folder) -> None:
    folder.write(TWO + 'smtp = "smtps://mail.example:465"\npassword = { env = "BOB_PASSWORD" }\n')
    settings = folder.read()
    assert [one.can_send for one in settings.mailboxes] == [True, False]
    assert "the environment variable BOB_PASSWORD is not set" in settings.lacking["SEQUENCES_SMTP_URL of bob"]


def test_what_a_further_mailbox_leaves_out_is_the_folders_and_not_the_default_mailboxs(folder: Folder) -> None:
    own = ("daily_cap = 1", "spacing = 9", "window = 'Sun 08:00-09:00'")
    other = ("[mailboxes.bob]", "name = 'Bob'", "address = 'bob@example.com'")
    folder.write("spacing = 7\ndefault_mailbox = 'ada'\n" + mailbox(*own, *other))
    found = folder.read(SEQUENCES_DAILY_CAP="11")
    [_, bob] = found.mailboxes
    assert (found.mailbox.window, found.mailbox.daily_cap, found.mailbox.spacing) == ("Sun 08:00-09:00", 1, 9)
    assert (bob.window, bob.daily_cap, bob.spacing) == ("Mon-Fri 08:00-19:00", 11, 7)


@pytest.mark.parametrize("named", ["['ada']", "1", "{ name = 'ada' }"])
def test_a_default_mailbox_that_is_no_text_is_one_problem(folder: Folder, named: str) -> None:
    [said] = folder.problems(f"default_mailbox = {named}\n" + mailbox())
    assert "default_mailbox: it has to name a table [mailboxes.NAME]; there is ada" in said


@pytest.mark.parametrize("password", ["", 'password = { env = "BOB_PASSWORD" }\n'], ids=["none", "not here"])
def test_a_further_mailbox_never_signs_in_with_the_account_of_the_environment(
    folder: Folder, password: str
) -> None:
    folder.write(TWO + 'smtp = "smtps://mail.example:465"\n' + password)
    account = "smtps://ada%40example.com:x@mail.example:465"
    [_, bob] = folder.read(SEQUENCES_SMTP_URL=account).mailboxes
    assert bob.smtp_url is not None and bob.smtp_url.value == "smtps://mail.example:465"


def test_the_answers_of_a_further_mailbox_are_never_read_in_the_mailbox_of_the_environment(folder: Folder) -> None:
    folder.write(TWO + 'imap = "imaps://mail.example:993"\npassword = { env = "BOB_PASSWORD" }\n')
    account = "imaps://ada%40example.com:x@mail.example:993"
    first, bob = folder.read(SEQUENCES_IMAP_URL=account).mailboxes
    assert (first.reads_inbox, bob.imap_url, bob.reads_inbox) == (True, None, True)
    assert "BOB_PASSWORD is not set" in bob.lacking["SEQUENCES_IMAP_URL"]
