"""The walk back: from recorded op calls to gradients, by the `vjp` rules of the op table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import numpy as np

from ..build import GraphBuilder, apply, current, leaked
from ..errors import MissingGradientError
from ..indexed_slices import IndexedSlices, add_rows
from ..location import Loc, describe
from ..node import Node, Value
from ..op import OPS, Attrs, Op
from ..ops.arithmetic import add
from ..ops.arrays import array_add, array_zeros_like
from ..ops.shaping import concat, reshape, shape, sum_to, zeros_like
from ..spec import ArraySpec, ResourceSpec, Spec, TensorSpec
from .registered import is_registered, registered_gradients


class Entry:
    """One recorded op call."""

    __slots__ = ("_inputs", "_node", "_outputs", "_resolved", "attrs", "loc", "op", "stopped")

    def __init__(
        self, op: Op, inputs: Sequence[Any], attrs: Attrs, outputs: Any, loc: Loc | None = None
    ) -> None:
        self.op = op
        self.attrs = attrs
        self._inputs = inputs
        self._outputs = outputs if op.multiple else (outputs,)
        self.loc = loc
        # A structured node that is still built may be widened after it was recorded.
        self._node: Node | None = None
        self.stopped: Iterable[int] = ()  # the inputs for which the rule gave no gradient
        if op.structured and self._outputs and type(self._outputs[0]) is Value:
            self._node = self._outputs[0].node
            assert self._node is not None
            self._resolved = self._node.inputs

    @property
    def outputs(self) -> Sequence[Any]:
        return self._outputs if self._node is None else self._node.outputs

    @property
    def inputs(self) -> Sequence[Any]:
        """The inputs as they were given: eager tensors and variables stand for themselves."""
        if self._node is None or self._node.inputs is self._resolved:
            return self._inputs
        given = {id(v): x for v, x in zip(self._resolved, self._inputs, strict=True)}
        return [given.get(id(v), v) for v in self._node.inputs]

    @property
    def present_attrs(self) -> Attrs:
        """The attributes, of a node that was widened those that it has now."""
        return self.attrs if self._node is None else self._node.attrs

    def under_construction(self) -> tuple[Node, GraphBuilder]:
        """The node that the call has become, which gradients may widen, and its builder."""
        value = self._outputs[0]
        assert value.node is not None
        if not isinstance(value.owner, GraphBuilder) or value.owner.closed:
            raise leaked(value)
        return value.node, value.owner


StructuredRule = Callable[[Entry, list[Any], list[bool]], Sequence[Any]]
STRUCTURED: dict[str, StructuredRule] = {}  # the rules of cond, switch, while, call


def differentiable(value: Any) -> bool:
    return value.dtype.is_differentiable  # type: ignore[no-any-return]


def given(gs: Sequence[Any], outputs: Sequence[Any]) -> list[bool]:
    """Which of the results have a gradient."""
    return [g is not None and differentiable(y) for g, y in zip(gs, outputs, strict=True)]


def backprop(
    entries: Sequence[Entry],
    targets: Sequence[Any],
    sources: Sequence[Any],
    target_grads: Sequence[Any],
    in_rows: Collection[int] = (),
) -> list[Any]:
    """The gradient of each source: the sum over targets of target_grad times the derivative.

    None where no path of differentiable ops leads from source to target. Works by calling ops,
    so it executes eagerly or adds nodes, and can be recorded itself. Variables in `in_rows`, by id,
    of which only rows are gathered, get `IndexedSlices`.
    """
    tables = set(in_rows)
    wanted = {id(s) for s in sources}
    connected = set(wanted)
    path: list[Entry] = []
    for entry in entries:
        for x in entry.inputs:
            if id(x) in connected:
                path.append(entry)
                connected.update([id(y) for y in entry.outputs if differentiable(y)])
                if tables and entry.op.name == "read" and id(x) in tables:
                    tables.add(id(entry.outputs[0]))
                break
    grads: dict[int, Any] = {}
    for target, g in zip(targets, target_grads, strict=True):
        if g is not None:
            grads[id(target)] = accumulate(grads.get(id(target)), g)
    for entry in reversed(path):
        gs = []
        for y in entry.outputs:
            key = id(y)
            gs.append(grads.get(key) if key in wanted else grads.pop(key, None))
        if not any([g is not None for g in gs]):
            continue
        inputs = entry.inputs
        needs = [id(x) in connected and differentiable(x) for x in inputs]
        if not any(needs):
            continue
        if tables and entry.op.name == "gather" and id(inputs[0]) in tables:
            found: Iterable[Any] = of_rows(gs[0], *inputs, **entry.attrs)
        else:
            found = input_gradients(entry, gs, needs)
        for i, (x, g) in enumerate(zip(inputs, found, strict=True)):
            if g is not None:
                key = id(x)
                grads[key] = accumulate(grads[key], g) if key in grads else g
            elif needs[i] and not entry.op.structured and all([g is not None for g in gs]):
                entry.stopped = {*entry.stopped, i}
    return [grads.get(id(s)) for s in sources]


def input_gradients(entry: Entry, gs: list[Any], needs: list[bool]) -> Iterable[Any]:
    """The gradient of each input that needs one, by the op's rule."""
    op = entry.op
    if op.structured:
        return STRUCTURED[op.name](entry, gs, needs)
    outputs = entry.outputs
    if op.vjp is None:
        if not is_registered(op):
            raise MissingGradientError(
                f"no gradient is registered for the op '{op.display}', used at "
                f"{describe(entry.loc)}; write it with other ops, or give it one with "
                f"tl.RegisterGradient('{op.name}')"
            )
        found: Any = registered_gradients(op, gs, outputs, entry.inputs, entry.attrs)
    elif op.multiple:
        found = op.vjp(gs, list(outputs), *entry.inputs, **entry.attrs)
    else:
        found = op.vjp(gs[0], outputs[0], *entry.inputs, **entry.attrs)
    result: list[Any] = []
    for i, (rule, needed) in enumerate(zip(found, needs, strict=True)):
        g = rule() if needed and callable(rule) else rule
        if not needed or g is None:
            result.append(None)
        elif op.elementwise and len(entry.inputs) > 1:
            result.append(_unbroadcast(g, entry.inputs, i))
        else:
            result.append(g)
    return result


