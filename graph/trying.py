"""`try` in a graph: a node with a body, and a handler that runs when something in the body raises.

The body is traced in place. Only when it turns out to hold what may raise, its nodes become a graph
of their own. At each such place the values that a handler may read are stored in slots: variables
that belong to the run.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import numpy as np

from .build import GraphBuilder, apply, current, interpreting
from .control import Branch, _structured, _union, join_arguments
from .effects import Order, effects_of, node_effects
from .errors import (
    AssertionFailedError,
    DivisionByZeroError,
    IndexOutOfRangeError,
    InvalidArgumentError,
    OutOfRangeError,
    ShapeError,
)
from .node import Graph, Node, Value, subgraphs
from .op import ANYTHING, CHECKS, READ, WRITE, Attrs, Op, no_gradient
from .ops.define import primitive
from .ops.texts import errors_of_method
from .refined import forget, refine
from .spec import ResourceSpec, Spec, TensorSpec

_numbers = count()


class Slot:
    """Where a value is kept during a run."""

    __slots__ = ("array",)

    def __init__(self) -> None:
        self.array: Any = np.zeros((), np.int32)

    def keep(self, array: Any) -> tuple[()]:
        self.array = array
        return ()


_SLOT: Op = primitive(
    "slot", lambda *, spec, number: ResourceSpec(spec), lambda xp, spec, number: Slot()
)
_KEEP: Op = primitive(
    "keep",
    lambda slot, x: (),
    lambda xp, slot, x: slot.keep(x),
    no_gradient,
    multiple=True,
    effects=(WRITE,),
)
_KEPT: Op = primitive(
    "kept",
    lambda slot: slot.value,
    lambda xp, slot: slot.array,
    no_gradient,
    effects=(READ,),
)
_IS: Op = primitive(
    "raised_is",
    lambda error, *, classes: TensorSpec((), "bool"),
    lambda xp, slot, classes: np.bool_(isinstance(slot.array, classes)),
    no_gradient,
    effects=(READ,),
)
_TEXT: Op = primitive(
    "raised_text",
    lambda error: TensorSpec((), "string"),
    lambda xp, slot: np.array(str(slot.array).encode(), object),
    no_gradient,
    effects=(READ,),
)


def _again(xp: Any, slot: Slot, known: Any) -> Any:
    raise slot.array


AGAIN: Op = primitive(
    "raise_again",
    lambda error, *, known: (),
    _again,
    no_gradient,
    multiple=True,
    effects=(READ, CHECKS),
)


def new_slot(spec: TensorSpec) -> Value:
    """A slot for values of a spec, empty at the start of each run."""
    value: Value = apply(_SLOT, (), {"spec": spec, "number": next(_numbers)})
    return value


def store(slot: Value, value: Value) -> None:
    apply(_KEEP, (slot, value))


def load(slot: Value) -> Value:
    value: Value = apply(_KEPT, (slot,))
    return value


def raised_is(error: Value, classes: tuple[type[BaseException], ...]) -> Value:
    """Whether the exception in a slot is of one of `classes`."""
    value: Value = apply(_IS, (error,), {"classes": classes})
    return value


def raised_text(error: Value) -> Value:
    value: Value = apply(_TEXT, (error,))
    return value


def raise_again(error: Value, known: Any = None) -> None:
    """Raise the exception in a slot: one of class `known`, or as the Recipe `known` makes it."""
    apply(AGAIN, (error,), {"known": known})


def errors_of(op: Op, attrs: Attrs) -> tuple[type[BaseException], ...]:
    """The classes of what a node may raise in a run."""
    if op.name == "call":
        callee = attrs["callee"]
        if callee.graph is not None:
            found: dict[type[BaseException], None] = {}
            _collect(callee.graph, found, set())
            return tuple(found)
    if op.name == "require":
        return (getattr(builtins, attrs["error"]),)
    if op.name == "text_method":
        return errors_of_method(attrs["method"])
    if attrs.get("of_list"):
        return (IndexError,)
    return _OF_OPS.get(op.name, _ANY)


def runs_python(op: Op, attrs: Attrs) -> bool:
    """True for a node that may run Python code, which may raise anything."""
    if op.name == "call":
        return any(effect == ANYTHING for effect, _ in attrs["callee"].effects)
    return ANYTHING in op.effects or op.name == "iterator_next"


def _collect(graph: Graph, found: dict[type[BaseException], None], seen: set[int]) -> None:
    seen.add(id(graph))
    for node in graph.nodes:
        if node.op.name == "raise_":
            found[node.attrs["make"].error_type] = None
        elif node.op.name == "call":
            callee = node.attrs["callee"].graph
            if callee is None:
                found.update(dict.fromkeys(_ANY))
            elif id(callee) not in seen:
                _collect(callee, found, seen)
        elif node.op.structured:
            for inner in subgraphs(node):
                _collect(inner, found, seen)
        elif any(e in (CHECKS, ANYTHING) for e, _ in node_effects(node)) and node.op is not AGAIN:
            found.update(dict.fromkeys(errors_of(node.op, node.attrs)))


_ANY = (IndexOutOfRangeError, DivisionByZeroError, AssertionFailedError, InvalidArgumentError)
_OF_OPS: dict[str, tuple[type[BaseException], ...]] = {
    "assert_": (AssertionFailedError,),
    "iterator_next": (OutOfRangeError,),
    **dict.fromkeys(
        ("floordiv", "floormod", "truncatediv", "truncatemod"), (DivisionByZeroError, ShapeError)
    ),
    **dict.fromkeys(
        ("gather", "array_read", "array_write", "strided_slice"), (IndexOutOfRangeError,)
    ),
}


def _infer_try(error: ResourceSpec, *specs: Spec, body: Graph, handler: Graph) -> tuple[Spec, ...]:
    return join_arguments((body, handler), specs)


TRY = _structured("try", _infer_try)

_AGAIN = 100  # nodes that a handler computes anew, at most

# Is told of each node that may raise, before it is added: the builder, its op and attributes.
Watch = Callable[[GraphBuilder, Op, Attrs], None]


class Region:
    """The nodes that a builder gets from now on, which may become the body of a `try`."""

    def __init__(self, builder: GraphBuilder, watch: Watch) -> None:
        self.builder = builder
        self._last = builder.nodes[-1] if builder.nodes else None  # the node before the region
        self._older: set[Node] | None = None
        self._slots: set[Value] = set()
        self._read: set[Value] = set()
        self._facts = dict(builder.facts)
        self._outer = builder.watch
        builder.watch = watch

    @property
    def start(self) -> int:
        """Where the region begins among the builder's nodes."""
        nodes = self.builder.nodes
        return next((i for i in range(len(nodes), 0, -1) if nodes[i - 1] is self._last), 0)

    def made(self, value: Value) -> bool:
        """True if a node of the region gives `value`, or one of a graph inside of it."""
        builder, owner = self.builder, value.owner
        if owner is not builder:
            return owner is not None and not builder.lies_in(owner)
        if self._older is None:
            self._older = set(builder.nodes[: self.start])
        return value.node is not None and value.node not in self._older

    def reaches(self, value: Value, builder: GraphBuilder) -> bool:
        """True if `builder`, in which the region goes on, can read what it has made there."""
        owner = value.owner
        if owner is None or not (owner is builder or builder.lies_in(owner)):
            return False
        return not is_left(value)

    def again(self, values: Sequence[Value]) -> list[Value] | None:
        """`values`, which the region has made, computed anew in the current graph; None where
        that would be much, or could give something else.
        """
        written = self._written()
        order: dict[Node, None] = {}
        for value in values:
            if not self._collect(value, written, order):
                return None
        known: dict[Value, Any] = {}
        for node in order:
            inputs = [known.get(v, v) for v in node.inputs]
            if node.op.name == "const":
                known[node.outputs[0]] = current().constant(node.attrs["value"])
                continue
            results = apply(node.op, inputs, node.attrs)
            known.update(zip(node.outputs, results if node.op.multiple else [results], strict=True))
        return [known.get(v, v) for v in values]

    def _collect(self, value: Value, written: set[Value] | None, order: dict[Node, None]) -> bool:
        node = value.node
        if not self.made(value) or node in order:
            return True
        if value.owner is not self.builder or node is None or len(order) > _AGAIN:
            return False
        for effect, index in node_effects(node):
            if effect == CHECKS:
                continue
            if effect != READ or index is None or written is None or node.inputs[index] in written:
                return False
        if not all(self._collect(v, written, order) for v in node.inputs):
            return False
        order[node] = None
        return True

    def _written(self) -> set[Value] | None:
        """The resources that the region changes; None if it may be any."""
        found: set[Value] = set()
        for node in self.builder.nodes[self.start :]:
            for effect, index in node_effects(node):
                if effect == ANYTHING or (effect == WRITE and index is None):
                    return None
                if effect == WRITE and index is not None:
                    found.add(node.inputs[index])
        return found

    def close(self) -> None:
        """Watch no more."""
        self.builder.watch = self._outer

    @contextmanager
    def before(self) -> Iterator[None]:
        """Inside, what is known of truth values is what was known before the region, and what it
        has computed can't be had.
        """
        known, self.builder.facts = self.builder.facts, self._facts
        self.builder.caught.append(self)
        refined = forget(self.builder, self.values())
        try:
            yield
        finally:
            for value, checked in refined:
                refine(self.builder, value, checked)
            self.builder.caught.pop()
            self.builder.facts = known

    def slot(self, spec: TensorSpec) -> Value:
        """A slot beside the region."""
        with interpreting(self.builder):
            made = new_slot(spec)
        self._slots.add(made)
        return made

    def load(self, slot: Value) -> Value:
        """What is in a slot."""
        self._read.add(slot)
        return load(slot)

    def values(self) -> set[Value]:
        """What the nodes of the region give."""
        nodes = self.builder.nodes[self.start :]
        return {v for node in nodes if node.op is not _SLOT for v in node.outputs}

    def emit(
        self,
        error: Value,
        body: Branch,
        outputs: Sequence[Any],
        handler: Branch,
        handler_outputs: Sequence[Any],
    ) -> tuple[Value, ...]:
        """Put a `try` in the place of the region's nodes: its results."""
        captures = _union([body, handler], [outputs, handler_outputs])
        attrs = {
            "body": body.finish(outputs, captures),
            "handler": handler.finish(handler_outputs, captures),
        }
        self.builder.facts = self._facts
        results: tuple[Value, ...] = apply(TRY, (error, *captures), attrs)
        return results

    def outline(self) -> Branch:
        """Take the region's nodes out of the graph: they become a branch."""
        builder, made = self.builder, self.values()
        unread = self._slots - self._read
        nodes = builder.nodes[self.start :]
        nodes = [n for n in nodes if n.op is not _KEEP or n.inputs[0] not in unread]
        builder.nodes[self.start :] = [n for n in builder.nodes[self.start :] if n.op is _SLOT]
        inner = GraphBuilder("body", builder, is_function=False)
        refined = forget(builder, made)
        order = Order()
        for node in nodes:
            if node.op is _SLOT:
                continue
            for value in node.outputs:
                value.owner = inner
            node.inputs = tuple([v if v in made else inner.resolve(v) for v in node.inputs])
            effects = effects_of(node.op, node.inputs, node.attrs)
            node.after = order.edges(effects, node.inputs) if effects else ()
            if effects:
                order.add(node, effects)
            inner.nodes.append(node)
        for value, checked in refined:
            refine(inner, value, checked)
        inner.restart_order(set())  # what is added later comes after these
        builder.restart_order(made)
        return Branch(inner, [])


def is_left(value: Value) -> bool:
    """True for what the body of a `try` has computed, where an exception has left that."""
    return value.owner is not None and any(region.made(value) for region in value.owner.caught)


__all__ = [
    "AGAIN",
    "TRY",
    "Region",
    "errors_of",
    "is_left",
    "load",
    "new_slot",
    "raise_again",
    "raised_is",
    "raised_text",
    "runs_python",
    "store",
]
