"""Who gets which variant of a step: decided when a start is planned, the same for the same people every time.

People are put in an order that only a hash of them, the blueprint and the step decides, and shared out along it in
turns of one person for each variant. Which variant is whose within a turn is decided by a hash too, so that people
who are started one by one are shared out as well. So 60 people with two variants are 30 and 30, in whatever order
they are named, on whatever machine. Nothing about how a variant does goes in here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence as Items
from collections.abc import Set as AbstractSet
from hashlib import sha256
from types import MappingProxyType

from sequences_mcp.context import AppContext
from sequences_mcp.domain.addresses import address_key
from sequences_mcp.domain.blueprint import Blueprint, Step
from sequences_mcp.domain.contact import Contact

NOBODY_BEFORE: Mapping[str, int] = MappingProxyType({})


async def assigned_variants(
    app: AppContext, blueprint: Blueprint, contacts: Items[Contact]
) -> dict[str, dict[str, int]]:
    """Return the variants of people who are started together, by contact id and step id; empty without variants.

    Who was given a variant of a step in an earlier start of this blueprint keeps it, as long as the step has it.
    Shares are equal among those who are neither suppressed nor in another sequence: the others are left out.
    """
    steps = [step for step in blueprint.steps if step.variants]
    if not steps:
        return {}
    ids = [contact.id for contact in contacts]
    earlier = await app.plans.variants_of(ids, blueprint_id=blueprint.id)
    left_out = {*await app.suppressions.suppressed_among(contacts), *await app.suppressions.busy_among(ids)}
    keys = {contact.id: person_key(contact) for contact in contacts}
    assigned: dict[str, dict[str, int]] = {contact.id: {} for contact in contacts}
    for step in steps:
        given_before = {
            contact: variants[step.id]
            for contact, variants in earlier.items()
            if variants.get(step.id, len(step.alternatives)) < len(step.alternatives)
        }
        for contact, variant in shared_out(
            blueprint.id, step, keys, given_before=given_before, left_out=left_out
        ).items():
            assigned[contact][step.id] = variant
    return assigned


def shared_out(
    blueprint_id: str,
    step: Step,
    keys: Mapping[str, str],
    *,
    given_before: Mapping[str, int] = NOBODY_BEFORE,
    left_out: AbstractSet[str] = frozenset(),
) -> dict[str, int]:
    """Return the variant of each person, by id; ``keys`` are what their hashes are of.

    Those ``given_before`` stay. Of people who are not ``left_out`` the shares differ by one at most, unless those
    given before differ by more: then the others even it out.
    """
    number = len(step.alternatives)
    counts = Counter(dict.fromkeys(range(number), 0))
    counts.update(variant for person, variant in given_before.items() if person not in left_out)
    result = dict(given_before)
    places = {
        person: _place(blueprint_id, step.id, key) for person, key in keys.items() if person not in given_before
    }
    for person in sorted(places, key=lambda person: (person in left_out, places[person], keys[person])):
        fewest = min(counts.values())
        open_variants = [variant for variant in range(number) if counts[variant] == fewest]
        # The order is decided by the first half of the hash, the variant by the second.
        variant = open_variants[int.from_bytes(places[person][16:]) % len(open_variants)]
        result[person] = variant
        counts[variant] += 1
    return result


def person_key(contact: Contact) -> str:
    """Return what a person is told by, so that one who is not stored yet gets what they will get once they are."""
    if contact.email:
        return address_key(contact.email)
    return contact.linkedin_url or contact.phone or contact.id


def _place(blueprint_id: str, step_id: str, key: str) -> bytes:
    return sha256("\n".join((blueprint_id, step_id, key)).encode("utf-8", "surrogatepass")).digest()
