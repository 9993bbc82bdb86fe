"""Structured control flow: the ops `cond`, `switch`, `while`, `call` and how they are traced.

A branch is traced by running user code inside of `with branch:`; what it uses from outside is
captured. There are no jumps and no merge nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .build import GraphBuilder, apply, current, interpreting
from .dtypes import int32
from .errors import DTypeError, InternalError, ShapeError
from .node import FunctionRef, Graph, Tensor, Value
from .op import Op, register
from .ops.define import require_kind
from .refined import forget
from .spec import ArraySpec, DataSpec, Spec, TensorSpec, covers, join_shapes


class Branch:
    """A sub-graph of the current graph under construction.

    Enter it (again, if need be) to add ops to it; `inputs` are the values of its arguments.
    """

    def __init__(self, builder: GraphBuilder, inputs: list[Value]) -> None:
        self.builder = builder
        self.inputs = inputs
        self._entered: list[Any] = []

    def __enter__(self) -> Branch:
        context = interpreting(self.builder)
        context.__enter__()
        self._entered.append(context)
        return self

    def __exit__(self, *exc: Any) -> None:
        self._entered.pop().__exit__(*exc)

    def finish(self, outputs: Sequence[Any], captures: Sequence[Value] = ()) -> Graph:
        """The branch's graph, taking all of `captures` (of the outer graph) besides its inputs."""
        graph, order = self.close(outputs, captures)
        arguments = graph.inputs[: len(self.inputs)]
        return Graph(graph.name, (*arguments, *order), graph.nodes, graph.outputs, len(order))

    def close(self, outputs: Sequence[Any], captures: Sequence[Value]) -> tuple[Graph, list[Value]]:
        """The graph, and what it calls the `captures`."""
        results = [self.builder.resolve(v) for v in outputs]
        forget(self.builder)
        order = [self.builder.resolve(v) for v in captures]
        return self.builder.finish(results), order

    @property
    def captures(self) -> list[Value]:
        """The outer values that the branch uses so far."""
        return self.builder.captures


def new_branch(
    specs: Sequence[Spec] = (), names: Sequence[str] = (), name: str = "branch"
) -> Branch:
    """A sub-graph of the graph that is built now, with arguments of `specs`."""
    parent = current()
    if not isinstance(parent, GraphBuilder):
        raise InternalError("a branch needs a graph that is being built")
    builder = GraphBuilder(name, parent, is_function=False)
    names = list(names) + [""] * (len(specs) - len(names))
    inputs = [builder.add_input(s, n) for s, n in zip(specs, names, strict=True)]
    return Branch(builder, inputs)


def join_specs(a: Spec, b: Spec) -> Spec:
    """The most precise spec that covers both; DTypeError if their dtypes differ."""
    if a == b:
        return a
    if type(a) is not type(b) or a.dtype is not b.dtype:
        raise DTypeError(f"{a} and {b} have no common dtype")
    if isinstance(a, TensorSpec):
        return TensorSpec(join_shapes(a.shape, b.shape), a.dtype)
    if isinstance(a, ArraySpec) and isinstance(b, ArraySpec):
        element = join_specs(a.element, b.element)
        assert isinstance(element, (TensorSpec, ArraySpec))
        return ArraySpec(element)
    if isinstance(a, DataSpec) and isinstance(b, DataSpec):
        if a.kind != b.kind or len(a.items) != len(b.items):
            raise DTypeError(f"{a} and {b} have elements of different structure")
        return DataSpec(a.kind, map(join_specs, a.items, b.items))
    raise DTypeError(f"{a} and {b} are different variables")


def fits(general: Spec, special: Spec) -> bool:
    """True if each value of spec `special` is one of spec `general`."""
    if isinstance(general, ArraySpec) and isinstance(special, ArraySpec):
        return fits(general.element, special.element)
    if isinstance(general, DataSpec) and isinstance(special, DataSpec):
        same = general.kind == special.kind and len(general.items) == len(special.items)
        return same and all(map(fits, general.items, special.items))
    return (
        type(general) is type(special)
        and general.dtype is special.dtype
        and covers(general.shape, special.shape)
    )


def _union(branches: Sequence[Branch], outputs: Sequence[Sequence[Any]]) -> list[Value]:
    """The outer values that any of the branches uses or hands out.

    What the outer graph has captured itself, too, may come as that or as the user holds it. The
    latter is what tapes know.
    """
    union: dict[Value, Value] = {}
    for branch, results in zip(branches, outputs, strict=True):
        outer = branch.builder.parent
        assert outer is not None
        for value in results:
            branch.builder.resolve(value)
        for value in branch.captures:
            resolved = outer.resolve(value)
            if value is not resolved or resolved not in union:
                union[resolved] = value
    return list(union.values())