def of_rows(g: Any, table: Any, indices: Any, **attrs: Any) -> tuple[Any, None]:
    """The gradient of rows that are gathered from a variable, as these rows."""
    if attrs.get("axis") or attrs.get("batch_dims"):
        return OPS["gather"].vjp(g, None, table, indices, **attrs)[0](), None  # type: ignore[misc]
    size = shape(table)
    rows = reshape(g, concat([[-1], size[1:]], 0))
    return IndexedSlices(rows, reshape(indices, [-1]), size), None


def accumulate(total: Any, g: Any) -> Any:
    if total is None:
        return g
    if isinstance(total, IndexedSlices) or isinstance(g, IndexedSlices):
        return add_rows(total, g)
    return array_add(total, g) if isinstance(g.spec, ArraySpec) else add(total, g)


def _unbroadcast(g: Any, inputs: Sequence[Any], index: int) -> Any:
    """Sum `g`, of the shape of an elementwise result, down to the shape of one operand."""
    x = inputs[index]
    have = g.spec.shape
    if have == x.spec.shape:
        if have.is_fully_defined():
            return g
        others = [y for i, y in enumerate(inputs) if i != index and y is not x]
        if not any(may_stretch(x, y) for y in others):
            return g
    return sum_to(g, shape(x))


def may_stretch(x: Any, y: Any) -> bool:
    """True if broadcasting with `y` might make `x` larger."""
    a, b = x.spec.shape, y.spec.shape
    if b.rank == 0:
        return False
    if a.rank is None or b.rank is None or b.rank > a.rank:
        return True
    pairs = zip(reversed(a), reversed(b), strict=False)
    return any(d in (1, None) and e != 1 for d, e in pairs)


def gradient_spec(spec: Spec) -> TensorSpec | ArraySpec:
    """The spec of the gradient of a tensor, a variable or an array."""
    return spec if isinstance(spec, ArraySpec) else TensorSpec(spec.shape, spec.dtype)


def zeros_for(value: Any) -> Any:
    """A zero gradient for `value`: a tensor, a variable or an array."""
    if isinstance(value.spec, ArraySpec):
        return array_zeros_like(value)
    if value.spec.shape.is_fully_defined():
        return current().constant(np.zeros(tuple(value.spec.shape), value.dtype.numpy))
    if isinstance(value.spec, ResourceSpec):
        value = apply(OPS["read"], (value,))
    return zeros_like(value)


__all__ = [
    "STRUCTURED",
    "Entry",
    "accumulate",
    "backprop",
    "differentiable",
    "given",
    "gradient_spec",
    "may_stretch",
    "zeros_for",
]
