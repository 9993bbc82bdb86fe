"""Forward mode: tangents that are computed along with each op call.

The tangent of a value is its derivative along a direction: of the spec of the value, None where it
is zero. `Tangents` is a recorder: it sees each op call after it was carried out, and calls at once
what the forward rule of the op asks for, which only recorders around it see. A node that holds
graphs is widened before it is made, and computes results and tangents together (`forward.py`).
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..build import GraphBuilder, apply, current, recorders, recording, set_recorders
from ..control import CALL
from ..errors import MissingGradientError, UnimplementedError
from ..location import Loc, describe, user_location
from ..node import Node, Value
from ..op import ALL, Attrs, Op, no_gradient
from ..ops.arithmetic import add
from ..ops.axes import identity
from ..ops.casting import conj
from ..ops.reshaping import broadcast_like, reshape_like
from ..spec import ArraySpec, covers
from .backprop import backprop, differentiable, may_stretch, zeros_for
from .linearize import Recorder
from .registered import is_registered, registered_gradients


class Widened(NamedTuple):
    """A call of an op that holds graphs, changed to give tangents after its results.

    `places` are the indices of the results that have one. `carried` and `captured` say which input
    is the tangent of which: of loop variables, and of what comes after them. `missing` are the
    results whose tangents can't be computed.
    """

    inputs: list[Any]
    attrs: Attrs
    places: Sequence[int]
    carried: dict[int, int]
    captured: dict[int, int]
    missing: Mapping[int, Missing] = {}


class Missing(NamedTuple):
    """In place of a tangent that can't be computed: only who needs it gets the error."""

    error: Exception


class Made:
    """A widened node whose graph is under construction: gradients may add results to it."""

    def __init__(self, widened: Widened, done: int) -> None:
        self.carried = widened.carried
        self.captured = widened.captured
        self.done = done  # the results that have been looked at


# How ops that hold graphs are widened, and how once more for results added later: see forward.py.
WIDEN: dict[str, Callable[[Tangents, Sequence[Any], Attrs, list[Any]], Widened | None]] = {}
AGAIN: dict[str, Callable[[Tangents, Node, Made, list[int]], list[int]]] = {}


