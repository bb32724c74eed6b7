"""The only reader of the environment: every setting, its meaning and its default, in one table.

``settings.toml`` in the data folder (``settings_file``) has what every process of the folder shares; an
environment variable fills what the file leaves out. ``read`` returns all settings or raises one SettingsError that
names every missing or bad value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.utils import getaddresses
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from sequences_mcp import settings_hosted
from sequences_mcp.domain.ids import UNVERSIONED, IdKind, parse_id, provider_of
from sequences_mcp.domain.sender import LawSetting, Secret, Sender
from sequences_mcp.domain.workspace import SETTINGS_FILE, Workspace
from sequences_mcp.errors import SettingsError, WrongIdError
from sequences_mcp.lazy_dataclasses import dataclass, field, replace
from sequences_mcp.mailbox import IMAP_SETTING, SMTP_SETTING, Mailbox
from sequences_mcp.settings_hosted import HostedSettings, read_hosted
from sequences_mcp.vendors.description import VendorDescription
from sequences_mcp.vendors.registry import DESCRIPTIONS, titles

if TYPE_CHECKING:
    from sequences_mcp.engine.temporal import TemporalAddress
    from sequences_mcp.settings_file import FileSettings, Given

PREFIX = "SEQUENCES_"
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class Setting(NamedTuple):
    """One environment variable: ``default`` is as a person would write it."""

    name: str
    meaning: str
    default: str
    secret: bool = False


def account_settings(vendor: VendorDescription) -> tuple[Setting, ...]:
    """Return the settings of an account at a vendor: its key, another address, and what else the vendor has."""
    address = f"Another address for {vendor.title}'s API; https, or http on loopback."
    return (
        Setting(vendor.key_setting, f"Connects a {vendor.title} account.", "", secret=True),
        Setting(vendor.url_setting, address, f"{vendor.title}'s own"),
        *(Setting(vendor.further_setting(setting), setting.meaning, "") for setting in vendor.further_settings),
    )


TABLE = (
    Setting("SEQUENCES_SENDER", "Who the e-mails come from: `Ada Lovelace <ada@example.com>`.", ""),
    Setting(
        "SEQUENCES_SMTP_URL",
        "Mail server: `smtps://user:password@host:465`, or `smtp://…:587` with STARTTLS. Without it, e-mails are "
        "written to the `outbox` folder and nothing is sent.",
        "",
        secret=True,
    ),
    Setting(
        "SEQUENCES_IMAP_URL",
        "Mailbox that answers come to, read and never changed: `imaps://user:password@host:993`. Without it "
        "nobody knows who answered, and follow-ups leave all the same.",
        "",
        secret=True,
    ),
    Setting(
        "SEQUENCES_FRESHNESS",
        "Seconds: a follow-up leaves only if that mailbox was read so long ago at most.",
        "600",
    ),
    Setting("SEQUENCES_DATA_DIR", "Folder of the database and the outbox.", "the system's data folder"),
    Setting(
        "SEQUENCES_DATABASE_URL",
        "A database on PostgreSQL 15 or later, for several machines: `postgresql://user:password@host:5432/name`. "
        "In the file it is `database`, and the password `database_password`.",
        "a file in the data folder",
        secret=True,
    ),
    Setting("SEQUENCES_TEMPORAL", "A Temporal server, which keeps the timers: `host:7233`.", ""),
    Setting("SEQUENCES_TEMPORAL_API_KEY", "That server's API key, sent encrypted only.", "", secret=True),
    Setting("SEQUENCES_TEMPORAL_CA", "A PEM file with certificates that vouch for that server.", "the system's"),
    Setting("SEQUENCES_TEMPORAL_CERTIFICATE", "A PEM file with a client certificate for that server.", ""),
    Setting("SEQUENCES_TEMPORAL_CERTIFICATE_KEY", "That certificate's private key, as PEM.", "", secret=True),
    Setting("SEQUENCES_TEMPORAL_VERSIONING", "`on`: workers get only what their version is current for.", "off"),
    Setting("SEQUENCES_CLOCK", "`own` or `temporal`: who wakes what is due.", "temporal where one is set"),
    Setting("SEQUENCES_WINDOW", "When e-mails may leave, in each contact's own time zone.", "Mon-Fri 08:00-19:00"),
    Setting("SEQUENCES_TIME_ZONE", "Zone for contacts whose own is unknown; every plan says so.", "UTC"),
    Setting("SEQUENCES_DAILY_CAP", "E-mails in any 24 hours.", "50"),
    Setting("SEQUENCES_SPACING", "Seconds between two e-mails, up to half more; tenfold for one company.", "30"),
    Setting("SEQUENCES_RAMP_UP", "E-mails of a new mailbox's first day, and more each day; `0`: no ramp.", "0"),
    Setting("SEQUENCES_ELICITATION", "`on`: small starts may be approved in the chat's own dialog.", "on"),
    Setting(
        "SEQUENCES_REVIEW_PAGE",
        "`off`: the server does not serve the review page; `sequences-mcp review --open` still does.",
        "on",
    ),
    Setting(
        "SEQUENCES_NOTICE",
        "Addresses, with commas, that get an e-mail when something starts waiting for a person.",
        "",
    ),
    Setting(
        "SEQUENCES_AUTO_APPROVE",
        "Blueprints, with commas, that may start without a person's approval: `id@version`; an id alone means the "
        "version that was newest when this was first read. "
        f"{titles(lambda vendor: not vendor.has_versions, owning=True)} templates are named by their id.",
        "",
    ),
    Setting(
        "SEQUENCES_LATE_DAYS",
        "A step that would leave so many days after the time it was approved for has to be approved again.",
        "7",
    ),
    Setting(
        "SEQUENCES_ERASE_AFTER_DAYS",
        "Whoever's last step or answer lies so many days back is erased by itself; `0`: nobody.",
        "0",
    ),
    Setting(
        "SEQUENCES_UNREAD_DRAFTS",
        "`on`: `policy.autoValidateAIDraft` of a step spares a person reading the texts written for one person.",
        "off",
    ),
    Setting("SEQUENCES_WORKER", "`on`: a running server also sends what is due.", "on"),
    Setting("SEQUENCES_PRELUDE", "`off`: nothing is answered before the whole server is loaded.", "on"),
    *(Setting(*row) for row in settings_hosted.ROWS),
    Setting("SEQUENCES_OAUTH_TENANT_CLAIM", "`serve`: a claim of their tokens that has to name the tenant.", ""),
    Setting("SEQUENCES_TENANTS", "`serve`: a folder with the data folder of each tenant.", ""),
    Setting("SEQUENCES_GUARDS", "House policy of the guards.", "guards.toml in the data folder"),
    Setting("SEQUENCES_LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR, on standard error.", "WARNING"),
    *(setting for vendor in DESCRIPTIONS.values() for setting in account_settings(vendor)),
)


@dataclass(frozen=True, slots=True)
class Account:
    """A key at a vendor, and the address of its API where that is not the vendor's own.

    ``further`` has what else the vendor's description asks for and was given, by key, as whole ids of the vendor.
    """

    key: Secret
    base_url: str
    further: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, checked.

    ``mailboxes`` are the senders with their servers; the first is the default one. ``accounts`` has the vendors a
    key was given for, by name. ``origins`` says of each setting, by the name of its environment variable, where
    its value is from; ``conflicts`` what the file and the environment say differently; ``lacking`` why a secret
    that the file refers to cannot be had in this process, with ``of NAME`` behind the variable for a further
    mailbox.
    """

    mailboxes: tuple[Mailbox, ...]
    freshness: int
    workspace: Workspace
    time_zone: str
    elicitation: bool
    review_page: bool
    notice: tuple[str, ...]
    auto_approve: frozenset[str]
    late_days: int
    erase_after_days: int
    unread_drafts: bool
    worker: bool
    guards: Path
    log_level: LogLevel
    accounts: Mapping[str, Account] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)
    conflicts: tuple[str, ...] = ()
    lacking: Mapping[str, str] = field(default_factory=dict)
    law: LawSetting | None = None
    import_folders: tuple[Path, ...] = ()
    database: Secret | None = None
    temporal: TemporalAddress | None = None
    oauth_tenant_claim: str | None = None
    tenants: Path | None = None
    hosted: HostedSettings = field(default_factory=HostedSettings)

    @property
    def oauth_issuer(self) -> str | None:
        """Where users of the server over HTTP sign in."""
        return self.hosted.oauth_issuer

    @property
    def oauth_audience(self) -> str | None:
        """What their tokens are for, where that is not the server's own address."""
        return self.hosted.oauth_audience

    @property
    def database_url(self) -> str | None:
        """The address of the database, where it is not a file of the data folder."""
        return self.database.value if self.database else None

    @property
    def lacks_temporal(self) -> bool:
        """Whether Temporal is to keep the timers and its library is not installed."""
        return self.temporal is not None and not self.temporal.is_installed

    @property
    def mailbox(self) -> Mailbox:
        """The mailbox that sends where a blueprint names none."""
        return self.mailboxes[0]

    @property
    def file(self) -> Path:
        """Where the settings of the data folder stand, or would."""
        return self.workspace.settings_file

    @property
    def data_dir(self) -> Path:
        """The data folder."""
        return self.workspace.folder

    def log_conflicts(self) -> None:
        """Write into the log, once a process, what the file and the environment say differently."""
        import logging

        for conflict in self.conflicts:
            logging.getLogger(__name__).warning("%s", conflict)


