"""The state where the body of a `try` may raise: what names and objects hold, in slots.

Objects that the body has made may be changed behind that point. So a handler gets others, which
hold what these held then; names that stood for one object stand for one again.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from types import CellType
from typing import Any, TypeGuard

import numpy as np

from treadle.graph import Value
from treadle.graph.build import GraphBuilder
from treadle.graph.spec import DataSpec, ResourceSpec
from treadle.graph.trying import Region
from treadle.graph.weak import is_python

from ..changes import journal
from ..changes.contents import Contents, contents_of, key_of, put_all
from ..changes.rebuilt import is_mutable, note_made
from ..values.snapshots import as_noted, variables_in
from ..values.staged_list import StagedList
from ..values.state import Nested, Plan, Same, Slot, parts_of
from ..values.tables import Table
from ..values.undefined import unused
from .choice import Choice
from .conditionals import Setter

_ATOMS = (type(None), bool, int, float, complex, str, bytes)


@dataclass(frozen=True, slots=True)
class Holding:
    """What an object held at the point, with a plan in place of each value.

    `is_new`: the body has made it. `is_changed`: the body has told the journal of it.
    """

    owner: Any
    held: Contents
    is_new: bool
    is_changed: bool

    def plans(self) -> Iterator[Plan]:
        yield from self.held.attributes.values()
        if self.held.items is not None:
            yield self.held.items


@dataclass(slots=True, eq=False)
class Version:
    """A form of the state, with slots for its tensors."""

    number: int
    form: Any
    plans: dict[str, Plan]
    objects: list[Holding]
    slots: list[Value]
    values: list[Value] | None  # what is in them, if it is the same each time

    def restore(self, region: Region, made: Container[Any], set_state: Setter) -> None:
        """Let names and objects hold what they held at the point.

        There are others then of the objects that the body has made, among them those of the keys
        `made`.
        """
        # What is computed anew has a gradient, and costs nothing where nothing is raised.
        values = region.again(self.values) if self.values is not None else None
        values = values or [region.load(slot) for slot in self.slots]
        new = [k.owner for k in self.objects if k.is_new or key_of(k.owner) in made]
        others = {id(owner): _blank(owner) for owner in new}

        for kept in self.objects:
            owner, held = others.get(id(kept.owner), kept.owner), kept.held
            if owner is kept.owner and not kept.is_changed:
                continue  # as it was before the body
            attributes = {
                name: _built(plan, values, others) for name, plan in held.attributes.items()
            }
            if owner is kept.owner:
                journal.touch(owner)
            put_all(owner, Contents(attributes, held.items and _built(held.items, values, others)))
        set_state({name: _built(plan, values, others) for name, plan in self.plans.items()})

    def references(self) -> Iterator[Any]:
        """What it refers to, one by one."""
        yield from (kept.owner for kept in self.objects)
        held = [plan for kept in self.objects for plan in kept.plans()]
        for plan in (*self.plans.values(), *held):
            yield from _values_of(plan)


def _built(plan: Plan, values: Sequence[Value], others: dict[int, Any]) -> Any:
    """What `plan` says, with the objects `others` in the places of those of these ids."""
    if isinstance(plan, Same):
        return others.get(id(plan.value), plan.value)
    if isinstance(plan, Nested):
        return plan.make([_built(p, values, others) for p in plan.items])
    return plan.build(values)


def _blank(owner: Any) -> Any:
    """An object of the same class that holds nothing."""
    kind = type(owner)
    if kind is CellType:
        return CellType()
    if isinstance(owner, deque):
        return deque(maxlen=owner.maxlen)
    if isinstance(owner, (np.ndarray, StagedList)):
        return owner.copy()
    if isinstance(owner, defaultdict):
        return kind(owner.default_factory)
    base = next(c for c in (list, dict, set, bytearray, object) if issubclass(kind, c))
    try:
        made = base.__new__(kind)
    except TypeError:
        return owner  # of a class that is none of Python's own
    if base is object:
        note_made(made)
    return made


class Planner:
    """Says how to put the state together again, with slots for the tensors that a region has made.

    `told` are the objects that the body has told the journal of, with what they hold; `ages` says
    of objects by their ids if the body has made them.
    """

    def __init__(
        self,
        region: Region,
        builder: GraphBuilder,
        scope: journal.Scope,
        told: Sequence[tuple[Any, Contents | None]],
        ages: dict[int, tuple[Any, bool]],
    ) -> None:
        self.region = region
        self.builder = builder
        self.scope = scope
        self.ages = ages
        self.values: list[Value] = []
        self._told = told
        self._known = {id(owner) for owner, _ in told}
        self._found: list[Any] = []  # further objects, that the state leads to

    def objects(self) -> list[Holding]:
        """What those hold that the body has told of, or made, as far as the plans lead to them."""
        kept = [
            Holding(owner, self._contents(held), self._is_new(owner), True)
            for owner, held in self._told
            if held is not None
        ]
        while self._found:
            found, self._found = self._found, []
            self._find_ages([o for o in found if id(o) not in self.ages])
            for owner in found:
                # If the collector does not know it, it turns out behind the body who made it.
                if self._is_new(owner) or not journal.has_birth(owner):
                    held = contents_of(owner)
                    assert held is not None
                    kept.append(Holding(owner, self._contents(held), self._is_new(owner), False))
        return kept

    def _is_new(self, owner: Any) -> bool:
        return self.ages.get(id(owner), (None, False))[1]

    def _find_ages(self, owners: Sequence[Any]) -> None:
        owners = [o for o in owners if journal.has_birth(o)]
        young = self.scope.made_among(owners)
        self.ages.update({id(o): (o, id(o) in young) for o in owners})
        self.scope.noted += owners

    def plan(self, value: Any) -> Plan:
        if isinstance(value, Value):
            return self._of_tensor(value)
        if isinstance(value, _ATOMS):
            return Same(value)
        if type(value) is Choice:
            return self._of_parts(value, [value.tl_index, *value.tl_options], value.tl_again)
        if is_mutable(value):
            if id(value) not in self._known:
                self._known.add(id(value))
                self._found.append(value)
            return Same(value)
        parts = parts_of(value)
        return Same(value) if parts is None else self._of_parts(value, parts[0], parts[1])

    def _of_parts(self, value: Any, parts: Sequence[Any], make: Callable[..., Any]) -> Plan:
        items = [self.plan(v) for v in parts]
        same = all(_is_constant(p) and p.value is v for p, v in zip(items, parts, strict=True))
        return Same(value) if same else Nested(items, make)

    def _of_tensor(self, value: Value) -> Plan:
        if not self.region.made(value) or isinstance(value.spec, (ResourceSpec, DataSpec)):
            return Same(value)
        if not self.region.reaches(value, self.builder):
            return Same(unused)
        self.values.append(value)
        slot = Slot(len(self.values) - 1, is_python(value))
        return as_noted(slot, variables_in(value))

    def _contents(self, held: Contents) -> Contents:
        attributes = {name: self.plan(value) for name, value in held.attributes.items()}
        items = held.items
        if isinstance(items, (list, frozenset)):
            items = Nested([self.plan(v) for v in items], type(items))
        elif isinstance(items, dict):
            items = Nested([self.plan(v) for v in (*items, *items.values())], _dict)
        elif isinstance(items, (StagedList, Table)):
            items = self._of_parts(items, *items.__tl_flatten__())
        elif items is not None:
            items = Same(items)
        return Contents(attributes, items)


def _dict(parts: Sequence[Any]) -> dict[Any, Any]:
    """Of its keys, then its values."""
    half = len(parts) // 2
    return dict(zip(parts[:half], parts[half:], strict=True))


def _is_constant(plan: Plan) -> TypeGuard[Same]:
    return isinstance(plan, Same) and not is_mutable(plan.value)


def _values_of(plan: Any) -> Iterator[Any]:
    """What a plan refers to."""
    if isinstance(plan, Same):
        yield plan.value
    elif isinstance(plan, Nested):
        for item in plan.items:
            yield from _values_of(item)


def form_of(x: Any) -> Any:
    """What two values have in common that are restored alike but for their tensors."""
    if isinstance(x, Slot):
        return x.index, x.number
    if isinstance(x, Nested):
        return [form_of(p) for p in x.items]
    if isinstance(x, (list, tuple)):
        return [form_of(p) for p in x]
    value = x.value if isinstance(x, Same) else x
    return repr(value) if isinstance(value, _ATOMS) else id(value)


__all__ = ["Planner", "Version", "form_of"]