class Tangents:
    """Computes the tangents of what depends on values that have one.

    It works in one place: the graph, or eager code, that is current when it is made. What a branch
    or loop inside of it computes has tangents once its node is made.
    """

    orders = 0

    def __init__(self) -> None:
        self.home = current()
        self.keeps = False  # a tangent was lost: its value is kept for the handler of a `try`
        self._held: dict[int, tuple[Any, Any]] = {}  # by id; an entry goes with its value
        self._made: dict[Node, Made] = {}
        self._missing: Missing | None = None  # of the results of the call that is made now

    def watch(self, value: Any, tangent: Any) -> None:
        """Take `tangent` as that of `value`."""
        key, held = id(value), self._held

        def forget(_: Any) -> None:
            held.pop(key, None)

        held[key] = weakref.ref(value, forget), tangent

    def tangent(self, value: Any) -> Any:
        """The tangent of a value, None where it is zero; raises where an op has no rule."""
        found = self.found(value)
        if type(found) is Missing:
            raise found.error
        return found

    def found(self, value: Any) -> Any:
        """The same, where there is no rule what stands for the tangent."""
        found = self._held.get(id(value))
        return None if found is None else found[1]

    def is_watched(self, value: Any) -> bool:
        return id(value) in self._held

    def record(
        self, op: Op, inputs: Sequence[Any], attrs: Attrs, outputs: Any, above: int = 0
    ) -> None:
        """Called by the door after each op call."""
        held = self._held
        for x in inputs:
            if id(x) in held:
                break
        else:
            return
        if current() is not self.home:
            return
        outs = outputs if op.multiple else (outputs,)
        if op.structured:
            if self._missing is not None:
                self._watch_all(outs, self._missing)
                self._missing = None
            return
        self.keeps = self.keeps or op.name == "keep"
        ts = [held[id(x)][1] if id(x) in held else None for x in inputs]
        active = recorders()
        set_recorders(active[: active.index(self)])
        try:
            found = op_tangents(op, ts, outs, inputs, attrs)
        except (MissingGradientError, UnimplementedError) as error:
            self._watch_all(outs, Missing(error))
        else:
            for y, t in zip(outs, found, strict=True):
                if t is not None:
                    self.watch(y, t)
        finally:
            set_recorders(active)

    def _watch_all(self, values: Sequence[Any], missing: Missing) -> None:
        for y in values:
            if differentiable(y):
                self.watch(y, missing)

    def _outer(self) -> tuple[Any, ...]:
        """The recorders around this one."""
        active = recorders()
        return active[: active.index(self)] if self in active else active

    def widen(self, op: Op, inputs: Sequence[Any], attrs: Attrs) -> Widened | None:
        """Called by the door before an op that holds graphs; None leaves the call as it is."""
        if current() is not self.home:
            return None
        ts = [self.found(x) for x in inputs]
        if all(t is None for t in ts):
            return None
        self._missing = next((t for t in ts if type(t) is Missing), None)
        if self._missing is None:
            try:
                with recording(self._outer()):
                    return WIDEN[op.name](self, inputs, attrs, ts)
            except (MissingGradientError, UnimplementedError) as error:
                self._missing = Missing(error)
        return None

    def take(self, values: Sequence[Any], widened: Widened, count: int) -> None:
        """Hold the tangents that come after the `count` results of a widened op."""
        for i, t in zip(widened.places, values[count:], strict=False):
            self.watch(values[i], t)
        for i, missing in widened.missing.items():
            self.watch(values[i], missing)
        node = values[0].node if values and type(values[0]) is Value else None
        if node is not None:
            self._made[node] = Made(widened, len(node.outputs))

    def widened(self, node: Node) -> None:
        """Called when a node got more results: they have tangents, too."""
        made = self._made.get(node)
        if made is None or made.done == len(node.outputs):
            return
        wanted = [i for i in range(made.done, len(node.outputs)) if differentiable(node.outputs[i])]
        with recording(self._outer()):
            first = len(node.outputs)
            made.done = first
            places = AGAIN[node.op.name](self, node, made, wanted)
            for i, t in zip(places, node.outputs[first:], strict=False):
                self.watch(node.outputs[i], t)

    def call(self, callee: Any, inputs: Sequence[Any], run: Callable[..., Any]) -> tuple[Any, ...]:
        """Call a function by `run`, and hold the tangents of its results."""
        found = self.widen(CALL, inputs, {"callee": callee})
        if found is None:
            results: tuple[Any, ...] = run(callee, inputs)
            self.record(CALL, inputs, {"callee": callee}, results)
            return results
        count = len(callee.graph.outputs)
        results = run(found.attrs["callee"], found.inputs)
        self.take(results, found, count)
        return results[:count]


# --- one op ------------------------------------------------------------------


def op_tangents(
    op: Op, ts: list[Any], outs: Sequence[Any], inputs: Sequence[Any], attrs: Attrs
) -> Sequence[Any]:
    """The tangent of each result of an op from those of its inputs, by the op's forward rule.

    MissingGradientError, with the name of the op and the user's line, where there is none.
    """
    if op.vjp is no_gradient or not any(differentiable(y) for y in outs):
        return [None] * len(outs)
    found = _by_rule(op, ts, outs, inputs, attrs)
    return [
        None if t is None or not differentiable(y) else _fitted(op, t, y, ts, inputs)
        for t, y in zip(found, outs, strict=True)
    ]


