"""The gradient of `while` within a number of bytes.

Going forward, the loop keeps some of its states, the checkpoints, and nothing else. How many
iterations there will be is not known: when no slot is free, every second checkpoint is dropped, and
they lie twice as far apart from then on. Going back, what lies behind the last checkpoint runs
again: at once, saving what the adjoint reads, if that fits into its part of the budget; else from
there to a new checkpoint, in a slot that has become free, as far as `checkpoint_advance` says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from ..build import GraphBuilder, convert, interpreting, replay
from ..control import emit_cond, new_branch
from ..dtypes import int32, int64
from ..errors import GradientError
from ..location import describe
from ..node import Graph, Node, Value
from ..op import OPS
from ..ops.arithmetic import add, multiply, subtract
from ..ops.array_items import array_cut, array_take
from ..ops.arrays import array_new, array_push, array_read, array_size
from ..ops.casting import cast
from ..ops.checkpointing import (
    FEWEST,
    OVERHEAD,
    bytes_of,
    checkpoint_advance,
    held_bytes,
    slots_for,
    steps_for,
    usable,
)
from ..ops.comparison import equal, greater, greater_equal, less
from ..ops.division import floordiv, maximum, minimum
from ..ops.sequences import range_
from ..spec import ArraySpec, Spec, TensorSpec
from . import loops
from .backprop import Entry, given, gradient_spec, zeros_for
from .linearize import note_recomputed
from .loops import (
    adjoint_specs,
    adjoint_step,
    counted,
    counters,
    differentiate_body,
    emit_loop,
    is_int32,
)
from .repeating import Repeated, repeated

COUNT = TensorSpec((), int32)
CHECKPOINT = "checkpoints"  # the name of a stack in the body of a loop
_NEAR = 2**19  # bytes that iterations which run again save at once: they stay in the cache
_GUESS = 8  # what an iteration saves may have this many times the size of its state


class Budget(NamedTuple):
    """Bytes, and whether less than a loop needs is refused: for loops in loops it is not."""

    size: int
    is_share: bool = False


_budget: ContextVar[Budget | None] = ContextVar("budget", default=None)


@contextmanager
def within(budget: Budget | None) -> Iterator[None]:
    """Loops that are differentiated in this block save no more bytes than `budget`."""
    token = _budget.set(budget)
    try:
        yield
    finally:
        _budget.reset(token)


def budget_now() -> Budget | None:
    return _budget.get()


def while_rule(entry: Entry, gs: list[Any], needs: list[bool]) -> list[Any]:
    budget = _budget.get()
    if budget is None:
        return loops.while_rule(entry, gs, needs)
    return _Checkpointed(entry, gs, needs, budget).gradients()


class _Sizes(NamedTuple):
    """How many checkpoints are kept, how far apart they are at first, and how many iterations can
    be reversed at once, if that is known: else it is measured.
    """

    slots: Any
    interval: Any
    steps: int | None


class _Checkpointed:
    """The gradient of one loop."""

    def __init__(self, entry: Entry, gs: list[Any], needs: list[bool], budget: Budget) -> None:
        self.node, self.owner = entry.under_construction()
        self.entry, self.gs, self.needs, self.budget = entry, gs, needs, budget.size
        self.is_share = budget.is_share
        self.inputs = list(entry.inputs)
        self.body: Graph = self.node.attrs["body"]
        self.count = len(self.body.outputs)
        self.parts: Repeated = repeated(self.body)
        self.counts = counters(self.parts.again, self.inputs, range(self.count))
        with within(Budget(budget.size // 8, True)):
            self.half, self.carried = differentiate_body(
                self.parts.again,
                given(gs, entry.outputs),
                [*needs, *[False] * self.parts.records],
                list(self.counts),
            )
        note_recomputed(self.owner, self.half)
        self.first_record = len(self.body.inputs)
        self.residuals = list(self.half.forward.outputs[self.count :])
        read = [i for i in self.half.saved_inputs if i < self.count and i not in self.counts]
        self.read = read
        self.state, self.step = sliced(
            self.half.forward, self.count, self.residuals, read, self.counts
        )
        self.sizes = self._sizes()

    # --- forward -----------------------------------------------------------------------

    def _sizes(self) -> _Sizes:
        """By the specs where they tell, else by the state before the loop."""
        inputs = self.body.inputs
        held = [bytes_of(inputs[i].spec) for i in self.state]
        kept = {v for i, v in enumerate(self.half.forward.outputs) if i in self.state}
        saved = [v for v in dict.fromkeys(self.residuals) if v not in kept]
        each = [bytes_of(v.spec) for v in saved]
        each += [bytes_of(inputs[i].spec) for i in {*self.read, *self.state}]
        if None not in held and None not in each:
            state, step = sum(filter(None, held)) + OVERHEAD, sum(filter(None, each))
            least = max(2 * FEWEST * state, 2 * step) + step
            if self.budget < least and not self.is_share:
                raise GradientError(
                    f"the budget leaves {self.budget} bytes for the loop at "
                    f"{describe(self.node.loc)}: too few. A state of it has {state} bytes, the "
                    f"gradient of an iteration reads {step}: at least {least} are "
                    "needed, for each of the loops that share the budget"
                )
            budget = usable(self.budget, state)
            steps = min(steps_for(budget, max(step, 1)), 2**30)
            near = max(32, _NEAR // max(step, 1))
            return _Sizes(slots_for(budget, state), min(steps, near), steps)
        attrs = {"budget": self.budget, "times": _GUESS}
        operands = tuple(self.node.inputs[i] for i in self.state)
        first = self.owner.insert_before(self.node, OPS["checkpoint_plan"], attrs, operands)
        assert first.node is not None
        slots, interval, self.room = first.node.outputs
        return _Sizes(slots, interval, None)

    def _widen(self) -> tuple[list[Value], list[Value], Value]:
        """Let the loop keep checkpoints, and records of its effects, and count its trips.

        Gives the arrays of checkpoints (the first is of their places), of records, and the count.
        """
        node, owner, count = self.node, self.owner, self.count
        elements: list[Any] = [
            COUNT,
            *(gradient_spec(self.body.inputs[i].spec) for i in self.state),
        ]
        elements += [gradient_spec(v.spec) for v in self.parts.first.outputs[count:]]
        more = [owner.insert_before(node, OPS["array_new"], {"element": e}) for e in elements]
        zero = owner.insert_before(node, OPS["const"], {"value": np.array(0, np.int32)})
        sizes = [
            owner.insert_before(node, OPS["const"], {"value": np.array(x, np.int32)})
            if isinstance(x, int)
            else x
            for x in self.sizes[:2]
        ]
        more += [zero, sizes[1]]
        own = self._own_count()
        if own is None:
            more.append(zero)
        held = 1 + len(self.state)

        def widened(graph: Graph, is_body: bool) -> Graph:
            builder = GraphBuilder(graph.name)
            state = [builder.add_input(v.spec, v.name) for v in graph.inputs[:count]]
            names = [CHECKPOINT] * held + ["records"] * (len(elements) - held)
            names += ["next", "interval", "trips"][: len(more) - len(elements)]
            added = [builder.add_input(v.spec, name) for v, name in zip(more, names, strict=True)]
            others = [builder.add_input(v.spec, v.name) for v in graph.inputs[count:]]
            slots = builder.add_input(COUNT, "slots")
            with interpreting(builder):
                if is_body:
                    following, interval, *counter = added[len(elements) :]
                    trips = counter[0] if own is None else state[own]
                    kept = [trips, *(state[i] for i in self.state)]
                    after = _keep(added[:held], kept, following, interval, slots)
                    found = replay(graph, [*state, *others])
                    pushed = [
                        array_push(a, v)
                        for a, v in zip(added[held : len(elements)], found[count:], strict=True)
                    ]
                    found = [*found[:count], *after[:held], *pushed, *after[held:]]
                    found += [add(v, 1) for v in counter]
                else:
                    found = replay(graph, [*state, *others])
            built = builder.finish(found)
            captured = len(others) + 1
            return Graph(built.name, built.inputs, built.nodes, built.outputs, captured)

        attrs = {
            "test": widened(node.attrs["test"], False),
            "body": widened(self.parts.first, True),
        }
        inputs = (*node.inputs[:count], *more, *node.inputs[count:], sizes[0])
        specs = [v.spec for v in (*node.outputs, *more)]
        owner.widen(node, inputs, attrs, specs)
        made = node.outputs[count:]
        self.slots, self.interval = sizes
        trips = node.outputs[len(specs) - 1 if own is None else own]
        return list(made[:held]), list(made[held : len(elements)]), trips

    def _own_count(self) -> int | None:
        """The loop variable that counts the trips, if there is one."""
        for i, each in self.counts.items():
            if is_int32(self.node.inputs[i], 0) and isinstance(each, np.ndarray) and each == 1:
                return i
        return None

    # --- backward ----------------------------------------------------------------------

    def gradients(self) -> list[Any]:
        if not self.half.in_grads:
            return [None] * len(self.inputs)
        gs, node, half, count = self.gs, self.node, self.half, self.count
        checkpoints, self.records, trips = self._widen()
        captured = [i for i in half.in_grads if i >= count]
        with_zeros = [
            gs[i] if gs[i] is not None else zeros_for(node.outputs[i]) for i in self.carried
        ]
        sums = [zeros_for(self.inputs[i]) for i in captured]
        self.grads = adjoint_specs(self.body, self.carried, with_zeros, sums)
        steps = convert(1 if self.sizes.steps is None else self.sizes.steps, int32)
        initial = [trips, steps, convert(0, int32), *checkpoints, *with_zeros, *sums]
        held = len(checkpoints)
        specs: list[Spec] = [COUNT, COUNT, COUNT, *(v.spec for v in checkpoints), *self.grads]
        names = ["left", "steps", "more", *[CHECKPOINT] * held]
        names += [*(f"g{i}" for i in self.carried), *(f"sum{i}" for i in captured)]

        # Those of the forward part stay in memory to the end: `more` counts the others.
        def back(left: Any, steps: Any, more: Any, *values: Any) -> list[Any]:
            stacks, grads = list(values[:held]), list(values[held:])
            top = subtract(array_size(stacks[0]), 1)
            place, *state = [array_read(a, top, safe=True) for a in stacks]
            free = subtract(self.slots, more)
            ahead = checkpoint_advance(subtract(left, place), free, steps)
            go_on, turn = new_branch(name="advance"), new_branch(name="reverse")
            with go_on:
                to = add(place, ahead)
                reached = self._forward(place, to, state)
                pairs = zip(stacks, [to, *reached], strict=True)
                pushed = [array_push(a, v) for a, v in pairs]
                advanced = [left, steps, add(more, 1), *pushed, *grads]
            with turn:
                measured, reversed_ = self._reverse(place, left, state, grads, captured)
                fewer = [array_cut(a, top) for a in stacks]
                then = steps if measured is None else measured
                turned = [place, then, maximum(subtract(more, 1), 0), *fewer, *reversed_]
            return list(emit_cond(greater(ahead, 0), go_on, advanced, turn, turned))

        results = emit_loop(
            initial, specs, names, lambda left, *_: greater(left, 0), back, "checkpointed"
        )
        grads: list[Any] = [None] * len(self.inputs)
        for i, g in zip([*self.carried, *captured], results[3 + held :], strict=True):
            grads[i] = g if self.needs[i] else None
        return grads

    def _arguments(self, at: Any, state: Sequence[Any]) -> list[Any]:
        """What the body takes in iteration `at`; None for what no one reads."""
        values: list[Any] = [None] * self.count
        for i, each in self.counts.items():
            values[i] = counted(self.inputs[i], each, at)
        for i, value in zip(self.state, state, strict=True):
            values[i] = value
        values += self.inputs[self.count :]
        return values + [array_read(a, at, safe=True) for a in self.records]

    def _run(self, at: Any, state: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The state after iteration `at`, and what its adjoint reads."""
        found = replay(self.step, self._arguments(at, state))
        after, residuals = found[: len(self.state)], found[len(self.state) :]
        by_index = dict(zip(self.state, state, strict=True))
        return after, [*residuals, *(by_index[i] for i in self.read)]

    def _forward(self, start: Any, stop: Any, state: Sequence[Any]) -> list[Any]:
        """The state at `stop`."""
        specs = [self.body.inputs[i].spec for i in self.state]

        def step(at: Any, *values: Any) -> list[Any]:
            return [add(at, 1), *self._run(at, values)[0]]

        found = emit_loop(
            *([start, *state], [COUNT, *specs], ["at", *[""] * len(specs)]),
            *(lambda at, *_: less(at, stop), step, "advance"),
        )
        return list(found[1:])

    def _reverse(
        self,
        start: Any,
        stop: Any,
        state: Sequence[Any],
        grads: Sequence[Any],
        captured: Sequence[int],
    ) -> tuple[Any, list[Any]]:
        """The gradients at `start` from those at `stop`; how many steps would fit, if measured."""
        count = len(self.state)
        specs = [self.body.inputs[i].spec for i in self.state]
        saved = [*self.residuals, *(self.body.inputs[i] for i in self.read)]
        elements = [gradient_spec(v.spec) for v in saved]
        stacks = [array_new(element=e) for e in elements]

        def save(at: Any, *values: Any) -> list[Any]:
            after, made = self._run(at, values[:count])
            pairs = zip(values[count:], made, strict=True)
            return [add(at, 1), *after, *(array_push(a, v) for a, v in pairs)]

        names = ["at", *[""] * count, *[loops.SAVED] * len(stacks)]
        found = emit_loop(
            *([start, *state, *stacks], [COUNT, *specs, *map(ArraySpec, elements)], names),
            *(lambda at, *_: less(at, stop), save, "again"),
        )
        stacks = list(found[1 + count :])

        numbered = self.records or any(i in self.counts for i in self.half.saved_inputs)

        def back(local: Any, *values: Any) -> list[Any]:
            at = add(start, local) if numbered else None
            items = iter([array_read(a, local, safe=True) for a in stacks])
            arguments = [next(items) for _ in self.residuals]
            by_index = {i: next(items) for i in self.read}
            for i in self.half.saved_inputs:
                if i in self.counts:
                    arguments.append(counted(self.inputs[i], self.counts[i], at))
                elif i < self.count:
                    arguments.append(by_index[i])
                elif i < self.first_record:
                    arguments.append(self.inputs[i])
                else:
                    array = self.records[i - self.first_record]
                    arguments.append(array_read(array, at, safe=True))
            new = adjoint_step(self.half, self.carried, captured, arguments, values)
            return [subtract(local, 1), *new]

        reversed_ = emit_loop(
            [subtract(subtract(stop, start), 1), *grads],
            [COUNT, *self.grads],
            ["step", *[""] * len(grads)],
            lambda local, *_: greater_equal(local, 0),
            back,
        )
        measured = None
        if self.sizes.steps is None:
            each = floordiv(held_bytes(*stacks), cast(subtract(stop, start), int64))
            most = floordiv(self.room, maximum(each, convert(1, int64)))
            measured = cast(minimum(maximum(most, convert(1, int64)), convert(2**30, int64)), int32)
        return measured, list(reversed_[1:])


