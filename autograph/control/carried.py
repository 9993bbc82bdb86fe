"""The state of a loop over tensors: what is carried from one iteration to the next.

Each value before the loop is flattened into slots for tensors and a plan; what the body gives must
fit. One `Carried` is one attempt to trace the body.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain
from typing import Any

from treadle.graph import Tensor, Value, weak
from treadle.graph.build import convert
from treadle.graph.control import Branch, fits, new_branch
from treadle.graph.dtypes import DType, float64
from treadle.graph.errors import ListItemError, LoopDtypeError, LoopShapeError
from treadle.graph.node import Graph
from treadle.graph.spec import Spec, TensorSpec

from ..changes.aliases import View, is_container, known_view, lost
from ..changes.contents import key_of
from ..changes.rebuilt import holds_foreign, home_of, lifted
from ..changes.sharing import at, is_shared
from ..values import given
from ..values.copies import Copies
from ..values.facts import known_truth
from ..values.filling import Filling, filler, is_pattern
from ..values.item_views import spoil_of
from ..values.optional import Maybe, Optional, Source
from ..values.place import LoopSite
from ..values.snapshots import as_noted, note_next, variables_in
from ..values.state import (
    Nested,
    Plan,
    Same,
    Slot,
    accepts,
    default_dtype,
    describe_value,
    is_arithmetic,
    is_number,
    is_tensor,
    of_python,
    parts_of,
    same_object,
)
from ..values.undefined import OnlyTruth, Undefined, Unused, error_of, without_truth
from .choice import Choice as OneOf
from .choice import choice_as_tensor, is_text
from .options import is_value, kind_of_value
from .relaxed import as_promoted, promoted, relaxed_spec
from .widening import Kind, kind_of, widening

Path = tuple[int, ...]  # of a value: the place in the state, then in containers


class How(Enum):
    """How a value that is no tensor goes through the loop, where the usual way won't do."""

    PYTHON = 0  # as it is; the body does not change it
    TENSOR = 1
    PARTS = 2  # a list or dict in a tuple, in place of which the body gives another one


@dataclass(frozen=True, slots=True, eq=False)
class Widened:
    """As one of `kind`; `like` is what the body gave, or None where that is not known."""

    kind: Kind
    like: Any
    rounds: int = 0  # how often that was widened before


@dataclass(frozen=True, slots=True, eq=False)
class Aliased:
    """A list of which the body chose one: the next iteration does not know which, and may not
    change it. Its place is the path with -1 before it.
    """

    view: View


# A spec: as a tensor of that dtype whose shape may vary as much. Undefined: not at all, which is
# an error where it is read.
# What is known of a list or dict that was put into another one has its place there, too.
# The variables that a tensor stands for in some iteration have its place with -2 before it.
Choice = How | DType | TensorSpec | Widened | Undefined | Aliased | given.Copied | tuple[Any, ...]
Choices = dict[Path, Choice]


_MOST_ROUNDS = 3


