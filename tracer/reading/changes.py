"""What the functions of a trace change of that which outlives the call, and on what condition."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from ...graph.nest import children
from ...runtime import Variable
from .access import Access
from .expressions import Expressions, attribute_named, is_key
from .facts import Scope, Site
from .frames import MOST_VALUES, Frame
from .known import CONTAINERS, SEQUENCES, TENSORS, Known, Made, plainly_indexed

Mark = tuple[Any, ...]  # an attribute, name or container that is changed
Sites = Mapping[Frame, Mapping[Any, tuple[Frame, Site]]]  # the calls of each function
_Condition = tuple[frozenset[Mark], bool]  # what is asked for, and whether a tensor may decide


@dataclass(eq=False, slots=True)
class Change:
    """A change of something that outlives the call."""

    site: Site
    function: FunctionType
    mark: Mark
    tested: frozenset[Mark]  # what the conditions on the way ask for: `if self.v is None`
    maybe: bool  # it is made under a condition that may be a tensor's
    keeps: bool  # what is assigned is a variable, or has variables
    keys: frozenset[Any] | None = None  # of the only items that are assigned, where known
    resizes: bool = True  # a container may have others, or another number of them


def is_first_time(change: Change, changes: Iterable[Change]) -> bool:
    """True for a change that is made only if something is not there yet, which then is."""
    return bool(change.tested) and any(c.mark in change.tested for c in changes)


class ItemsChanged:
    """Which items of containers change, and which containers get others."""

    def __init__(self, changes: Iterable[Change], written: Mapping[int, Collection[Any]]) -> None:
        """`written` are the keys of items that each run writes, by the ids of containers."""
        self._written = written
        self._changed: set[int] = set(written)
        self._resized: set[int] = set()
        self._all: set[int] = set()
        self._keys: dict[int, set[Any]] = {}
        for c in changes:
            if c.mark[0] != "items":
                continue
            owner = c.mark[1]
            self._changed.add(owner)
            if c.maybe and owner in written and c.keys is None and is_item(c.site.node):
                continue  # what a tensor decides, it is in `written`
            if c.resizes:
                self._resized.add(owner)
            if c.keys is None:
                self._all.add(owner)
            else:
                self._keys.setdefault(owner, set()).update(c.keys)

    def any_of(self, container: Any) -> bool:
        return id(container) in self._changed

    def resized(self, container: Any) -> bool:
        return id(container) in self._resized

    def changes(self, container: Any, key: Any) -> bool:
        owner = id(container)
        if owner in self._all:
            return True
        size = len(container) if isinstance(container, SEQUENCES) and isinstance(key, int) else 0
        same = {key, key - size} if size and key >= 0 else {key, key + size} if size else {key}
        return any(
            not same.isdisjoint(keys)
            for keys in (self._keys.get(owner, ()), self._written.get(owner, ()))
        )


class Changes:
    """Finds the changes that `frames` make."""

    def __init__(self, expressions: Expressions, frames: Sequence[Frame], sites: Sites) -> None:
        self._sites = sites
        self._of = expressions.of
        self._free = expressions.free
        self._all_is_known = expressions.all_is_known
        self._conditions: dict[tuple[int, int], _Condition] = {}
        made = [(f, site, mark, keeps) for f in frames for site, mark, keeps in self._made_by(f)]
        self.found: list[Change] = []
        if made:
            ways = self._ways(frames)
            for frame, site, mark, keeps in made:
                tested, maybe = ways[frame]
                here, unsure = self._condition(site, frame)
                change = Change(site, frame.function, mark, tested | here, maybe or unsure, keeps)
                self.found.append(change)
            marks = {c.mark for c in self.found}
            for change, (frame, *_) in zip(self.found, made, strict=True):
                if change.mark[0] == "items" and is_item(change.site.node):
                    self._of_items(change, frame, marks)

    # --- changes -------------------------------------------------------------

    def _made_by(self, frame: Frame) -> Iterator[tuple[Site, Mark, bool]]:
        facts = frame.facts
        for site in facts.assigned:
            keeps = any(_has_variables(k.value) for k in self._of(site.node, frame, site.scope))
            for mark in self._marks(site.node, frame, site.scope):
                yield site, mark, keeps
        for site in facts.changed:
            for known in self._of(site.node, frame, site.scope):
                if isinstance(known.value, CONTAINERS):
                    yield site, ("items", id(known.value)), False
        for site in facts.calls:
            yield from self._by_builtin(site, frame)

    def _by_builtin(self, site: Site, frame: Frame) -> Iterator[tuple[Site, Mark, bool]]:
        node, scope = site.node, site.scope
        if not isinstance(node.func, ast.Name) or node.func.id not in ("setattr", "next"):
            return
        called = self._of(node.func, frame, scope)
        function = called[0].value if called else None
        if function is setattr and len(node.args) == 3:
            target = attribute_named(node)
            for mark in self._marks(target, frame, scope) if target else ():
                yield Site(target, scope, node.lineno, site.inside), mark, False
        elif function is next and node.args:
            for k in self._of(node.args[0], frame, scope):
                # One that a graph advances at each call, over a dataset, is none of Python's.
                if hasattr(k.value, "__next__") and not hasattr(k.value, "__tl_iterate__"):
                    yield site, ("items", id(k.value)), False

    def _marks(self, target: ast.expr, frame: Frame, scope: Scope) -> list[Mark]:
        """What an assignment to `target` changes, of what outlives the call."""
        match target:
            case ast.Name(id=name):
                return [_mark(k.place) for k in self._free(frame, name) if k.place]
            case ast.Attribute(value=base, attr=attr):
                owners = self._of(base, frame, scope)
                return [("attribute", id(k.value), attr) for k in owners if _lasting(k.value)]
            case ast.Subscript(value=base):
                owners = self._of(base, frame, scope)
                return [("items", id(k.value)) for k in owners if _lasting(k.value)]
        return []

    def _of_items(self, change: Change, frame: Frame, changed: Collection[Mark]) -> None:
        """Which items of a container an assignment changes."""
        target, scope = change.site.node, change.site.scope
        index = target.slice
        if isinstance(index, ast.Slice):
            return
        owners = self._of(target.value, frame, scope)
        if all(isinstance(k.value, SEQUENCES) for k in owners):
            change.resizes = False
        if self._all_is_known(index, frame, scope):
            keys = self._of(index, frame, scope)
            if 0 < len(keys) < MOST_VALUES and all(_is_fixed(k, changed) for k in keys):
                change.keys, change.resizes = frozenset([k.value for k in keys]), False

    # --- conditions ----------------------------------------------------------

    def _ways(self, frames: Sequence[Frame]) -> dict[Frame, _Condition]:
        """What is asked for on every way to a function, and whether each may be a tensor's."""
        tested: dict[Frame, frozenset[Mark] | None] = {}
        sure: set[Frame] = set()
        for f in frames:
            free = f.is_root or f.unplaced or f not in self._sites
            tested[f] = frozenset() if free else None
            if f.is_root:
                sure.add(f)
        moved = True
        while moved:
            moved = False
            for f in frames:
                for caller, site in self._sites.get(f, {}).values():
                    asked, maybe = self._condition(site, caller)
                    if f not in sure and caller in sure and not maybe:
                        sure.add(f)
                        moved = True
                    before, way = tested[f], tested.get(caller)
                    if way is not None:
                        way = way | asked
                        now = way if before is None else before & way
                        moved = moved or now != before
                        tested[f] = now
        return {f: (tested[f] or frozenset(), f not in sure) for f in frames}

    def _condition(self, site: Site, frame: Frame) -> _Condition:
        """What the statements around a place ask for."""
        key = (id(frame), id(site))
        known = self._conditions.get(key)
        if known is None:
            known = self._conditions[key] = self._found_condition(site, frame)
        return known

    def _found_condition(self, site: Site, frame: Frame) -> _Condition:
        tested: set[Mark] = set()
        maybe = site.scope is not frame.facts.scope
        for node in site.inside:
            match node:
                case ast.If(test=test):
                    marks = self._first_time(test, frame, site.scope)
                    tested |= marks
                    maybe = maybe or not (marks or self._is_python(test, frame, site.scope))
                case ast.Call(func=ast.Attribute(value=x)):  # setdefault
                    tested |= {("items", id(k.value)) for k in self._of(x, frame, site.scope)}
                case ast.While(test=test) | ast.For(iter=test) | ast.Match(subject=test):
                    maybe = maybe or not self._is_python(test, frame, site.scope)
        return frozenset(tested), maybe

    def _first_time(self, test: ast.expr, frame: Frame, scope: Scope) -> set[Mark]:
        """What `test` asks whether it is there: `self.v is None`, `not self.built`..."""
        match test:
            case ast.Compare(left=x, ops=[ast.Is() | ast.Eq()], comparators=[ast.Constant()]):
                return set(self._marks(_place_asked(x), frame, scope))
            case ast.Compare(ops=[ast.NotIn()], comparators=[x]):
                return {("items", id(k.value)) for k in self._of(x, frame, scope)}
            case ast.UnaryOp(op=ast.Not(), operand=x):
                return set(self._marks(_place_asked(x), frame, scope))
            case ast.BoolOp(values=operands):
                found: set[Mark] = set()
                return found.union(*[self._first_time(x, frame, scope) for x in operands])
        return set()

    def _is_python(self, expr: ast.expr, frame: Frame, scope: Scope) -> bool:
        """True if nothing in an expression can be a tensor."""
        for node in ast.walk(expr):
            if isinstance(node, ast.Call):
                called = self._of(node.func, frame, scope)
                if not called or not all(_of_python(k.value) for k in called):
                    return False
            elif isinstance(node, ast.Name):
                found = self._of(node, frame, scope)
                if not found or any(_may_be_tensor(k.value) for k in found):
                    return False
        return True


