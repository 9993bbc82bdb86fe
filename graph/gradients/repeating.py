"""A graph in two: one that runs as it did, and one that gives the same results once more.

What runs again must not print or draw again. So the first hands out, besides its results, what its
effects gave (the states of random streams, for one): the records. The second takes the records and
has no effects; within loops they are stacks. Changes of state can't be had twice: they are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..build import GraphBuilder, apply, convert, current, interpreting, replay
from ..dtypes import int32
from ..effects import graph_effects, node_effects
from ..errors import GradientError
from ..location import describe
from ..node import FunctionRef, Graph, Node, Value, subgraphs
from ..op import ANYTHING, CHECKS, OPS, WRITE
from ..ops.arithmetic import add
from ..ops.arrays import array_new, array_push, array_read
from ..spec import ArraySpec, Spec, TensorSpec
from ..walk import functions_of
from .backprop import gradient_spec
from .branches import with_dummies


class Repeated(NamedTuple):
    """`first` takes what the graph takes and gives its results, then `records` values more.
    `again` takes the same, then the records, and gives the results.
    """

    first: Graph
    again: Graph
    records: int


RECOMPUTE = "recompute"  # marks, in `FunctionRef.extra`, what tl.recompute_grad has made

# Effects on what a run of the graph makes for itself: where a `try` keeps values.
_LOCAL = frozenset(["slot", "keep", "kept", "raised_is", "raised_text", "raise_again"])


def require_repeatable(graph: Graph, name: str) -> None:
    """GradientError if `graph` changes state, or calls Python: that can't be done twice."""
    found = next(_changes(graph), None)
    if found is not None:
        name_of_op = found.op.name
        what = "changes state"
        if name_of_op == "python_call":
            what = "calls Python"
        elif name_of_op.startswith(("iterator", "dataset")):
            what = "takes elements of a dataset"
        raise GradientError(
            f"the gradient of '{name}' runs parts of it again, and it {what}: "
            f"'{found.op.display or found.op.name}' at {describe(found.loc)}. Move that out of the "
            "function that tl.recompute_grad takes"
        )


def _changes(graph: Graph) -> Iterator[Node]:
    pending = [graph, *(ref.graph for ref in functions_of(graph) if ref.graph is not None)]
    while pending:
        for node in pending.pop().nodes:
            if node.op.structured:
                pending += subgraphs(node)
            elif _changes_state(node):
                yield node


def _changes_state(node: Node) -> bool:
    changes = any(e in (WRITE, ANYTHING) for e, _ in node_effects(node))
    return changes and node.op.name not in ("rng_advance", *_LOCAL)


def is_plain(graph: Graph) -> bool:
    """True if there is nothing that may not happen again."""
    return not _tells(graph_effects(graph)) or not any(map(_has_effects, graph.nodes))


def _tells(effects: Sequence[tuple[str, int | None]]) -> bool:
    return any(e != CHECKS for e, _ in effects)


def _has_effects(node: Node) -> bool:
    if node.op.name in _LOCAL or not _tells(node_effects(node)):
        return False
    if node.op.name == "call":
        graph = node.attrs["callee"].graph
        return graph is None or not is_plain(graph)
    return not node.op.structured or not all(map(is_plain, subgraphs(node)))


def repeated(graph: Graph) -> Repeated:
    """`graph`, which must keep to `require_repeatable`, in two."""
    if is_plain(graph):
        return Repeated(graph, graph, 0)
    return _Split(graph).done()


