"""The pipeline times, prints, checks and keeps stages."""

from __future__ import annotations

import re

import pytest

from treadle.graph import Graph, TensorSpec, optimize, parse
from treadle.graph.errors import GraphCheckError
from treadle.graph.passes import pipeline
from treadle.graph.passes.pipeline import PASSES, Stage

TEXT = """\
# f(x: f32[2]) -> f32[2]
def f(x):
    y = multiply(x, f32(1.0))
    z = exp(y)
    return z
"""


def test_the_passes_are_one_visible_list() -> None:
    assert [run.__name__ for run in PASSES] == ["inline", "simplify"]


def test_stages_are_kept() -> None:
    graph = parse(TEXT)
    stages: list[Stage] = []
    after = optimize(graph, stages=stages)
    assert [stage.name for stage in stages] == ["traced", "inline", "simplify"]
    assert stages[0].graph is graph
    assert stages[-1].graph is after
    assert [len(stage.graph.nodes) for stage in stages] == [3, 3, 1]


def test_what_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TREADLE_DEBUG", "3")
    optimize(parse(TEXT))
    shown = re.sub(r"[\d.]+ ms", "? ms", capsys.readouterr().err)
    assert "treadle: f: inline: 3 nodes, ? ms" in shown
    assert "treadle: f: simplify: 1 nodes, ? ms" in shown
    assert "    z = exp(x)  # f32[2]" in shown
    monkeypatch.setenv("TREADLE_DEBUG", "1")
    optimize(parse(TEXT))
    assert not capsys.readouterr().err


def test_a_pass_that_breaks_the_graph_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(graph: Graph) -> Graph:
        graph.nodes[-1].outputs[0].spec = TensorSpec([7])
        return graph

    monkeypatch.setattr(pipeline, "PASSES", [breaks])
    monkeypatch.setenv("TREADLE_CHECK", "1")
    with pytest.raises(GraphCheckError) as caught:
        optimize(parse(TEXT))
    assert caught.value.__notes__ == ["after the pass 'breaks'"]
    monkeypatch.setenv("TREADLE_CHECK", "0")
    assert optimize(parse(TEXT))
