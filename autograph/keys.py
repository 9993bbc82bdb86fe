"""Keys of dicts, and items of sets, that only the run knows: `d[int(x)]`, `unit in table`.

They are compared with each key that the dict has. What keys there are must be known while tracing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from treadle.graph import Tensor, Value, weak
from treadle.graph.build import convert, is_tracing
from treadle.graph.dtypes import float64, int64
from treadle.graph.errors import ConversionError
from treadle.graph.location import describe, user_location
from treadle.graph.ops.casting import cast
from treadle.graph.ops.comparison import equal, where
from treadle.graph.ops.effects import require
from treadle.graph.ops.formatting import Text
from treadle.graph.ops.logic import logical_and
from treadle.graph.ops.reductions import reduce_any
from treadle.graph.ops.statistics import argmax

from . import aliases, journal
from .aliases import is_involved
from .choice import Choice, Operations, picked
from .conditionals import Branches
from .inside import staged_in
from .optional import Source
from .place import user_line
from .policy import replaced
from .state import common_dtype

_CURIOUS = frozenset(
    [
        *("add", "discard", "get", "pop", "remove", "setdefault", "update", "union"),
        *("intersection", "difference", "symmetric_difference", "issubset", "issuperset"),
        *("isdisjoint", "difference_update", "intersection_update", "fromkeys"),
        "symmetric_difference_update",
    ]
)


_CHANGING = frozenset(["clear", "pop", "popitem", "setdefault", "update"])


def is_unknown(key: Any) -> bool:
    """True for a key whose value only the run knows: it stands for a number or text of Python."""
    kind = type(key)
    if kind is Value:
        return weak.is_python(key)
    if kind is tuple:
        return any(map(is_unknown, key))
    return kind is Choice or kind is Text


def key(value: Any) -> Any:
    """The key of a dict, or an item of a set, that is made."""
    return refuse(value) if is_unknown(value) else value


def refuse(value: Any, kind: str = "set or dict") -> NoReturn:
    cure = {
        "set": "Collect values in a list ('if v not in seen: seen.append(v)'), or use tl.unique",
        "dict": "Give it all its keys before, or count or mark in a tensor ('counts[v] += 1')",
    }
    raise ConversionError(
        f"a {kind} gets {_shown(value)} as {'a key' if kind == 'dict' else 'an item or key'} at "
        f"{describe(user_location(2))}, of which only the run knows what it equals; how many items "
        f"a {kind} has must be known while tracing. {cure.get(kind, cure['set'])}"
    )


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return "a tuple that holds a symbolic number"
    text = isinstance(value, (Text, Choice)) or value.dtype.name == "string"
    return "a symbolic text" if text else "a symbolic number"


# --- looking up ---------------------------------------------------------------------------


class Keyed:
    """A dict that is looked up with a key that may be symbolic."""

    __slots__ = ("of",)

    def __init__(self, of: Any) -> None:
        self.of = of

    def __getitem__(self, key: Any) -> Any:
        return read(self.of, key) if is_unknown(key) else self.of[key]


def read(d: Any, key: Any) -> Any:
    """`d[key]`"""

    def lacks() -> Any:
        if isinstance(d, Counter):
            return 0
        if isinstance(d, defaultdict):
            where_ = describe(user_location(2))
            raised = KeyError(f"a new key, at {where_}: in a trace a dict gets no symbolic keys")
            return Operations.ended(raised)
        return Operations.ended(KeyError(key))

    return find(d, key, lacks)


def find(d: Any, key: Any, lacks: Callable[[], Any]) -> Any:
    """`d[key]`, or `lacks()` if there is none."""
    if type(key) is Choice:
        if all(o in d for o in key.tl_options):
            return key.tl_pick([d[o] for o in key.tl_options])
        return Operations.select(key, lambda o: d[o] if o in d else lacks())
    keys = [k for k in d if _may_equal(k, key)]
    if not keys:
        return _either(convert(False), lacks, lacks)
    truths = _truths(keys, key)
    place = cast(argmax(cast(truths, "int32"), 0), "int32")
    values = [d[k] for k in keys]
    source = Source("", f"the key at {describe(user_location(2))}")
    return _either(reduce_any(truths), lambda: picked(place, values, source), lacks)


def _either(test: Tensor, yes: Callable[[], Any], no: Callable[[], Any]) -> Any:
    return Branches(yes, no, (), None, None, user_line()).emit(test, ())


def _may_equal(known: Any, key: Any) -> bool:
    if isinstance(key, tuple):
        alike = isinstance(known, tuple) and len(known) == len(key)
        return alike and all(_may_equal(k, part) for k, part in zip(known, key, strict=True))
    if isinstance(key, Choice):
        return any(o == known for o in key.tl_options)
    if not is_unknown(key):
        return bool(known == key)
    text = isinstance(key, Text) or key.dtype.name == "string"
    return isinstance(known, str) if text else isinstance(known, (int, float))


def _truths(keys: Sequence[Any], key: Any) -> Tensor:
    """For each of `keys` whether it is `key`."""
    found: Tensor
    if isinstance(key, tuple):
        columns = zip(*keys, strict=True)
        parts = [
            _truths(column, part)
            for column, part in zip(columns, key, strict=True)
            if is_unknown(part)
        ]
        found = parts[0]
        for part in parts[1:]:
            found = logical_and(found, part)
        return found
    if isinstance(key, (Text, Choice)) or key.dtype.name == "string":
        found = equal(convert(list(keys)), convert(key))
        return found
    whole = key.dtype.is_integer and all(isinstance(k, int) for k in keys)
    dtype = int64 if whole else float64
    found = equal(convert([int(k) if whole else float(k) for k in keys], dtype), cast(key, dtype))
    return found


def contains(within: Any, value: Any) -> Any:
    """`value in within`, a dict or set."""
    if type(value) is Choice:
        return value.tl_pick([o in within for o in value.tl_options])
    keys = [k for k in within if _may_equal(k, value)]
    return weak.mark(reduce_any(_truths(keys, value))) if keys else False


# --- changing -------------------------------------------------------------------------------


def store(d: Any, key: Any, value: Any) -> None:
    """`d[key] = value`"""
    if type(key) is Choice:
        Operations.select(key, lambda o: _put(d, o, value))
        return
    keys = [k for k in d if _may_equal(k, key)]
    if not keys:
        refuse(key, "dict")
    truths = _truths(keys, key)
    text = (
        f"a key that the dict does not have is assigned at {describe(user_location(2))}: in a "
        "function that is traced a dict gets all its keys before; a list holds what comes later"
    )
    (truths,) = require(reduce_any(truths), [truths], "KeyError", text)
    new = [_one_of(truths[i], value, d[k]) for i, k in enumerate(keys)]
    for k, v in zip(keys, new, strict=True):
        _put(d, k, v)


def _put(d: Any, key: Any, value: Any) -> None:
    journal.touch(d, None, ("item", key))
    d[key] = value


def _one_of(test: Tensor, new: Any, old: Any) -> Any:
    numbers = weak.is_number(new) and weak.is_number(old)
    if numbers and (dtype := common_dtype(new, old)) is not None:
        return weak.mark(where(test, convert(new, dtype), convert(old, dtype)))
    return _either(test, lambda: new, lambda: old)


def method(function: Any) -> Callable[..., Any]:
    """What to call instead of the method of a dict or set."""
    owner, name = function.__self__, function.__name__
    if name not in _CURIOUS | _CHANGING or not is_tracing():
        return function  # type: ignore[no-any-return]

    def call(*args: Any, **kwargs: Any) -> Any:
        if name in _CHANGING and is_involved(owner):
            return aliases.Operations.change(owner, lambda o: getattr(o, name)(*args, **kwargs))
        first = args[0] if args else None
        if isinstance(owner, dict) and is_unknown(first):
            if name == "get":
                default = args[1] if len(args) > 1 else None
                return find(owner, first, lambda: default)
            refuse(first, "dict")
        if name in ("add", "discard", "remove") and is_unknown(first):
            refuse(first, "set")
        if journal.is_watched():
            journal.touch(owner)
        pairs = isinstance(owner, dict) and not isinstance(owner, Counter)
        return function(*[checked(a, pairs) for a in args], **kwargs)

    return call


def checked(items: Any, pairs: bool = False) -> Any:
    """An argument whose items become those of a set, or keys of a dict (`pairs`: and values)."""
    if not isinstance(items, (list, tuple, Iterable)) or isinstance(items, (str, Value)):
        return items
    if isinstance(items, (dict, set, frozenset, range)) or staged_in(items) is not None:
        return items
    kept = items if isinstance(items, (list, tuple)) else list(items)
    for item in kept:
        key(item[0] if pairs and isinstance(item, (tuple, list)) and item else item)
    return kept


def frozenset_(*args: Any) -> Any:
    """`frozenset(iterable)`"""
    return frozenset(*map(checked, args)) if is_tracing() else frozenset(*args)


def counter_(*args: Any, **kwargs: Any) -> Any:
    """`collections.Counter(iterable)`"""
    return Counter(*map(checked, args), **kwargs) if is_tracing() else Counter(*args, **kwargs)


replaced.update({frozenset: frozenset_, Counter: counter_})
