"""A graph as a networkx graph and as Graphviz text."""

from __future__ import annotations

import subprocess
import sys

import networkx as nx
from snapshot import check_snapshot

from treadle.graph import parse, to_dot

GRAPH = parse("""
# f(x: f32[2], v: var<f32[2]>, c: bool[]) -> f32[2], f32[2]
def f(x, v, c):
    y = add(x, f32(1.0))
    e0 = print_(y, template=("", ""), summarize=3, stream="stderr")
    print_(x, template=("", ""), summarize=3, stream="stderr")  # io; after e0
    z = assign(v, y)
    # then_0(*, z: f32[2]) -> f32[2]
    def then_0(*, z):
        a = exp(z)
        return a
    # orelse_0(*, z: f32[2]) -> f32[2]
    def orelse_0(*, z):
        return z
    w = cond(c, z, then=then_0, orelse=orelse_0)
    return w, x
""")


def test_networkx() -> None:
    view = GRAPH.to_networkx()
    assert view.nodes["y"] == {
        "op": "add",
        "type": "f32[2]",
        "attrs": {},
        "effects": (),
        "loc": "",
        "graphs": {},
    }
    assert nx.is_directed_acyclic_graph(view)
    assert nx.shortest_path(view, "x", "output_0") == ["x", "y", "z", "w", "output_0"]
    assert view.nodes["z"]["effects"] == ("write",)
    after = [(a, b) for a, b, kind in view.edges(data="kind") if kind == "after"]
    assert after == [("e0", "print_")]
    inner = view.nodes["w"]["graphs"]
    assert list(inner["then"]) == ["z", "a", "output_0"]
    assert list(inner["orelse"]) == ["z", "output_0"]
    assert set(nx.descendants(view, "v")) == {"z", "w", "output_0"}


def test_dot() -> None:
    check_snapshot("text/dot", to_dot(GRAPH))


def test_networkx_is_imported_when_it_is_needed() -> None:
    code = "import treadle, sys; print('networkx' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
