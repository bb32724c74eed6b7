"""``settings.toml`` of a data folder: read and checked by form; what it leaves out the environment fills.

The keys of the first level hold for the whole folder. ``[mailboxes.NAME]`` is a sender and their way out, the
``default_mailbox`` the one that sends where a blueprint names none; ``window``, ``daily_cap``, ``spacing`` and
``ramp_up`` in it go before those of the first level. ``[kalent]``, ``[clarky]`` and ``[topo]`` are accounts at
vendors. A secret is never written in the file: it says where the secret is, as ``{ env = "NAME" }``,
``{ file = "path" }`` or ``{ keyring = true }``. ``database`` is the address of a database on PostgreSQL, whose
password is ``database_password``. ``[law]`` is what the workspace says of itself in first
messages, ``[people]`` from where the tools take files with people. ``members`` are the users that may use this
folder as a tenant of ``serve``.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from sequences_mcp.domain import database_address
from sequences_mcp.domain.ids import VENDORS
from sequences_mcp.domain.sender import LawSetting, Secret
from sequences_mcp.domain.workspace import SETTINGS_FILE
from sequences_mcp.errors import SettingsError
from sequences_mcp.lazy_dataclasses import dataclass, field
from sequences_mcp.mailbox import ServerAddress
from sequences_mcp.sign_in.client import PROVIDERS, OAuthRegistration, checked_authority, checked_tenant
from sequences_mcp.sign_in.keychain import SERVICE
from sequences_mcp.vendors.registry import DESCRIPTIONS

LARGEST = 256 * 1024
LONGEST_SIGNATURE = 1_000
REFERENCE = '{ env = "NAME" }, { file = "path" } or { keyring = true }'
Key = tuple[str, ...]


class Given(NamedTuple):
    """A setting as the file has it: ``text`` is as an environment variable would be written."""

    key: Key
    text: str


@dataclass(slots=True)
class FileSettings:
    """What a file says: ``values`` by the names of environment variables, ``problems`` a line each.

    ``mailbox`` is the name of the default mailbox, whose settings are among ``values``; ``further`` has the values
    of the others, by their names, and ``shared`` what the first level says for all of them. ``oauth`` has the
    clients with which mailboxes sign in that have no password, by the mailbox's name, ``of_sender`` what their
    senders have besides name and address, ``members`` whose own they are. ``lacking`` says of
    secrets that cannot be had here why not, by the name of the variable, with ``of NAME`` behind it for a further
    mailbox; without one a process does all but use it.
    """

    values: dict[str, Given] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    lacking: dict[str, str] = field(default_factory=dict)
    text: str = ""
    mailbox: str | None = None
    further: dict[str, dict[str, Given]] = field(default_factory=dict)
    shared: dict[str, Given] = field(default_factory=dict)
    law: LawSetting | None = None
    oauth: dict[str, OAuthRegistration] = field(default_factory=dict)
    of_sender: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    import_folders: tuple[Path, ...] = ()

    def place(self, key: Key) -> str:
        """Return where a key stands in the file, in words."""
        line = line_of(self.text, key)
        return f"{SETTINGS_FILE}{f', line {line}' if line else ''}, {'.'.join(key)}"

    def wrong(self, key: Key, why: str) -> None:
        """Note what is wrong with a key."""
        self.problems.append(f"{self.place(key)}: {why}")


def load_settings_file(path: Path, environ: Mapping[str, str]) -> FileSettings:
    """Return what the file says. Never raises: whatever is wrong with it is in ``problems``."""
    settings = FileSettings()
    try:
        if path.stat().st_size > LARGEST:
            settings.problems.append(f"{path} is larger than {LARGEST // 1024} KiB: it is no file of settings")
            return settings
        settings.text = path.read_text(encoding="utf-8-sig")
        content = tomllib.loads(settings.text)
    except tomllib.TOMLDecodeError as error:
        settings.problems.append(f"{path} is not TOML: {error}")
    except UnicodeDecodeError as error:
        settings.problems.append(f"{path} is not UTF-8 (byte {error.start})")
    except (OSError, RecursionError) as error:
        settings.problems.append(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is too deep'}")
    else:
        _Reader(settings, path.parent, environ).read(content)
    return settings


def members_in(path: Path) -> frozenset[str] | None:
    """Return the users that a tenant's file lists; None where it lets in whoever has a token. SettingsError.

    Nothing else of the file is looked at, so that a mistake elsewhere in it keeps nobody out.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("it is too large")
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        return frozenset(_members(content["members"])) if "members" in content else None
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(
            f"Nobody can tell who may use {path.parent.name}: {error}.", next_step=f"Correct {path}."
        ) from error