class _Problems:
    """Reads settings, of the file before the environment, and collects what is wrong, to say all of it at once."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.file: FileSettings | None = None
        self.sentences: list[str] = []
        self.conflicts: list[str] = []
        self.origins: dict[str, str] = {}

    def read(self, name: str, parse: Callable[[str], Any], default: str) -> Any:
        """Return the parsed value of a setting; ValueError of ``parse`` becomes one line of the error."""
        return self.read_whole(PREFIX + name, parse, default)

    def read_whole(self, name: str, parse: Callable[[str], Any], default: str) -> Any:
        """Do the same for a variable whose whole name is given."""
        given = self._environ.get(name, "").strip()
        if self.file is not None and name in self.file.values:
            return self._of_file(self.file, name, parse, given=given)
        self.origins[name] = "environment" if given else "default"
        try:
            return parse(given or default)
        except ValueError as error:
            self.sentences.append(f"{name}: {error}")
        except SettingsError as error:
            self.sentences.append(f"{name}: {error.message.removesuffix('.')}")
        return None

    def parsed(self, file: FileSettings, value: Given, parse: Callable[[str], Any]) -> Any:
        """Return the parsed value of a key of the file, or None once its problem is noted."""
        try:
            return parse(value.text)
        except ValueError as error:
            file.wrong(value.key, str(error))
        except SettingsError as error:
            file.wrong(value.key, error.message.removesuffix("."))
        return None

    def of_folder(self, file: FileSettings, name: str, parse: Callable[[str], Any]) -> Any:
        """Return what holds for the whole folder where the default mailbox has a value of its own."""
        if name in file.shared:
            return self.parsed(file, file.shared[name], parse)
        text = self._environ.get(name, "").strip()
        try:
            return parse(text or next(setting.default for setting in TABLE if setting.name == name))
        except (ValueError, SettingsError) as error:
            self.sentences.append(f"{name}: {error}")
        return None

    def _of_file(self, file: FileSettings, name: str, parse: Callable[[str], Any], *, given: str) -> Any:
        key = file.values[name].key
        self.origins[name] = f"{SETTINGS_FILE}, {'.'.join(key)}"
        value = self.parsed(file, file.values[name], parse)
        if value is None:
            return None
        if given and name not in file.lacking and _differs(parse, given, value):
            self.conflicts.append(
                f"{file.place(key)} and the environment variable {name} say different things; the file's counts."
            )
        return value


def _differs(parse: Callable[[str], Any], given: str, value: object) -> bool:
    try:
        return bool(parse(given) != value)
    except (ValueError, SettingsError):
        return True


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings of the data folder and ``environ``; SettingsError names every missing or bad one."""
    problems = _Problems(environ)
    problems.sentences.extend(_unknown(environ))
    workspace = problems.read("DATA_DIR", _workspace, "")
    problems.read("PRELUDE", _switch, "on")  # the server has acted on it already
    file = problems.file = _file(workspace, environ, problems)
    values = {
        "sender": problems.read("SENDER", _sender, ""),
        "smtp_url": problems.read("SMTP_URL", _smtp_url, ""),
        "imap_url": problems.read("IMAP_URL", _imap_url, ""),
        "freshness": problems.read("FRESHNESS", lambda text: _number(text, least=60, most=86_400), "600"),
        "workspace": workspace,
        "database": problems.read("DATABASE_URL", _database, ""),
        "temporal": _clock(problems),
        "window": problems.read("WINDOW", _window, "Mon-Fri 08:00-19:00"),
        "time_zone": problems.read("TIME_ZONE", _time_zone, "UTC"),
        "daily_cap": problems.read("DAILY_CAP", _daily_cap, "50"),
        "spacing": problems.read("SPACING", _spacing, "30"),
        "ramp_up": problems.read("RAMP_UP", _ramp_up, "0"),
        "elicitation": problems.read("ELICITATION", _switch, "on"),
        "review_page": problems.read("REVIEW_PAGE", _switch, "on"),
        "notice": problems.read("NOTICE", _addresses, ""),
        "auto_approve": problems.read("AUTO_APPROVE", _blueprint_ids, ""),
        "erase_after_days": problems.read("ERASE_AFTER_DAYS", partial(_number, least=0, most=36_500), "0"),
        "late_days": problems.read("LATE_DAYS", lambda text: _number(text, least=1, most=365), "7"),
        "unread_drafts": problems.read("UNREAD_DRAFTS", _switch, "off"),
        "worker": problems.read("WORKER", _switch, "on"),
        "guards": problems.read("GUARDS", lambda text: _policy_file(text, workspace), ""),
        "log_level": problems.read("LOG_LEVEL", _log_level, "WARNING"),
        "oauth_tenant_claim": problems.read("OAUTH_TENANT_CLAIM", settings_hosted.one_word, "") or None,
        "tenants": problems.read("TENANTS", _tenants, ""),
        "accounts": _accounts(problems),
    }
    values["hosted"], wrong = read_hosted(problems.read, lacking={} if file is None else file.lacking)
    problems.sentences.extend([*wrong, *_without_client(values, file)])
    default = {name: values.pop(name) for name, _ in _OF_MAILBOX.values()}
    mailboxes = tuple(
        replace(mailbox, database=values["database"])
        for mailbox in _mailboxes(problems, default, workspace=workspace, zone=values["time_zone"])
    )
    if file is not None:
        problems.sentences.extend(file.problems)
    if problems.sentences:
        next_step = "They are environment variables of the server; docs/settings.md lists them."
        if file is not None and file.problems:
            variables = "names in capitals are environment variables of the server"
            next_step = f"Correct {workspace.settings_file}; {variables}."
        raise SettingsError(
            "These settings are wrong: " + "; ".join(problems.sentences) + ".",
            next_step=next_step,
            data={"problems": problems.sentences},
        )
    return Settings(
        **values,
        mailboxes=mailboxes,
        origins=problems.origins,
        conflicts=tuple(problems.conflicts),
        lacking={} if file is None else file.lacking,
        law=None if file is None else file.law,
        import_folders=() if file is None else file.import_folders,
    )


