from __future__ import annotations

from hypothesis import given, settings
from random_graphs import graphs, outcome

from treadle.graph.check import check
from treadle.graph.node import Graph
from treadle.graph.parse import parse
from treadle.graph.passes.pipeline import PASSES
from treadle.graph.same import difference
from treadle.graph.text import to_text


@given(graphs())
@settings(max_examples=1500)
def test_passes_keep_results_effects_and_failures(graph: Graph) -> None:
    check(graph)
    before = [outcome(graph, n, size) for n, size in ((0, 3), (1, 3), (3, 4))]
    optimized = graph
    for run in PASSES:
        optimized = run(optimized)
        check(optimized)
    after = [outcome(optimized, n, size) for n, size in ((0, 3), (1, 3), (3, 4))]
    assert before == after


@given(graphs())
@settings(max_examples=800)
def test_round_trip(graph: Graph) -> None:
    tables: dict = {}
    text = to_text(graph, tables)
    again = parse(text, tables)
    assert difference(graph, again) is None
    assert to_text(again, tables) == text
