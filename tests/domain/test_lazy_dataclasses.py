"""Dataclasses whose methods are made later are those of the standard library in all that can be seen of them."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import itertools
import operator
import pickle
import random
import re
import sys
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

import pytest

from sequences_mcp.lazy_dataclasses import LazyAttribute, dataclass, field

Build = Callable[..., Any]
OPTIONS = ("frozen", "slots", "kw_only")
METHODS = ("__init__", "__repr__", "__eq__", "__hash__", "__getstate__", "__setstate__")

# What a field may be, as it stands in a class; `{n}` is its number.
FIELDS = (
    "f{n}: int",
    "f{n}: str = 'usual'",
    "f{n}: tuple[int, ...] = (1, 2)",
    "f{n}: list[int] = field(default_factory=list)",
    "f{n}: int = field(kw_only=True)",
    "f{n}: int = field(default=3, compare=False)",
    "f{n}: str = field(default='hidden', repr=False)",
    "f{n}: int = field(default=4, hash=False)",
    "f{n}: int = field(default=5, init=False)",
    "f{n}: dict[str, int] = field(default_factory=dict, metadata={{'of': {n}}})",
    "f{n}: ClassVar[int] = 6",
    "f{n}: InitVar[int] = 7",
    "_{n}: KW_ONLY",
)
# What else a class may say for itself.
BODIES = (
    "def __eq__(self, other): return NotImplemented",
    "def __hash__(self): return 1",
    "def __repr__(self): return 'shown'",
    "def __init__(self): pass",
    "def __len__(self): return 3",
    "__hash__ = None",
    "def __post_init__(self, *given): [object.__setattr__(self, name, given) for name in self.__match_args__[:1]]",
)
HEAD = """
from __future__ import annotations
from dataclasses import KW_ONLY, InitVar, field
from typing import ClassVar
"""


def drawn(seed: int) -> str:
    """Return the source of a module with a class, and perhaps one that inherits from it."""
    chance = random.Random(seed)
    numbers, text = itertools.count(), HEAD
    options = {name: chance.random() < 0.5 for name in OPTIONS} | {
        name: chance.random() < 0.85 for name in ("eq", "repr")
    }
    for name, base in (("Value", ""), ("Special", "(Value)"))[: chance.choice((1, 1, 2))]:
        if chance.random() < 0.1:
            options["frozen"] = not options["frozen"]  # which is refused where it inherits
        chosen = ", ".join(f"{option}={value}" for option, value in options.items())
        lines = [chance.choice(FIELDS).format(n=next(numbers)) for _ in range(chance.randrange(6))]
        lines += chance.sample(BODIES, chance.choice((0, 0, 1, 2)))
        text += f"\n@dataclass({chosen})\nclass {name}{base}:\n    '''One.'''\n" + "".join(
            f"    {x}\n" for x in lines
        )
    return text


def module_of(source: str, build: Build) -> ModuleType:
    """Return a module with the classes of a source, decorated by ``build``, known to Python as any other is."""
    module = ModuleType("drawn_classes")
    sys.modules[module.__name__] = module
    vars(module)["dataclass"] = build
    exec(source, vars(module))
    return module


def facts(module: ModuleType) -> Iterator[object]:
    """Yield everything that can be seen of the classes of a module and of their values."""
    for name in ("Value", "Special"):
        if kind := vars(module).get(name):
            yield from facts_of_class(kind)
            yield from facts_of_values(kind)


def facts_of_class(kind: Any) -> Iterator[object]:
    """Yield what can be seen of a class without a value."""
    yield [repr(field) for field in dataclasses.fields(kind)]
    yield [(name, repr(field)) for name, field in kind.__dataclass_fields__.items()]
    yield repr(kind.__dataclass_params__), dataclasses.is_dataclass(kind)
    yield vars(kind).get("__slots__"), vars(kind).get("__match_args__"), kind.__doc__, kind.__qualname__
    yield said(lambda: str(inspect.signature(kind))), kind.__hash__ is None
    yield sorted(vars(kind))
    for name in METHODS:
        method = getattr(kind, name, None)
        if isinstance(method, FunctionType):
            yield name, method.__qualname__, method.__module__, method.__annotations__, inspect.signature(method)


def facts_of_values(kind: Any) -> Iterator[object]:
    """Yield what comes of making values of a class, and what can be seen of the first of them."""
    values: list[Any] = [1]
    for named in ({}, {"f0": 1}, {"f1": "a"}, {"f0": 1, "f1": [2], "f2": 3, "f3": 4}, {"f0": [1]}):
        for places in range(4):
            try:
                values.append(kind(*range(places), **named))
            except (TypeError, ValueError) as error:
                yield str(error)
    for value in values[1:7]:
        yield from facts_of_value(value, values[:7])


def facts_of_value(value: Any, others: list[Any]) -> Iterator[object]:
    """Yield how a value is shown, compared, copied, stored and changed."""
    acts = (repr, copy.copy, copy.deepcopy, dataclasses.asdict, dataclasses.astuple, weakref.ref)
    yield [said(partial(act, value)) for act in acts]
    yield said(lambda: dataclasses.replace(value, f0=9))
    yield said(lambda: pickle.loads(pickle.dumps(value)))
    yield said(lambda: hash(value) == hash(copy.copy(value)))
    yield said(lambda: value == copy.copy(value)), [said(partial(operator.eq, value, other)) for other in others]
    known = [each.name for each in dataclasses.fields(value)]
    for name in (*known, "f0", "other"):
        changed = [said(partial(act, value, name)) for act in (set_to_8, delattr)]
        # Python 3.11 says a TypeError about super() where a frozen class with slots has no such field.
        yield changed if name in known else [outcome == "None" for outcome in changed]
    yield said(lambda: repr(value))


def set_to_8(value: object, name: str) -> None:
    """Set an attribute."""
    setattr(value, name, 8)


def said(act: Callable[[], object]) -> str:
    """Return what something returns, or its error, without any place in memory."""
    try:
        outcome = repr(act())
    except (TypeError, ValueError, AttributeError) as error:
        outcome = repr(error)
    return re.sub(r"0x[0-9a-f]+", "0x", outcome)


def all_facts(source: str, build: Build) -> list[object]:
    """Return all that can be seen of the classes of a source; how it is refused, where it is."""
    try:
        return list(facts(module_of(source, build)))
    except (TypeError, ValueError) as error:
        return [str(error)]


@pytest.mark.parametrize("start", range(0, 160, 40))
def test_a_class_drawn_by_chance_is_as_the_standard_library_makes_it(start: int) -> None:
    for seed in range(start, start + 40):
        source = drawn(seed)
        ours, theirs = (all_facts(source, build) for build in (dataclass, dataclasses.dataclass))
        for one, other in itertools.zip_longest(ours, theirs):
            assert one == other, source


@dataclass(frozen=True, slots=True)
class Parcel:
    """A value with fields of which not all are compared."""

    number: int
    words: list[str] = field(default_factory=list, compare=False)


def later(kind: type) -> set[str]:
    """Return the methods of a class that are not made yet."""
    return {name for name, value in vars(kind).items() if isinstance(value, LazyAttribute)}


def test_a_method_is_made_when_it_is_first_used_and_stays() -> None:
    body = {"__annotations__": {"number": int}, "__qualname__": "Outer.Parcel"}
    kind: Any = dataclass(frozen=True, slots=True)(type("Parcel", (), body))
    assert later(kind) == set(METHODS)
    value = kind(3)
    assert later(kind) == {*METHODS} - {"__init__"}
    assert value == kind(3) != kind(4)
    assert hash(value) == hash(kind(3))
    assert repr(value) == "Outer.Parcel(number=3)"
    assert later(kind) == {"__getstate__", "__setstate__"}
    assert copy.copy(value) == value
    assert later(kind) == set()
    assert all(isinstance(vars(kind)[name], FunctionType) for name in METHODS)
    assert vars(kind)["__eq__"].__qualname__ == "Outer.Parcel.__eq__"


def test_threads_that_use_a_class_for_the_first_time_all_get_what_they_asked_for() -> None:
    number, wrong = 8, list[object]()
    kinds: list[Any] = [type(f"Parcel{n}", (), {"__annotations__": {"number": int}}) for n in range(100)]
    kinds = [dataclass(kind) for kind in kinds]
    together = threading.Barrier(number)

    def use() -> None:
        for kind in kinds:
            together.wait(60)
            if not (repr(kind(1)).endswith("(number=1)") and kind(1) == kind(1)):
                wrong.append(kind)

    threads = [threading.Thread(target=use) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_value_is_matched_by_its_places() -> None:
    match Parcel(3, ["fragile"]):
        case Parcel(number, words):
            assert (number, words) == (3, ["fragile"])


def test_nothing_of_a_frozen_value_is_changed_whatever_it_inherits() -> None:
    class Marked(Parcel):
        """Has a dictionary, and no fields of its own."""

    value: Any = Marked(3)
    value.mark = "fragile"
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'number'"):
        value.number = 4
    value = Parcel(3)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'weight'"):
        value.weight = 4
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'number'"):
        del value.number


def test_a_field_without_a_default_after_one_with_is_refused_when_the_class_is_made() -> None:
    body = {"__annotations__": {"a": int, "b": int}, "a": 1}
    for build in (dataclass, dataclasses.dataclass):
        with pytest.raises(TypeError, match="non-default argument 'b' follows default argument"):
            build(type("Parcel", (), dict(body)))
    alone: Any = dataclass(type("Parcel", (), {"__annotations__": {"a": int}}))
    assert alone.__doc__ == "Parcel"  # and no signature of a method that is not made yet


class Shown(ABC):
    """Asks for a method that a dataclass has by itself."""

    @abstractmethod
    def __repr__(self) -> str:
        """Show the value."""


def test_a_method_that_is_made_later_is_not_abstract() -> None:
    @dataclass
    class Label(Shown):
        text: str

    label = Label("a")  # type: ignore[abstract]
    assert repr(label).endswith("Label(text='a')")
