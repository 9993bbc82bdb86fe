"""Functions of `dataclasses` on objects that a tensor chose, or that hold such."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from treadle.graph.build import is_tracing

from ..control.choice import Choice
from ..values.inside import staged_in, table_in
from ..values.optional import settled
from .choosing import select


def _of_one_class(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of an object and its class; of several classes, on paths of their own."""

    def act(x: Any, *args: Any, **named: Any) -> Any:
        x = settled(x)
        if type(x) is not Choice:
            return function(x, type(x), *args, **named)
        kinds = set(map(type, x.tl_options))
        if len(kinds) > 1:
            return select(x, lambda o: function(o, type(o), *args, **named))
        return function(x, kinds.pop(), *args, **named)

    return act


def _is_record(cls: type) -> bool:
    return hasattr(cls, "__dataclass_fields__")


@_of_one_class
def _copied(x: Any, cls: type, gather: Callable[[Sequence[Any]], Any]) -> Any:
    """A copy of `x` in which `gather` has made what records become, of pairs."""
    if _is_record(cls):
        names = [f.name for f in dataclasses.fields(cls)]
        return gather([(name, _copied(getattr(x, name), gather)) for name in names])
    if type(x) is Choice:
        return x if x.tl_is_plain else select(x, lambda o: _copied(o, gather))
    if staged_in(x) is None and table_in(x) is None:
        if isinstance(x, (list, tuple)):
            items = [_copied(v, gather) for v in x]
            return cls(*items) if hasattr(cls, "_fields") else cls(items)
        if cls is dict:
            return {_copied(k, gather): _copied(v, gather) for k, v in x.items()}
    return copy.deepcopy(x)


@_of_one_class
def _as_dict(x: Any, cls: type, *, dict_factory: Any = dict) -> Any:
    if not _is_record(cls):
        return dataclasses.asdict(x)  # which refuses it
    return _copied(x, dict_factory)


@_of_one_class
def _as_tuple(x: Any, cls: type, *, tuple_factory: Any = tuple) -> Any:
    if not _is_record(cls):
        return dataclasses.astuple(x)
    return _copied(x, lambda pairs: tuple_factory([v for _, v in pairs]))


@_of_one_class
def _replace(x: Any, cls: type, /, **changes: Any) -> Any:
    if type(x) is not Choice or not _is_record(cls):
        return dataclasses.replace(x, **changes)
    kept = [f.name for f in dataclasses.fields(cls) if f.init and f.name not in changes]
    return dataclasses.replace(x.tl_options[0], **changes, **{n: getattr(x, n) for n in kept})


@_of_one_class
def _fields(x: Any, cls: type) -> Any:
    return dataclasses.fields(cls if type(x) is Choice else x)


@_of_one_class
def _is_dataclass(x: Any, cls: type) -> bool:
    return _is_record(cls) if type(x) is Choice else dataclasses.is_dataclass(x)


def _in_trace(original: Any, own: Any) -> Any:
    def called(*args: Any, **named: Any) -> Any:
        return (own if is_tracing() and args else original)(*args, **named)

    return called


RECORDS: dict[Any, Any] = {
    original: _in_trace(original, own)
    for original, own in (
        (dataclasses.asdict, _as_dict),
        (dataclasses.astuple, _as_tuple),
        (dataclasses.replace, _replace),
        (dataclasses.fields, _fields),
        (dataclasses.is_dataclass, _is_dataclass),
    )
}
