"""What a gradient saves and computes again, where, and how many bytes that takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ..location import Loc, describe
from ..node import FunctionRef, Graph, Node, Value
from ..spec import ArraySpec, Element
from ..walk import functions_of, nodes_within
from .backprop import differentiable, gradient_spec
from .calls import halves
from .checkpoints import CHECKPOINT
from .loops import SAVED, counters, is_int32


@dataclass(frozen=True, slots=True)
class Times:
    """How often a loop saves: `count` is None where only the run tells."""

    loop: Loc | None
    count: int | None


@dataclass(frozen=True, slots=True)
class Saved:
    """A value that is kept for a gradient.

    `op` made it at `loc`; `kind` is "value", "stack" (one in each iteration of the loops in
    `times`, the innermost last) or "checkpoints" (one at some iterations); `spec` is of one item.
    """

    op: str
    spec: Element
    loc: Loc | None
    kind: str = "value"
    times: tuple[Times, ...] = ()

    @property
    def item_bytes(self) -> int | None:
        """The bytes of one item; None if only the run tells."""
        if isinstance(self.spec, ArraySpec) or not self.spec.shape.is_fully_defined():
            return None
        return int(self.spec.shape.num_elements() or 0) * _item_size(self.spec)

    @property
    def bytes(self) -> int | None:
        """The bytes of all items; None if only the run tells."""
        total = self.item_bytes
        for times in self.times if self.kind != "checkpoints" else (Times(None, None),):
            total = None if total is None or times.count is None else total * times.count
        return total

    @property
    def size(self) -> str:
        """The bytes as text, sizes that are not known as `?`: "8 x ? B x 10"."""
        parts = [_size_of(self.spec)]
        parts += ["?" if times.count is None else str(times.count) for times in self.times]
        if self.kind == "checkpoints":
            return f"{parts[0]} for each checkpoint"
        known = self.bytes
        total = f" = {known} B" if known is not None and len(parts) > 1 else ""
        return " x ".join(parts) + total

    def __str__(self) -> str:
        return f"{self.size}   {self.op} {self.spec}   {describe(self.loc)}"


def _item_size(spec: Element) -> int:
    return int(spec.dtype.numpy.itemsize)


def _size_of(spec: Element) -> str:
    if isinstance(spec, ArraySpec):
        return f"? x {_size_of(spec.element)}"
    dims = [None] if spec.shape.rank is None else list(spec.shape)
    known = _item_size(spec)
    for d in dims:
        known *= 1 if d is None else int(d)
    return " x ".join([str(known), *["?" for d in dims if d is None]]) + " B"


@dataclass(frozen=True, slots=True)
class GradientInfo:
    """What the gradient of a function saves and computes again; prints as text.

    `saved` is for the gradient of its results by its arguments and variables, where a tape outside
    asks for it; `inputs` are arguments that this reads, too. `inside` is what gradients taken in
    the function have its loops save. `recomputed` are pairs of op and place, how often each.
    """

    name: str
    saved: tuple[Saved, ...]
    inputs: tuple[str, ...]
    inside: tuple[Saved, ...]
    recomputed: tuple[tuple[str, Loc | None, int], ...]

    @property
    def bytes(self) -> int | None:
        """The bytes that `saved` takes in all; None if only the run tells."""
        sizes = [saved.bytes for saved in self.saved]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    def __str__(self) -> str:
        total = self.bytes
        shown = "" if total is None else f" {total} B"
        lines: list[str] = []
        if self.inside:
            lines += ["gradients taken inside save:", *_listed(self.inside)]
        lines += [f"the gradient of {self.name} saves{shown}:", *_listed(self.saved)]
        if self.inputs:
            lines.append(f"it reads the arguments {', '.join(self.inputs)}")
        if self.recomputed:
            lines.append("computed again:")
            for op, loc, count in self.recomputed:
                often = f" ({count} ops)" if count > 1 else ""
                lines.append(f"  {op}{often}   {describe(loc)}")
        return "\n".join(lines)


def _listed(values: tuple[Saved, ...]) -> list[str]:
    """A line for each value; for equal ones a line that says how many."""
    lines = Counter([f"  {saved}" for saved in values])
    return [line if n == 1 else f"{line} ({n} times)" for line, n in lines.items()] or ["  nothing"]


def gradient_info(ref: FunctionRef) -> GradientInfo:
    """What the gradient of a function, by all that it can be taken of, saves."""
    graph = ref.graph
    assert graph is not None
    seen: set[Value] = set()
    out_mask = [differentiable(v) for v in graph.outputs]
    in_mask = [differentiable(v) for v in graph.inputs]
    saved: tuple[Saved, ...] = ()
    inputs: tuple[str, ...] = ()
    again: list[Node] = []
    # First what is saved inside, which the function saves with no gradient asked for outside.
    inside = tuple(_within(graph, seen))
    if any(out_mask) and any(in_mask):
        half = halves(ref, out_mask, in_mask)
        kept = half.forward.outputs[len(graph.outputs) :]
        saved = tuple(s for v in kept for s in _origins(v, (), seen))
        inputs = tuple(graph.inputs[i].name or f"input {i}" for i in half.saved_inputs)
        again = [n for n in half.recomputed if n.op.name != "const"]
    counted = Counter((n.op.display or n.op.name, n.loc) for n in again)
    recomputed = tuple((op, loc, count) for (op, loc), count in counted.items())
    return GradientInfo(ref.name, saved, inputs, inside, recomputed)


def _within(graph: Graph, seen: set[Value]) -> Iterator[Saved]:
    for one in [graph, *(ref.graph for ref in functions_of(graph) if ref.graph is not None)]:
        for node in nodes_within(one):
            if node.op.name == "while":
                for value, parameter in zip(node.outputs, node.attrs["body"].inputs, strict=False):
                    if parameter.name in (SAVED, CHECKPOINT):
                        yield from _origins(value, (), seen)


def _origins(value: Value, times: tuple[Times, ...], seen: set[Value]) -> Iterator[Saved]:
    """Where a residual was made: through calls, branches and the stacks of loops."""
    node = value.node
    if value in seen:
        return
    seen.add(value)
    kind = "stack" if times else "value"
    if node is None:
        loc = times[-1].loop if times else None
        yield Saved(value.name or "input", gradient_spec(value.spec), loc, kind, times)
    elif node.op.name == "call" and node.attrs["callee"].graph is not None:
        yield from _origins(node.attrs["callee"].graph.outputs[value.index], times, seen)
    elif node.op.name in ("cond", "switch", "try"):
        for graph in _branches(node):
            inner = graph.outputs[value.index]
            if inner.node is None or inner.node.loc is not None:  # no dummy
                yield from _origins(inner, times, seen)
    elif node.op.name == "while" and isinstance(value.spec, ArraySpec):
        yield from _of_loop(node, value, times, seen)
    else:
        name = node.op.display or node.op.name
        if name == "while":
            name = node.attrs["body"].inputs[value.index].name or name
        yield Saved(name, gradient_spec(value.spec), node.loc, kind, times)


def _branches(node: Node) -> list[Graph]:
    attrs = node.attrs
    names = [k for k in ("then", "orelse", "body", "handler") if k in attrs]
    return [attrs[k] for k in names] if names else list(attrs["branches"])


def _of_loop(
    node: Node, value: Value, times: tuple[Times, ...], seen: set[Value]
) -> Iterator[Saved]:
    body: Graph = node.attrs["body"]
    made = body.outputs[value.index].node
    assert isinstance(value.spec, ArraySpec)
    if body.inputs[value.index].name == CHECKPOINT:
        element = value.spec.element
        yield Saved("state of the loop", element, node.loc, "checkpoints", times)
    elif made is not None and made.op.name == "array_push":
        inner = (*times, Times(node.loc, trips(node)))
        yield from _origins(made.inputs[1], inner, seen)
    else:
        yield Saved("while", gradient_spec(value.spec), node.loc, "value", times)


def trips(node: Node) -> int | None:
    """How often a loop over a range runs, if the graph tells and nothing else ends it."""
    test: Graph = node.attrs["test"]
    body: Graph = node.attrs["body"]
    made = test.outputs[0].node
    if made is None or made.op.name != "less":
        return None
    index, limit = made.inputs
    place = next((i for i, v in enumerate(test.inputs) if v is index), None)
    bound = _constant(limit, node, test)
    if place is None or bound is None or not is_int32(node.inputs[place], None):
        return None
    each = counters(body, node.inputs, [place]).get(place)
    step = _constant(each, node, body) if isinstance(each, Value) else each
    start = _constant(node.inputs[place], node, body)
    if step is None or start is None or int(step) <= 0:
        return None
    return max(0, -(-(int(bound) - int(start)) // int(step)))


def _constant(value: Value, node: Node, graph: Graph) -> int | None:
    """A number that the loop or what is around it knows."""
    if value.node is None:
        place = next((i for i, v in enumerate(graph.inputs) if v is value), None)
        if place is None or place < len(node.outputs):
            return None
        value = node.inputs[place]
    made = value.node
    if made is None or made.op.name != "const" or made.attrs["value"].shape != ():
        return None
    return int(made.attrs["value"])


__all__ = ["GradientInfo", "Saved", "gradient_info"]