def _without_client(values: Mapping[str, Any], file: FileSettings | None) -> list[str]:
    """Return that an address asks for an access token and nothing says where that comes from."""
    if file is not None and (file.mailbox or "") in file.oauth:
        return []
    urls = {name: values[name].value for name in ("smtp_url", "imap_url") if values[name]}
    why = f"it signs in with an access token, which needs oauth in a mailbox of {SETTINGS_FILE}"
    return [f"{PREFIX}{name.upper()}: {why}" for name, url in urls.items() if ";AUTH=" in url.upper()]


def _mailboxes(
    problems: _Problems, default: Mapping[str, Any], *, workspace: Workspace, zone: str
) -> tuple[Mailbox, ...]:
    """Return the default mailbox and the others; what one of these leaves out is as for the whole folder."""
    file = problems.file
    name = None if file is None else file.mailbox
    mailboxes = [_mailbox(file, default, name=name, workspace=workspace, zone=zone)]
    if file is None:
        return tuple(mailboxes)
    of_default = {setting for setting, value in file.values.items() if value.key[0] == "mailboxes"}
    addresses = [mailboxes[0].address.casefold()] if mailboxes[0].sender else []
    for name, given in file.further.items():
        parsed = {
            field_name: problems.parsed(file, given[setting], parse)
            for setting, (field_name, parse) in _OF_MAILBOX.items()
            if setting in given
        }
        sender = parsed.get("sender")
        if sender is None:
            continue  # its problem is noted
        if sender.address.casefold() in addresses:
            file.wrong(("mailboxes", name), f"{sender.address} is another mailbox's address already")
        addresses.append(sender.address.casefold())
        of_folder = {
            field_name: default[field_name]
            if setting not in of_default
            else problems.of_folder(file, setting, parse)
            for setting, (field_name, parse) in _OF_MAILBOX.items()
            if field_name in ("window", "daily_cap", "spacing", "ramp_up") and setting not in given
        }
        values = {"smtp_url": None, "imap_url": None} | of_folder | parsed
        mailboxes.append(_mailbox(file, values, name=name, workspace=workspace, zone=zone, of=f" of {name}"))
    return tuple(mailboxes)


