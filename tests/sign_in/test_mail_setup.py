"""What a mailbox is connected with: providers that are recognised, settings that are kept, headers and the DNS."""

from __future__ import annotations

import socket
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree

import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.world.texts import CHARACTERS

from sequences_mcp.engine.channels.mail_server import MailServer
from sequences_mcp.engine.inbound.imap import ImapServer
from sequences_mcp.errors import SettingsError
from sequences_mcp.mail_setup.autoconfig import MailProvider, recognised
from sequences_mcp.mail_setup.domain_records import dns_hints, dns_lookup
from sequences_mcp.mail_setup.settings_text import table_name, tables_of, with_mailbox
from sequences_mcp.mail_setup.trial import authentication_results, verdict

BY_ADDRESS = {
    "ada@gmail.com": "smtps://smtp.gmail.com:465",
    "Ada@GoogleMail.com": "smtps://smtp.gmail.com:465",
    "ada@outlook.com": "smtp://smtp-mail.outlook.com:587",
    "ada@hotmail.fr": "smtp://smtp-mail.outlook.com:587",
    "ada@fastmail.fm": "smtps://smtp.fastmail.com:465",
    "ada@icloud.com": "smtp://smtp.mail.me.com:587",
    "ada@yahoo.co.uk": "smtps://smtp.mail.yahoo.com:465",
    "ada@zoho.eu": "smtps://smtp.zoho.eu:465",
    "ada@gmx.de": "smtps://mail.gmx.net:465",
    "ada@web.de": "smtps://ada@smtp.web.de:465",
    "ada@mailbox.org": "smtps://smtp.mailbox.org:465",
    "ada@posteo.net": "smtps://posteo.de:465",
    "ada@ik.me": "smtps://mail.infomaniak.com:465",
    "ada@proton.me": "smtp://127.0.0.1:1025",
}
BY_MX = {
    "aspmx.l.google.com.": "Google (Gmail and Workspace)",
    "smtp.google.com.": "Google (Gmail and Workspace)",
    "acme-example.mail.protection.outlook.com.": "Microsoft 365",
    "acme-example.a-v1.mx.microsoft.": "Microsoft 365",
    "in1-smtp.messagingengine.com.": "Fastmail",
    "mx01.mail.icloud.com.": "iCloud Mail",
    "mx.zoho.eu.": "Zoho Mail for organisations",
    "mx00.ionos.de.": "IONOS",
    "mx00.kundenserver.de.": "IONOS",
    "mx1.mail.ovh.net.": "OVHcloud",
    "mta-gw.infomaniak.ch.": "Infomaniak",
    "mxext1.mailbox.org.": "mailbox.org",
    "mail.protonmail.ch.": "Proton Mail, through Proton Mail Bridge on this machine",
}


@pytest.mark.parametrize(("address", "smtp"), BY_ADDRESS.items())
def test_an_address_is_recognised_without_a_network(address: str, smtp: str) -> None:
    provider = recognised(address)
    assert provider is not None and provider.smtp == smtp


@pytest.mark.parametrize(("host", "title"), BY_MX.items())
def test_a_domain_of_ones_own_is_recognised_by_its_mail_exchanger(host: str, title: str) -> None:
    provider = recognised("ada@acme.example", lookup=lambda name, kind: [host] if kind == "MX" else [])
    assert provider is not None and provider.title == title
    assert provider.known_by == f"its mail exchanger {host.rstrip('.')}"


def known_providers() -> list[MailProvider]:
    """Return every provider of the data, each as the first name that it is known by is recognised."""
    text = files("sequences_mcp.mail_setup").joinpath("autoconfig.xml").read_text("utf-8")
    result = []
    for entry in ElementTree.fromstring(text).iter("emailProvider"):
        first = next(entry.iter("domain"))
        name, is_exchanger = first.text or "", first.get("purpose") == "mx"
        lookup = (lambda _, kind, host=f"{name}.": [host] if kind == "MX" else []) if is_exchanger else None
        provider = recognised("ada@acme.example" if is_exchanger else f"ada@{name}", lookup=lookup)
        assert provider is not None, name
        result.append(provider)
    return result


def test_microsoft_takes_no_password_and_google_both() -> None:
    ways = {provider.title: (provider.oauth, provider.takes_password) for provider in known_providers()}
    assert ways["Microsoft 365"] == ways["Outlook.com"] == ("microsoft", False)
    assert ways["Google (Gmail and Workspace)"] == ("google", True)


def test_every_server_of_the_data_can_be_used_as_it_stands() -> None:
    providers = known_providers()
    assert len(providers) >= 40
    for provider in providers:
        for url, parse in ((provider.smtp, MailServer.parse), (provider.imap, ImapServer.parse)):
            scheme, _, host = url.partition("://")
            server = parse(f"{scheme}://ada:pw@{host.rpartition('@')[2]}")
            assert server.security.value in ("tls", "starttls") or server.host == "127.0.0.1", url


