"""Keys of dicts, and items of sets, that only the run knows: `d[int(x)]`, `unit in table`.

They are compared with each key that the dict has. What keys there are must be known while tracing.
"""

from __future__ import annotations

import functools
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from treadle.graph import Tensor, Value, weak
from treadle.graph.build import GraphBuilder, convert, current, is_tracing
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

from ..changes import aliases, journal
from ..changes.aliases import is_involved
from ..changes.contents import IN_ORDER
from ..control.choice import Choice, picked
from ..control.conditionals import Branches
from ..control.operations import Operations
from ..iteration.streams import Each, is_staged
from ..policy import replaced
from ..values.facts import known_truth
from ..values.inside import staged_in, table_in
from ..values.optional import Source
from ..values.place import user_line
from ..values.state import common_dtype
from ..values.tables import Kept
from . import table_methods
from .gathering import in_list, pairs_in

_CURIOUS = frozenset(
    [
        *("add", "discard", "get", "pop", "remove", "setdefault", "update", "union"),
        *("intersection", "difference", "symmetric_difference", "issubset", "issuperset"),
        *("isdisjoint", "difference_update", "intersection_update"),
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
        "OrderedDict": f"Use a plain dict, of which the graph can hold the keys: {IN_ORDER}",
    }
    article, what = "an" if kind == "OrderedDict" else "a", "an item or key"
    if kind in ("dict", "OrderedDict"):
        what = "a key"
    raise ConversionError(
        f"{article} {kind} gets {_shown(value)} as {what} at "
        f"{describe(user_location(2))}, of which only the run knows what it equals; how many items "
        f"{article} {kind} has must be known while tracing. {cure.get(kind, cure['set'])}"
    )


def _kind_of(d: Any) -> str:
    return "OrderedDict" if isinstance(d, OrderedDict) else "dict"


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
        if is_unknown(key) or table_in(self.of) is not None:
            return read(self.of, key)
        if isinstance(self.of, defaultdict) and key not in self.of and journal.is_watched():
            journal.touch(self.of)
        return self.of[key]


def read(d: Any, key: Any) -> Any:
    """`d[key]`"""
    if table_in(d) is not None:
        return table_methods.read(d, key)
    makes = type(d) is defaultdict and d.default_factory is not None and not _is_there(d, key)
    if makes and table_methods.stageable(d, key, d.default_factory()):
        return table_methods.read(d, key)

    if makes and not any(_may_equal(k, key) for k in d):
        refuse(key, _kind_of(d))

    def lacks() -> Any:
        if isinstance(d, Counter):
            return 0
        if isinstance(d, defaultdict):
            where_ = describe(user_location(2))
            raised = KeyError(f"a new key, at {where_}: in a trace a dict gets no symbolic keys")
            return Operations.ended(raised)
        return Operations.ended(KeyError(key))

    found = find(d, key, lacks)
    builder = current()
    in_try = isinstance(builder, GraphBuilder) and builder.watched_by() is not None
    if not (isinstance(d, Counter) or in_try):  # behind a `try` it may not be there
        _note(d, key)
    return found


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
    if table_in(within) is not None:
        return table_methods.contains(within, value)
    keys = [k for k in within if _may_equal(k, value)]
    if not keys:
        return False
    found = weak.mark(reduce_any(_truths(keys, value)))
    _note(within, value, found)
    return found


# --- which keys are there -------------------------------------------------------------------

_THERE = "keys that are there"


def _root(key: Any) -> Any:
    """What tells a key from others; `int(x)` of one `x` is one."""
    if isinstance(key, tuple):
        return tuple(map(_root, key))
    while isinstance(key, Value) and key.node is not None and key.node.op.name == "identity":
        key = key.node.inputs[0]
    return id(key) if isinstance(key, (Value, Choice)) else key


def _note(within: Any, key: Any, test: Any = None) -> None:
    """Here `key` is one of the keys of `within`, or where `test` holds."""
    builder = current()
    if isinstance(builder, GraphBuilder):
        noted = _root(key), key, frozenset(within), test
        builder.derived.setdefault(_THERE, []).append(noted)


def _is_there(d: Any, key: Any) -> bool:
    """True if the run has asked for `key` and found it."""
    if type(key) is Choice:
        return all(o in d for o in key.tl_options)
    root = _root(key)
    builder: Any = current()
    while isinstance(builder, GraphBuilder):
        for noted, _, keys, test in builder.derived.get(_THERE, ()):
            if noted == root and keys <= d.keys() and (test is None or known_truth(test)):
                return True
        builder = builder.parent
    return False


# --- changing -------------------------------------------------------------------------------


def store(d: Any, key: Any, value: Any) -> None:
    """`d[key] = value`"""
    if table_in(d) is not None:
        table_methods.store(d, key, value)
        return
    if type(key) is Choice and _is_there(d, key):
        Operations.select(key, lambda o: _put(d, o, value))
        return
    if not _is_there(d, key) and table_methods.stageable(d, key, value):
        table_methods.store(d, key, value)
        return
    keys = [k for k in d if _may_equal(k, key)]
    if not keys or type(key) is Choice:
        refuse(key, _kind_of(d))
    truths = _truths(keys, key)
    text = (
        f"a key that the dict does not have is assigned at {describe(user_location(2))}: in a "
        "function that is traced a dict gets all its keys before; a list holds what comes later"
    )
    (truths,) = require(reduce_any(truths), [truths], "KeyError", text)
    new = [_one_of(truths[i], value, d[k]) for i, k in enumerate(keys)]
    for k, v in zip(keys, new, strict=True):
        _put(d, k, v)


def delete(d: Any, key: Any) -> None:
    """`del d[key]`"""
    if table_in(d) is None and not table_methods.stageable(d, key):
        refuse(key, _kind_of(d))
    table_methods.delete(d, key)


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
    if not is_tracing():
        return function  # type: ignore[no-any-return]
    if name not in _CURIOUS | _CHANGING and table_in(owner) is None:
        return function  # type: ignore[no-any-return]

    def call(*args: Any, **kwargs: Any) -> Any:
        if args and type(args[0]) is Choice and name not in _KEYED:
            return Operations.select(args[0], lambda o: method(function)(o, *args[1:], **kwargs))
        if name in _CHANGING and is_involved(owner):
            return aliases.Operations.change(owner, lambda o: _act(o, name, args, kwargs))
        return _act(owner, name, args, kwargs)

    return call


def _from_keys(kind: Any, items: Any, value: Any = None) -> Any:
    """`dict.fromkeys(items, value)`"""
    if is_tracing() and is_staged(items):
        return table_methods.made(kind(), Each(items, lambda key: (key, value), (), False))
    known = list(items) if is_tracing() else items
    if not is_tracing() or not any(map(is_unknown, known)):
        return kind.fromkeys(known, value)
    made = kind()
    for k in known:
        store(made, k, value)
    return made


def _act(owner: Any, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Call a method of a dict or set."""
    if name not in _KEYED:
        args = [(pairs_in if isinstance(owner, dict) else in_list)(a) for a in args]
    first = args[0] if args else None
    if table_in(owner) is not None:
        return table_methods.act(owner, name, args, kwargs)
    if name in _KEYED and is_unknown(first):
        if name == "get":
            default = args[1] if len(args) > 1 else None
            return find(owner, first, lambda: default)
        values = (*args[1:], None)[:1] if name == "setdefault" else ()
        if not table_methods.stageable(owner, first, *values):
            refuse(first, _kind_of(owner) if isinstance(owner, dict) else "set")
        return table_methods.act(owner, name, args, kwargs)
    held = any(table_in(a) is not None or staged_in(a) is not None for a in args)
    if held and type(owner) in (dict, Kept):
        return table_methods.act(owner, name, args, kwargs)
    if journal.is_watched():
        journal.touch(owner)
    pairs = isinstance(owner, dict) and not isinstance(owner, Counter)
    return getattr(owner, name)(*[checked(a, pairs) for a in args], **kwargs)


# What to call instead of a method of `Counter` in Python code; filled by `operators.py`.
counting: list[Callable[[Any], Callable[..., Any] | None]] = []
_KEYED = frozenset(["get", "setdefault", "pop", "add", "discard", "remove"])


def checked(items: Any, pairs: bool = False) -> Any:
    """An argument whose items become those of a set, or keys of a dict (`pairs`: and values)."""
    if not isinstance(items, (list, tuple, Iterable)) or isinstance(items, (str, Value)):
        return items
    if table_in(items) is not None:
        raise table_methods.refusal("update")
    if isinstance(items, (dict, set, frozenset, range)) or staged_in(items) is not None:
        return items
    kept = items if isinstance(items, (list, tuple)) else list(items)
    for item in kept:
        key(item[0] if pairs and isinstance(item, (tuple, list)) and item else item)
    return kept


for _kind in (dict, OrderedDict, defaultdict):
    replaced[_kind.fromkeys] = functools.partial(_from_keys, _kind)