def _mailbox(
    file: FileSettings | None,
    values: Mapping[str, Any],
    *,
    name: str | None,
    workspace: Workspace,
    zone: str | None,
    of: str = "",
) -> Mailbox:
    """Return a mailbox of parsed values; ``of`` ends the names under which its missing secrets are noted."""
    whole = dict(values)
    if whole["sender"] is not None:
        whole["sender"] = _whole_sender(whole["sender"], file, name=name, zone=zone)
    lacking = {} if file is None else file.lacking
    return Mailbox(
        **whole,
        name=name,
        workspace=workspace,
        oauth=None if file is None else file.oauth.get(name or ""),
        member=None if file is None else file.members.get(name or ""),
        lacking={
            setting: lacking[f"{setting}{of}"]
            for setting in (SMTP_SETTING, IMAP_SETTING)
            if f"{setting}{of}" in lacking
        },
    )


def _whole_sender(sender: Sender, file: FileSettings | None, *, name: str | None, zone: str | None) -> Sender:
    """Return a sender with what their mailbox's table has besides name and address; else they are in ``zone``."""
    given = {} if file is None or name is None else dict(file.of_sender.get(name, {}))
    of_law = bool(file and file.law and file.law.opt_out_line)
    if given.pop("opt_out_line", of_law):
        from sequences_mcp.guards.law import built_in

        lines = {tag: language.lines["opt_out_line"] for tag, language in built_in().languages.items()}
        given["opt_out_lines"] = tuple({"en": lines["en"], **lines}.items())
    return replace(sender, **({"time_zone": zone} if zone and zone != "UTC" else {}) | given)