def is_item(target: Any) -> bool:
    """True for `x[k]` that is assigned."""
    return isinstance(target, ast.Subscript) and isinstance(target.ctx, ast.Store)


def _is_fixed(key: Known, changed: Collection[Mark]) -> bool:
    """True for a key that is the same each time."""
    place = key.place
    named = place is None or place.kind in ("global", "cell")
    return is_key(key.value) and named and not (place and _mark(place) in changed)


def _mark(place: Access) -> Mark:
    return (place.kind, id(place.base), place.key)


def _lasting(x: Any) -> bool:
    return not isinstance(x, (Made, *TENSORS, Variable))


def _has_variables(x: Any) -> bool:
    if isinstance(x, Variable) or hasattr(type(x), "trainable_variables"):
        return True
    return any(isinstance(leaf, Variable) for leaf in (children(x) or ()))


def _place_asked(x: ast.expr) -> ast.expr:
    """`self.v` of `getattr(self, "v", None)` and `hasattr(self, "v")`."""
    if isinstance(x, ast.Call):
        return attribute_named(x) or x
    return x


def _of_python(x: Any) -> bool:
    return getattr(x, "__module__", None) == "builtins"


def _may_be_tensor(x: Any) -> bool:
    return isinstance(x, (*TENSORS, Variable, Made)) or not (
        x is None
        or isinstance(x, (int, float, str, bytes, type, range))
        or plainly_indexed(x)
        or _of_python(x)
        or callable(x)
    )


__all__ = ["Change", "Changes", "ItemsChanged", "Mark", "is_first_time", "is_item"]