class RetryError(Exception):
    """The body must be traced again with more choices."""

    def __init__(self, path: Path, choice: Choice) -> None:
        super().__init__()
        self.choices = {path: choice}


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
        graph, order = self.close(outputs, captures)
        inputs = (*self.inputs, *order)
        return Graph(graph.name, inputs, graph.nodes, graph.outputs, len(order))

    def uses(self, value: Value, outputs: Sequence[Any]) -> bool:
        """True if a node reads `value`, or it is one of the `outputs`."""
        read = (v for node in self.builder.nodes for v in node.inputs)
        return any(value is v for v in chain(outputs, read))


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
        relaxed: bool = False,
        unread: range = range(0),
    ) -> None:
        """`unread`: values that names hold which may never be read; others surely are."""
        self.site = site
        self.unread = unread
        self.relaxed = relaxed
        self.shapes_vary = False  # a shape that changes is given up, where the loop asks for it
        self.labels = labels
        self.values = values
        self.choices = choices
        self.surely = surely
        self.home = home_of()
        self.internal = len(internal)
        self.names = [name for name, _ in internal]
        self.initial = [tensor for _, tensor in internal]
        self.specs: list[Spec] = [tensor.spec for _, tensor in internal]
        self._slots: dict[Path, int] = {}
        self._entered: dict[Path, Any] = {}  # values that were widened before the loop
        self.plans = [self._enter(v, (i,)) for i, v in enumerate(values)]
        self.body = LoopBranch.new(self.specs, self.names, "body")
        for path, index in self._slots.items():
            if found := self._variables(path):
                note_next(self.body.inputs[index], None, found, self.labels[path[0]])
        self.test = LoopBranch.new(self.specs, self.names, "test")
        self.outputs: list[Tensor] = []
        self.results: list[Plan] = []
        self._constant: dict[int, Any] = {}  # slots whose number the body does not change
        self._copies = Copies()
        self._changed: set[Any] = set()

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
        if isinstance(choice, Widened):
            value = choice.kind.widen(value, choice.like, self._source(path))
            if isinstance(value, Optional):
                value = value.filled(choice.like)
            elif type(value) is OneOf:
                value = value.tl_filled(choice.like)
            self._entered[path] = value
            choice = None
        if isinstance(choice, Undefined):
            self._entered[path] = choice
            return Same(choice)
        if choice is How.PYTHON or (
            isinstance(value, (Undefined, Unused)) and type(value) is not OnlyTruth
        ):
            return Same(value)
        if isinstance(value, Filling):
            spec = choice if isinstance(choice, TensorSpec) else value.spec
            return self._add(filler(spec), spec, path, value.number)
        if isinstance(choice, TensorSpec):
            number = weak.is_number(value) and choice.shape.rank == 0
            return self._add(as_promoted(value, choice.dtype), choice, path, number)
        if choice is not None and choice is not How.PARTS:
            return self._slot(value, path, choice if isinstance(choice, DType) else None)
        if is_tensor(value) and not hasattr(type(value), "__tl_tensor__"):
            return self._slot(value, path, None)
        if len(path) == 1 and is_arithmetic(value):
            return self._slot(value, path, default_dtype(value))
        spoil_of(value)
        parts = parts_of(value)
        if parts is None:
            return Same(value)
        shares = not isinstance(value, (list, dict, Optional, Maybe, OneOf))
        items = [
            Same(v) if shares and self._stays(v, (*path, i)) else self._enter(v, (*path, i))
            for i, v in enumerate(parts[0])
        ]
        if isinstance(value, (Optional, OneOf)) and isinstance(items[0], Same):
            items[0] = self._slot(parts[0][0], (*path, 0), None)
        return Nested(items, self._make(parts[1], path))

    def _variables(self, path: Path) -> tuple[Any, ...]:
        known = self.choices.get((-2, *path), ())
        assert isinstance(known, tuple)
        return known

    def _stays(self, value: Any, path: Path) -> bool:
        """True for a list or dict that may be the same in each iteration: others may know it."""
        return type(value) in (list, dict) and path not in self.choices and not is_pattern(value)

    def _make(self, make: Callable[[Sequence[Any]], Any], path: Path) -> Any:
        alias = self.choices.get((-1, *path))
        if isinstance(alias, given.Copied):
            return lambda new: given.as_copied(make(new), alias)
        return (lambda new: lost(make(new), alias.view)) if isinstance(alias, Aliased) else make

    def _slot(self, value: Any, path: Path, dtype: DType | None) -> Slot:
        tensor = value if dtype is None and isinstance(value, Tensor) else convert(value, dtype)
        return self._add(tensor, tensor.spec, path, of_python(value))

    def _add(self, initial: Tensor, spec: Spec, path: Path, number: bool = False) -> Slot:
        self.initial.append(initial)
        self.specs.append(spec)
        self.names.append("_".join([self.labels[path[0]], *map(str, path[1:])]))
        self._slots[path] = len(self.initial) - 1
        return Slot(len(self.initial) - 1, number)

    def _source(self, path: Path) -> Source:
        return Source(self.labels[path[0]], f"the loop at {self.site.line}", self.home, True)

    # --- after one iteration ---------------------------------------------------

    def match(self, after: Sequence[Any], copies: Copies, changed: set[Any]) -> None:
        """Find the body's outputs and how the results are put together, or why that can't be.

        In `after` there are `copies`; `changed` are the keys of objects that the body has changed.
        """
        self._copies, self._changed = copies, changed
        self.outputs = list(self.body.inputs)
        self.results = []
        again: RetryError | None = None
        for i, (plan, before, value) in enumerate(zip(self.plans, self.values, after, strict=True)):
            try:
                self.results.append(self._match(plan, before, value, (i,)))
            except RetryError as retry:
                again = again or retry
                again.choices |= retry.choices
            except (LoopDtypeError, LoopShapeError) as error:
                if i not in self.unread:
                    raise
                again = again or RetryError((i,), How.PYTHON)
                again.choices[i,] = Undefined(self.labels[i], str(error), type(error))
        if again is not None:
            try:
                raise again
            finally:
                del again  # a cycle would keep what the user's frames refer to
        self._late()

    def refuse_shared(self, paths: Sequence[Path]) -> None:
        """Refuse that the body changes lists that something else knows, at `paths`, where it then
        gives other ones: in the first iteration it is those that change, later it is not.
        """
        for path in paths:
            name, value = self.labels[path[0]], at(self.values[path[0]], path[1:])
            if self.choices.get(path) is How.PYTHON or not is_container(value):
                continue
            if is_shared(value, name):
                kind = type(value).__name__
                raise ListItemError(
                    f"the {kind} in '{name}' is changed in the loop at {self.site.line} and known "
                    f"by another name, too, and '{name}' then stands for another {kind}; which one "
                    f"changes depends on the iteration. Begin with a copy, {kind}(...)"
                )

    def _match(self, plan: Plan, before: Any, after: Any, path: Path) -> Plan:
        before = self._entered.get(path, before)
        if isinstance(after, Unused):
            return Same(before) if isinstance(plan, Same) or is_number(before) else plan
        view = known_view(after) if is_container(after) and after is not before else None
        if view is not None and (-1, *path) not in self.choices:
            raise RetryError((-1, *path), Aliased(view))
        self._note_copy(before, after, path)
        if type(before) is OnlyTruth:
            if type(after) is OnlyTruth and isinstance(plan, Nested):
                return self._match_parts(plan, before, after, path)
            raise RetryError(path, without_truth(before))
        after = without_truth(after)
        if isinstance(before, Unused) or (
            isinstance(before, Undefined) and not self._tags(before, after)
        ):
            return self._first_set_inside(before, after, path)
        self._refuse_stale(after, path)
        if isinstance(before, Undefined) and isinstance(after, Undefined):
            return Same(after)
        text = is_text(before) and isinstance(plan, Slot)
        if text:
            with self.body:
                after = choice_as_tensor(after)
        kind = None if text else widening(before, after, self.relaxed)
        if kind is not None:
            pattern = after
            with self.body:
                after = kind.widen(after, before, self._source(path))
            if kind.applies(before, after):
                last = self.choices.get(path)
                rounds = last.rounds + 1 if isinstance(last, Widened) else 0
                if rounds >= _MOST_ROUNDS and is_value(before):
                    raise self._growing(before, path)
                raise RetryError(path, Widened(kind, pattern, rounds))
        if isinstance(plan, Slot):
            return self._match_tensor(plan, before, after, path)
        if is_text(before) and not same_object(before, after) and _other_texts(before, after):
            raise RetryError(path, How.TENSOR)
        if isinstance(plan, Nested):
            return self._match_parts(plan, before, after, path)
        stays = len(path) > 1 and self._stays(before, path)
        if not (after is before if stays else same_object(before, after)):
            raise self._unlike(before, after, path)
        return plan

    def _note_copy(self, before: Any, after: Any, path: Path) -> None:
        """The state is to have a copy of `after`, which may also be in a list of the graph's."""
        original = self._copies.original(after)
        if original is before:
            return
        spoil_of(original)
        copied = given.copied(original) if is_container(original) else None
        if copied is not None and (-1, *path) not in self.choices:
            raise RetryError((-1, *path), copied)

    def _refuse_stale(self, after: Any, path: Path) -> None:
        """Refuse a list from before the loop that the loop also changes: in a later iteration the
        state would hold what it was.
        """
        given = self._copies.original(after)
        if given is not after and is_container(given) and key_of(given) in self._changed:
            name, kind = self.labels[path[0]], type(given).__name__
            raise ListItemError(
                f"'{name}' stands for a {kind} from before the loop at {self.site.line}, which the "
                f"loop changes, only after some iteration{self.site.inside(name)}. Let it stand "
                f"for a copy, {kind}(...), or keep its place"
            )

    def _unlike(self, before: Any, after: Any, path: Path) -> Exception:
        """What to do about values that are no tensors so far, and differ."""
        if len(path) > 1 and self._stays(before, path):
            return RetryError(path, How.PARTS)
        if is_number(before) or is_tensor(before):
            if is_tensor(after) and is_number(before):
                dtype = _dtype(after) if accepts(_dtype(after), before) else None
                dtype = dtype or (promoted(before, after) if self.relaxed else None)
                if dtype is not None:
                    return RetryError(path, dtype)
            if is_tensor(after) or is_number(after):
                return RetryError(path, How.TENSOR)
        return self._changed_dtype(before, after, self.labels[path[0]])

    def _tags(self, before: Undefined, after: Any) -> bool:
        """True if a run-time tag tells whether the loop has defined the name."""
        may_miss = not self.surely or isinstance(after, Maybe)
        return (self.relaxed or isinstance(after, Maybe)) and may_miss and not before.reason

    def _match_parts(self, plan: Nested, before: Any, after: Any, path: Path) -> Plan:
        first, second = parts_of(before), parts_of(after)
        if first is None or second is None or first[2] != second[2]:
            raise self._changed_structure(before, after, self.labels[path[0]])
        optional = isinstance(before, Optional)
        if optional and isinstance(first[0][1], Unused) and not isinstance(second[0][1], Unused):
            raise RetryError(path, Widened(kind_of(before), after))
        items: list[Plan] = []
        again: RetryError | None = None
        for i, (p, b, a) in enumerate(zip(plan.items, first[0], second[0], strict=True)):
            try:
                items.append(self._match(p, b, a, (*path, i)))
            except RetryError as retry:
                again = again or retry
                again.choices |= retry.choices
        if again is not None:
            try:
                raise again
            finally:
                del again  # as above
        if optional and self.surely:
            with self.body:
                if known_truth(second[0][0]) is True:
                    return items[1]
        return Nested(items, plan.make)

    def _match_tensor(self, plan: Slot, before: Any, after: Any, path: Path) -> Plan:
        name, spec = self.labels[path[0]], self.specs[plan.index]
        if isinstance(after, Undefined):
            raise error_of(after)
        if is_number(after) and is_number(before) and same_object(before, after):
            self._constant[plan.index] = before
            with self.body:
                tensor = convert(after, spec.dtype)
        else:
            tensor = self._fitted(before, after, spec, path)
        if not fits(spec, tensor.spec):
            if self.relaxed or self.shapes_vary or isinstance(before, Filling):
                assert isinstance(spec, TensorSpec)
                raise RetryError(path, relaxed_spec(spec, tensor.spec, spec.dtype))
            raise self._changed_shape(self.initial[plan.index], tensor, name)
        self.outputs[plan.index] = tensor
        if after is self.body.inputs[plan.index] and is_number(before):
            return Same(before)
        if plan.index in self._constant:
            return Same(before)
        if found := variables_in(before, after):
            known = self._variables(path)
            if new := [v for v in found if not any(v is k for k in known)]:
                raise RetryError((-2, *path), (*known, *new))
            note_next(self.body.inputs[plan.index], tensor, known, name)
            return as_noted(Slot(plan.index), known, name)
        return plan if of_python(after) else Slot(plan.index)

    def _first_set_inside(self, before: Undefined | Unused, after: Any, path: Path) -> Plan:
        """A name without a value before the loop."""
        if isinstance(after, Undefined):
            return Same(after)
        if isinstance(before, Undefined) and before.reason and not self.surely:
            return Same(before)
        if isinstance(before, Undefined) and not self.surely:
            return Same(self._undefined_behind(before.name))
        given = self._copies.original(after)
        if is_container(given) and (
            key_of(given) in self._changed or not holds_foreign(given, self.home)
        ):
            return Same(given)  # what it holds, the journal knows
        if is_tensor(after):
            with self.body:
                tensor = after if isinstance(after, Tensor) else convert(after)
            self.outputs.append(tensor)
            slot = Slot(len(self.outputs) - 1, of_python(after))
            return as_noted(slot, variables_in(after), self.labels[path[0]])
        with self.body:
            after = lifted(after, self.home)
        parts = parts_of(after)
        if parts is None:
            return Same(after)
        items = [self._first_set_inside(before, v, (*path, i)) for i, v in enumerate(parts[0])]
        return Nested(items, self._make(parts[1], path))

    def _late(self) -> None:
        """Slots for values that the body sets first: nobody reads what they start with."""
        for tensor in self.outputs[len(self.initial) :]:
            self.initial.append(filler(tensor.spec))
            for branch in (self.body, self.test):
                branch.add_input(tensor.spec, "")

    def drop_constants(self) -> None:
        """Leave out the numbers that the body neither reads nor changes: flags, mostly."""
        given = [v for i, v in enumerate(self.outputs) if i not in self._constant]
        unused = [i for i in self._constant if not self.body.uses(self.body.inputs[i], given)]
        kept = [i for i in range(len(self.initial)) if i not in unused]
        renumbered = {old: new for new, old in enumerate(kept)}
        self.initial = [self.initial[i] for i in kept]
        self.outputs = [self.outputs[i] for i in kept]
        for branch in (self.body, self.test):
            branch.inputs[:] = [branch.inputs[i] for i in kept]
        self.results = [_renumber(plan, renumbered) for plan in self.results]

    def _fitted(self, before: Any, after: Any, spec: Any, path: Path) -> Tensor:
        """What the body gives as a tensor of the dtype of `spec`, or another attempt."""
        with self.body:
            after = choice_as_tensor(after)
        number = weak.is_number(after) or is_number(after)
        if not (is_tensor(after) or number):
            raise self._changed_dtype(before, after, self.labels[path[0]])
        with self.body:
            if number and accepts(spec.dtype, after):
                wider = self._precise(before, after, spec.dtype)
                if wider is spec.dtype:
                    return as_promoted(after, wider)
                raise RetryError(path, wider)
            tensor = convert(after)
            if tensor.dtype is spec.dtype:
                return tensor
            dtype = tensor.dtype if not number and weak.is_number(before) else None
            if dtype is None or not accepts(dtype, before):
                known = before if is_number(before) and path not in self.choices else spec.dtype
                dtype = promoted(known, after) if self.relaxed else None
            if dtype is None:
                raise self._changed_dtype(before, after, self.labels[path[0]])
            if dtype is spec.dtype:
                return as_promoted(after, dtype)
        raise RetryError(path, relaxed_spec(spec, tensor.spec, dtype))

    def _precise(self, before: Any, after: Any, dtype: DType) -> DType:
        """The dtype of a number that stays one: Python's floats have 64 bits.

        To begin with they are carried as float32, since most meet a tensor of that dtype.
        """
        if not (weak.is_number(before) or (isinstance(before, Filling) and before.number)):
            return dtype
        if isinstance(before, float):
            return float64
        other = after if isinstance(before, Filling) else before
        wide = after.dtype if isinstance(after, Value) else weak.joined(other, after)
        return wide if wide.size > dtype.size else dtype

    # --- refusals --------------------------------------------------------------

    def _undefined_behind(self, name: str) -> Undefined:
        return Undefined(
            name,
            f"'{name}' is used here but it is first set inside of the loop at {self.site.line}, "
            f"which may run zero times: '{name}' must be initialized before the loop (or use "
            "@tl.function(relaxed=True))",
        )

    def _changed_dtype(self, before: Any, after: Any, name: str) -> LoopDtypeError:
        cure = "use tl.cast, or start it with a value of that dtype"
        if promoted(before, after) is not None:
            cure += ", or use @tl.function(relaxed=True)"
        return LoopDtypeError(
            f"'{name}' is {describe_value(before)} before the loop{self.site.before(name)} but "
            f"{describe_value(after)} after one iteration{self.site.inside(name)}; a variable "
            f"keeps its dtype in a loop over tensors: {cure}"
        )

    def _growing(self, before: Any, path: Path) -> Exception:
        """What to do about a text, or the like, that takes on new values in each attempt."""
        if is_text(before):
            return RetryError(path, How.TENSOR)
        name, shown = self.labels[path[0]], kind_of_value(before)
        cure = "text ('' and '+=')" if shown == "bytes" else "list"
        return LoopDtypeError(
            f"'{name}' stands for {shown} that the loop at {self.site.line} makes anew in each "
            f"iteration{self.site.inside(name)}; the graph does not hold that: build a {cure}"
        )

    def _changed_shape(self, before: Any, after: Tensor, name: str) -> LoopShapeError:
        return LoopShapeError(
            f"'{name}' is {describe_value(before)} before the loop{self.site.before(name)} but "
            f"{describe_value(after)} after one iteration{self.site.inside(name)}; a variable "
            "keeps its shape in a loop over tensors: collect values in a list or tl.TensorArray, "
            "write into a tensor of the final size, or use @tl.function(relaxed=True)"
        )

    def _changed_structure(self, before: Any, after: Any, name: str) -> LoopShapeError:
        return LoopShapeError(
            f"'{name}' is {_structure(before)} before the loop{self.site.before(name)} but "
            f"{_structure(after)} after one iteration{self.site.inside(name)}; a variable keeps "
            "its structure in a loop over tensors: collect values in a list"
        )


def _other_texts(before: Any, after: Any) -> bool:
    """True unless both are one of the same texts."""
    if not (is_text(after) and type(before) is type(after) is OneOf):
        return True
    return bool(before.__tl_structure__ != after.__tl_structure__)


def _structure(value: Any) -> str:
    parts = parts_of(value)
    if parts is None:
        return describe_value(value)
    return f"a {type(value).__name__} of {len(parts[0])} items"


def _dtype(value: Any) -> DType:
    return value.dtype if isinstance(value, Tensor) else convert(value).dtype


def _renumber(plan: Plan, numbers: dict[int, int]) -> Plan:
    if isinstance(plan, Slot):
        return Slot(numbers[plan.index], plan.number)
    if isinstance(plan, Nested):
        return Nested([_renumber(p, numbers) for p in plan.items], plan.make)
    return plan