def _file(workspace: Workspace | None, environ: Mapping[str, str], problems: _Problems) -> FileSettings | None:
    """Return what the file of the data folder says; None, and nothing is loaded, where there is none."""
    if workspace is None:
        return None
    try:
        if not workspace.settings_file.is_file():
            return None
    except OSError as error:
        problems.sentences.append(f"{workspace.settings_file} cannot be looked at: {error.strerror or error}")
        return None
    from sequences_mcp.settings_file import load_settings_file

    return load_settings_file(workspace.settings_file, environ)


def _accounts(problems: _Problems) -> dict[str, Account]:
    accounts = {}
    for vendor in DESCRIPTIONS.values():
        key = problems.read_whole(vendor.key_setting, partial(_api_key, vendor), "")
        base_url = problems.read_whole(vendor.url_setting, partial(_base_url, vendor.url_setting), "")
        given = {
            setting.key: problems.read_whole(
                vendor.further_setting(setting), partial(_own_id, vendor.name, setting.expected), ""
            )
            for setting in vendor.further_settings
        }
        if key is not None and base_url is not None:
            further = {name: value for name, value in given.items() if value is not None}
            accounts[vendor.name] = Account(key, base_url, further)
    return accounts


def _api_key(vendor: VendorDescription, text: str) -> Secret | None:
    if not text:
        return None
    from sequences_mcp.vendors.account import checked_key

    return checked_key(vendor, Secret(text))


