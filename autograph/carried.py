"""The state of a loop over tensors: what is carried from one iteration to the next.

Each value before the loop is flattened into slots for tensors and a plan; what the body gives must
fit. One `Carried` is one attempt to trace the body.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

from treadle.graph import Tensor, Value
from treadle.graph.build import convert
from treadle.graph.control import Branch, fits, new_branch
from treadle.graph.dtypes import DType
from treadle.graph.errors import LoopDtypeError, LoopShapeError
from treadle.graph.node import Graph
from treadle.graph.spec import Spec

from .filling import filler
from .place import LoopSite
from .state import (
    NUMBERS,
    Nested,
    Plan,
    Same,
    Slot,
    accepts,
    default_dtype,
    describe_value,
    is_number,
    is_tensor,
    parts_of,
    same_object,
)
from .undefined import Undefined, Unused, error_of

Path = tuple[int, ...]  # of a value: the place in the state, then in containers


class How(Enum):
    """How a value that is no tensor goes through the loop, where the usual way won't do."""

    PYTHON = 0  # as it is; the body does not change it
    TENSOR = 1


Choice = How | DType
Choices = dict[Path, Choice]


class RetryError(Exception):
    """The body must be traced again with other choices."""

    def __init__(self, path: Path, choice: Choice) -> None:
        super().__init__()
        self.path = path
        self.choice = choice


class LoopBranch(Branch):
    """A branch whose arguments need not come before its captures."""

    @staticmethod
    def new(specs: Sequence[Spec], names: Sequence[str], name: str) -> LoopBranch:
        made = new_branch(specs, names, name)
        return LoopBranch(made.builder, made.inputs)

    def add_input(self, spec: Spec, name: str) -> Value:
        value = self.builder.add_input(spec, name)
        self.inputs.append(value)
        return value

    def finish(self, outputs: Sequence[Any], captures: Sequence[Value] = ()) -> Graph:
        order = [self.builder.resolve(v) for v in captures]
        graph = self.builder.finish(outputs)
        inputs = (*self.inputs, *order)
        return Graph(graph.name, inputs, graph.nodes, graph.outputs, len(order))

    def uses(self, value: Value) -> bool:
        return any(value is v for node in self.builder.nodes for v in node.inputs)


