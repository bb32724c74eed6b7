"""The mail server as a setting."""

from __future__ import annotations

import pytest
from tests.secrecy import planted

from sequences_mcp.engine.channels.mail_server import MailServer, Password, Security
from sequences_mcp.errors import SettingsError
from sequences_mcp.hosts import is_loopback, trust_without_tls

SECRET = planted.BAD_SETTING.value
URLS = {
    "smtps://ada:pw@mx.example.com": ("mx.example.com", 465, Security.TLS, "ada", "pw"),
    "smtps://ada:pw@mx.example.com:8465/": ("mx.example.com", 8465, Security.TLS, "ada", "pw"),
    "smtp://ada:pw@mx.example.com": ("mx.example.com", 587, Security.STARTTLS, "ada", "pw"),
    "smtp://ada%40example.com:p%2Fw%20%3A@mx.example.com:25": (
        "mx.example.com",
        25,
        Security.STARTTLS,
        "ada@example.com",
        "p/w :",
    ),
    "smtp://127.0.0.1:2525": ("127.0.0.1", 2525, Security.PLAIN, "", ""),
    "smtp://localhost:2525": ("localhost", 2525, Security.PLAIN, "", ""),
    "smtp://[::1]:2525": ("::1", 2525, Security.PLAIN, "", ""),
    "smtps://127.0.0.1": ("127.0.0.1", 465, Security.TLS, "", ""),
}


@pytest.mark.parametrize(("url", "expected"), URLS.items(), ids=URLS.keys())
def test_a_url_names_host_port_protection_and_account(url: str, expected: tuple[object, ...]) -> None:
    server = MailServer.parse(url)
    assert (server.host, server.port, server.security, server.username, server.password) == expected


BAD = {
    "": "smtp:// or smtps://",
    "mx.example.com:587": "smtp:// or smtps://",
    f"http://u:{SECRET}@mx.example.com": "smtp:// or smtps://",
    "smtp://": "names no host",
    f"smtp://u:{SECRET}@": "names no host",
    f"smtp://u:{SECRET}@mx.example.com:0": "port 0",
    f"smtp://u:{SECRET}@mx.example.com:70000": "cannot be read",
    f"smtp://u:{SECRET}@mx.example.com:port": "cannot be read",
    f"smtp://u:{SECRET}@[::1": "cannot be read",
    f"smtp://u:{SECRET}@mx..example.com": "cannot be read",
    f"smtp://u:{SECRET}/x@mx.example.com": "percent-encoded",
    f"smtp://u:{SECRET}@mx.example.com/inbox": "something follows the host",
    f"smtp://u:{SECRET}@mx.example.com?tls=no": "something follows the host",
    f"smtp://{SECRET}@mx.example.com": "a user without a password",
    f"smtp://:{SECRET}@mx.example.com": "a password without a user",
    f"smtp://u:{SECRET}\n@mx.example.com": "a space or a letter outside ASCII",
    f"smtp://u:{SECRET}é@mx.example.com": "a space or a letter outside ASCII",
    f"smtp://u:{SECRET}%0D%0A@mx.example.com": "outside printable ASCII",
}


@pytest.mark.parametrize(("url", "why"), BAD.items(), ids=BAD.keys())
def test_a_bad_url_says_what_is_wrong_and_never_the_password(url: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why) as caught:
        MailServer.parse(url)
    assert SECRET not in str(caught.value)
    assert caught.value.__context__ is None  # a traceback would show what it says


def test_no_representation_shows_the_password() -> None:
    server = MailServer.parse(f"smtps://ada:{SECRET}@mx.example.com")
    assert SECRET not in f"{server!r} {server} {[server.password]} {server.where}"
    assert server.password == SECRET
    assert repr(Password(SECRET)) == "Password(…)"


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("smtps://ada:pw@mx.example.com", "smtps://mx.example.com:465"),
        ("smtp://ada:pw@mx.example.com", "smtp://mx.example.com:587"),
        ("smtp://[::1]:2525", "smtp://[::1]:2525"),
    ],
)
def test_a_server_is_named_without_its_account(url: str, where: str) -> None:
    assert MailServer.parse(url).where == where


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine_is_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "localhost.example.com", "127.0.0.1.example.com", "0.0.0.0", "::"])
def test_anything_else_is_another_machine(host: str) -> None:
    assert not is_loopback(host)


def test_nobody_is_trusted_where_there_is_no_tls_and_the_client_decides_where_there_is() -> None:
    trusted = trust_without_tls("HTTP://127.0.0.1:9/token")
    assert trusted is not None and trusted.get_ca_certs() == [] and trusted.check_hostname
    assert trust_without_tls("https://127.0.0.1:9/token") is None
