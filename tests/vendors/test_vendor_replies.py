"""Whatever a vendor answers: no crash, nothing unshowable, and "done" only when the answer says so."""

from __future__ import annotations

import dataclasses
import json
from random import Random
from typing import Any

import pytest
from benchmarks.parsers import COUNT, verdicts
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.vendors.vendor_calls import CLIENTS, READS, RUN, WRITES, transport
from tests.vendors.vendor_mutations import NoneDoneError, Parser, mutated, parsers
from tests.world.fake_vendor import reply, serving
from tests.world.texts import CHARACTERS

from sequences_mcp.errors import OutcomeUnknownError, SequencesError, UnexpectedAnswerError
from sequences_mcp.vendors.outcome import VendorRefusal, VendorRequest, explained_refusal
from sequences_mcp.vendors.parsing import UnreadableError, quoted_text
from sequences_mcp.vendors.topo.client import TopoClient
from sequences_mcp.vendors.topo.wire import TOPO

PARSERS = parsers()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(CHARACTERS, max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(CHARACTERS, max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)


READ = "read, and nothing of it is kept"


def case_name(parser: Parser) -> str:
    return parser.name


def read(parser: Parser, body: Any) -> Any:
    """Return what a parser makes of a body, ``READ`` where that is nothing, or None when it cannot."""
    try:
        found = parser.read(body)
    except (UnreadableError, NoneDoneError):
        return None
    return READ if found is None else found


def is_showable(value: Any) -> bool:
    """Say whether a value becomes JSON that any client can read."""
    plain = dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value
    json.dumps(plain, default=str, allow_nan=False).encode()
    return "\u202e" not in json.dumps(plain, default=str, ensure_ascii=False)


@pytest.mark.parametrize("parser", PARSERS, ids=case_name)
def test_the_documented_reply_is_read(parser: Parser) -> None:
    assert read(parser, parser.body) is not None
    assert parser.says_done is None or parser.says_done(parser.body)


@pytest.mark.parametrize("parser", PARSERS, ids=case_name)
def test_a_changed_reply_never_crashes_and_never_becomes_a_done_it_does_not_say(parser: Parser) -> None:
    random = Random(parser.name)
    for _ in range(60):
        body = mutated(parser.body, random)
        found = read(parser, body)
        if found is not None and parser.says_done is not None:
            assert parser.says_done(body), body
        items = found if isinstance(found, tuple) else [found]
        assert all(is_showable(item) for item in items)


def test_of_fifty_thousand_changed_replies_none_crashes_and_none_becomes_a_done_it_does_not_say() -> None:
    found = verdicts(COUNT, seed=1)
    assert found.keys() == {"read", "refused"}, [what for what in found if what not in ("read", "refused")][:3]
    assert found.total() == COUNT == 50_000


@pytest.mark.parametrize("parser", PARSERS, ids=case_name)
@settings(max_examples=30, deadline=None)
@given(body=JSON)
def test_any_json_at_all_is_survived(parser: Parser, body: object) -> None:
    found = read(parser, body)
    assert found is None or parser.says_done is None or parser.says_done(body)


@pytest.mark.parametrize("vendor", CLIENTS)
@settings(deadline=None)
@given(body=JSON, status=st.integers(300, 599))
def test_any_refusal_at_all_is_explained(vendor: str, body: object, status: int) -> None:
    who = CLIENTS[vendor][0]
    request = VendorRequest(method="GET", path="/x", what="read it")
    refusal = VendorRefusal(vendor=who, request=request, status=status, words=who.words(body))
    error = explained_refusal(refusal)
    assert isinstance(error, SequencesError)
    assert error.next_step
    assert is_showable(dict(error.data))


def test_every_method_has_a_parser_here() -> None:
    assert len(PARSERS) == len(READS) + len(WRITES)
    assert {one.name for one in PARSERS if one.says_done} == {call.name for call in WRITES}


BODIES = {
    "truncated": b'{"id": "1", "status": "ACT',
    "not UTF-8": b'{"id": "\xff\xfe"}',
    "not a number": b'{"id": "1", "status": "ACTIVE", "x": NaN}',
    "a number of 5,000 digits": b'{"id": ' + b"9" * 5_000 + b"}",
    "100,000 deep": b"[" * 100_000 + b"]" * 100_000,
    "nothing but spaces": b"   ",
    "two values": b"{}{}",
}


@pytest.mark.parametrize("raw", BODIES.values(), ids=BODIES.keys())
async def test_a_body_that_is_not_json_is_an_unknown_for_a_write_and_an_error_for_a_read(raw: bytes) -> None:
    async with serving(reply(200, raw=raw)) as vendor:
        client = TopoClient(to := transport(TOPO, vendor.url))
        with pytest.raises(UnexpectedAnswerError):
            await client.get_sequence(RUN)
        with pytest.raises(OutcomeUnknownError):
            await client.resume_sequence(RUN)
        await to.aclose()


@settings(deadline=None)
@given(st.text(CHARACTERS, max_size=400), st.integers(1, 100))
def test_a_quoted_text_is_short_and_has_nothing_hidden(text: str, limit: int) -> None:
    shown = quoted_text(text, limit)
    assert len(shown) <= limit
    shown.encode()
    assert not any(ord(c) < 32 and c not in "\n\t" for c in shown)
    assert not any(0x202A <= ord(c) <= 0x202E or 0x2066 <= ord(c) <= 0x2069 for c in shown)


def test_names_in_every_script_are_left_alone() -> None:
    for name in ("Zoë O’Connor-Łukasz", "李小龍", "محمد", "नरेन्द्र", "می‌خواهم", "👩‍💻 Ada", "Nguyễn Thị"):
        assert quoted_text(name) == name