class _Split:
    """Builds both graphs, node by node."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.used = {v for node in graph.nodes for v in node.inputs} | set(graph.outputs)
        self.first, self.again = GraphBuilder(graph.name), GraphBuilder(f"{graph.name}_again")
        self.records: list[Any] = []
        self.env: list[dict[Value, Any]] = [
            {v: b.add_input(v.spec, v.name) for v in graph.inputs} for b in (self.first, self.again)
        ]

    def done(self) -> Repeated:
        for node in self.graph.nodes:
            self.first.loc = self.again.loc = node.loc
            if not _has_effects(node):
                for i in (0, 1):
                    with interpreting((self.first, self.again)[i]):
                        self._give(i, node, _applied(node, self._inputs(i, node), node.attrs))
            elif not node.op.structured:
                with interpreting(self.first):
                    found = _applied(node, self._inputs(0, node), node.attrs)
                self._give(0, node, found)
                self._give(
                    1, node, [self._record(v, o) for v, o in zip(found, node.outputs, strict=True)]
                )
            elif node.op.name in ("cond", "switch"):
                self._branches(node)
            elif node.op.name == "while":
                self._loop(node)
            elif node.op.name == "call":
                self._call(node)
            else:
                raise _not_twice(node, "handles exceptions around what prints or draws")
        graph, env = self.graph, self.env
        results = [[env[i][v] for v in graph.outputs] for i in (0, 1)]
        first = self.first.finish([*results[0], *self.records])
        again = self.again.finish(results[1])
        return Repeated(
            Graph(first.name, first.inputs, first.nodes, first.outputs, graph.captured),
            Graph(
                *(again.name, again.inputs, again.nodes, again.outputs),
                graph.captured + len(self.records),
            ),
            len(self.records),
        )

    def _inputs(self, which: int, node: Node) -> list[Any]:
        return [self.env[which][v] for v in node.inputs]

    def _give(self, which: int, node: Node, results: Sequence[Any]) -> None:
        self.env[which].update(zip(node.outputs, results, strict=True))

    def _record(self, value: Any, original: Value | None = None) -> Any:
        """What stands for `value` of the first graph in the second one."""
        if original is not None and original not in self.used:
            return None
        self.records.append(value)
        return self.again.add_input(gradient_spec(value.spec), "record")

    def _branches(self, node: Node) -> None:
        names = [k for k in ("then", "orelse") if k in node.attrs]
        graphs = [node.attrs[k] for k in names] if names else list(node.attrs["branches"])
        halves = [repeated(g) for g in graphs]
        count = len(node.outputs)
        made = [h.first.outputs[count:] for h in halves]
        first = [with_dummies(h.first, count, made, i) for i, h in enumerate(halves)]

        def attrs(new: Sequence[Graph]) -> dict[str, Any]:
            return dict(zip(names, new, strict=True)) if names else {"branches": tuple(new)}

        with interpreting(self.first):
            found = apply(node.op, self._inputs(0, node), attrs(first))
        self._give(0, node, found[:count])
        records = [self._record(v) for v in found[count:]]
        specs = [v.spec for v in records]
        again = [_taking(h, made, specs, i) for i, h in enumerate(halves)]
        with interpreting(self.again):
            given = apply(node.op, [*self._inputs(1, node), *records], attrs(again))
        self._give(1, node, given)

    def _loop(self, node: Node) -> None:
        test, body = node.attrs["test"], node.attrs["body"]
        if not is_plain(test):
            raise _not_twice(node, "prints or draws in the condition of a loop")
        parts = repeated(body)
        count = len(body.outputs)
        carried, captured = body.inputs[:count], body.inputs[count:]
        kinds = [v.spec for v in parts.first.outputs[count:]]

        def with_stacks(graph: Graph, pushes: bool) -> Graph:
            builder = GraphBuilder(graph.name)
            state = [builder.add_input(v.spec, v.name) for v in carried]
            stacks = [builder.add_input(ArraySpec(gradient_spec(s)), "records") for s in kinds]
            others = [builder.add_input(v.spec, v.name) for v in captured]
            with interpreting(builder):
                found = replay(graph, [*state, *others])
                if pushes:
                    new = found[count:]
                    pushed = [array_push(s, v) for s, v in zip(stacks, new, strict=True)]
                    found = [*found[:count], *pushed]
            return _captured(builder.finish(found), len(captured))

        with interpreting(self.first):
            given = self._inputs(0, node)
            empty = [array_new(element=gradient_spec(s)) for s in kinds]
            inputs = [*given[:count], *empty, *given[count:]]
            attrs = {"test": with_stacks(test, False), "body": with_stacks(parts.first, True)}
            found = apply(OPS["while"], inputs, attrs)
        self._give(0, node, found[:count])
        stacks = [self._record(v) for v in found[count:]]

        def reading(graph: Graph, reads: bool) -> Graph:
            builder = GraphBuilder(graph.name)
            state = [builder.add_input(v.spec, v.name) for v in carried]
            step = builder.add_input(TensorSpec((), int32), "step")
            others = [builder.add_input(v.spec, v.name) for v in captured]
            arrays = [builder.add_input(s.spec, "records") for s in stacks]
            with interpreting(builder):
                items = [array_read(a, step, safe=True) for a in arrays] if reads else []
                found = replay(graph, [*state, *others, *items])
                found += [add(step, 1)] if reads else []
            return _captured(builder.finish(found), len(others) + len(arrays))

        with interpreting(self.again):
            given = self._inputs(1, node)
            inputs = [*given[:count], convert(0, int32), *given[count:], *stacks]
            attrs = {"test": reading(test, False), "body": reading(parts.again, True)}
            found = apply(OPS["while"], inputs, attrs)
        self._give(1, node, found[:count])

    def _call(self, node: Node) -> None:
        callee: FunctionRef = node.attrs["callee"]
        if callee.graph is None or callee in functions_of(callee.graph):
            raise _not_twice(node, "prints or draws in a function that calls itself")
        if "repeated" not in callee.extra:
            parts = repeated(callee.graph)
            names = (callee.name, f"{callee.name}_again")
            refs = [FunctionRef(n, g) for n, g in zip(names, parts[:2], strict=True)]
            if RECOMPUTE in callee.extra:
                refs[1].extra[RECOMPUTE] = callee.extra[RECOMPUTE]
            callee.extra["repeated"] = (*refs, parts.records)
        first, again, _ = callee.extra["repeated"]
        count = len(node.outputs)
        with interpreting(self.first):
            found = apply(node.op, self._inputs(0, node), {"callee": first})
        self._give(0, node, found[:count])
        records = [self._record(v) for v in found[count:]]
        with interpreting(self.again):
            given = apply(node.op, [*self._inputs(1, node), *records], {"callee": again})
        self._give(1, node, given)


def _applied(node: Node, inputs: Sequence[Any], attrs: dict[str, Any]) -> Sequence[Any]:
    if node.op.name == "const":
        return [current().constant(node.attrs["value"])]
    found = apply(node.op, inputs, attrs)
    return list(found) if node.op.multiple else [found]


def _captured(graph: Graph, captured: int) -> Graph:
    return Graph(graph.name, graph.inputs, graph.nodes, graph.outputs, captured)


def _taking(
    half: Repeated, made: Sequence[Sequence[Value]], specs: Sequence[Spec], own: int
) -> Graph:
    """The branch that takes the records of all branches, and uses its own."""
    graph = half.again
    first = len(graph.inputs) - half.records
    before = sum(len(values) for values in made[:own])
    builder = GraphBuilder(graph.name)
    inputs = [builder.add_input(v.spec, v.name) for v in graph.inputs[:first]]
    records = [builder.add_input(s, "record") for s in specs]
    with interpreting(builder):
        found = replay(graph, [*inputs, *records[before : before + half.records]])
    return _captured(builder.finish(found), len(inputs) + len(records))


def _not_twice(node: Node, what: str) -> GradientError:
    return GradientError(
        f"the gradient runs a part of the program again that {what}, at {describe(node.loc)}: "
        "that is not possible there. Move it out of what tl.recompute_grad takes"
    )
