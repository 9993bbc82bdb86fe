"""Where the body of a `try` may raise in a run: which exception, and the state at that point.

Note is taken while the body is traced: the run then keeps, in slots, the number of the last such
point that it came to and the tensors that a handler may read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field
from types import CellType
from typing import Any

import numpy as np

from treadle.graph import Value
from treadle.graph.build import GraphBuilder, convert, current
from treadle.graph.dtypes import int32
from treadle.graph.op import Attrs, Op
from treadle.graph.ops.raising import CAUGHT, RAISE, Recipe
from treadle.graph.spec import DataSpec, ResourceSpec, TensorSpec
from treadle.graph.symbolic_text import symbolic_text
from treadle.graph.trying import AGAIN, Region, errors_of, store
from treadle.graph.weak import is_python, mark

from . import journal
from .choice import Choice
from .conditionals import Getter, Setter
from .contents import Contents, contents_of, key_of, put_all
from .managers import Managed
from .rebuilt import Shape, is_plain_object
from .staged_list import StagedList
from .state import Nested, Plan, Same, Slot, holds_tensor, parts_of
from .undefined import unused

SCALAR = TensorSpec((), int32)
_DEEPEST = 20  # level of objects in objects
_EXACT = 8  # forms of the state that are told apart by the tensors in it
BEYOND = 0  # stands for all points behind the body


@dataclass(frozen=True, slots=True)
class Kept:
    """A tensor in a slot; `number`: it stands for a Python number."""

    slot: Value
    number: bool = False
    held: bool = False  # the slot is of an exception, which is taken from there

    def load(self, region: Region) -> Value:
        if self.held:
            return self.slot
        value = region.load(self.slot)
        if self.number:
            mark(value)
        return value


@dataclass(slots=True, eq=False)
class Point:
    """A place that may raise. `recipe` makes its exception of the tensors in the slots `tensors`;
    without one it is of one of the classes `kinds`.
    """

    number: int
    version: Version
    recipe: Recipe | None
    kinds: tuple[type[BaseException], ...]
    tensors: list[Kept] = field(default_factory=list)

    @property
    def key(self) -> Any:
        """The same for points whose exceptions are equal."""
        made = self.recipe
        return self.number if made is None or made.tensors else (made.error_type, made.text)

    def error(self, region: Region, slot: Value) -> BaseException:
        """The exception as a handler gets it while it is traced."""
        assert self.recipe is not None
        with symbolic_text():
            made = self.recipe.build([kept.load(region) for kept in self.tensors])
        made.__dict__[CAUGHT] = slot
        return made


@dataclass(slots=True, eq=False)
class Version:
    """A form of the state, with slots for its tensors."""

    number: int
    form: Any
    plans: dict[str, Plan]
    objects: list[tuple[Any, Contents]]  # that were changed, with a plan in place of each value
    slots: list[Value]
    values: list[Value] | None  # what is in them, if it is the same each time

    def restore(self, region: Region, made: Container[Any], set_state: Setter) -> None:
        """Let names and objects hold what they held at the point.

        Of objects that the body has `made`, by their keys, there are others then.
        """
        # What is computed anew has a gradient, and costs nothing where nothing is raised.
        values = region.again(self.values) if self.values is not None else None
        values = values or [region.load(slot) for slot in self.slots]
        others = {id(o): _blank(o) for o, _ in self.objects if key_of(o) in made}

        def build(plan: Plan) -> Any:
            if isinstance(plan, Same):
                return others.get(id(plan.value), plan.value)
            if isinstance(plan, Nested):
                return plan.make([build(p) for p in plan.items])
            return plan.build(values)

        for owner, held in self.objects:
            attributes = {name: build(plan) for name, plan in held.attributes.items()}
            contents = Contents(attributes, held.items and build(held.items))
            if id(owner) not in others:
                journal.touch(owner)
            put_all(others.get(id(owner), owner), contents)
        set_state({name: build(plan) for name, plan in self.plans.items()})


def _blank(owner: Any) -> Any:
    """An object of the same class that holds nothing."""
    kind = type(owner)
    if kind is CellType:
        return CellType()
    if isinstance(owner, (np.ndarray, StagedList)):
        return owner.copy()
    base = next(c for c in (list, dict, set, deque, bytearray, object) if issubclass(kind, c))
    try:
        return base.__new__(kind)
    except TypeError:
        return owner  # of a class that is none of Python's own


class Points:
    """Is told of each node of a region that may raise."""

    def __init__(
        self,
        builder: GraphBuilder,
        get_state: Getter,
        manager: Managed | None,
        scope: journal.Scope,
    ) -> None:
        self.get_state = get_state
        self.manager = manager
        self.scope = scope
        self.outer: Callable[[GraphBuilder, Op, Attrs], None] | None = builder.watched_by()
        self.region = Region(builder, self)
        self.points: list[Point] = []
        self.versions: list[Version] = []
        self.in_body = True
        self.goes_beyond = False  # some point lies behind the body
        self.which: Value | None = None  # the slot for the version's number
        self.site: Value | None = None  # the slot for the point's number
        self._busy = False

    def __call__(self, builder: GraphBuilder, op: Op, attrs: Attrs) -> None:
        if self._busy or (op.structured and op.name != "call"):
            return
        if op is AGAIN and attrs["known"] is None:
            return  # the state is that of the point that has raised
        if self.outer is not None:
            self.outer(builder, op, attrs)
        self._busy = True
        try:
            if self.in_body:
                self._note(builder, op, attrs)
            elif self.points:
                self.go_beyond()
        finally:
            self._busy = False

    def go_beyond(self) -> None:
        """Take note that what comes next is none of the body."""
        self.goes_beyond = True
        assert self.site is not None
        self._number(self.site, BEYOND)

    def _number(self, slot: Value, number: int) -> None:
        constant: Any = current().constant(np.array(number, np.int32))
        store(slot, constant)

    def _note(self, builder: GraphBuilder, op: Op, attrs: Attrs) -> None:
        if self.which is None or self.site is None:
            self.which, self.site = self.region.slot(SCALAR), self.region.slot(SCALAR)
        version = self._version(builder)
        known = attrs["make"] if op is RAISE else attrs["known"] if op is AGAIN else None
        recipe = known if isinstance(known, Recipe) else None
        kinds = () if recipe else (known,) if known else errors_of(op, attrs)
        point = Point(len(self.points) + 1, version, recipe, kinds)
        self.points.append(point)
        for tensor in recipe.tensors if recipe is not None else ():
            made = tensor if isinstance(tensor, Value) else convert(tensor)
            assert isinstance(made, Value)
            if isinstance(made.spec, ResourceSpec):
                point.tensors.append(Kept(made, held=True))
                continue
            point.tensors.append(Kept(self.region.slot(made.spec), is_python(made)))
            store(point.tensors[-1].slot, made)
        self._number(self.which, version.number)
        self._number(self.site, point.number)

    def _version(self, builder: GraphBuilder) -> Version:
        """The state as it is now, in slots."""
        planner = _Planner(self.region, builder, set(self.scope.entries))
        plans = {n: planner.plan(v) for n, v in self.get_state().items()}
        entries = [
            entry
            for key, entry in self.scope.entries.items()
            if key not in self.scope.ignored and not isinstance(entry.owner, BaseException)
        ]
        found = [(entry.owner, contents_of(entry.owner)) for entry in entries]
        found += [] if self.manager is None else self.manager.contents()
        objects = [(owner, planner.contents(held)) for owner, held in found if held is not None]
        inside = [(id(o), sorted(h.attributes.items()), h.items) for o, h in objects]
        values = planner.values
        exact = len(self.versions) < _EXACT
        alike = values if exact else [v.spec for v in values]
        form = repr(_form([*plans.values(), inside])), list(map(id, alike)) if exact else alike
        version = next((v for v in self.versions if v.form == form), None)
        if version is None:
            slots = [self.region.slot(v.spec) for v in values]
            number = len(self.versions)
            version = Version(number, form, plans, objects, slots, values if exact else None)
            self.versions.append(version)
            held = [p for _, h in objects for p in (*h.attributes.values(), h.items)]
            kept = [p for plan in (*plans.values(), *held) for p in _kept(plan)]
            self.scope.noted += [owner for owner, _ in objects] + kept
        for slot, value in zip(version.slots, values, strict=True):
            store(slot, value)
        return version


class _Planner:
    """Says how to put values together again from those that the region has made."""

    def __init__(self, region: Region, builder: GraphBuilder, tracked: set[Any]) -> None:
        self.region = region
        self.builder = builder
        self.tracked = tracked  # the keys of objects whose contents are restored by themselves
        self.values: list[Value] = []

    def plan(self, value: Any, depth: int = 0) -> Plan:
        if isinstance(value, Value):
            return self._of_tensor(value)
        if key_of(value) in self.tracked or depth > _DEEPEST:
            return Same(value)
        if type(value) is Choice:
            return self._of_parts(value, [value.tl_index, *value.tl_options], value.tl_again, depth)
        if is_plain_object(value):
            return self._of_object(value, depth)
        if not holds_tensor(value):
            return Same(value)
        parts = parts_of(value)
        if parts is None:
            return Same(value)
        return self._of_parts(value, parts[0], parts[1], depth)

    def _of_parts(self, value: Any, parts: Sequence[Any], make: Any, depth: int) -> Plan:
        items = [self.plan(v, depth + 1) for v in parts]
        if all(isinstance(p, Same) and p.value is v for p, v in zip(items, parts, strict=True)):
            return Same(value)
        return Nested(items, make)

    def _of_object(self, value: Any, depth: int) -> Plan:
        shape, held = Shape.of(value), contents_of(value)
        assert held is not None
        parts = [held.attributes[name] for name in shape.names]
        return self._of_parts(value, parts, shape.make, depth)

    def contents(self, held: Contents) -> Contents:
        attributes = {name: self.plan(value) for name, value in held.attributes.items()}
        return Contents(attributes, held.items if held.items is None else self.plan(held.items))

    def _of_tensor(self, value: Value) -> Plan:
        if not self.region.made(value) or isinstance(value.spec, (ResourceSpec, DataSpec)):
            return Same(value)
        if not (value.owner is self.builder or self.builder.lies_in(value.owner)):
            return Same(unused)
        self.values.append(value)
        return Slot(len(self.values) - 1, is_python(value))


def _kept(plan: Any) -> Iterator[Any]:
    """What a plan refers to."""
    if isinstance(plan, Same):
        yield plan.value
    elif isinstance(plan, Nested):
        for item in plan.items:
            yield from _kept(item)


def _form(x: Any) -> Any:
    """What two values have in common that are restored alike but for their tensors."""
    if isinstance(x, Slot):
        return x.index, x.number
    if isinstance(x, Nested):
        return [_form(p) for p in x.items]
    if isinstance(x, (list, tuple)):
        return [_form(p) for p in x]
    value = x.value if isinstance(x, Same) else x
    if isinstance(value, (bool, int, float, complex, str, bytes, type(None))):
        return type(value).__name__, value
    return id(value)


def groups_of(points: Sequence[Point]) -> list[tuple[type[BaseException] | None, list[Point]]]:
    """Points whose exceptions are caught alike: those that are known, then those of one class."""
    known: dict[Any, list[Point]] = {}
    others: dict[type[BaseException], list[Point]] = {}
    for point in points:
        if point.recipe is not None:
            known.setdefault(point.key, []).append(point)
        for kind in point.kinds:
            others.setdefault(kind, []).append(point)
    ordered = sorted(others, key=lambda kind: -len(kind.__mro__))
    return [*((None, p) for p in known.values()), *((k, others[k]) for k in ordered)]