def _keep(
    stacks: Sequence[Any], state: Sequence[Any], following: Any, interval: Any, slots: Any
) -> list[Any]:
    """The checkpoints, with one of this `state` if its place is the `following` one; then the next
    place of one and how far apart they are.
    """
    place = state[0]
    keep, pass_ = new_branch(name="keep"), new_branch(name="pass")
    with keep:
        thin, leave = new_branch(name="thin"), new_branch(name="leave")
        with thin:
            every_second = range_(0, array_size(stacks[0]), 2)
            fewer = [array_take(a, every_second) for a in stacks] + [multiply(interval, 2)]
        with leave:
            same = [*stacks, interval]
        full = greater_equal(array_size(stacks[0]), slots)
        *kept, wide = emit_cond(full, thin, fewer, leave, same)
        pushed = [array_push(a, v) for a, v in zip(kept, state, strict=True)]
        pushed += [add(place, wide), wide]
    with pass_:
        unchanged = [*stacks, following, interval]
    return list(emit_cond(equal(place, following), keep, pushed, pass_, unchanged))


def sliced(
    graph: Graph,
    count: int,
    residuals: Sequence[Value],
    read: Sequence[int],
    known: Collection[int],
) -> tuple[list[int], Graph]:
    """The loop variables that follow each other and give `residuals` and those to `read`, less
    those that are `known`; and a graph of their values after the iteration, then `residuals`, of
    no more nodes than it needs.
    """
    place = {v: i for i, v in enumerate(graph.inputs)}
    state = set(read)
    while True:
        wanted = [*(graph.outputs[i] for i in sorted(state)), *residuals]
        needed, nodes = _needed(wanted)
        more = {place[v] for v in needed if v in place and place[v] < count}
        more.difference_update(known)
        if more <= state:
            break
        state |= more
    kept = tuple(node for node in graph.nodes if node in nodes)
    return sorted(state), Graph(graph.name, graph.inputs, kept, tuple(wanted), graph.captured)


def _needed(wanted: Sequence[Value]) -> tuple[set[Value], set[Node]]:
    values: set[Value] = set()
    nodes: set[Node] = set()
    pending = list(wanted)
    while pending:
        value = pending.pop()
        if value in values:
            continue
        values.add(value)
        if value.node is not None and value.node not in nodes:
            nodes.add(value.node)
            pending += value.node.inputs
    return values, nodes


__all__ = ["CHECKPOINT", "Budget", "budget_now", "while_rule", "within"]
