"""Values that are made quickly are made as their dataclass makes them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from copy import copy
from dataclasses import FrozenInstanceError, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from sequences_mcp.domain.contact import Contact, ContactFields
from sequences_mcp.domain.entries import AuditRow
from sequences_mcp.domain.making import quickly_made
from sequences_mcp.domain.run import Run, StepRun
from sequences_mcp.planning.recipient_rows import Recipient
from sequences_mcp.ports.embedded import ContactEntry, PlannedPerson, SavedContact

AT = datetime(2026, 11, 27, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A value with every kind of field: needed or not, by place or by name, with a default made anew."""

    number: int
    weight: float = 1.5
    words: Mapping[str, str] = field(default_factory=dict)
    sender: str = field(kw_only=True)
    marks: list[str] = field(default_factory=list, kw_only=True)


@quickly_made
@dataclass(frozen=True, slots=True)
class QuickParcel:
    """The same."""

    number: int
    weight: float = 1.5
    words: Mapping[str, str] = field(default_factory=dict)
    sender: str = field(kw_only=True)
    marks: list[str] = field(default_factory=list, kw_only=True)


CALLS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1,), {"sender": "Ada"}),
    ((1, 2.0, {"a": "b"}), {"sender": "Ada", "marks": ["fragile"]}),
    ((), {"number": 1, "sender": "Ada", "weight": 0.5}),
]
WRONG: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}),
    ((1,), {}),
    ((), {"sender": "Ada"}),
    ((1, 2.0, {}, "Ada"), {}),
    ((1,), {"sender": "Ada", "colour": "red"}),
    ((1,), {"sender": "Ada", "number": 2}),
]


@pytest.mark.parametrize(("places", "names"), CALLS)
def test_a_value_is_what_the_dataclass_makes_of_the_same_arguments(
    places: tuple[Any, ...], names: dict[str, Any]
) -> None:
    usual, quick = Parcel(*places, **names), QuickParcel(*places, **names)
    shown = [[getattr(one, name) for name in Parcel.__dataclass_fields__] for one in (usual, quick)]
    assert shown[0] == shown[1]
    assert repr(quick) == f"Quick{usual!r}"
    assert quick == copy(quick) == replace(quick) == QuickParcel(*places, **names)


@pytest.mark.parametrize(("places", "names"), WRONG)
def test_wrong_arguments_are_refused_in_the_same_words(places: tuple[Any, ...], names: dict[str, Any]) -> None:
    said = []
    for kind in (Parcel, QuickParcel):
        with pytest.raises(TypeError) as refused:
            kind(*places, **names)
        said.append(str(refused.value).partition("__init__()")[2])
    assert said[0] == said[1] != ""


def test_a_default_that_is_made_anew_is_no_other_values_and_no_field_can_be_set() -> None:
    one, other = QuickParcel(1, sender="Ada"), QuickParcel(1, sender="Ada")
    assert one.marks is not other.marks
    with pytest.raises(FrozenInstanceError):
        one.weight = 2.0  # type: ignore[misc]


def test_a_class_whose_constructor_does_more_is_refused() -> None:
    @dataclass(frozen=True)
    class Loose:
        number: int

    @dataclass(frozen=True, slots=True)
    class Checked:
        number: int

        def __post_init__(self) -> None:
            assert self.number

    @dataclass(frozen=True, slots=True)
    class Counted:
        number: int = field(init=False, default=0)

    for kind in (Loose, Checked, Counted):
        with pytest.raises(TypeError, match=f"the constructor of {kind.__name__} does more"):
            quickly_made(kind)


@pytest.mark.parametrize(
    "kind",
    [ContactFields, Contact, ContactEntry, SavedContact, Recipient, PlannedPerson, StepRun, Run, AuditRow],
)
def test_every_value_of_a_plan_that_is_made_for_each_person_is_made_quickly(kind: type[Any]) -> None:
    usual = kind.__init__.__wrapped__
    assert inspect.signature(kind.__init__) == inspect.signature(usual)
    given = {name: object() for name in inspect.signature(usual).parameters if name != "self"}
    values = [object.__new__(kind), object.__new__(kind)]
    for value, make in zip(values, (usual, kind.__init__), strict=True):
        make(value, **given)
    assert [getattr(values[1], name) for name in given] == [getattr(values[0], name) for name in given]


def test_a_kind_of_contact_has_the_facts_of_its_base_too() -> None:
    contact = Contact(id="local:ct_1", email="ada@lovelace.example", created_at=AT, updated_at=AT)
    assert (contact.email, contact.notes, contact.first_name) == ("ada@lovelace.example", "", None)