@pytest.mark.parametrize(
    "host", ["google.com.evil.example.", "notgoogle.com.", "mail.protection.outlook.com.evil.net."]
)
def test_a_name_that_only_contains_a_providers_is_not_the_providers(host: str) -> None:
    assert recognised("ada@acme.example", lookup=lambda name, kind: [host] if kind == "MX" else []) is None


def test_a_domain_names_its_servers_itself() -> None:
    records = {
        "_imaps._tcp.acme.example": ["0 1 993 mail.acme.example."],
        "_submissions._tcp.acme.example": ["0 0 0 ."],
        "_submission._tcp.acme.example": ["10 1 587 b.acme.example.", "0 1 587 a.acme.example."],
    }
    provider = recognised("ada@acme.example", lookup=lambda name, kind: records.get(name, []))
    assert provider is not None
    assert (provider.imap, provider.smtp) == ("imaps://mail.acme.example:993", "smtp://a.acme.example:587")


@given(st.text(CHARACTERS, max_size=40))
def test_whatever_is_given_for_an_address_nothing_crashes(text: str) -> None:
    provider = recognised(text, lookup=lambda name, kind: [])
    assert provider is None or provider.known_by == "the domain"


FILE = """\
# my settings
daily_cap = 20   # few

[mailboxes.bob]
name = "Bob Noyce"
address = "bob@x.example"
smtp = "smtp://h:587" # the branch's
password = { env = "BOB" }
signature = '''
Bob
'''

[topo]
api_key = { env = "T" }
"""


def test_everything_else_of_the_file_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(FILE)
    change = with_mailbox(file, "ada", {"name": "Ada", "address": "ada@x.example", "password": {"keyring": True}})
    kept = change.after.replace('[mailboxes.ada]\nname = "Ada"\naddress = "ada@x.example"\n', "")
    for line in FILE.splitlines():
        assert line in kept
    assert tomllib.loads(change.after)["default_mailbox"] == "bob"
    assert (
        change.table == '[mailboxes.ada]\nname = "Ada"\naddress = "ada@x.example"\npassword = {keyring = true}\n'
    )
    assert file.read_text() == FILE
    copy = change.write(now=datetime.now(UTC))
    assert copy is not None and copy.read_text() == FILE
    change.undo(copy)
    assert file.read_text() == FILE and not copy.exists()


def test_connecting_a_mailbox_anew_replaces_how_it_signs_in_and_keeps_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(FILE)
    assert table_name("BOB@x.example", taken=tables_of(file)) == "bob"
    after = with_mailbox(file, "bob", {"oauth": "google", "oauth_client_id": "c"}, is_default=True).after
    table = tomllib.loads(after)["mailboxes"]["bob"]
    assert "password" not in table and table["oauth"] == "google" and table["signature"] == "Bob\n"
    assert "# the branch's" in after


@pytest.mark.parametrize(
    ("address", "taken", "name"),
    [
        ("ada@x.example", {}, "ada"),
        ("ada@x.example", {"ada": "ada@y.example"}, "ada-2"),
        ("Ada.Lovelace+work@x.example", {}, "ada-lovelace-work"),
        ("é@x.example", {}, "mailbox"),
    ],
)
def test_a_table_is_named_after_the_address(address: str, taken: dict[str, str], name: str) -> None:
    assert table_name(address, taken=taken) == name


@pytest.mark.parametrize("text", ["no toml", "a = 1\na = 2\n", "[mailboxes]\nx = 1\n[mailboxes]\n"])
def test_a_file_that_is_wrong_is_said_and_not_changed(tmp_path: Path, text: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match="nothing was changed"):
        with_mailbox(file, "ada", {"name": "Ada"})
    assert file.read_text() == text


def test_a_link_to_the_settings_stays_one_and_line_ends_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "settings.toml"
    real.write_bytes(b"daily_cap = 20\r\n")
    real.chmod(0o640)
    link.symlink_to(real)
    with_mailbox(link, "ada", {"name": "Ada"}).write(now=datetime.now(UTC))
    assert link.is_symlink() and real.stat().st_mode & 0o777 == 0o640
    assert real.read_bytes().startswith(b"daily_cap = 20\r\n")


ALL_PASS = {"spf": "pass", "dkim": "pass", "dmarc": "pass"}
HEADS = {
    "nothing is said": ([], {}, "of SPF, DKIM and DMARC the server says nothing"),
    "all pass": (
        ["mx.example.com; spf=pass smtp.mailfrom=x; dkim=pass header.d=x; dmarc=pass"],
        ALL_PASS,
        "all is well",
    ),
    "no dkim": (
        ["mx; spf=pass; dkim=none"],
        {"spf": "pass", "dkim": "none"},
        "SPF passed; DKIM and DMARC did not",
    ),
    "a failure": (
        ["mx; spf=softfail (why spf=pass); dkim=pass"],
        {"spf": "softfail", "dkim": "pass"},
        "SPF failed",
    ),
    "one signature of two": (["mx; dkim=fail; dkim=pass"], {"dkim": "pass"}, "DKIM passed"),
    "one header for each": (["mx; spf=pass", "MX; dkim=pass", "mx 1; dmarc=pass"], ALL_PASS, "all is well"),
    "a stranger's below": (["mx; spf=pass", "evil; dkim=pass; dmarc=pass"], {"spf": "pass"}, "SPF passed"),
    "nonsense": (["", ";;;", "spf"], {}, "says nothing"),
}