def _base_url(setting: str, text: str) -> str:
    if not text:
        return ""
    from sequences_mcp.vendors.account import checked_base_url

    return checked_base_url(text, setting=setting)


def _own_id(vendor: str, expected: str, text: str) -> str | None:
    """Return a vendor's id, whole, whether it was given with the vendor's name before it or without."""
    bare_id = text.removeprefix(f"{vendor}:")
    try:
        return str(parse_id(f"{vendor}:{bare_id}", IdKind.CONTACT)) if bare_id else None
    except WrongIdError as error:
        raise ValueError(f"not {expected}") from error


def _unknown(environ: Mapping[str, str]) -> list[str]:
    known = [setting.name for setting in TABLE]
    lines = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            from difflib import get_close_matches  # nearly nobody needs it, and a start would pay for it

            bare = [setting.removeprefix(PREFIX) for setting in known]  # what all begin with is nothing alike
            near = get_close_matches(name.removeprefix(PREFIX), bare, n=1)
            lines.append(f"{name}: no such setting" + (f", did you mean {PREFIX}{near[0]}?" if near else ""))
    return lines


def _workspace(text: str) -> Workspace:
    if text:
        path = _expanded(text)
        if not path.is_absolute():
            raise ValueError(f"{text!r} is not an absolute path")
        return Workspace(path)
    from platformdirs import user_data_path

    return Workspace(user_data_path("sequences-mcp", appauthor=False))


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{text!r} begins with the home of a user who does not exist") from error


def _sender(text: str) -> Sender | None:
    if not text:
        return None
    from sequences_mcp.domain.addresses import is_address, read_address

    (name, address), *more = getaddresses([text])
    sound = is_address(address) and text.isprintable()
    if more or not sound or address not in text:  # the library mends silently what it cannot read
        comma = '; a name with a comma stands in quotes: `"Lovelace, Ada" <…>`' if "," in text else ""
        raise ValueError(f"{text!r} is not of the form `Ada Lovelace <ada@example.com>`{comma}")
    if not name.strip():
        raise ValueError(f"{text!r} has no name before the address; the recruiter variables need one")
    try:
        return Sender.of(name, read_address(address).text)
    except ValueError as error:
        raise ValueError(f"{text!r} does not name a person: {error}") from error


def _addresses(text: str) -> tuple[str, ...]:
    from sequences_mcp.domain.addresses import is_address, read_address

    given = [address.strip() for address in text.replace(";", ",").split(",") if address.strip()]
    for address in given:
        if not is_address(address):
            raise ValueError(
                f"{address!r} is not one plain e-mail address; several stand with commas between them"
            )
    return tuple(dict.fromkeys(read_address(address).text for address in given))


def _smtp_url(text: str) -> Secret | None:
    if not text:
        return None
    from sequences_mcp.engine.channels.mail_server import MailServer

    MailServer.parse(text)
    return Secret(text)


