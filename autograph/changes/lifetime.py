"""Which objects were made inside of a piece of code: nothing from before it refers to them."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from types import CodeType, FrameType, FunctionType, GeneratorType, MethodType, ModuleType
from typing import Any

import numpy as np

from treadle.graph import Tensor
from treadle.graph.build import GraphBuilder
from treadle.graph.location import is_internal
from treadle.graph.node import Node

_LIMIT = 5_000  # objects that are looked at; beyond it the answer is "from before"
_OPAQUE = (Tensor, GraphBuilder, Node, ModuleType, CodeType, FrameType, type)


def born_inside(
    candidates: Sequence[Any], copies: Iterable[Any], results: Sequence[Sequence[Any]]
) -> set[int]:
    """The ids of those `candidates` that only `copies`, `results` and each other refer to.

    `copies` gives every reference that our own bookkeeping holds; `candidates` is one more.
    """
    counts = Counter(map(id, copies))
    counts.update(map(id, candidates))
    for values in results:
        counts.update(map(id, values))
    members = _closure(candidates, results)
    if members is None:
        return set()
    for key in members:
        counts.update(map(id, _referents(members[key])))
    known = [key for key in members if _references(members, key) > counts[key] + _SPARE]
    reached: set[int] = set()
    while known:
        key = known.pop()
        if key not in reached:
            reached.add(key)
            known += [id(r) for r in _referents(members[key]) if id(r) in members]
    return {id(c) for c in candidates if id(c) in members} - reached


def is_held(x: Any, objects: Iterable[Any]) -> bool:
    """True if an object, function or generator of the user's among `objects` leads to `x`."""
    todo = [o for o in objects if o is not x and _may_hold(o)]
    seen: set[int] = set()
    while todo:
        o = todo.pop()
        if id(o) in seen or issubclass(type(o), _OPAQUE) or _is_ours(o):
            continue
        seen.add(id(o))
        referents = _referents(o)
        if any(r is x for r in referents):
            return True
        todo += [r for r in referents if gc.is_tracked(r)]
    return False


def _may_hold(x: Any) -> bool:
    """True for what may hold something that no name leads to."""
    kind = type(x)
    if kind is GeneratorType:
        return not is_internal(x.gi_code.co_filename)
    if kind.__module__ == "builtins":
        return kind in (FunctionType, MethodType)
    return not (_is_ours(x) or issubclass(kind, _OPAQUE))


def _is_ours(x: Any) -> bool:
    return type(x).__module__.startswith("treadle.")


def _references(members: dict[int, Any], key: int) -> int:
    return sys.getrefcount(members[key])


_SPARE = _references({0: object()}, 0)  # the dict's reference, and what the count itself adds


def _closure(candidates: Sequence[Any], results: Sequence[Sequence[Any]]) -> dict[int, Any] | None:
    """The candidates, and what they and the results refer to; None if that is too much."""
    members = {id(c): c for c in candidates if not isinstance(c, _OPAQUE)}
    todo = [r for c in (*members.values(), *results) for r in _referents(c)]
    while todo:
        x = todo.pop()
        if id(x) in members or not gc.is_tracked(x) or isinstance(x, (*_OPAQUE, np.ndarray)):
            continue
        members[id(x)] = x
        if len(members) > _LIMIT:
            return None
        todo += _referents(x)
    return members


def _referents(x: Any) -> list[Any]:
    if isinstance(x, FunctionType):
        return [*(x.__closure__ or ()), *(x.__defaults__ or ())]
    return gc.get_referents(x)
