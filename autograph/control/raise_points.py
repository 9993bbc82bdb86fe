"""Where the body of a `try` may raise in a run: which exception, and the state at that point.

Note is taken while the body is traced: the run then keeps, in slots, the number of the last such
point that it came to and the tensors that a handler may read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from treadle.graph import Value
from treadle.graph.build import GraphBuilder, convert, current
from treadle.graph.dtypes import int32
from treadle.graph.op import Attrs, Op
from treadle.graph.ops.raising import CAUGHT, RAISE, Recipe, with_texts
from treadle.graph.spec import ResourceSpec, TensorSpec
from treadle.graph.symbolic_text import symbolic_text
from treadle.graph.trying import AGAIN, Region, errors_of, runs_python, store
from treadle.graph.weak import is_python, mark

from ..changes import journal
from ..changes.contents import contents_of
from .conditionals import Getter
from .managers import Managed
from .raise_states import Planner, Version, form_of

SCALAR = TensorSpec((), int32)
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
    builder: GraphBuilder  # of the graph that it is in
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
            built = self.recipe.build([kept.load(region) for kept in self.tensors])
        made: BaseException = with_texts(built)
        made.__dict__[CAUGHT] = slot
        return made


class Points:
    """Is told of each node of a region that may raise."""

    def __init__(
        self,
        builder: GraphBuilder,
        get_state: Getter,
        manager: Managed | None,
        scope: journal.Scope,
        catches: Callable[[], Any],
    ) -> None:
        self.get_state = get_state
        self.catches = catches
        self.manager = manager
        self.scope = scope
        self.outer: Callable[[GraphBuilder, Op, Attrs], None] | None = builder.watched_by()
        self.region = Region(builder, self)
        self.points: list[Point] = []
        self.count = 0  # of points, those of graphs that were dropped included
        self.versions: list[Version] = []
        self.ages: dict[int, tuple[Any, bool]] = {}  # by their ids: objects, if the body made them
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

    def end_body(self) -> None:
        """The body has ended: forget the points in loops that were traced once more."""
        self.in_body = False
        self.points = [p for p in self.points if self._is_kept(p.builder)]

    def _is_kept(self, builder: GraphBuilder) -> bool:
        """True if the graph that it built has become one of the region's."""
        inside: GraphBuilder | None = builder
        while inside is not None and inside is not self.region.builder:
            if not inside.closed:
                return False
            inside = inside.parent
        return True

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
        if not (recipe or known) and runs_python(op, attrs):
            kinds = tuple(dict.fromkeys([*kinds, *self._caught()]))
        self.count += 1
        point = Point(self.count, builder, version, recipe, kinds)
        self.points.append(point)
        for tensor in recipe.tensors if recipe is not None else ():
            made = tensor if isinstance(tensor, Value) else builder.resolve(convert(tensor))
            if isinstance(made.spec, ResourceSpec):
                point.tensors.append(Kept(made, held=True))
                continue
            point.tensors.append(Kept(self.region.slot(made.spec), is_python(made)))
            store(point.tensors[-1].slot, made)
        self._number(self.which, version.number)
        self._number(self.site, point.number)

    def _caught(self) -> list[type[BaseException]]:
        """The classes of the handlers: what Python code raises in a run may be any of them."""
        found: list[Any] = [self.catches()] if self.manager is None else self.manager.catches()
        for one in found:  # it grows
            found += one if isinstance(one, tuple) else ()
        return [c for c in found if isinstance(c, type) and issubclass(c, BaseException)]

    def _version(self, builder: GraphBuilder) -> Version:
        """The state as it is now, in slots."""
        entries = [
            entry
            for key, entry in self.scope.entries.items()
            if key not in self.scope.ignored and not isinstance(entry.owner, BaseException)
        ]
        told = [(entry.owner, contents_of(entry.owner)) for entry in entries]
        told += [] if self.manager is None else self.manager.contents()
        planner = Planner(self.region, builder, self.scope, told, self.ages)
        plans = {n: planner.plan(v) for n, v in self.get_state().items()}
        objects = planner.objects()
        inside = [(id(k.owner), sorted(k.held.attributes.items()), k.held.items) for k in objects]
        values = planner.values
        exact = len(self.versions) < _EXACT
        alike = values if exact else [v.spec for v in values]
        form = repr(form_of([*plans.values(), inside])), list(map(id, alike)) if exact else alike
        version = next((v for v in self.versions if v.form == form), None)
        if version is None:
            slots = [self.region.slot(v.spec) for v in values]
            number = len(self.versions)
            version = Version(number, form, plans, objects, slots, values if exact else None)
            self.versions.append(version)
            self.scope.noted += version.references()
        for slot, value in zip(version.slots, values, strict=True):
            store(slot, value)
        return version


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
