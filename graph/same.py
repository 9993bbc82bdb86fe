"""When two graphs are the same: equal up to names, locations and how constants are shared."""

from __future__ import annotations

from typing import Any

import numpy as np

from .node import FunctionRef, Graph, Node, Value


def same_graph(a: Graph, b: Graph) -> bool:
    """True if the programs that `a` and `b` begin have equal nodes, types, attributes and edges."""
    return difference(a, b) is None


def difference(a: Graph, b: Graph) -> str | None:
    """The first difference of two programs, in words; None if they are the same."""
    return _Comparison().programs(a, b)


class _Comparison:
    def __init__(self) -> None:
        self._pending: list[tuple[Graph, Graph]] = []
        self._values: dict[Value, Value] = {}
        self._nodes: dict[Node, Node] = {}
        self._callees: dict[int, FunctionRef] = {}

    def programs(self, a: Graph, b: Graph) -> str | None:
        self._pending.append((a, b))
        for first, second in self._pending:
            found = self._graphs(first, second)
            if found:
                return f"{first.name}: {found}"
        return None

    def _graphs(self, a: Graph, b: Graph) -> str | None:
        if a.in_specs != b.in_specs or a.captured != b.captured:
            return f"inputs {a.in_specs} and {b.in_specs}"
        self._values.update(zip(a.inputs, b.inputs, strict=True))
        first, second = ([n for n in g.nodes if n.op.name != "const"] for g in (a, b))
        if len(first) != len(second):
            return f"{len(first)} and {len(second)} nodes"
        for n, m in zip(first, second, strict=True):
            found = self._node(n, m)
            if found:
                return f"{n.op.name}: {found}"
        if len(a.outputs) != len(b.outputs):
            return f"{len(a.outputs)} and {len(b.outputs)} outputs"
        if not all(map(self._value, a.outputs, b.outputs)):
            return "the outputs differ"
        return None

    def _node(self, n: Node, m: Node) -> str | None:
        if n.op is not m.op:
            return f"ops {n.op.name} and {m.op.name}"
        if len(n.inputs) != len(m.inputs) or not all(map(self._value, n.inputs, m.inputs)):
            return "the inputs differ"
        if n.specs != m.specs:
            return f"types {n.specs} and {m.specs}"
        if n.attrs.keys() != m.attrs.keys():
            return f"attributes {list(n.attrs)} and {list(m.attrs)}"
        for key, value in n.attrs.items():
            if not self._attr(value, m.attrs[key]):
                return f"attribute {key}: {value!r} and {m.attrs[key]!r}"
        if {self._nodes.get(before) for before in n.after} != set(m.after):
            return "the nodes that it waits for differ"
        self._values.update(zip(n.outputs, m.outputs, strict=True))
        self._nodes[n] = m
        return None

    def _value(self, v: Value, w: Value) -> bool:
        if v.node is not None and w.node is not None and v.node.op.name == "const":
            return w.node.op is v.node.op and self._attr(
                v.node.attrs["value"], w.node.attrs["value"]
            )
        return self._values.get(v) is w

    def _attr(self, x: Any, y: Any) -> bool:
        if isinstance(x, Graph) and isinstance(y, Graph):
            self._pending.append((x, y))
            return True
        if isinstance(x, FunctionRef) and isinstance(y, FunctionRef):
            known = self._callees.get(id(x))
            if known is None and x.graph is not None and y.graph is not None:
                self._callees[id(x)] = y
                self._pending.append((x.graph, y.graph))
                return True
            return known is y
        if type(x) is tuple and type(y) is tuple:
            return len(x) == len(y) and all(map(self._attr, x, y))
        return same_attr(x, y)


def same_attr(x: Any, y: Any) -> bool:
    """True if two attribute values are equal to the bit and of one type."""
    if x is y:
        return True
    if type(x) is not type(y):
        return False
    if type(x) in (tuple, list):
        return len(x) == len(y) and all(map(same_attr, x, y))
    if isinstance(x, float):
        return (x == y and str(x) == str(y)) or (x != x and y != y)  # noqa: PLR0124 - NaN
    if isinstance(x, complex):
        return same_attr(x.real, y.real) and same_attr(x.imag, y.imag)
    if isinstance(x, np.ndarray):
        if x.dtype != y.dtype or x.shape != y.shape:
            return False
        if x.dtype.hasobject:
            return bool(x.tolist() == y.tolist())
        return bool(x.tobytes() == y.tobytes())
    equal: bool = x == y
    return equal
