"""Every op of the table for a batch of examples: what a loop over them gives, or why not.

The rows of the op tests are called on several samples. The op calls that they and their gradients
consist of are then made for all samples at once, with each choice of what differs between them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from ops.rows import Row, param
from ops.test_table import ROWS, Calls, tensors

import treadle as tl
from treadle.graph.batching import vmap
from treadle.graph.build import GraphBuilder, apply, interpreting, recording
from treadle.graph.errors import BatchingError
from treadle.graph.op import BATCHING, LOOPED, OPS, UNBATCHABLE, Op
from treadle.graph.spec import TensorSpec
from treadle.runtime.eager import run_graph

EXAMPLES = 3


def seen_calls(row: Row, seed: int) -> list[Any]:
    """The op calls of a row, and of its gradient, for one sample."""
    dtype = next((d for d in row.dtypes if d.name in ("float64", "int32")), row.dtypes[0])
    given = tensors(row.sample(np.random.default_rng(seed), dtype))
    seen = Calls()
    with recording((seen,)), tl.GradientTape() as tape:  # type: ignore[arg-type]
        watched = [x for x in given if isinstance(x, tl.Tensor) and x.dtype.is_differentiable]
        tape.watch(watched)
        found = row.call(*given)
        several = found if isinstance(found, (list, tuple)) else [found]
        results = [y for y in several if y.dtype.is_differentiable]
        if watched and results:
            try:
                tape.gradient(results, watched)
            except (LookupError, ValueError, tl.errors.OpError):
                pass  # of no matter here
    return seen.found


def alike(first: Any, second: Any) -> bool:
    if first[0] is not second[0] or len(first[1]) != len(second[1]):
        return False
    if not all(a.spec == b.spec for a, b in zip(first[1], second[1], strict=True)):
        return False
    try:
        return str(first[2]) == str(second[2])
    except ValueError:
        return False


_kept: dict[int, list[Any]] = {}


def in_step(row: Row) -> list[tuple[Op, list[list[Any]], dict[str, Any]]]:
    """Each op call with the inputs that it has for several samples; found once for a row."""
    if id(row) not in _kept:
        _kept[id(row)] = list(found_in_step(row))
    return _kept[id(row)]


def found_in_step(row: Row) -> Iterator[tuple[Op, list[list[Any]], dict[str, Any]]]:
    runs = [seen_calls(row, seed) for seed in range(20, 20 + EXAMPLES)]
    for several in zip(*runs, strict=False):
        op, inputs, attrs, _ = several[0]
        if op.name == "const" or (op.effects and "checks" not in op.effects):
            continue
        plain = inputs and all(isinstance(x.spec, TensorSpec) for x in inputs)
        if plain and all(alike(several[0], other) for other in several[1:]):
            yield op, [list(c) for c in zip(*[s[1] for s in several], strict=True)], attrs


def single(op: Op, specs: list[Any], attrs: dict[str, Any]) -> Any:
    """A graph of one op call."""
    builder = GraphBuilder("single")
    inputs = [builder.add_input(s) for s in specs]
    with interpreting(builder):
        found = apply(op, inputs, attrs)
    return builder.finish(found if op.multiple else [found])


def vague(spec: Any, what: str) -> Any:
    """Less of a spec: sizes are not known, or not even the rank."""
    if what == "sizes":
        return TensorSpec([None] * spec.shape.rank, spec.dtype)
    return TensorSpec(None, spec.dtype) if what == "rank" else spec


# Which inputs may be refused where they differ, and what they are: sizes that results have.
SIZES = {
    "reshape": 1,
    "broadcast_to": 1,
    "sum_to": 1,
    "philox": 1,
    "philox_states": 0,
}


def may_be_refused(op: Op, flags: tuple[bool, ...], attrs: dict[str, Any]) -> bool:
    if op.name in UNBATCHABLE:
        return True
    if op.name in ("bincount", "segment_sum"):
        return True
    return op.name in SIZES and any(flags[SIZES[op.name] :])


def run_each(op: Op, columns: list[list[Any]], flags: Any, attrs: Any) -> Any:
    rows = []
    for i in range(EXAMPLES):
        values = [c[i if flag else 0] for c, flag in zip(columns, flags, strict=True)]
        found = apply(op, values, attrs)
        rows.append(
            [np.asarray(y.numpy(), y.dtype.numpy) for y in (found if op.multiple else [found])]
        )
    return [list(column) for column in zip(*rows, strict=True)]


def check(op: Op, columns: list[list[Any]], flags: Any, attrs: Any, what: str) -> bool:
    """One call for all examples against one for each; False where it is refused."""
    try:
        graph = single(op, [vague(c[0].spec, what) for c in columns], attrs)
    except (ValueError, TypeError):
        assert what != "all"
        return True  # the op needs to know more
    refusal: Any = None
    try:
        batched = vmap(graph, flags)
    except (BatchingError, tl.errors.InvalidArgumentError) as error:
        refusal = error
    if isinstance(refusal, BatchingError):
        assert may_be_refused(op, flags, attrs), refusal
        assert (op.display or op.name) in str(refusal) or op.name in SIZES
        return False
    if refusal is not None:  # the rank must be known, and the message says so
        assert what == "rank", refusal
        assert "rank" in str(refusal)
        return False
    values = [tl.stack(c) if flag else c[0] for c, flag in zip(columns, flags, strict=True)]
    try:
        want = run_each(op, columns, flags, attrs)
    except (ValueError, ZeroDivisionError, IndexError) as error:
        with pytest.raises(type(error)):
            run_graph(batched, values)
        return True
    if any(len({a.shape for a in column}) > 1 for column in want):
        with pytest.raises(ValueError, match="shape"):
            run_graph(batched, values)
        return True
    for got, rows in zip(run_graph(batched, values), want, strict=True):
        assert_same(got.numpy(), np.stack(rows))
    return True


def assert_same(got: Any, want: Any) -> None:
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    if got.dtype.kind in "fc":
        np.testing.assert_allclose(got, want, rtol=1e-4 if got.dtype.itemsize < 8 else 1e-9,
                                   atol=1e-10)  # fmt: skip
    else:
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("what", ["all", "sizes", "rank"])
@pytest.mark.parametrize("row", [param(r) for r in ROWS])
def test_as_a_loop_over_the_examples(row: Row, what: str) -> None:
    known: set[Any] = set()
    for op, columns, attrs in in_step(row):
        key = (op.name, str(attrs), str([c[0].spec for c in columns]))
        if key in known:
            continue
        known.add(key)
        for flags in itertools.product([True, False], repeat=len(columns)):
            if any(flags) and sum(flags) + 2 > len(flags) - 2:
                check(op, columns, flags, attrs, what)


def test_each_op_has_a_rule_or_says_why_not() -> None:
    without = {
        name
        for name, op in OPS.items()
        if not (op.elementwise or op.structured)
        and name not in BATCHING
        and name not in LOOPED
        and name not in UNBATCHABLE
    }
    # Constants have no inputs; reads of variables are the same for all; a write of what differs
    # is refused for all such ops at once.
    others = {"const", "read", "slot", "kept", "raised_is", "raised_text", "raise_again"}
    written = {name for name in without if "write" in OPS[name].effects}
    assert without - written == others
