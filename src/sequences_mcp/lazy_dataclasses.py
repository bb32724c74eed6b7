"""The standard library's ``dataclass``, whose methods are compiled when they are first used.

``dataclasses`` writes up to six methods for each class as source text and compiles them one by one while a module
is imported: nearly half of what importing this package took before a server could answer its first call. A process
makes values of few of these classes, and compares, hashes or shows fewer yet.

The class is the standard library's: its fields, slots, ``__match_args__`` and parameters, so that ``fields``,
``replace``, ``asdict`` and ``is_dataclass`` take it as any other. So is each method: when one is first looked up,
``dataclasses`` makes it for a class with the same fields, and it stands in the class from then on. Only what
refuses to change a frozen value is written here; it is the same for all fields and needs no compiling. To type
checkers this is ``dataclasses.dataclass`` itself.

Where ``dataclass`` is imported from here, ``field``, ``replace`` and the rest come from here too.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import MISSING, FrozenInstanceError, asdict, dataclass, field, fields, replace
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["LazyAttribute", "asdict", "dataclass", "field", "fields", "lazy_dataclass", "replace"]

T = TypeVar("T")
_standard = dataclass


class LazyAttribute:
    """A method of a class that is made when it is first looked up, and put in its own place then.

    Two threads may both make it; one of the two stays, and they do the same.
    """

    __slots__ = ("_make", "_name", "_owner")

    def __init__(self, owner: type, name: str, make: Callable[[type, str], FunctionType]) -> None:
        self._owner, self._name, self._make = owner, name, make

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        made = self._make(self._owner, self._name)
        setattr(self._owner, self._name, made)
        return made.__get__(instance, owner)


def lazy_dataclass(
    cls: type[T] | None = None,
    /,
    *,
    frozen: bool = False,
    slots: bool = False,
    kw_only: bool = False,
    eq: bool = True,
    repr: bool = True,
) -> type[T] | Callable[[type[T]], type[T]]:
    """Make a class a dataclass, with or without arguments; each is what it is in ``dataclasses``."""
    options = {"init": True, "frozen": frozen, "slots": slots, "kw_only": kw_only, "eq": eq, "repr": repr}
    return partial(_decorated, options=options) if cls is None else _decorated(cls, options)


def _decorated(cls: type[T], options: Mapping[str, bool]) -> type[T]:
    # What a base has decided about changing its values is checked and kept by the standard library.
    is_derived = any(hasattr(base, "__dataclass_fields__") for base in cls.__mro__[1:])
    later = {"init": False, "repr": False, "eq": False, "frozen": options["frozen"] and is_derived}
    cls.__doc__ = cls.__doc__ or cls.__name__  # else it is the signature, of an ``__init__`` that is not made yet
    made: Any = _standard(**{**options, **later})(cls)
    _require_order(made)
    for name in later:
        setattr(made.__dataclass_params__, name, options[name])
    has_hash = _has_hash(vars(made))
    make = partial(_made_by_the_standard, options=options)
    for name in _lacking(vars(made), options):
        setattr(made, name, LazyAttribute(made, name, make))
    if options["eq"] and not options["frozen"] and not has_hash:
        made.__hash__ = None
    if options["frozen"] and not is_derived:
        _freeze(made)
    abc.update_abstractmethods(made)
    return made  # type: ignore[no-any-return]


def _require_order(cls: Any) -> None:
    """Raise TypeError for a field without a default after one with, as ``dataclasses`` does with ``__init__``."""
    has_default = False
    for each in fields(cls):
        if not each.init or each.kw_only:
            continue
        if each.default is not MISSING or each.default_factory is not MISSING:
            has_default = True
        elif has_default:
            raise TypeError(f"non-default argument {each.name!r} follows default argument")


def _lacking(written: Mapping[str, Any], options: Mapping[str, bool]) -> list[str]:
    """Return the methods that a class with these attributes gets."""
    chosen = {
        "__init__": True,
        "__repr__": options["repr"],
        "__eq__": options["eq"],
        "__getstate__": options["frozen"] and options["slots"],  # it is pickled and copied by these
        "__setstate__": options["frozen"] and options["slots"],
    }
    has_hash = options["eq"] and options["frozen"] and not _has_hash(written)
    return [name for name in chosen if chosen[name] and name not in written] + ["__hash__"] * has_hash


def _has_hash(written: Mapping[str, Any]) -> bool:
    """Return whether a class says itself how it is hashed; Python says None for one with ``__eq__``."""
    return "__hash__" in written and not (written["__hash__"] is None and "__eq__" in written)


def _made_by_the_standard(owner: Any, name: str, options: Mapping[str, bool]) -> FunctionType:
    """Return the method that ``dataclasses`` makes for a class with the fields of ``owner``."""
    known = owner.__dataclass_fields__
    body = {
        "__module__": owner.__module__,  # whose globals the method has
        "__qualname__": owner.__qualname__,
        "__doc__": owner.__name__,  # without one a signature would be written
        "__annotations__": {each.name: each.type for each in known.values()},
        **known,
    }
    if hasattr(owner, "__post_init__"):
        body["__post_init__"] = None  # called on the value that is made, not on this class
    like: type = _standard(**options)(type(owner.__name__, (), body))
    made: FunctionType = vars(like)[name]
    return made


def _freeze(cls: Any) -> None:
    """Refuse to change the fields of a class, and anything of its own values; what inherits may have more."""

    def __setattr__(self: object, name: str, value: object) -> None:  # noqa: N807 - one of Python's own names
        if type(self) is cls or name in [each.name for each in fields(cls)]:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def __delattr__(self: object, name: str) -> None:  # noqa: N807 - one of Python's own names
        if type(self) is cls or name in [each.name for each in fields(cls)]:
            raise FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    for method in (__setattr__, __delattr__):
        if method.__name__ in vars(cls):
            raise TypeError(f"Cannot overwrite attribute {method.__name__} in class {cls.__name__}")
        method.__qualname__ = f"{cls.__qualname__}.{method.__name__}"
        setattr(cls, method.__name__, method)


if not TYPE_CHECKING:
    dataclass = lazy_dataclass