def _by_rule(
    op: Op, ts: list[Any], outs: Sequence[Any], inputs: Sequence[Any], attrs: Attrs
) -> Sequence[Any]:
    found: Any = NotImplemented
    if op.jvp is not None or op.linear or op.elementwise:
        _require_all(ts)
    if op.jvp is not None:
        found = op.jvp(ts, list(outs) if op.multiple else outs[0], *inputs, **attrs)
    elif op.linear:
        found = _linear(op, ts, inputs, attrs)
    elif op.elementwise and op.vjp is not None:
        found = _sum_of_products(op, ts, outs[0], inputs, attrs)
    if found is not NotImplemented:
        return found if op.multiple else [found]
    if op.vjp is not None or is_registered(op):
        return _transposed(op, ts, outs, inputs, attrs)
    raise MissingGradientError(
        f"the op '{op.display}' has no forward-mode rule, and no gradient to derive one from; it "
        f"is used at {describe(here())}. Write it with other ops, or give it a gradient with "
        f"tl.RegisterGradient('{op.name}')"
    )


def _require_all(ts: Sequence[Any]) -> None:
    for t in ts:
        if type(t) is Missing:
            raise t.error


def here() -> Loc | None:
    """Where the user wrote what is computed now, or what a graph that is transformed computes."""
    builder = current()
    found = builder.loc if isinstance(builder, GraphBuilder) else None
    return found or user_location(3)


def _linear(op: Op, ts: list[Any], inputs: Sequence[Any], attrs: Attrs) -> Any:
    """A linear op applied to tangents."""
    places = range(len(inputs)) if op.linear is ALL else op.linear
    given = list(inputs)
    for i in places:
        if i < len(given) and differentiable(given[i]):
            given[i] = zeros_for(given[i]) if ts[i] is None else ts[i]
    return apply(op, given, attrs)


def _sum_of_products(op: Op, ts: list[Any], out: Any, inputs: Sequence[Any], attrs: Attrs) -> Any:
    """Of an elementwise op: tangents times derivatives, which the gradient rule has, conjugated."""
    assert op.vjp is not None
    total = None
    for i, t in enumerate(ts):
        if t is not None:
            rule = op.vjp(conj(t), out, *inputs, **attrs)[i]
            term = rule() if callable(rule) else rule
            if term is not None:
                total = conj(term) if total is None else add(total, conj(term))
    return total


def _transposed(
    op: Op, ts: list[Any], outs: Sequence[Any], inputs: Sequence[Any], attrs: Attrs
) -> Sequence[Any]:
    """The transpose of the gradient rule: how it varies with the gradient that comes in."""
    # Each a value of its own: equal constants of a graph are one.
    gs = [identity(zeros_for(y)) if differentiable(y) else None for y in outs]
    kept = Recorder()
    with recording((*recorders(), kept)):
        if op.vjp is None:
            found: Any = registered_gradients(op, gs, outs, inputs, attrs)
        elif op.multiple:
            found = op.vjp(list(gs), list(outs), *inputs, **attrs)
        else:
            found = op.vjp(gs[0], outs[0], *inputs, **attrs)
        pairs = [
            (rule() if callable(rule) else rule, t)
            for rule, t in zip(found, ts, strict=True)
            if t is not None
        ]
    pairs = [(y, t) for y, t in pairs if y is not None]
    _require_all([t for _, t in pairs])
    sources = [g for g in gs if g is not None]
    made = iter(backprop(kept.entries, [y for y, _ in pairs], sources, [t for _, t in pairs]))
    return [None if g is None else next(made) for g in gs]


def _fitted(op: Op, t: Any, y: Any, ts: list[Any], inputs: Sequence[Any]) -> Any:
    """The tangent `t` of `y`, with the shape of `y` and all that is known of it.

    Of an elementwise op it may be smaller: inputs that have no tangent may be larger.
    """
    spec = y.spec
    if isinstance(spec, ArraySpec):
        return t
    have, want = t.spec.shape, spec.shape
    if have == want and want.is_fully_defined():
        return t
    if op.elementwise:
        first = next(x for x, given in zip(inputs, ts, strict=True) if given is not None)
        others = [x for x, given in zip(inputs, ts, strict=True) if given is None]
        if any(may_stretch(first, x) for x in others):
            return broadcast_like(t, y)
    return t if covers(want, have) else reshape_like(t, y)


__all__ = ["AGAIN", "WIDEN", "Made", "Tangents", "Widened", "here", "op_tangents"]
