"""Erasing a person: by what they can be told, text and JSON without it, and what an erasure comes to.

A mark is a text that is one person's alone: an address, a number, a profile, a vendor's id, a full name. What only
they wrote or got is removed whole; in what is about somebody or something else, their marks are taken out.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from sequences_mcp.domain.addresses import address_key, spellings
from sequences_mcp.domain.contact import ERASED_PERSON, Contact, ContactFields, profile_key
from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.lazy_dataclasses import dataclass, field

ERASE = "erase_contact"
"""The tool, and the kind of a change that waits for a person, by which somebody is erased."""
ERASED = ERASED_PERSON
"""What stands in the place of a mark."""
REDACTED = "audit.redacted"
REPEATED = "erasure.repeated"
"""The action of the audit's row that says which rows were emptied, and the hash of what is left of each."""
WHY = "this person was erased and is not to be contacted again"
"""Why somebody who was erased is left out of everything since."""
LEAVE_OUT = "Leave them out. A person can let them be stored again, in a terminal: sequences-mcp review lift."
LEAST = 5  # characters of a mark: a shorter one stands in too much else

# Between the letters of a name without spaces nothing says where it begins or ends.
_UNSPACED = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_IS_UNSPACED = LazyPattern(rf"[{_UNSPACED}\s]{{3,}}")
_IS_NUMBER = re.compile(r"\+\d{8,15}")
# A mark stands by itself: what goes on in letters or digits, also behind one joining sign, is another's.
_BEFORE, _BEHIND = r"(?<![^\W_])(?<![^\W_][._+-])", r"(?![^\W_]|[-.@_][^\W_])"

ADDRESS, CONTACT, _PROFILE, _PHONE = "address", "contact", "profile", "phone"
_PHONE_AND_NAME = "phone and name"
ErasedKey = tuple[str, str]
"""A kind and a normalised value of a mark of which a keyed hash is kept: ``("address", "ada@example.com")``."""


PROVEN_AFTER = timedelta(days=3)
"""For how long a clock has to go on after an instant before people are erased by time as of that instant."""
STEADY = timedelta(days=1)
"""The longest time between two looks after which the clock is not taken to have leapt."""


def proven_by(looks: Iterable[datetime], now: datetime) -> datetime | None:
    """Return the newest look that the clock has left behind by ``PROVEN_AFTER``; None where there is none.

    A clock that is ahead is put right within that time, and what it wrote lies in the future then.
    """
    return max((look for look in looks if look <= now - PROVEN_AFTER), default=None)


def is_steady(looks: Iterable[datetime], *, since: datetime, now: datetime) -> bool:
    """Say whether it was looked without a gap longer than ``STEADY`` since an instant: the clock did not leap."""
    between = [since, *sorted(look for look in looks if since < look < now), now]
    return all(later - earlier <= STEADY for earlier, later in pairwise(between))


def erased_keys(
    facts: ContactFields, *, ids: Iterable[str] = (), addresses: Iterable[str] = ()
) -> list[ErasedKey]:
    """Return by what a person is known again after they were erased.

    A number alone makes nobody the same person, so it counts only for whoever has no address; with the same full
    name it counts for everybody.
    """
    known = [address for address in (facts.email, *addresses) if address]
    keys = [(ADDRESS, address_key(address)) for address in known]
    keys += [(CONTACT, item) for item in ids if item]
    keys += [(_PROFILE, profile_key(facts.linkedin_url))] if facts.linkedin_url else []
    keys += [(_PHONE, facts.phone)] if facts.phone and not known else []
    if facts.phone and facts.first_name and facts.last_name:
        names = unicodedata.normalize("NFKC", f"{facts.first_name} {facts.last_name}").casefold().split()
        keys.append((_PHONE_AND_NAME, f"{facts.phone} {' '.join(names)}"))
    return list(dict.fromkeys(keys))


def erased_hash(secret: bytes, key: ErasedKey) -> str:
    """Return the keyed hash of a mark: without the database's own key nobody can try addresses against it."""
    text = f"erased\n{key[0]}\n{key[1]}".encode("utf-8", "surrogatepass")
    return hmac.digest(secret, text, hashlib.sha256).hex()


