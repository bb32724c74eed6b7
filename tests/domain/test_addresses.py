"""One function reads an address, and everything that stores or compares one uses it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from email_validator import validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.world.data_folder import executed
from tests.world.texts import CHARACTERS

from sequences_mcp.domain import addresses
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.addresses import address_key, domain_of, host_key, read_address, read_host, shown_host
from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.suppressions import former_keys_of, suppression_keys_of
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.store.sqlite.schema import migrations
from sequences_mcp.store.unit_of_work import Store

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
ZOE = "zoe@globex.example"

AROUND = ["\ufeff", "\u200b", "\u200e", "\u00ad", "\u2060", "\u202a", "\u00a0", "\ufe0f", "\U000e0041", " \t\n"]


@pytest.mark.parametrize("sign", AROUND, ids=ascii)
def test_what_is_invisible_around_an_address_is_left_out(sign: str) -> None:
    for text in (f"{sign}{ZOE}", f"{ZOE}{sign}", f"{sign}{sign}{ZOE}{sign}"):
        assert read_address(text) == read_address(ZOE)
        assert read_address(text).text == ZOE


INSIDE = ["\ufeff", "\u200b", "\u200c", "\u200e", "\u00ad", "\u2060", "\u034f", "\ufe0f", "\u3164", "\U000e0041"]


@pytest.mark.parametrize("sign", INSIDE, ids=ascii)
def test_what_is_invisible_inside_an_address_is_refused_and_never_hides_it_from_a_comparison(sign: str) -> None:
    for text in (f"zo{sign}e@globex.example", f"zoe{sign}@globex.example", f"zoe@glo{sign}bex.example"):
        with pytest.raises(InvalidArgumentsError, match=rf"invisible character .*U\+{ord(sign):04X}") as caught:
            read_address(text)
        assert sign not in str(caught.value)
        assert address_key(text) == ZOE


REFUSED = {
    "an address of a computer": "maria@10.0.0.1",
    "a literal": "maria@[10.0.0.1]",
    "an underscore in the host": "a@my_host.example",
    "an encoded space": "%20maria@globex.example",
    "an encoded letter": "maria%2ba@globex.example",
    "a long local part": f"{'m' * 70}@globex.example",
    "a local part of many bytes": f"{'é' * 33}@globex.example",
    "a long label": f"maria@{'g' * 64}.example",
    "a long address": f"maria@{'globex.' * 40}example",
    "no top level": "maria@globex",
    "a top level of one letter": "maria@globex.e",
    "a top level of digits": "maria@globex.123",
    "this computer": "maria@localhost",
    "a name of the local network": "maria@printer.local",
    "a name that never exists": "maria@globex.invalid",
    "a template": "{{email}}@globex.example",
    "a mask": "m***a@globex.example",
    "a route": "maria%globex.example@relay.example",
    "an old route": "relay!maria@globex.example",
    "a scheme": "mailto:maria@globex.example",
    "a name": "Maria <maria@globex.example>",
    "quotes": "'maria@globex.example'",
    "a quoted local part": '"maria"@globex.example',
    "two": "maria@globex.example, zoe@globex.example",
    "two dots": "maria..silva@globex.example",
    "a last dot": "maria@globex.example.",
    "a first hyphen": "maria@-globex.example",
    "letters of full width": "ｍａｒｉａ@globex.example",
    "a sign that only looks like @": "maria＠globex.example",
    "nothing": "",
    "a megabyte": f"{'m' * 1_000_000}@globex.example",
    "half a character": "mar\ud83d@globex.example",
    "no such domain": "maria@xn--a.example",
    "a snowman": "maria@☃.example",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_address_is_refused_in_a_short_sentence(text: str) -> None:
    with pytest.raises(InvalidArgumentsError, match="is not an e-mail address: ") as caught:
        read_address(text)
    assert len(caught.value.message) < 400
    assert caught.value.message.isprintable()
    address_key(text)  # raises nothing


TAKEN = {
    "Maria.Silva+jobs@Globex.Example": ("Maria.Silva+jobs@globex.example", "maria.silva+jobs@globex.example"),
    "o'neil@globex.example": ("o'neil@globex.example", "o'neil@globex.example"),
    "a@straße.de": ("a@straße.de", "a@xn--strae-oqa.de"),
    "a@STRASSE.de": ("a@strasse.de", "a@strasse.de"),
    "A@XN--STRAE-OQA.DE": ("A@straße.de", "a@xn--strae-oqa.de"),
    "a@βόλος.example": ("a@βόλος.example", "a@xn--nxasmm1c.example"),
    "a@münchen。example": ("a@münchen.example", "a@xn--mnchen-3ya.example"),
    "JOSE\u0301@globex.example": ("JOSÉ@globex.example", "josé@globex.example"),
    "a@a.b-c.d1.co.uk": ("a@a.b-c.d1.co.uk", "a@a.b-c.d1.co.uk"),
}


@pytest.mark.parametrize(("text", "expected"), TAKEN.items(), ids=[ascii(one) for one in TAKEN])
def test_an_address_is_shown_with_its_letters_and_compared_in_ascii(text: str, expected: tuple[str, str]) -> None:
    found = read_address(text)
    assert (found.text, found.key) == expected
    assert found.wire.lower() == found.key
    assert {read_address(one).key for one in (found.text, found.wire)} == {found.key}
    assert address_key(text) == found.key


@given(st.from_regex(addresses._PLAIN, fullmatch=True, alphabet=CHARACTERS))
@example("a@b--c.example")
@example("a@xn--strae-oqa.de")
@example("a@globex.local")
@settings(max_examples=300, deadline=None)
def test_what_is_read_without_the_library_is_what_the_library_reads(text: str) -> None:
    try:
        found = read_address(text)
    except InvalidArgumentsError:
        with pytest.raises(ValueError):
            validate_email(text, strict=True, check_deliverability=False)
        return
    told = validate_email(text, strict=True, check_deliverability=False)
    assert (found.text, found.host) == (
        told.normalized.replace(told.domain, told.domain.lower()),
        told.ascii_domain,
    )


@example("@\x1b¸")
@given(st.text(CHARACTERS, max_size=40))
def test_a_key_is_its_own_key(text: str) -> None:
    if "@" in text:
        assert address_key(address_key(text)) == address_key(text)
    host_key(text)


DOMAINS = [
    "globex.example",
    "@Globex.Example",
    "https://www.globex.example/jobs?x=1",
    "globex.example.",
    "WWW.globex.example",
]


@pytest.mark.parametrize("text", DOMAINS)
def test_a_domain_is_read_however_people_give_it(text: str) -> None:
    assert read_host(text) == "globex.example"


@pytest.mark.parametrize(
    "text", ["globex", "10.0.0.1", "my_host.example", "a b.example", "", "x@y.example", "*.de"]
)
def test_what_is_no_domain_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgumentsError, match="is not a domain"):
        read_host(text)


def test_a_domain_in_ascii_is_shown_as_people_write_it() -> None:
    assert shown_host("xn--strae-oqa.de") == "straße.de"
    assert domain_of("A@Straße.de") == "xn--strae-oqa.de"


def store_as_before(folder: Path) -> None:
    """Make a database as versions before migration 7 left it."""
    with Store.open(Workspace(folder), now=NOW, steps=migrations()[:6]) as store, store.transaction():
        for no, (kind, value) in enumerate(
            [
                ("address", "zoe@münchen.example"),
                ("address", "ann@xn--mnchen-3ya.example"),
                ("address", "tom@strasse.example"),  # listed as tom@straße.example
                ("domain", "bücher.example"),
            ]
        ):
            executed(store, "INSERT INTO suppression VALUES (?, ?, 'asked', 'ada', ?)", (kind, value, no))


@pytest.mark.parametrize(
    "address",
    [
        "zoe@münchen.example",
        "Zoe@xn--mnchen-3ya.example",
        "ann@MÜNCHEN.example",
        "ann@xn--mnchen-3ya.example",
        "tom@straße.example",
        "tom@xn--strae-oqa.example",
        "tom@strasse.example",
        "who@bücher.example",
        "who@mail.xn--bcher-kva.example",
    ],
)
def test_what_earlier_versions_listed_stays_listed_in_every_spelling(tmp_path: Path, address: str) -> None:
    store_as_before(tmp_path)
    with Store.open(Workspace(tmp_path), now=NOW) as store:
        facts = ContactFields(email=address)
        marks = suppression_keys_of("local:ct_1", facts)
        assert store.suppressions.matching(marks, old=former_keys_of(facts))


def test_what_is_listed_now_lists_no_other_domain(tmp_path: Path) -> None:
    with Store.open(Workspace(tmp_path), now=NOW) as store:
        later = NOW.replace(year=2027)
        store.suppressions.add(("address", "tom@strasse.example"), reason="asked", actor=Actor("ada"), now=later)
        facts = ContactFields(email="tom@straße.example")
        marks = suppression_keys_of("local:ct_1", facts)
        assert not store.suppressions.matching(marks, old=former_keys_of(facts))


def test_two_people_stored_under_two_spellings_of_one_address_do_not_stop_an_upgrade(tmp_path: Path) -> None:
    with Store.open(Workspace(tmp_path), now=NOW, steps=migrations()[:6]) as store, store.transaction():
        for no, address in enumerate(["a@münchen.example", "a@xn--mnchen-3ya.example"], start=1):
            executed(
                store,
                "INSERT INTO contact (id, email, email_key, email_host, notes, search, created_at, updated_at) "
                "VALUES (?, ?, ?, ?, '', '', 0, 0)",
                (f"local:ct_{no}", address, address, address.partition("@")[2]),
            )
    with Store.open(Workspace(tmp_path), now=NOW) as store:
        keys = [row[0] for row in executed(store, "SELECT email_key FROM contact ORDER BY no")]
        both = store.contacts.at_address("A@MÜNCHEN.example")
        hosts = {row[0] for row in executed(store, "SELECT email_host FROM contact")}
    assert keys == ["a@münchen.example", "a@xn--mnchen-3ya.example"]
    assert sorted(both) == ["local:ct_1", "local:ct_2"]  # so what is barred or stopped at it is so for both
    assert hosts == {"xn--mnchen-3ya.example"}


def test_who_is_a_colleague_is_read_anew_by_an_upgrade(tmp_path: Path) -> None:
    people = [("a@one.example", "ТОВ Ромашка", "тов ромашка"), ("b@two.example", "GmbH", "gmbh")]
    with Store.open(Workspace(tmp_path), now=NOW, steps=migrations()[:19]) as store, store.transaction():
        for address, company, key in people:
            executed(
                store,
                "INSERT INTO contact (id, email, email_key, email_host, company, company_key, notes, search, "
                "created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, '', '', 0, 0)",
                (f"local:ct_{address[0]}", address, address, address.partition("@")[2], company, key),
            )
    with Store.open(Workspace(tmp_path), now=NOW) as store:
        keys = [row[0] for row in executed(store, "SELECT company_key FROM contact ORDER BY no")]
    assert keys == ["ромашка", None]


def test_no_other_place_takes_addresses_apart() -> None:
    source = Path(addresses.__file__).parents[1]
    own = re.compile(r'partition\("@"\)|split\("@"|encode\("idna"\)|decode\("idna"\)|parseaddr')
    found = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if path != Path(addresses.__file__) and own.search(path.read_text("utf-8"))
    }
    # Keys and wire forms that were read before; the server's own host; the spellings of versions before.
    assert found <= {
        "demo/local_act.py",
        "engine/channels/mail_server.py",
        "engine/channels/message.py",
        "engine/provider.py",  # a blueprint's id@version
        "engine/inbound/effects.py",  # keys that were read before; a Message-ID
        "engine/inbound/imap.py",  # the account in the URL of a mail server
        "engine/inbound/match.py",  # the Message-IDs of servers; the host of a key that was read before
        "domain/suppressions.py",
        "services/starts.py",  # a blueprint's id@version
        "guards/names.py",  # a name that is an address
        "client_setup/clients.py",  # a package's name@version
        "cli/mail.py",  # the host in the URL of a mail server
        "first_visit.py",  # the account in the URL of a mail server that is typed
        "mailbox.py",  # the account in the URL of a mail server
        "mail_setup/autoconfig.py",  # the domain whose mail servers are looked up; the account there
        "mail_setup/settings_text.py",  # the name that a new mailbox gets in settings.toml
        "settings.py",  # a blueprint's id@version
        "settings_file.py",  # the account in the URL of a mail server
        "domain/database_address.py",  # and in that of a database server
    }