def line_of(text: str, key: Key) -> int | None:
    """Return the line, from 1, on which a key or table is first written, or None.

    The parser tells no lines: this is the first line before which the file lacks the key and with which it has it.
    """
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if key[-1] not in line or _has("".join(lines[:number]), key) is not False:
            continue
        ends = range(number + 1, min(len(lines), number + 200) + 1)  # a value may go over several lines
        if next((has for end in ends if (has := _has("".join(lines[:end]), key)) is not None), None):
            return number + 1
    return None


def _has(text: str, key: Key) -> bool | None:
    """Return whether a text has a key, or None where it is no TOML."""
    try:
        value: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
    for part in key:
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return True


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("it has to be a text in quotes, and not an empty one")
    return value.strip()


def _number(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("it has to be a whole number, without quotes")
    return str(value)


def _switch(value: object) -> str:
    words = {True: "on", False: "off", "on": "on", "off": "off"}
    if not isinstance(value, bool | str) or value not in words:
        raise ValueError("it has to be true or false")
    return words[value]


def _signature(value: object) -> str:
    """Return a signature: some lines of text; ValueError."""
    text = "\n".join(line.rstrip() for line in _text(value).splitlines())
    if len(text) > LONGEST_SIGNATURE or any(not letter.isprintable() for letter in text if letter != "\n"):
        raise ValueError(f"it has to be lines of plain text, at most {LONGEST_SIGNATURE} letters")
    if "{{" in text:
        raise ValueError("it is written below every e-mail as it stands: no variables are filled in")
    return text


def _picture(value: object) -> str:
    """Return the address of the picture below a signature; ValueError."""
    text = _text(value)
    if not re.fullmatch(r"https://[A-Za-z0-9.-]+(?::\d{1,5})?/[!#-;=?-~]{1,500}", text):
        raise ValueError("it has to be the https:// address of a picture")
    return text


def _reply_to(value: object) -> str:
    """Return the address that answers go to; ValueError."""
    from sequences_mcp.domain.addresses import is_address, read_address

    text = _text(value)
    if not is_address(text):
        raise ValueError(f"{text!r} is not one plain e-mail address")
    return read_address(text).text


def _zone(value: object) -> str:
    """Return the zone that a sender's e-mails are dated in; ValueError."""
    from zoneinfo import ZoneInfo

    text = _text(value)
    try:
        return ZoneInfo(text).key
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{text!r} is not an IANA time zone, such as Europe/Paris") from error


def _truth(value: object) -> bool:
    """Return true or false; ValueError."""
    return _switch(value) == "on"


def _members(value: object) -> list[str]:
    if isinstance(value, list) and all(isinstance(item, str) and item.strip() == item != "" for item in value):
        return value
    raise ValueError('it has to be a list of users as tokens name them (sub), such as ["one", "two"]')


def _several(value: object) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    if isinstance(value, str):
        return value
    raise ValueError('it has to be a list of texts, such as ["one", "two"]')


Form = Callable[[object], str]
_SENDING: Mapping[str, Form] = {"window": _text, "daily_cap": _number, "spacing": _number, "ramp_up": _number}
_WHOLE: Mapping[str, Form] = {
    **_SENDING,
    "time_zone": _text,
    "elicitation": _switch,
    "review_page": _switch,
    "notice": _several,
    "auto_approve": _several,
    "late_days": _number,
    "erase_after_days": _number,
    "freshness": _number,
    "unread_drafts": _switch,
    "worker": _switch,
    "guards": _text,
    "log_level": _text,
    "clock": _text,
    "oauth_issuer": _text,
    "oauth_audience": _text,
    "oauth_tenant_claim": _text,
    "tenants": _text,
    "review_url": _text,
    "review_issuer": _text,
    "review_client_id": _text,
    "review_role_claim": _text,
    "review_roles": _several,
    "opt_out_url": _text,
    "approvers": _number,
    "temporal": _text,
    "temporal_ca": _text,
    "temporal_certificate": _text,
    "temporal_versioning": _switch,
}
_PATHS = frozenset(
    {"SEQUENCES_GUARDS", "SEQUENCES_TEMPORAL_CA", "SEQUENCES_TEMPORAL_CERTIFICATE", "SEQUENCES_TENANTS"}
)
"""Settings that name a file, in the data folder where its path is not whole."""
_DATABASE, _DATABASE_SETTING = ("database", "database_password"), "SEQUENCES_DATABASE_URL"
_SECRETS = ("temporal_api_key", "temporal_certificate_key", "review_client_secret")
_TABLES = ("mailboxes", "law", "people", *VENDORS)
_LAW = ("sender", "basis", "source", "countries", "opt_out_line")
_COUNTRY = re.compile(r"[A-Z]{2}")
_OAUTH = ("oauth", "oauth_client_id", "oauth_client_secret", "oauth_tenant", "oauth_authority")
_OF_SENDER: Mapping[str, Callable[[Any], str | bool]] = {
    "signature": _signature,
    "signature_picture": _picture,
    "reply_to": _reply_to,
    "time_zone": _zone,
    "plus_addresses": _truth,
    "opt_out_line": _truth,
}
_MAILBOX = (
    "name",
    "address",
    "member",
    "smtp",
    "imap",
    "password",
    "imap_password",
    *_OF_SENDER,
    *_OAUTH,
    *_SENDING,
)
_NAME_OF_MAILBOX = re.compile(r"[A-Za-z0-9_-]{1,60}")
_WHICH = 'there are several mailboxes: default_mailbox = "NAME", above the tables, says which one sends by default'


@dataclass(slots=True)
class _Reader:
    """Reads one file's content into ``settings``."""

    settings: FileSettings
    folder: Path
    environ: Mapping[str, str]

    def read(self, content: dict[str, Any]) -> None:
        allowed = (*_WHOLE, *_DATABASE, *_SECRETS, "default_mailbox", "members", *_TABLES)
        for name in self._known((), content, allowed):
            if name in _WHOLE:
                self._take((name,), content[name], _WHOLE[name], setting=f"SEQUENCES_{name.upper()}")
            elif name in _SECRETS:
                setting = f"SEQUENCES_{name.upper()}"
                if secret := self._secret((name,), content[name], setting=setting):
                    self.settings.values[setting] = Given((name,), secret.value)
            elif name == "members":
                try:
                    _members(content[name])
                except ValueError as error:
                    self.settings.wrong((name,), str(error))
        self._database(content)
        self._mailboxes(content)
        self._law(content)
        self._people(content)
        for vendor in VENDORS:
            self._vendor(vendor, content)
        for setting in _PATHS & self.settings.values.keys():
            given = self.settings.values[setting]
            path = self.folder / given.text if not given.text.startswith("~") else Path(given.text)
            self.settings.values[setting] = Given(given.key, str(path))

    def _known(self, table: Key, content: Mapping[str, Any], allowed: tuple[str, ...]) -> Iterator[str]:
        """Yield the keys of a table that are allowed in it; note the others."""
        for name in content:
            if name in allowed:
                yield name
            elif name == "data_dir" and not table:
                why = "the data folder is where this file is; the environment variable SEQUENCES_DATA_DIR moves it"
                self.settings.wrong((name,), why)
            else:
                from difflib import get_close_matches

                near = get_close_matches(name, allowed, n=1)
                hint = f"did you mean {near[0]}?" if near else f"allowed are {', '.join(allowed)}"
                self.settings.wrong((*table, name), f"there is no such key; {hint}")

    def _take(
        self, key: Key, value: object, form: Form, *, setting: str, into: dict[str, Given] | None = None
    ) -> None:
        try:
            (self.settings.values if into is None else into)[setting] = Given(key, form(value))
        except ValueError as error:
            self.settings.wrong(key, str(error))

    def _table(self, key: Key, value: object) -> dict[str, Any] | None:
        if isinstance(value, dict):
            return value
        self.settings.wrong(key, f"it has to be a table: a line [{'.'.join(key)}] and its keys below")
        return None

    def _database(self, content: Mapping[str, Any]) -> None:
        """Read the address of a database on a server; without its password nothing is opened in its place."""
        address, password = _DATABASE
        if address not in content:
            if password in content:
                self.settings.wrong((password,), f"there is no {address} beside it: add the address")
            return
        try:
            url = _text(content[address])
            if database_address.has_password(url):
                raise ValueError(f"no password stands in this file. Write {password} = {REFERENCE}")
        except ValueError as error:
            self.settings.wrong((address,), str(error))
            return
        if password in content:
            secret = self._secret((password,), content[password], setting=_DATABASE_SETTING)
            if secret is None:
                if why := self.settings.lacking.pop(_DATABASE_SETTING, None):
                    self.settings.problems.append(why)
                return
            url = database_address.with_password(url, secret.value)
        self.settings.values[_DATABASE_SETTING] = Given((address,), url)

    def _mailboxes(self, content: Mapping[str, Any]) -> None:
        tables = self._table(("mailboxes",), content.get("mailboxes", {})) or {}
        default = content.get("default_mailbox", next(iter(tables), None))
        if default is not None and (not isinstance(default, str) or default not in tables):
            named = ", ".join(tables) or "none"
            self.settings.wrong(("default_mailbox",), f"it has to name a table [mailboxes.NAME]; there is {named}")
            return
        if len(tables) > 1 and "default_mailbox" not in content:
            self.settings.wrong(("mailboxes", list(tables)[1]), _WHICH)
        self.settings.shared = dict(self.settings.values)  # before the default mailbox's own go before them
        for name, value in tables.items():
            key = ("mailboxes", name)
            if len(tables) > 1 and not _NAME_OF_MAILBOX.fullmatch(name):
                self.settings.wrong(key, "the name of a mailbox has letters of English, digits, - and _ only")
            table = self._table(key, value)
            if table is None:
                continue
            if name == default:
                self.settings.mailbox = name
                self._mailbox(key, table, into=self.settings.values, of="")
            else:
                into = self.settings.further.setdefault(name, {})
                self._mailbox(key, table, into=into, of=f" of {name}")
                if not {"name", "address"} & table.keys():
                    self.settings.wrong(key, "name and address are missing: a mailbox is a sender's")

    def _mailbox(self, key: Key, table: Mapping[str, Any], *, into: dict[str, Given], of: str) -> None:
        """Read one mailbox; ``of`` ends the name under which a password that cannot be had is noted."""
        texts: dict[str, str] = {}
        for name in self._known(key, table, _MAILBOX):
            if name in _SENDING:
                setting = f"SEQUENCES_{name.upper()}"
                self._take((*key, name), table[name], _SENDING[name], setting=setting, into=into)
            elif name not in ("password", "imap_password", "oauth_client_secret"):
                try:
                    if name in _OF_SENDER:
                        self.settings.of_sender.setdefault(key[-1], {})[name] = _OF_SENDER[name](table[name])
                    else:
                        texts[name] = _text(table[name])
                except ValueError as error:
                    self.settings.wrong((*key, name), str(error))
        if "member" in texts:
            self.settings.members[key[-1]] = texts["member"]
        self._sender(key, table, texts, into=into)
        self._oauth(key, table, texts, of=of)
        if "imap" in texts:
            self._imap(key, table, texts, into=into, of=of)
        elif "imap_password" in table and "imap" not in table:
            self.settings.wrong((*key, "imap_password"), "there is no imap beside it: add the inbox's address")
        if "smtp" in texts:
            self._smtp(key, table, texts, into=into, of=of)
        elif "password" in table and "smtp" not in table and "imap" not in table:
            self._secret((*key, "password"), table["password"], setting=f"SEQUENCES_SMTP_URL{of}")
            self.settings.wrong((*key, "password"), "there is no smtp beside it: add the mail server's address")

    def _sender(
        self, key: Key, table: Mapping[str, Any], texts: Mapping[str, str], *, into: dict[str, Given]
    ) -> None:
        if "name" in texts and "address" in texts:
            name = texts["name"].replace("\\", "\\\\").replace('"', '\\"')
            into["SEQUENCES_SENDER"] = Given((*key, "name"), f'"{name}" <{texts["address"]}>')
        elif len(missing := {"name", "address"} - table.keys()) == 1:
            self.settings.wrong(key, f"{missing.pop()} is missing: a sender has a name and an address")

    def _oauth(self, key: Key, table: Mapping[str, Any], texts: Mapping[str, str], *, of: str) -> None:
        """Read the client with which a mailbox signs in that has no password."""
        given = [name for name in _OAUTH if name in table]
        if not given:
            return
        provider = texts.get("oauth", "")
        if provider not in PROVIDERS:
            self.settings.wrong((*key, given[0]), f"oauth has to be one of {', '.join(map(repr, PROVIDERS))}")
            return
        self._beside_oauth(key, table)
        if "oauth_client_id" not in texts:
            self.settings.wrong(key, "oauth_client_id is missing: the id of the app that you registered there")
            return
        secret = None
        if "oauth_client_secret" in table:
            place, setting = (*key, "oauth_client_secret"), f"SEQUENCES_SMTP_URL{of}"
            secret = self._secret(place, table["oauth_client_secret"], setting=setting)
        checked = {"tenant": "common", "authority": ""}
        for name, check in (("tenant", checked_tenant), ("authority", checked_authority)):
            try:
                checked[name] = check(texts[f"oauth_{name}"]) if f"oauth_{name}" in texts else checked[name]
            except ValueError as error:
                self.settings.wrong((*key, f"oauth_{name}"), str(error))
        self.settings.oauth[key[-1]] = OAuthRegistration(
            provider=provider, client_id=texts["oauth_client_id"], client_secret=secret, **checked
        )

    def _beside_oauth(self, key: Key, table: Mapping[str, Any]) -> None:
        """Note what is wrong with a password beside oauth: each is that of one server, the other has the token."""
        servers = {"password": "smtp", "imap_password": "imap"}
        given = [name for name in servers if name in table]
        for name in given:
            if servers[name] not in table:
                why = f"with oauth there is no password but that of {servers[name]}, which is not there: remove it"
                self.settings.wrong((*key, name), why)
        if given and not any(server in table and name not in table for name, server in servers.items()):
            why = "with oauth there is no password for every server: remove one of the two"
            self.settings.wrong((*key, given[0]), why)

    def _smtp(
        self,
        key: Key,
        table: Mapping[str, Any],
        texts: Mapping[str, str],
        *,
        into: dict[str, Given],
        of: str,
    ) -> None:
        place, url, lacking = (*key, "smtp"), texts["smtp"], f"SEQUENCES_SMTP_URL{of}"
        if (server := self._server(place, url, begins="smtp:// or smtps://", example="smtps://host:465")) is None:
            return
        scheme, account, host = server
        user = account or quote(texts.get("address", ""), safe="")
        if "oauth" in table and "password" not in table:
            into["SEQUENCES_SMTP_URL"] = Given(place, f"{scheme}://{user};AUTH=XOAUTH2@{host}")
            return
        if "password" not in table:
            if account:
                self.settings.wrong(place, f"it names a user and there is no password. Add password = {REFERENCE}")
            else:
                into["SEQUENCES_SMTP_URL"] = Given(place, self._of_environment(url, of=of) or url)
            return
        secret = self._secret((*key, "password"), table["password"], setting=lacking)
        if secret is None or not user:
            bare = f"{scheme}://{host}"
            if whole := self._of_environment(bare, of=of):
                self.settings.lacking.pop(lacking, None)
            into["SEQUENCES_SMTP_URL"] = Given(place, whole or bare)
            return
        signed_in = f"{scheme}://{user}:{quote(secret.value, safe='')}@{host}"
        into["SEQUENCES_SMTP_URL"] = Given(place, signed_in)

    def _imap(
        self, key: Key, table: Mapping[str, Any], texts: Mapping[str, str], *, into: dict[str, Given], of: str
    ) -> None:
        """Read the address to read from: with ``imap_password``, else the mailbox's password, or with an account
        of the environment.
        """
        name = "imap_password" if "imap_password" in table or "oauth" in table else "password"
        place, url, setting = (*key, "imap"), texts["imap"], "SEQUENCES_IMAP_URL"
        if (server := self._server(place, url, begins="imaps://", example="imaps://host:993")) is None:
            return
        scheme, account, host = server
        bare = f"{scheme}://{host}"
        whole = self._of_environment(bare, setting, of=of)
        user = account or quote(texts.get("address", ""), safe="")
        if "oauth" in table and name not in table:
            whole = f"{scheme}://{user};AUTH=XOAUTH2@{host}"
        elif name in table:
            if secret := self._secret((*key, name), table[name], setting=f"{setting}{of}"):
                whole = f"{scheme}://{user}:{quote(secret.value, safe='')}@{host}"
            elif whole:
                self.settings.lacking.pop(f"{setting}{of}", None)
        elif not whole:
            self.settings.wrong(place, f"it needs a password: add password = {REFERENCE}")
        if whole:
            into[setting] = Given(place, whole)

    def _server(self, place: Key, url: str, *, begins: str, example: str) -> ServerAddress | None:
        """Return the parts of a mail server's address; None, and what is wrong is noted, for a bad one."""
        server = ServerAddress.read(url)
        if server.scheme and not server.has_password:
            return server
        why = "no password stands in this file" if server.scheme else f"it does not start with {begins}"
        self.settings.wrong(place, f'{why}. Write {place[-1]} = "{example}", and password = {REFERENCE}')
        return None

    def _of_environment(self, url: str, setting: str = "SEQUENCES_SMTP_URL", *, of: str) -> str:
        """Return a setting of the environment where it has an account at the file's very server; or nothing.

        Its account is the default mailbox's: no further mailbox signs in with it.
        """
        text = "" if of else self.environ.get(setting, "").strip()
        try:
            theirs, ours = urlsplit(text), urlsplit(url)
            same = (theirs.scheme, theirs.hostname, theirs.port) == (ours.scheme, ours.hostname, ours.port)
        except ValueError:
            return ""
        return text if same else ""

    def _law(self, content: Mapping[str, Any]) -> None:
        """Read what the workspace says of itself; an empty table asks for the reminders too."""
        if "law" not in content or (table := self._table(("law",), content["law"])) is None:
            return
        texts: dict[str, str] = {}
        countries: tuple[str, ...] = ()
        asks_for_line = False
        for name in self._known(("law",), table, _LAW):
            try:
                if name == "opt_out_line":
                    asks_for_line = _truth(table[name])
                elif name == "countries":
                    countries = tuple(code.strip() for code in _several(table[name]).split(",") if code.strip())
                else:
                    texts[name] = _text(table[name])
            except ValueError as error:
                self.settings.wrong(("law", name), str(error))
        if odd := [code for code in countries if not _COUNTRY.fullmatch(code)]:
            self.settings.wrong(
                ("law", "countries"), f"{odd[0]!r} is not a country in ISO 3166 alpha-2, such as FR"
            )
        self.settings.law = LawSetting(**texts, countries=countries, opt_out_line=asks_for_line)

    def _people(self, content: Mapping[str, Any]) -> None:
        """Read from which folders the tools may take files with people."""
        table = self._table(("people",), content.get("people", {})) or {}
        for name in self._known(("people",), table, ("import_folders",)):
            try:
                given = [text.strip() for text in _several(table[name]).split(",") if text.strip()]
            except ValueError as error:
                self.settings.wrong(("people", name), str(error))
                continue
            folders = tuple(self.folder / Path(text).expanduser() for text in given)
            if missing := next((folder for folder in folders if not folder.is_dir()), None):
                self.settings.wrong(("people", name), f"{missing} is no folder")
            self.settings.import_folders = folders

    def _vendor(self, vendor: str, content: Mapping[str, Any]) -> None:
        table = self._table((vendor,), content.get(vendor, {})) or {}
        allowed = ("api_key", "base_url", *(further.key for further in DESCRIPTIONS[vendor].further_settings))
        for name in self._known((vendor,), table, allowed):
            setting = f"{vendor.upper()}_{name.upper()}"
            if name != "api_key":
                self._take((vendor, name), table[name], _text, setting=setting)
            elif secret := self._secret((vendor, name), table[name], setting=setting):
                self.settings.values[setting] = Given((vendor, name), secret.value)

    def _secret(self, key: Key, value: object, *, setting: str) -> Secret | None:
        """Return the secret that a key refers to; None for a wrong reference, or one that leads nowhere here."""
        if isinstance(value, str):
            self.settings.wrong(
                key, f"no secret stands in this file: anybody who sees it could use it. {_instead(key)}"
            )
            return None
        if not isinstance(value, dict) or len(value) != 1 or (kind := next(iter(value))) not in _READERS:
            self.settings.wrong(key, f"it has to say where the secret is, in one way. {_instead(key)}")
            return None
        named = value[kind]
        if kind == "keyring" and named is True:
            named = ".".join(key)
        if not isinstance(named, str) or not named.strip():
            self.settings.wrong(key, f"{kind} has to name one. {_instead(key)}")
            return None
        if (path := Path(named)) and kind == "file" and not named.startswith("~"):
            named = str(self.folder / path)
        try:
            return Secret(_READERS[kind](named, self.environ))
        except ValueError as error:
            self.settings.lacking[setting] = f"{self.settings.place(key)}: {error}"
            return None


def _instead(key: Key) -> str:
    return f"Write {key[-1]} = {REFERENCE}"


def _of_environment(name: str, environ: Mapping[str, str]) -> str:
    if not (text := environ.get(name, "").strip()):
        raise ValueError(f"the environment variable {name} is not set in this process")
    return text


def _of_file(name: str, environ: Mapping[str, str]) -> str:
    try:
        path = Path(name).expanduser()
        with path.open(encoding="utf-8-sig") as file:
            if os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o077:  # of the very file that is read
                raise ValueError(f"others can read {path}, so it is not used. Run: chmod 600 {path}")
            text = file.read(LARGEST).strip()
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{name} cannot be read: {getattr(error, 'strerror', None) or 'no such user'}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not UTF-8") from error
    if not text or len(text.splitlines()) > 1:
        raise ValueError(f"{name} has to hold the secret alone, on one line")
    return text


def _of_keychain(name: str, environ: Mapping[str, str]) -> str:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError as error:
        raise ValueError("the package keyring is not installed: pip install 'sequences-mcp[keyring]'") from error
    try:
        text = keyring.get_password(SERVICE, name)
    except (KeyringError, OSError) as error:
        raise ValueError(f"the system's keychain cannot be asked: {type(error).__name__}") from error
    if not text:
        raise ValueError(f"the system's keychain has no such entry. Run: keyring set {SERVICE} {name}")
    return str(text)


_READERS: Mapping[str, Callable[[str, Mapping[str, str]], str]] = {
    "env": _of_environment,
    "file": _of_file,
    "keyring": _of_keychain,
}