@dataclass(frozen=True)
class PersonMarks:
    """By what a person can be told in texts about others.

    ``addresses`` are e-mail addresses, ``ids`` vendors' ids of the person and of their runs, ``words`` their full
    name, numbers and profiles.
    """

    addresses: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()

    def without(self, words: Iterable[str], *, address_keys: Iterable[str] = ()) -> PersonMarks:
        """Return the marks without these words and addresses: they are others' too, or somebody else's now."""
        keys = frozenset(address_keys)
        addresses = frozenset(address for address in self.addresses if address_key(address) not in keys)
        return PersonMarks(addresses, self.ids, self.words - frozenset(words))

    def __or__(self, other: PersonMarks) -> PersonMarks:
        """Return the marks of both."""
        return PersonMarks(self.addresses | other.addresses, self.ids | other.ids, self.words | other.words)

    @cached_property
    def forms(self) -> tuple[str, ...]:
        """Every spelling that is looked for, the longest first."""
        forms = {
            form for address in self.addresses for form in (address, *spellings(address), address_key(address))
        }
        forms |= {quote(form) for form in forms}
        forms |= self.ids | self.words | {quote(word) for word in self.words if "/" in word}
        forms |= {unicodedata.normalize(name, form) for form in forms for name in ("NFC", "NFD")}  # as on a Mac
        long_enough = (form for form in forms if len(form) >= LEAST or _IS_UNSPACED.fullmatch(form))
        return tuple(sorted(long_enough, key=lambda form: (-len(form), form)))

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        if not self.forms:
            return None
        unspaced = [form for form in self.forms if _IS_UNSPACED.fullmatch(form)]
        others = [_expression(form) for form in self.forms if form not in unspaced]
        either = [rf"{_BEFORE}(?:{'|'.join(others)}){_BEHIND}"] if others else []
        return re.compile("|".join([*either, *map(_expression, unspaced)]), re.IGNORECASE)

    def are_in(self, text: str | None) -> bool:
        """Say whether a text names the person; for JSON, ``are_in_json``."""
        return text is not None and self._pattern is not None and self._pattern.search(text) is not None

    def are_in_json(self, text: str | None) -> bool:
        """Say whether any string inside of JSON names the person."""
        return any(map(self.are_in, _strings(_loaded(text))))

    def out_of(self, text: str) -> str:
        """Return a text with ``ERASED`` in the place of every mark."""
        return self._pattern.sub(ERASED, text) if self._pattern else text

    def out_of_value(self, value: Any, *, blank: str = ERASED) -> Any:
        """Return a JSON value of which every string that names the person is without the marks."""
        if isinstance(value, str):
            return self._pattern.sub(blank, value) if self._pattern else value
        if isinstance(value, dict):
            return {self.out_of(key): self.out_of_value(child, blank=blank) for key, child in value.items()}
        return [self.out_of_value(child, blank=blank) for child in value] if isinstance(value, list) else value

    def out_of_json(self, text: str) -> str:
        """Return JSON without the marks, its strings not escaped."""
        return json.dumps(self.out_of_value(_loaded(text)), ensure_ascii=False)


def marks_of(facts: ContactFields, *, addresses: Iterable[str] = (), ids: Iterable[str] = ()) -> PersonMarks:
    """Return the marks of somebody with these facts, further addresses and vendors' ids."""
    names = [f"{facts.first_name} {facts.last_name}"] if facts.first_name and facts.last_name else []
    if facts.first_name and facts.last_name:
        names.append(f"{facts.last_name}, {facts.first_name}")
        if _IS_UNSPACED.fullmatch(f"{facts.last_name} {facts.first_name}"):
            names += [f"{facts.last_name} {facts.first_name}", f"{facts.last_name}{facts.first_name}"]
    profile = profile_key(facts.linkedin_url)
    return PersonMarks(
        addresses=frozenset(
            address.strip() for address in (facts.email, *addresses) if address and "@" in address
        ),
        ids=frozenset(filter(None, ids)),
        words=frozenset(filter(None, [*names, facts.phone, facts.linkedin_url, profile])),
    )


def records_of(facts: ContactFields) -> PersonMarks:
    """Return the marks that a plan's warnings may repeat: how somebody's data came here, whole and cut."""
    records = [record.strip() for record in (facts.consent, facts.source) if record]
    return PersonMarks(words=frozenset(form for record in records for form in (record, record[:80].rstrip())))


def _expression(form: str) -> str:
    """Return the regular expression of a mark as people write it: lines break in a name, numbers have spaces."""
    if _IS_NUMBER.fullmatch(form):
        between = r"[\s()./-]*"
        at_home = [f"0{form[1 + size :]}" for size in (1, 2, 3)]  # a country's code has one to three digits
        at_home += [form[2:]] if form.startswith("+1") else []
        return "|".join(
            between.join(map(re.escape, digits)) for digits in (form, *at_home) if len(digits) > LEAST + 2
        )
    language = r"(?:[a-z]{2,3}\.)?" if form.casefold().startswith("linkedin.com/") else ""
    return language + r"[\s>]+".join(map(re.escape, form.split()))  # a quoted line begins with >


def _loaded(text: str | None) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, child in value.items():
            yield key
            yield from _strings(child)
    elif isinstance(value, list):
        for child in value:
            yield from _strings(child)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """Where a person is in the database: what finds their rows, their files, and what names them elsewhere.

    ``number`` is that of their row, ``runs`` are our ids of their runs by number, ``keys`` those of their steps;
    ``subjects`` is everything of theirs that other rows may be about.
    """

    number: int
    contact: Contact
    runs: Mapping[int, str]
    plan_ids: tuple[str, ...]
    keys: tuple[str, ...]
    leases: tuple[int, ...]
    texts: int
    addresses: tuple[str, ...]
    marks: PersonMarks
    records: PersonMarks
    subjects: tuple[str, ...]
    message_ids: tuple[str, ...]
    vendor_ids: tuple[str, ...]
    was_suppressed: bool

    @property
    def hashed(self) -> list[ErasedKey]:
        """By what they are known again."""
        return erased_keys(self.contact, ids=(*self.vendor_ids, self.contact.id), addresses=self.addresses)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldAtVendor:
    """What a vendor is known to hold of a person: its ids of them, its ids of their runs, what it was given."""

    vendor: str
    contact_ids: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    given: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureTally:
    """What an erasure removed, in numbers; nothing of whom.

    ``mentions`` are our ids of runs and versions whose approved or fixed text names the person and stays as it is,
    because it is somebody else's.
    """

    people: int = 0
    runs: int = 0
    stopped: int = 0
    texts: int = 0
    replies: int = 0
    audit_rows: int = 0
    calls: int = 0
    files: int = 0
    mentions: tuple[str, ...] = ()
    is_swept: bool = True
    details: Mapping[str, int] = field(default_factory=dict)