def _database(text: str) -> Secret | None:
    if not text:
        return None
    address = urlsplit(text)
    if address.scheme not in ("postgresql", "postgres") or not address.path.strip("/"):
        raise ValueError("it does not read postgresql://user:password@host:5432/name")
    return Secret(text)


def _clock(problems: _Problems) -> TemporalAddress | None:
    """Return the Temporal server that keeps the timers, or None where this product does."""
    from sequences_mcp.engine.temporal import read_temporal

    address, chosen = read_temporal(problems.read, switch=_switch)
    if chosen == "temporal" and address is None and problems.origins["SEQUENCES_TEMPORAL"] == "default":
        problems.sentences.append("SEQUENCES_CLOCK: temporal needs SEQUENCES_TEMPORAL, the address of its server")
    return None if chosen == "own" else address


def _imap_url(text: str) -> Secret | None:
    if not text:
        return None
    from sequences_mcp.engine.inbound.imap import ImapServer

    ImapServer.parse(text)
    return Secret(text)


def _window(text: str) -> str:
    from sequences_mcp.engine.calendar import Window

    Window.parse(text)
    return text


def _number(text: str, *, least: int, most: int) -> int:
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise ValueError(f"{text!r} is not a whole number from {least} to {most}")
    return int(text)


_daily_cap = partial(_number, least=1, most=10_000)
_spacing = partial(_number, least=0, most=86_400)
_ramp_up = partial(_number, least=0, most=10_000)
_OF_MAILBOX: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "SEQUENCES_SENDER": ("sender", _sender),
    "SEQUENCES_SMTP_URL": ("smtp_url", _smtp_url),
    "SEQUENCES_IMAP_URL": ("imap_url", _imap_url),
    "SEQUENCES_WINDOW": ("window", _window),
    "SEQUENCES_DAILY_CAP": ("daily_cap", _daily_cap),
    "SEQUENCES_SPACING": ("spacing", _spacing),
    "SEQUENCES_RAMP_UP": ("ramp_up", _ramp_up),
}


def _time_zone(text: str) -> str:
    from sequences_mcp.engine.calendar import is_zone

    if not is_zone(text):
        raise ValueError(f"{text!r} is not an IANA time zone such as `Europe/Paris`")
    return text


def _tenants(text: str) -> Path | None:
    path = _expanded(text) if text else None
    if path is not None and not (path.is_absolute() and path.is_dir()):
        raise ValueError(f"{text!r} is not the absolute path of a folder")
    return path


def _switch(text: str) -> bool:
    if text not in ("on", "off"):
        raise ValueError(f"{text!r} is neither `on` nor `off`")
    return text == "on"


def _blueprint_ids(text: str) -> frozenset[str]:
    ids = [part.strip() for part in text.split(",") if part.strip()]
    try:
        return frozenset(map(_allowed, ids))
    except WrongIdError as error:
        raise ValueError(error.message) from error


def _allowed(text: str) -> str:
    """Return a blueprint, with its version where one is named."""
    named, at, version = text.partition("@")
    blueprint_id = str(parse_id(named, IdKind.BLUEPRINT))
    if not at:
        return blueprint_id
    if provider_of(blueprint_id) in UNVERSIONED:
        raise ValueError(f"{text!r}: a template of this vendor has no version; name its id alone")
    if not version.isascii() or not version.isdigit() or int(version) < 1:
        raise ValueError(f"{text!r} does not end in a version, such as @3")
    return f"{blueprint_id}@{int(version)}"


def _policy_file(text: str, workspace: Workspace | None) -> Path:
    if not text:
        return workspace.guards if workspace else Path()
    path = _expanded(text)
    if not path.is_file():
        raise ValueError(f"{text!r} is not a file")
    return path


def _log_level(text: str) -> str:
    if text.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError(f"{text!r} is none of DEBUG, INFO, WARNING, ERROR")
    return text.upper()
