"""Operators of sets that converted code makes: the graph may hold their items."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from treadle.graph import Value, weak
from treadle.graph.build import convert
from treadle.graph.ops.comparison import equal
from treadle.graph.ops.logic import logical_and, logical_not

from ..iteration.stream import Loop
from ..iteration.streams import go_over, site_of
from ..values.inside import staged_in, table_in
from ..values.tables import Kept, Table, is_key, like, of_class
from ..values.truth import condition
from . import table_methods


def _held(*values: Any) -> bool:
    return any(table_in(v) is not None for v in values)


def _keys(x: Any) -> Any:
    table = table_in(x)
    return list(x) if table is None else table.keys


def _union(a: Any, b: Any) -> Table:
    table = Table.of(a)
    return table_methods.extended(table, _keys(b))


def _difference(a: Any, b: Any) -> Table:
    def step(key: Any, table: Table) -> Table:
        if not is_key(key):
            return table
        present, place = table.find(key)
        return table if present is False else table.without(present, place)

    items = _keys(b)
    loop = Loop(site_of(items, step), ["the items"])
    found: Table = go_over(items, step, [Table.of(a)], loop)[0]
    return found


def _intersection(a: Any, b: Any) -> Table:
    return _difference(a, _difference(a, b))


def _symmetric(a: Any, b: Any) -> Table:
    return _union(_difference(a, b), _difference(b, a))


def _is_within(a: Any, b: Any) -> Any:
    return _number(equal(convert(_difference(a, b).size()), 0))


def _number(truth: Any) -> Any:
    return weak.mark(truth) if isinstance(truth, Value) else truth


def _equal(a: Any, b: Any) -> Any:
    sizes = equal(convert(Table.of(a).size()), convert(Table.of(b).size()))
    return _number(logical_and(sizes, condition(_is_within(a, b))))


def _is_less(a: Any, b: Any) -> Any:
    return _number(logical_and(condition(_is_within(a, b)), ~condition(_equal(a, b))))


def _sets(name: str, a: Any, b: Any) -> bool:
    """True for two sets that the graph can hold; refused where it can't."""
    if not isinstance(b, (set, frozenset)) and table_in(b) is None:
        return False
    if like(a) is None or like(b) is None:
        raise table_methods.refusal(name)
    return True


def _binary(sign: str, name: str, act: Callable[[Any, Any], Table]) -> None:
    plain = getattr(set, f"__{name}__")

    def both(self: Kept, other: Any) -> Any:
        if not _held(self, other):
            found = plain(self, other)
            return found if found is NotImplemented else Kept(found)
        if not _sets(sign, self, other):
            return NotImplemented
        return of_class(self, act(self, other))

    def reflected(self: Kept, other: Any) -> Any:
        if not isinstance(other, (set, frozenset)):
            return NotImplemented
        return both(Kept(other), self)

    def in_place(self: Kept, other: Any) -> Any:
        if not _held(self, other):
            return getattr(set, f"__i{name}__")(self, other)
        if not _sets(f"{sign}=", self, other):
            return NotImplemented
        table_methods.put(self, act(self, other))
        return self

    for prefix, function in (("", both), ("r", reflected), ("i", in_place)):
        setattr(Kept, f"__{prefix}{name}__", function)


def _comparison(name: str, act: Callable[[Any, Any], Any]) -> None:
    plain = getattr(set, f"__{name}__")

    def compare(self: Kept, other: Any) -> Any:
        if not _held(self, other):
            return plain(self, other)
        if not isinstance(other, (set, frozenset)):
            return NotImplemented
        _sets(name, self, other)
        return act(self, other)

    setattr(Kept, f"__{name}__", compare)


def _not_equal(a: Any, b: Any) -> Any:
    return _number(logical_not(condition(_equal(a, b))))


_ALGEBRA = {
    "union": ("|", "or", _union),
    "intersection": ("&", "and", _intersection),
    "difference": ("-", "sub", _difference),
    "symmetric_difference": ("^", "xor", _symmetric),
}
for _sign, _name, _act in _ALGEBRA.values():
    _binary(_sign, _name, _act)
for _name, _compare in (
    *(("le", _is_within), ("lt", _is_less), ("eq", _equal), ("ne", _not_equal)),
    *(("ge", lambda a, b: _is_within(b, a)), ("gt", lambda a, b: _is_less(b, a))),
):
    _comparison(_name, _compare)


def _method(name: str) -> Callable[..., Any]:
    operation = getattr(operator, f"__{_ALGEBRA[name][1]}__")

    def method(owner: Any, *others: Any) -> Any:
        for other in others:
            owner = operation(owner, _as_kept(other))
        return owner

    return method


def _as_kept(x: Any) -> Any:
    if isinstance(x, set):
        return x
    return Kept(x) if staged_in(x) is None else table_methods.made(Kept(), x)


ALGEBRA: dict[str, Callable[..., Any]] = {
    **{name: _method(name) for name in _ALGEBRA},
    "issubset": lambda a, b: a <= _as_kept(b),
    "issuperset": lambda a, b: a >= _as_kept(b),
    "isdisjoint": lambda a, b: (a & _as_kept(b)) == set(),
}
