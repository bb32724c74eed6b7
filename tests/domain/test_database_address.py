"""A password in the address of a database is found wherever it stands, and put where it belongs."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from tests.secrecy.planted import MISTYPED

from sequences_mcp.domain.database_address import has_password, with_password, without_passwords

WORD = MISTYPED.value
BARE = [
    "postgresql://ada@db.example/x",
    "postgresql://db.example:5433/x?sslmode=require",
    "postgresql:///x?host=/run/postgresql&user=ada",
    "postgresql://ada@db.example/x?application_name=a@b:c",
    "postgresql://db.example",
]
WITH = {
    f"postgresql://ada:{WORD}@db.example/x": "postgresql://ada@db.example/x",
    "postgresql://ada:@db.example/x": "postgresql://ada@db.example/x",
    f"postgresql://ada@db.example/x?password={WORD}": "postgresql://ada@db.example/x",
    f"postgresql://db.example?user=ada&password={WORD}": "postgresql://db.example?user=ada",
    f"postgresql://db/x?%70assword={WORD}&sslmode=require": "postgresql://db/x?sslmode=require",
    f"postgresql://db/x?sslkey=/k&sslpassword={WORD}": "postgresql://db/x?sslkey=/k",
}


@pytest.mark.parametrize("address", BARE)
def test_an_address_without_one_stays_as_it_is(address: str) -> None:
    assert not has_password(address)
    assert without_passwords(address) == address


@pytest.mark.parametrize("address", WITH)
def test_a_password_is_taken_out_wherever_it_stands(address: str) -> None:
    assert has_password(address)
    assert without_passwords(address) == WITH[address]


@pytest.mark.parametrize("address", [address for address in BARE if "@db" in address])
def test_a_password_becomes_the_accounts_and_nothing_elses(address: str) -> None:
    whole = with_password(address, "a/b@c:d?e")
    assert whole == address.replace("@db", f":{quote('a/b@c:d?e', safe='')}@db")
    assert without_passwords(whole) == address