class Carried:
    """One attempt: `initial` tensors, the branches with an argument for each, `outputs`.

    `internal` are tensors of the loop's own (a counter), which come first.
    """

    def __init__(
        self,
        site: LoopSite,
        labels: Sequence[str],
        values: Sequence[Any],
        choices: Choices,
        internal: Sequence[tuple[str, Tensor]],
        surely: bool,
    ) -> None:
        self.site = site
        self.labels = labels
        self.values = values
        self.choices = choices
        self.surely = surely
        self.internal = len(internal)
        self.names = [name for name, _ in internal]
        self.initial = [tensor for _, tensor in internal]
        self._before: list[Any] = [None] * len(internal)  # what each slot was made from
        self.plans = [self._enter(v, (i,)) for i, v in enumerate(values)]
        specs = [t.spec for t in self.initial]
        self.body = LoopBranch.new(specs, self.names, "body")
        self.test = LoopBranch.new(specs, self.names, "test")
        self.outputs: list[Tensor] = []
        self.results: list[Plan] = []
        self._constant: dict[int, Any] = {}  # slots whose number the body does not change

    def arguments(self, branch: LoopBranch) -> list[Any]:
        """The state as the body or test gets it."""
        given: list[Any] = list(branch.inputs)
        if branch is self.test:
            for index, value in self._constant.items():
                given[index] = value
        return [plan.build(given) for plan in self.plans]

    # --- before the loop -------------------------------------------------------

    def _enter(self, value: Any, path: Path) -> Plan:
        choice = self.choices.get(path)
        if choice is How.PYTHON or isinstance(value, (Undefined, Unused)):
            return Same(value)
        if choice is not None:
            return self._slot(value, path, choice if isinstance(choice, DType) else None)
        if is_tensor(value) and not hasattr(type(value), "__tl_tensor__"):
            return self._slot(value, path, None)
        if len(path) == 1 and isinstance(value, NUMBERS):
            return self._slot(value, path, default_dtype(value))
        parts = parts_of(value)
        if parts is None:
            return Same(value)
        return Nested([self._enter(v, (*path, i)) for i, v in enumerate(parts[0])], parts[1])

    def _slot(self, value: Any, path: Path, dtype: DType | None) -> Slot:
        self.initial.append(convert(value, dtype))
        self.names.append("_".join([self.labels[path[0]], *map(str, path[1:])]))
        self._before.append(value)
        return Slot(len(self.initial) - 1)

    # --- after one iteration ---------------------------------------------------

    def match(self, after: Sequence[Any]) -> None:
        """Find the body's outputs and how the results are put together, or why that can't be."""
        self.outputs = list(self.body.inputs)
        self.results = [
            self._match(plan, before, value, (i,))
            for i, (plan, before, value) in enumerate(
                zip(self.plans, self.values, after, strict=True)
            )
        ]
        self._late()

    def _match(self, plan: Plan, before: Any, after: Any, path: Path) -> Plan:
        name = self.labels[path[0]]
        if isinstance(after, Unused):
            return Same(before) if isinstance(plan, Same) else plan
        if isinstance(plan, Slot):
            return self._match_tensor(plan, before, after, path)
        if isinstance(plan, Nested):
            first, second = parts_of(before), parts_of(after)
            if first is None or second is None or first[2] != second[2]:
                raise self._changed_structure(before, after, name)
            items = [
                self._match(p, b, a, (*path, i))
                for i, (p, b, a) in enumerate(zip(plan.items, first[0], second[0], strict=True))
            ]
            return Nested(items, plan.make)
        if isinstance(before, (Undefined, Unused)):
            return self._first_set_inside(before, after, path)
        if same_object(before, after):
            return plan
        if is_number(before) or is_tensor(before):
            if is_tensor(after) and is_number(before) and accepts(_dtype(after), before):
                raise RetryError(path, _dtype(after))
            if is_tensor(after) or is_number(after):
                raise RetryError(path, How.TENSOR)
        raise self._changed_dtype(before, after, name)

    def _match_tensor(self, plan: Slot, before: Any, after: Any, path: Path) -> Plan:
        name, initial = self.labels[path[0]], self.initial[plan.index]
        if isinstance(after, Undefined):
            raise error_of(after)
        if is_number(after):
            if is_number(before) and same_object(before, after):
                self._constant[plan.index] = before
            elif not accepts(initial.dtype, after):
                raise self._changed_dtype(before, after, name)
        elif not is_tensor(after):
            raise self._changed_dtype(before, after, name)
        with self.body:
            tensor = convert(after, initial.dtype if is_number(after) else None)
        if tensor.dtype is not initial.dtype:
            if is_number(before) and accepts(tensor.dtype, before):
                raise RetryError(path, tensor.dtype)
            raise self._changed_dtype(before, after, name)
        if not fits(initial.spec, tensor.spec):
            raise self._changed_shape(initial, tensor, name)
        self.outputs[plan.index] = tensor
        if after is self.body.inputs[plan.index] and is_number(before):
            return Same(before)
        return Same(before) if plan.index in self._constant else plan

    def _first_set_inside(self, before: Undefined | Unused, after: Any, path: Path) -> Plan:
        """A name without a value before the loop."""
        if isinstance(after, Undefined):
            return Same(after)
        if isinstance(before, Undefined) and not self.surely:
            return Same(self._undefined_behind(before.name))
        if is_tensor(after):
            with self.body:
                tensor = convert(after)
            self.outputs.append(tensor)
            return Slot(len(self.outputs) - 1)
        parts = parts_of(after)
        if parts is None:
            return Same(after)
        items = [self._first_set_inside(before, v, (*path, i)) for i, v in enumerate(parts[0])]
        return Nested(items, parts[1])

    def _late(self) -> None:
        """Slots for values that the body sets first: nobody reads what they start with."""
        for tensor in self.outputs[len(self.initial) :]:
            self.initial.append(filler(tensor.spec))
            for branch in (self.body, self.test):
                branch.add_input(tensor.spec, "")

    def drop_constants(self) -> None:
        """Leave out the numbers that the body neither reads nor changes: flags, mostly."""
        unused = [i for i in self._constant if not self.body.uses(self.body.inputs[i])]
        kept = [i for i in range(len(self.initial)) if i not in unused]
        renumbered = {old: new for new, old in enumerate(kept)}
        self.initial = [self.initial[i] for i in kept]
        self.outputs = [self.outputs[i] for i in kept]
        for branch in (self.body, self.test):
            branch.inputs[:] = [branch.inputs[i] for i in kept]
        self.results = [_renumber(plan, renumbered) for plan in self.results]

    # --- refusals --------------------------------------------------------------

    def _undefined_behind(self, name: str) -> Undefined:
        return Undefined(
            name,
            f"'{name}' is used here but it is first set inside of the loop at {self.site.line}, "
            f"which may run zero times: '{name}' must be initialized before the loop",
        )

    def _changed_dtype(self, before: Any, after: Any, name: str) -> LoopDtypeError:
        cure = "use tl.cast, or start it with a value of that dtype"
        if before is None or after is None:
            cure = "give it a tensor before the loop"
        return LoopDtypeError(
            f"'{name}' is {describe_value(before)} before the loop{self.site.before(name)} but "
            f"{describe_value(after)} after one iteration{self.site.inside(name)}; a variable "
            f"keeps its dtype in a loop over tensors: {cure}"
        )

    def _changed_shape(self, before: Tensor, after: Tensor, name: str) -> LoopShapeError:
        return LoopShapeError(
            f"'{name}' is {describe_value(before)} before the loop{self.site.before(name)} but "
            f"{describe_value(after)} after one iteration{self.site.inside(name)}; a variable "
            "keeps its shape in a loop over tensors: collect values in a tl.TensorArray, or write "
            "into a tensor of the final size"
        )

    def _changed_structure(self, before: Any, after: Any, name: str) -> LoopShapeError:
        return LoopShapeError(
            f"'{name}' is {_structure(before)} before the loop{self.site.before(name)} but "
            f"{_structure(after)} after one iteration{self.site.inside(name)}; a variable keeps "
            "its structure in a loop over tensors: collect values in a tl.TensorArray"
        )


def _structure(value: Any) -> str:
    parts = parts_of(value)
    if parts is None:
        return describe_value(value)
    return f"a {type(value).__name__} of {len(parts[0])} items"


def _dtype(value: Any) -> DType:
    return convert(value).dtype


def _renumber(plan: Plan, numbers: dict[int, int]) -> Plan:
    if isinstance(plan, Slot):
        return Slot(numbers[plan.index])
    if isinstance(plan, Nested):
        return Nested([_renumber(p, numbers) for p in plan.items], plan.make)
    return plan