def emit_cond(
    pred: Tensor,
    then: Branch,
    then_outputs: Sequence[Any],
    orelse: Branch,
    else_outputs: Sequence[Any],
) -> tuple[Value, ...]:
    """Add a `cond` node: the results of one of the branches; specs are joined."""
    captures = _union([then, orelse], [then_outputs, else_outputs])
    attrs = {
        "then": then.finish(then_outputs, captures),
        "orelse": orelse.finish(else_outputs, captures),
    }
    results: tuple[Value, ...] = apply(COND, (pred, *captures), attrs)
    return results


def emit_switch(
    index: Tensor, branches: Sequence[Branch], outputs: Sequence[Sequence[Any]]
) -> tuple[Value, ...]:
    """Add a `switch` node; an index outside of the branches takes the last one."""
    captures = _union(branches, outputs)
    graphs = tuple(b.finish(o, captures) for b, o in zip(branches, outputs, strict=True))
    results: tuple[Value, ...] = apply(SWITCH, (index, *captures), {"branches": graphs})
    return results


def emit_while(
    initial: Sequence[Any],
    test: Branch,
    test_output: Any,
    body: Branch,
    body_outputs: Sequence[Any],
) -> tuple[Value, ...]:
    """Add a `while` node: the loop-carried values after the last iteration.

    Both branches have the carried values as arguments, with specs that do not change.
    """
    captures = _union([test, body], [[test_output], body_outputs])
    attrs = {
        "test": test.finish([test_output], captures),
        "body": body.finish(body_outputs, captures),
    }
    results: tuple[Value, ...] = apply(WHILE, (*initial, *captures), attrs)
    return results


def call(callee: FunctionRef, inputs: Sequence[Any]) -> tuple[Any, ...]:
    """Call a function of the program on its arguments and captures."""
    results: tuple[Any, ...] = apply(CALL, inputs, {"callee": callee})
    return results


# --- op table ----------------------------------------------------------------


def _check_arguments(graph: Graph, specs: Sequence[Spec]) -> None:
    for value, spec in zip(graph.inputs, specs, strict=True):
        if not fits(value.spec, spec):
            raise ShapeError(f"{graph.name} takes {value.spec} here, got {spec}")


def _infer_cond(pred: TensorSpec, *specs: Spec, then: Graph, orelse: Graph) -> tuple[Spec, ...]:
    require_kind(pred, "b", "the condition")
    if pred.shape.rank not in (0, None):
        raise ShapeError(
            f"the condition has shape {pred.shape}, one truth value is needed; "
            "use tl.reduce_all or tl.reduce_any"
        )
    return join_arguments((then, orelse), specs)


def join_arguments(ways: tuple[Graph, ...], specs: Sequence[Spec]) -> tuple[Spec, ...]:
    """The specs of the results of one of several graphs that take the same operands."""
    joined = ways[0].out_specs
    for graph in ways:
        _check_arguments(graph, specs)
        joined = tuple(map(join_specs, joined, graph.out_specs))
    return joined


def _infer_switch(index: TensorSpec, *specs: Spec, branches: tuple[Graph, ...]) -> tuple[Spec, ...]:
    if index.dtype is not int32 or index.shape.rank != 0:
        raise ShapeError(f"the branch index is {index}, a scalar of dtype int32 is needed")
    for graph in branches:
        _check_arguments(graph, specs)
    joined = branches[0].out_specs
    for graph in branches[1:]:
        joined = tuple(map(join_specs, joined, graph.out_specs))
    return joined


def _infer_while(*specs: Spec, test: Graph, body: Graph) -> tuple[Spec, ...]:
    _check_arguments(test, specs)
    _check_arguments(body, specs)
    carried = body.in_specs[: len(body.outputs)]
    for i, (before, after) in enumerate(zip(carried, body.out_specs, strict=True)):
        if not fits(before, after):
            name = body.inputs[i].name or f"loop variable {i}"
            kind = DTypeError if before.dtype is not after.dtype else ShapeError
            raise kind(f"'{name}' is {before} before the loop but {after} after one iteration")
    require_kind(test.outputs[0].spec, "b", "the loop's condition")
    return carried


def _infer_call(*specs: Spec, callee: FunctionRef) -> tuple[Spec, ...]:
    if callee.graph is not None:
        _check_arguments(callee.graph, specs)
        return callee.graph.out_specs
    if callee.specs is None:
        raise UnknownResultError(callee)
    return callee.specs


class UnknownResultError(Exception):
    """A function calls itself before any of its results is known.

    Tracing leaves the branch that makes the call and learns the specs from the other ones.
    """

    def __init__(self, callee: FunctionRef) -> None:
        super().__init__(
            f"the function '{callee.name}' calls itself on every path: it never returns"
        )
        self.callee = callee


def _structured(name: str, infer: Callable[..., Any]) -> Op:
    return register(Op(name, infer, multiple=True, structured=True, display=name))


COND = _structured("cond", _infer_cond)
SWITCH = _structured("switch", _infer_switch)
WHILE = _structured("while", _infer_while)
CALL = _structured("call", _infer_call)

__all__ = [
    "Branch",
    "call",
    "emit_cond",
    "emit_switch",
    "emit_while",
    "fits",
    "join_specs",
    "new_branch",
]
