"""The environment is read once, and everything wrong with it is said at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.secrecy import planted

from sequences_mcp.domain.sender import Sender
from sequences_mcp.errors import SettingsError
from sequences_mcp.mailbox import Mailbox
from sequences_mcp.settings import TABLE, Settings, read_settings

SECRET = planted.BAD_SETTING.value
WRONG = {
    "SEQUENCES_SENDER": "ada@example.com",
    "SEQUENCES_SMTP_URL": f"smtp://ada:{SECRET}@mail.example:port",
    "SEQUENCES_DATA_DIR": "relative/folder",
    "SEQUENCES_DATABASE_URL": f"mysql://ada:{SECRET}@db.example/outreach",
    "SEQUENCES_TEMPORAL": "temporal.example",
    "SEQUENCES_TEMPORAL_API_KEY": f"{SECRET} with a blank",
    "SEQUENCES_TEMPORAL_CA": "relative/ca.pem",
    "SEQUENCES_TEMPORAL_CERTIFICATE": "relative/client.pem",
    "SEQUENCES_TEMPORAL_CERTIFICATE_KEY": f"{SECRET} is no PEM",
    "SEQUENCES_TEMPORAL_VERSIONING": "yes",
    "SEQUENCES_CLOCK": "sundial",
    "SEQUENCES_WINDOW": "always",
    "SEQUENCES_TIME_ZONE": "Paris",
    "SEQUENCES_DAILY_CAP": "0",
    "SEQUENCES_SPACING": "-1",
    "SEQUENCES_RAMP_UP": "10 a day",
    "SEQUENCES_ELICITATION": "yes",
    "SEQUENCES_REVIEW_PAGE": "localhost",
    "SEQUENCES_NOTICE": "Ada <ada@example.com>",
    "SEQUENCES_AUTO_APPROVE": "local:ct_1",
    "SEQUENCES_LATE_DAYS": "0",
    "SEQUENCES_ERASE_AFTER_DAYS": "-1",
    "SEQUENCES_UNREAD_DRAFTS": "yes",
    "SEQUENCES_WORKER": "1",
    "SEQUENCES_PRELUDE": "maybe",
    "SEQUENCES_OAUTH_ISSUER": "http://login.example",
    "SEQUENCES_OAUTH_AUDIENCE": "two words",
    "SEQUENCES_OAUTH_TENANT_CLAIM": "two words",
    "SEQUENCES_TENANTS": "/nowhere/tenants",
    "SEQUENCES_REVIEW_URL": "http://review.example",
    "SEQUENCES_REVIEW_ISSUER": "http://login.example",
    "SEQUENCES_REVIEW_CLIENT_ID": "two words",
    "SEQUENCES_REVIEW_CLIENT_SECRET": f"{SECRET} with a blank",
    "SEQUENCES_REVIEW_ROLE_CLAIM": "two words",
    "SEQUENCES_REVIEW_ROLES": "ada@example.com=boss",
    "SEQUENCES_OPT_OUT_URL": "http://mail.example.com",
    "SEQUENCES_APPROVERS": "3",
    "SEQUENCES_GUARDS": "/nowhere/guards.toml",
    "SEQUENCES_LOG_LEVEL": "LOUD",
    "SEQUENCES_IMAP_URL": f"imap://ada:{SECRET}@mail.example",
    "SEQUENCES_FRESHNESS": "soon",
    "KALENT_API_KEY": f"{SECRET} with a blank",
    "KALENT_BASE_URL": "ftp://kalent.example",
    "CLARKY_API_KEY": f"{SECRET}\u00e9",
    "CLARKY_BASE_URL": "http://clarky.example",
    "CLARKY_BOT_ID": "Ada of Sales",
    "TOPO_API_KEY": f"{SECRET}\ttab",
    "TOPO_BASE_URL": "https://user:word@topo.example",
    "SEQUENCES_SENDERS": "x",
}


def problem(**settings: str) -> str:
    """Return the complaint about the only bad one of these settings."""
    with pytest.raises(SettingsError) as caught:
        read_settings({f"SEQUENCES_{name}": value for name, value in settings.items()})
    [found] = caught.value.data["problems"]
    return str(found)


def test_without_any_setting_there_is_a_default_for_each(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    settings = read_settings({})
    assert settings == Settings(
        mailboxes=(
            Mailbox(
                name=None,
                sender=None,
                smtp_url=None,
                imap_url=None,
                window="Mon-Fri 08:00-19:00",
                daily_cap=50,
                spacing=30,
                ramp_up=0,
                workspace=settings.workspace,
            ),
        ),
        freshness=600,
        workspace=settings.workspace,
        time_zone="UTC",
        elicitation=True,
        review_page=True,
        notice=(),
        auto_approve=frozenset(),
        late_days=7,
        erase_after_days=0,
        unread_drafts=False,
        worker=True,
        guards=settings.data_dir / "guards.toml",
        log_level="WARNING",
    )
    assert settings.data_dir.is_relative_to(tmp_path)
    assert settings.data_dir.name == "sequences-mcp"


def test_every_bad_setting_is_named_in_one_error() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(WRONG)
    told = [str(line).partition(":")[0] for line in caught.value.data["problems"]]
    assert sorted(told) == sorted(WRONG)
    assert set(WRONG) - {"SEQUENCES_SENDERS"} == {setting.name for setting in TABLE}
    assert "did you mean SEQUENCES_SENDER?" in str(caught.value)
    with pytest.raises(SettingsError) as caught:
        read_settings({"SEQUENCES_PASSWORD": "x"})
    assert "did you mean" not in str(caught.value)  # all begin alike, which makes none of them near


def test_a_password_is_in_no_complaint_and_in_no_representation() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(WRONG)
    settings = read_settings({"SEQUENCES_SMTP_URL": f"smtps://ada:{SECRET}@mail.example", "TOPO_API_KEY": SECRET})
    assert settings.accounts["topo"].key.value == SECRET
    assert SECRET not in f"{caught.value} {caught.value.data} {settings} {settings!r} {settings.mailbox.smtp_url}"
    assert settings.mailbox.smtp_url is not None
    assert SECRET in settings.mailbox.smtp_url.value


@pytest.mark.parametrize(
    ("text", "sender"),
    [
        ("Ada Lovelace <ada@example.com>", Sender("ada@example.com", "Ada", "Lovelace")),
        ("  Ada <ada@example.com>  ", Sender("ada@example.com", "Ada", "")),
        ('"Ada King Lovelace" <ada@example.com>', Sender("ada@example.com", "Ada", "King Lovelace")),
        ("Dr. Ada Lovelace <ada@example.com>", Sender("ada@example.com", "Ada", "Lovelace", "Dr. Ada Lovelace")),
        ("Prof. Dr. Ada King <ada@example.com>", Sender("ada@example.com", "Ada", "King", "Prof. Dr. Ada King")),
        ('"Lovelace, Ada" <ada@example.com>', Sender("ada@example.com", "Ada", "Lovelace")),
        ('"van der Berg, Dr. Ada" <ada@example.com>', Sender("ada@example.com", "Ada", "van der Berg")),
        (
            '"Ada Lovelace, PhD" <ada@example.com>',
            Sender("ada@example.com", "Ada", "Lovelace", "Ada Lovelace, PhD"),
        ),
        ("Li Ma <li@example.com>", Sender("li@example.com", "Li", "Ma")),
        ("Zoë Ωmega <zoe@bücher.example>", Sender("zoe@bücher.example", "Zoë", "Ωmega")),
    ],
)
def test_a_sender_is_a_name_and_one_address(text: str, sender: Sender) -> None:
    assert read_settings({"SEQUENCES_SENDER": text}).mailbox.sender == sender


@pytest.mark.parametrize(
    "text",
    [
        "ada@example.com",
        "<ada@example.com>",
        "Ada",
        "Ada <ada>",
        "Ada <ada@localhost>",
        "Ada <a da@example.com>",
        "Ada <ada@exa mple.com>",
        "Ada <ada@example.com>, Bob <bob@example.com>",
        "Lovelace, Ada <ada@example.com>",
        "Ada <ada@example.com> (boss) x",
        "Ada\r\nBcc: x <ada@example.com>",
        "Ada\u202e <ada@example.com>",
        "Ada\t<ada@example.com>",
        "Ada <ada@example..com>",
    ],
)
def test_a_sender_that_is_not_is_refused(text: str) -> None:
    assert problem(SENDER=text).startswith("SEQUENCES_SENDER: ")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DATA_DIR", "~nobody-of-this-name/x", "a user who does not exist"),
        ("GUARDS", "~nobody-of-this-name/x", "a user who does not exist"),
        ("SMTP_URL", "http://mail.example", "does not start with smtp:// or smtps://"),
        ("SMTP_URL", "smtp://", "names no host"),
        ("SMTP_URL", "smtp://ada@mail.example", "a user without a password"),
        ("SMTP_URL", "smtps://ada:p/ss@mail.example", "%2F for `/`"),
        ("WINDOW", "Mon-Fri 19:00-08:00", "ends before it begins"),
        ("WINDOW", "Mon-Fri 08:00-25:00", "25:00"),
        ("WINDOW", "Lun-Ven 08:00-19:00", "Lun"),
        ("DAILY_CAP", "10001", "from 1 to 10000"),
        ("DAILY_CAP", "٥", "is not a whole number"),
        ("DAILY_CAP", "9" * 5_000, ""),
        ("SPACING", "1.5", "is not a whole number"),
        ("TIME_ZONE", "../../etc/passwd", "is not an IANA time zone"),
        ("ELICITATION", "ON", "is neither `on` nor `off`"),
        ("AUTO_APPROVE", "local:bp_1, kalent", "'kalent' is not a blueprint id"),
    ],
)
def test_a_bad_value_is_told_in_its_own_words(name: str, value: str, words: str) -> None:
    assert words in problem(**{name: value})


def test_a_blank_value_is_the_default() -> None:
    assert read_settings({"SEQUENCES_SPACING": "  ", "SEQUENCES_WINDOW": ""}).mailbox.spacing == 30


def test_a_vendor_is_connected_by_its_key_alone() -> None:
    found = read_settings({"KALENT_API_KEY": "kalent_1", "TOPO_BASE_URL": "http://127.0.0.1:9/topo/"}).accounts
    assert list(found) == ["kalent"]
    assert found["kalent"].base_url == ""


def test_another_address_is_kept_without_its_last_slash() -> None:
    found = read_settings({"TOPO_API_KEY": "topo_1", "TOPO_BASE_URL": "http://127.0.0.1:9/topo/"}).accounts
    assert found["topo"].base_url == "http://127.0.0.1:9/topo"


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        (f"smtps://ada:a#b{SECRET}@mail.example:465", "%23 for `#`"),
        (f"smtps://ada:a/b{SECRET}@mail.example:465", "%2F for `/`"),
        (f"smtps://ada:a?b{SECRET}@mail.example", "%3F for `?`"),
        (f"smtps://ada:{SECRET}@mail.example:587", "write smtp://…:587"),
        (f"smtp://ada:{SECRET}@mail.example:465", "write smtps://…:465"),
    ],
)
def test_a_mail_server_written_with_a_common_mistake_gets_its_hint(url: str, hint: str) -> None:
    said = problem(SMTP_URL=url)
    assert hint in said
    assert SECRET not in said


def test_an_unquoted_comma_in_the_senders_name_gets_its_hint() -> None:
    assert "a name with a comma stands in quotes" in problem(SENDER="Lovelace, Ada <ada@example.com>")


def test_a_title_alone_is_nobody() -> None:
    assert "only a title" in problem(SENDER="Dr. <ada@example.com>")


def test_the_clock_is_temporals_where_its_address_is_set_unless_the_own_one_is_named() -> None:
    address = "https://temporal.example:7233/outreach"
    temporal = read_settings({"SEQUENCES_TEMPORAL": address}).temporal
    assert temporal is not None
    assert (temporal.target, temporal.namespace, temporal.tls) == ("temporal.example:7233", "outreach", True)
    assert read_settings({"SEQUENCES_TEMPORAL": address, "SEQUENCES_CLOCK": "own"}).temporal is None
    assert read_settings({}).temporal is None
    assert "needs SEQUENCES_TEMPORAL" in problem(CLOCK="temporal")


def test_a_key_of_temporal_is_named_by_the_file_and_shown_by_nothing(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('temporal = "cloud.example:7233/outreach"\ntemporal_api_key = { env = "CLOUD_KEY" }\n')
    here = {"SEQUENCES_DATA_DIR": str(tmp_path)}
    settings = read_settings({**here, "CLOUD_KEY": SECRET})
    assert settings.temporal and settings.temporal.api_key
    assert settings.temporal.api_key.value == SECRET
    assert SECRET not in f"{settings!r} {settings.temporal.words}"
    without = read_settings(here)  # such a process is told what it lacks, and goes on
    assert without.temporal and without.temporal.api_key is None
    assert "CLOUD_KEY is not set in this process" in without.lacking["SEQUENCES_TEMPORAL_API_KEY"]
    file.write_text(
        'temporal = "cloud.example:7233"\ntemporal_certificate = "client.pem"\ntemporal_versioning = true\n'
        'temporal_certificate_key = { env = "CLIENT_KEY" }\n'
    )
    certified = read_settings({**here, "CLIENT_KEY": f"{'-' * 5}BEGIN PRIVATE KEY{'-' * 5}\n{SECRET}"}).temporal
    assert certified and certified.is_encrypted and certified.versioning and certified.certificate_key
    assert (certified.certificate, SECRET in f"{certified!r}") == (tmp_path / "client.pem", False)
    file.write_text(f'temporal_api_key = "{"x" * 20}"\n')
    with pytest.raises(SettingsError, match="no secret stands in this file"):
        read_settings(here)