@pytest.mark.parametrize(("headers", "results", "words"), HEADS.values(), ids=HEADS.keys())
def test_what_the_receiving_server_found_is_read(headers: list[str], results: dict[str, str], words: str) -> None:
    head = "".join(f"Authentication-Results: {header}\r\n" for header in headers) + "Subject: x\r\n\r\n"
    read = authentication_results(head.encode())
    assert read == results
    line = verdict(read, is_junk=False, folder="INBOX")
    assert words in line.words and (line.ok is False) == ("failed" in words)
    assert verdict(read, is_junk=True, folder="Spam").ok is False


Zone = dict[tuple[str, str], list[str]]


@contextmanager
def name_server(zone: Zone, *, is_silent: bool = False) -> Iterator[dns.resolver.Resolver]:
    """Run a name server on loopback, and yield what asks it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        over = threading.Event()
        sock.settimeout(0.05)

        def serve() -> None:
            while not over.is_set():
                try:
                    data, asker = sock.recvfrom(4_096)
                except TimeoutError:
                    continue
                question = dns.message.from_wire(data)
                answer = dns.message.make_response(question)
                name, kind = question.question[0].name, dns.rdatatype.to_text(question.question[0].rdtype)
                texts = zone.get((name.to_text(omit_final_dot=True), kind))
                if is_silent:
                    answer.set_rcode(dns.rcode.SERVFAIL)
                elif texts is None:
                    answer.set_rcode(dns.rcode.NXDOMAIN)
                else:
                    answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *texts))
                sock.sendto(answer.to_wire(), asker)

        thread = threading.Thread(target=serve)
        thread.start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], sock.getsockname()[1]
        try:
            yield resolver
        finally:
            over.set()
            thread.join()


GOOD: Zone = {
    ("acme.example", "MX"): ["10 mx.acme.example."],
    ("acme.example", "TXT"): ['"v=spf1 include:_spf.google.com " "~all"', '"something else"'],
    ("google._domainkey.acme.example", "TXT"): ['"v=DKIM1; k=rsa; p=MIIB"'],
    ("_dmarc.acme.example", "TXT"): ['"v=DMARC1; p=none"'],
}


def hints(zone: Zone, domain: str = "acme.example", *, is_silent: bool = False) -> list[tuple[bool | None, str]]:
    """Return what the DNS says, without the details."""
    with name_server(zone, is_silent=is_silent) as resolver:
        found = dns_hints(domain, lookup=lambda name, kind: dns_lookup(name, kind, resolver=resolver))
        return [(hint.ok, hint.words) for hint in found]


def test_a_domain_that_has_everything_is_said_to_be_well() -> None:
    assert [ok for ok, _ in hints(GOOD)] == [True] * 4


def test_a_subdomain_is_under_the_policy_of_its_organisation() -> None:
    zone = {**GOOD, ("_dmarc.acme.com", "TXT"): ['"v=DMARC1; p=reject"']}
    assert "of acme.com" in hints(zone, "mail.acme.com")[-1][1]


BAD = {
    "no spf": (("acme.example", "TXT"), None, "SPF: acme.example has none"),
    "two of spf": (
        ("acme.example", "TXT"),
        ['"v=spf1 -all"', '"v=spf1 ~all"'],
        "several, which counts as an error",
    ),
    "anybody may send": (("acme.example", "TXT"), ['"v=spf1 mx +all"'], "lets anybody send"),
    "too many names": (
        ("acme.example", "TXT"),
        ['"v=spf1 ' + "include:x.example " * 11 + '-all"'],
        "asks 11 names",
    ),
    "no dmarc": (("_dmarc.acme.example", "TXT"), None, "add a TXT record _dmarc.acme.example"),
    "nobody takes mail": (("acme.example", "MX"), ["0 ."], "nobody can answer"),
}


@pytest.mark.parametrize(("key", "records", "words"), BAD.values(), ids=BAD.keys())
def test_what_lacks_is_named_with_what_to_do(key: tuple[str, str], records: list[str] | None, words: str) -> None:
    zone = {**GOOD, key: records} if records is not None else {k: v for k, v in GOOD.items() if k != key}
    bad = [text for ok, text in hints(zone) if ok is False]
    assert len(bad) == 1 and words in bad[0]


def test_where_the_dns_does_not_answer_nothing_is_claimed() -> None:
    found = hints(GOOD, is_silent=True)
    assert {ok for ok, _ in found} == {None} and all("does not answer" in text for _, text in found)
