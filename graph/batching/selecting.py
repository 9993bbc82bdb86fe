"""Paths that only some of the examples take.

Such a path is run for all of them, on values that are safe: an example that does not take it is
replaced by a copy of the first one that does. So nothing on the path can fail, or be NaN, that
would not be so for an example that takes it. Gradients don't flow back into the copies. Where no
example takes the path it does not run at all, if that could fail, loop or have an effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..build import apply, current
from ..control import emit_cond, new_branch
from ..errors import ShapeError
from ..node import Graph
from ..op import OPS
from ..ops.arithmetic import subtract
from ..ops.array_rows import array_select
from ..ops.axes import stop_gradient
from ..ops.comparison import where
from ..ops.effects import require
from ..ops.logic import logical_and, logical_not, logical_or
from ..ops.queries import same_shape
from ..ops.reductions import reduce_any, reduce_max
from ..ops.sequences import range_
from ..spec import ArraySpec, TensorSpec
from .batch import Batch
from .graphs import batched_results
from .varying import is_smooth, is_total


def some(mask: Any) -> Any:
    """Whether the mask holds for any example."""
    return reduce_any(mask, 0)


def safe_values(
    batch: Batch, mask: Any, values: Sequence[Any], flags: Sequence[bool], graph: Graph
) -> list[Any]:
    """`values` for `graph`, with those of examples outside of the mask replaced."""
    if is_total(graph) and not is_smooth(graph):
        return list(values)
    used = {v for node in graph.nodes for v in node.inputs}
    first = None
    found = []
    for x, flag, v in zip(values, flags, graph.inputs, strict=True):
        if not flag or v not in used or isinstance(x.spec, ArraySpec):
            found.append(x)
            continue
        if first is None:
            first = first_of(batch, mask)
        # There may be no examples at all, so the place is not checked.
        copy = apply(OPS["gather"], (x, first), {"axis": 0, "in_range": True})
        found.append(chosen(batch, mask, x, stop_gradient(copy), (True, False)))
    return found


def first_of(batch: Batch, mask: Any) -> Any:
    """The place of the first example of the mask."""
    if batch.count is not None:
        left: Any = current().constant(np.arange(batch.count, 0, -1, dtype=np.int32))
    else:
        left = subtract(batch.size, range_(batch.size))
    most = reduce_max(where(mask, left, 0), 0)
    return subtract(batch.size, most)


def chosen(batch: Batch, mask: Any, x: Any, y: Any, flags: tuple[bool, bool]) -> Any:
    """For each example `x` where the mask holds, else `y`: tensors or arrays."""
    if isinstance(x.spec, ArraySpec):
        return array_select(mask, *batch.fulls((x, y), flags))
    return apply(OPS["where"], batch.aligned((mask, x, y), (True, *flags)))


def masked_results(
    batch: Batch, mask: Any, graph: Graph, values: Sequence[Any], flags: Sequence[bool]
) -> tuple[list[Any], list[bool]]:
    """The results of `graph`, which count only for the examples of the mask."""
    on_path = batch.on_some()

    def run() -> tuple[list[Any], list[bool]]:
        safe = safe_values(batch, mask, values, flags, graph)
        return batched_results(on_path, graph, safe, flags)

    sized = all(isinstance(v.spec, ArraySpec) or v.shape.is_fully_defined() for v in graph.outputs)
    if sized and is_total(graph):
        return run()
    taken = new_branch(name="for_some")
    with taken:
        outputs, batched = run()
    skipped = new_branch(name="for_none")
    with skipped:
        pairs = zip(graph.outputs, batched, strict=True)
        nothing = [_blank(batch, v.spec, flag) for v, flag in pairs] if outputs else []
    return list(emit_cond(some(mask), taken, outputs, skipped, nothing)), batched


def _blank(batch: Batch, spec: Any, flag: bool) -> Any:
    """What stands for a result that no example has: as small as can be, it is never selected.

    `flag`: the others are a batch.
    """
    if isinstance(spec, ArraySpec):
        element = batch.spec(spec).element if flag else spec.element
        return apply(OPS["array_new"], (), {"element": element})
    shape = spec.shape
    dims = [] if shape.rank is None else [1 if d is None else d for d in shape]
    fill = b"" if spec.dtype.name == "string" else 0
    blank = current().constant(np.full(dims, fill, spec.dtype.numpy))
    return batch.full(blank, False) if flag else blank


def merged(
    batch: Batch,
    mask: Any,
    x: Any,
    y: Any,
    flags: tuple[bool, bool],
    specs: tuple[Any, Any],
    ran: tuple[Any, Any],
) -> Any:
    """Results of two paths as one: `x` where the mask holds, else `y`.

    `specs` are those of one example on each path: examples can't be stacked unless they are of one
    shape. `ran` tells which of the paths did run.
    """
    if isinstance(specs[0], ArraySpec):
        return chosen(batch, mask, x, y, flags)
    a, b = specs[0].shape, specs[1].shape
    message = (
        "the branches of a condition that differs between the examples of a vmap give tensors of "
        "different shapes, which can't be stacked; give them one shape"
    )
    if not a.is_compatible_with(b):
        raise ShapeError(f"{message}: {a} and {b}")
    if a.is_fully_defined() and a == b:
        result = chosen(batch, mask, x, y, flags)
        return batch.known(result, TensorSpec(a, specs[0].dtype))
    x, y = batch.fulls((x, y), flags)
    # A path that no example takes gives axes of size 1, which fit any.
    fits = logical_or(same_shape(x, y), logical_not(logical_and(*ran)))
    x, y = require(fits, [x, y], "ValueError", message)
    return chosen(batch, mask, x, y, (True, True))


__all__ = ["chosen", "masked_results", "merged", "safe_values", "some"]
