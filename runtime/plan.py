"""A graph as Python source that calls NumPy: the plan.

Each node is one line; loops and branches are Python's own; temporaries are deleted at their last
use. The source is kept in `linecache`, so tracebacks and debuggers show it, and each line knows
the node that it runs, so errors find the user's line.
"""

from __future__ import annotations

import itertools
import keyword
import linecache
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..graph.convert import text_array
from ..graph.dtypes import DType, string
from ..graph.location import PLAN, Loc
from ..graph.node import Graph, Node, Value
from ..graph.spec import TensorSpec

_numbers = itertools.count()
# Files of plans that are no more. They are taken out when the next one comes: the collector may be
# at work in the middle of what reads `linecache`.
_gone: deque[str] = deque()
_PART = 2_000  # nodes in a function, where a graph is cut into several
_MAX_DEPTH = 15  # CPython nests at most 20 blocks
# Of scalars these take a tenth of the time of the ufuncs.
_OPERATORS = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "equal": "==",
    "not_equal": "!=",
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
}
_SIMPLE = (int, float, bool, str, type(None))


def forget_dead() -> None:
    """Take the sources of plans that are no more out of `linecache`."""
    while True:
        try:
            linecache.cache.pop(_gone.popleft(), None)
        except IndexError:
            return


class Plan:
    """The source of a graph's plan and what it refers to."""

    def __init__(
        self, graph: Graph, link: Callable[[Any], Any], explain: Callable[[Any], Any]
    ) -> None:
        """`link(function_ref)` gives the object whose `run` a call node calls, `explain(error)`
        what a handler gets for an exception.
        """
        self._explain = explain
        self.lines: list[str] = []
        self.node_at: dict[int, tuple[Node, Sequence[str]]] = {}  # by line: node, input names
        self.namespace: dict[str, Any] = {"np": np}
        self._link = link
        self._bound: dict[int, str] = {}  # names of what is bound in the namespace, by id
        self._names: dict[Value, str] = {}
        self._constants: set[Value] = set()
        self._scalars: dict[int, Any] = {}  # of constant arrays, by id
        self._taken: set[str] = {"np"}
        self._depth = 1
        self.parts: list[Graph] = []  # keeps the parts of a long graph alive
        self.name = _identifier(graph.name) or "graph"
        self._taken.add(self.name)
        parameters = [self._name(v) for v in graph.inputs]
        self._write(f"def {self.name}({', '.join(parameters)}):", 0)
        self._body(graph, set(graph.inputs))
        self._write(f"return ({''.join(self._names[v] + ', ' for v in graph.outputs)})")
        self.source = "\n".join(self.lines) + "\n"

    def compile(self) -> Callable[..., Any]:
        """The function that runs the plan."""
        self.filename = f"{PLAN}{next(_numbers)} of {self.name}>"
        code = compile(self.source, self.filename, "exec", dont_inherit=True)
        exec(code, self.namespace)
        lines = self.source.splitlines(keepends=True)
        forget_dead()
        linecache.cache[self.filename] = (len(self.source), None, lines, self.filename)
        weakref.finalize(self, _gone.append, self.filename)
        function: Callable[..., Any] = self.namespace[self.name]
        return function

    def _write(self, text: str, depth: int | None = None) -> None:
        self.lines.append("    " * (self._depth if depth is None else depth) + text)

    def _name(self, value: Value) -> str:
        base = _identifier(value.name) or "v"
        name = base if base != "v" else f"v{len(self._names)}"
        while name in self._taken or keyword.iskeyword(name):
            name = f"{base}_{len(self._names)}"
            base = name if name in self._taken else base
        self._taken.add(name)
        self._names[value] = name
        return name

    def _bind(self, thing: Any, base: str) -> str:
        """A name in the namespace for a constant, kernel or function."""
        known = self._bound.get(id(thing))
        if known is not None:
            return known
        name, n = base, 0
        while name in self._taken:
            n += 1
            name = f"{base}_{n}"
        self._taken.add(name)
        self._bound[id(thing)] = name
        self.namespace[name] = thing
        return name

    def _body(self, graph: Graph, keep: set[Value]) -> None:
        """The lines of a graph's nodes; `keep` and the graph's results are not deleted."""
        if len(graph.nodes) > 2 * _PART:
            self._parts(graph)
            return
        keep = keep | set(graph.outputs)
        last = {value: node for node in graph.nodes for value in node.inputs}
        for node in graph.nodes:
            if node.op.name == "const":
                array = node.attrs["value"]
                self._names[node.outputs[0]] = self._bind(array, f"c{len(self._bound)}")
                self._constants.add(node.outputs[0])
                continue
            gone = [v for v in dict.fromkeys(node.inputs) if last[v] is node and v not in keep]
            dead = [self._names[v] for v in gone if v not in self._constants]
            if node.op.structured:
                _STRUCTURED[node.op.name](self, node)
            else:
                self._simple(node, dead)
            dead += [self._names[v] for v in node.outputs if v not in last and v not in keep]
            if dead:
                self._write(f"del {', '.join(dead)}")

    def _parts(self, graph: Graph) -> None:
        """A very long graph as a sequence of functions: CPython compiles those faster, and in
        time linear in the length.
        """
        parts = [graph.nodes[i : i + _PART] for i in range(0, len(graph.nodes), _PART)]
        last = {v: i for i, part in enumerate(parts) for node in part for v in node.inputs}
        last |= dict.fromkeys([*graph.outputs, *graph.inputs], len(parts))
        for i, part in enumerate(parts):
            made = {v: None for node in part for v in node.outputs}
            inputs = tuple(dict.fromkeys(v for n in part for v in n.inputs if v not in made))
            outputs = tuple(v for v in made if last.get(v, i) > i)
            piece = Graph(f"{self.name}_part_{i}", inputs, part, outputs)
            self.parts.append(piece)
            results = self._outlined(piece, [self._names[v] for v in inputs])
            self._names.update(zip(outputs, results, strict=True))
            dead = [self._names[v] for v in inputs if last[v] == i]
            if dead:
                self._write(f"del {', '.join(dead)}")

    def _simple(self, node: Node, dead: list[str]) -> None:
        """One line. A result takes the name of an operand that is not used again."""
        op = node.op
        inputs = [self._names[v] for v in node.inputs]
        if op.name in _OPERATORS and all(map(_is_number, node.inputs)):
            sides = [self._scalar(v) for v in node.inputs]
            call = f"{sides[0]} {_OPERATORS[op.name]} {sides[1]}"
        elif op.ufunc:
            call = f"{self._bind(getattr(np, op.ufunc), op.ufunc)}({', '.join(inputs)})"
        else:
            attrs = [f"{k}={self._literal(v, k)}" for k, v in node.attrs.items()]
            call = f"{self._bind(op.eval, op.name)}({', '.join(['np', *inputs, *attrs])})"
        if dead and len(node.outputs) == 1:
            outputs = [dead.pop(0)]
            self._names[node.outputs[0]] = outputs[0]
        else:
            outputs = [self._name(v) for v in node.outputs]
        target = ", ".join(outputs) + ("," if op.multiple and len(outputs) == 1 else "")
        self._write(f"{target} = {call}" if outputs else call)
        self._mark(node, inputs)
        for value, name in zip(node.outputs, outputs, strict=True):
            spec = value.spec
            if isinstance(spec, TensorSpec) and spec.dtype is string and not spec.shape.rank:
                self._write(f"{name} = {self._bind(text_array, 'text')}({name})")

    def _scalar(self, value: Value) -> str:
        """The name of a scalar, which is a NumPy scalar (and no array) if it is a constant."""
        if value not in self._constants:
            return self._names[value]
        assert value.node is not None
        array = value.node.attrs["value"]
        if id(array) not in self._scalars:
            self._scalars[id(array)] = array[()]
        return self._bind(self._scalars[id(array)], f"n{len(self._bound)}")

    def _mark(self, node: Node, inputs: Sequence[str]) -> None:
        self.node_at[len(self.lines)] = (node, inputs)

    def place_of(self, line: int) -> Loc | None:
        """Where the user wrote what a line belongs to: an interrupt comes in any of them."""
        nodes = (self.node_at[i][0] for i in range(line, 0, -1) if i in self.node_at)
        return next((node.loc for node in nodes if node.loc is not None), None)

    def _literal(self, value: Any, name: str) -> str:
        if isinstance(value, DType):
            return self._bind(value, value.name)
        if type(value) in _SIMPLE and repr(value) not in ("nan", "inf", "-inf"):
            return repr(value)
        if type(value) is tuple and all(type(v) in (int, bool, str, type(None)) for v in value):
            return repr(value)
        return self._bind(value, name)

    def _inline(self, graph: Graph, arguments: Sequence[str], keep: set[Value]) -> list[str]:
        """Write a sub-graph's lines here: the names of its results."""
        self._names.update(zip(graph.inputs, arguments, strict=True))
        self._body(graph, keep | set(graph.inputs))
        return [self._names[v] for v in graph.outputs]

    def _cond(self, node: Node) -> None:
        pred, *inputs = [self._names[v] for v in node.inputs]
        outputs = [self._name(v) for v in node.outputs]
        if node.op.name == "cond":
            branches = [(f"if {pred}:", node.attrs["then"]), ("else:", node.attrs["orelse"])]
        else:
            graphs = node.attrs["branches"]
            heads = [f"{'el' if i else ''}if {pred} == {i}:" for i in range(len(graphs))]
            heads[-1] = "else:" if len(graphs) > 1 else "if True:"
            branches = list(zip(heads, graphs, strict=True))
        for head, graph in branches:
            self._write(head)
            self._mark(node, [pred])
            self._depth += 1
            if self._depth > _MAX_DEPTH:
                results = self._outlined(graph, inputs)
            else:
                results = self._inline(graph, inputs, set())
            pairs = [f"{o} = {r}" for o, r in zip(outputs, results, strict=True)]
            self._write("; ".join(pairs) or "pass")
            self._depth -= 1

    def _try(self, node: Node) -> None:
        slot, *inputs = [self._names[v] for v in node.inputs]
        outputs = [self._name(v) for v in node.outputs]
        error = next(n for i in itertools.count() if (n := f"error_{i}") not in self._taken)
        self._taken.add(error)
        explain = self._bind(self._explain, "explained")
        heads = ("try:", f"except BaseException as {error}:")
        for head, graph in zip(heads, (node.attrs["body"], node.attrs["handler"]), strict=True):
            self._write(head)
            self._depth += 1
            if head != "try:":
                self._write(f"{slot}.array = {explain}({error})")
            if self._depth > _MAX_DEPTH:
                results = self._outlined(graph, inputs)
            else:
                results = self._inline(graph, inputs, set())
            pairs = [f"{o} = {r}" for o, r in zip(outputs, results, strict=True)]
            self._write("; ".join(pairs) or "pass")
            self._depth -= 1

    def _while(self, node: Node) -> None:
        test, body = node.attrs["test"], node.attrs["body"]
        count = len(body.outputs)
        inputs = [self._names[v] for v in node.inputs]
        carried = [self._name(v) for v in node.outputs]
        if carried:
            self._write(f"{', '.join(carried)} = {', '.join(inputs[:count])}")
        arguments = [*carried, *inputs[count:]]
        self._write("while True:")
        self._mark(node, [])  # where an interrupt comes
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            (go_on,) = self._outlined(test, arguments)
        else:
            (go_on,) = self._inline(test, arguments, set())
        self._write(f"if not {go_on}: break")
        self._mark(node, [go_on])
        if self._depth > _MAX_DEPTH:
            results = self._outlined(body, arguments)
        else:
            results = self._inline(body, arguments, set())
        self._write(f"{', '.join(carried)} = {', '.join(results)}" if carried else "pass")
        self._depth -= 1

    def _outlined(self, graph: Graph, arguments: Sequence[str]) -> list[str]:
        """Run a sub-graph that is nested too deeply as a function of its own."""
        runner = self._bind(self._link(graph), _identifier(graph.name) or "inner")
        outputs = [f"{runner}_{i}" for i in range(len(graph.outputs))]
        self._taken.update(outputs)
        target = f"{', '.join(outputs)}, = " if outputs else ""
        self._write(f"{target}{runner}.run({', '.join(arguments)})")
        return outputs

    def _call(self, node: Node) -> None:
        inputs = [self._names[v] for v in node.inputs]
        callee = node.attrs["callee"]
        runner = self._bind(self._link(callee), _identifier(callee.name) or "function")
        outputs = [self._name(v) for v in node.outputs]
        target = f"{', '.join(outputs)}, = " if outputs else ""
        self._write(f"{target}{runner}.run({', '.join(inputs)})")
        self._mark(node, inputs)


def _is_number(value: Value) -> bool:
    spec = value.spec
    return isinstance(spec, TensorSpec) and spec.shape.rank == 0 and spec.dtype.kind in "iuf"


def _identifier(name: str) -> str:
    text = "".join(c if c.isalnum() or c == "_" else "_" for c in name).strip("_")
    return text if text.isidentifier() and not keyword.iskeyword(text) else ""


_STRUCTURED: dict[str, Callable[[Plan, Node], None]] = {
    "cond": Plan._cond,
    "switch": Plan._cond,
    "try": Plan._try,
    "while": Plan._while,
    "call": Plan._call,
}
