"""What `tl.stack` and `tl.concat` make of a list that the graph holds."""

from __future__ import annotations

from treadle.graph import Tensor
from treadle.graph.errors import ListItemError
from treadle.graph.ops.axes import transpose
from treadle.graph.ops.queries import shape as shape_of
from treadle.graph.ops.reshaping import reshape

from .list_items import here


def stacked(rows: Tensor, axis: int) -> Tensor:
    """The items, which are the rows of a tensor, stacked along `axis`."""
    return rows if axis == 0 else _moved(rows, axis)


def _moved(rows: Tensor, axis: int) -> Tensor:
    """The first axis moved to the place `axis`."""
    rank = rows.shape.rank
    if rank is None:
        raise ListItemError(f"the items of a list are stacked at {here()}, but not their rank")
    axes = list(range(rank))
    axes.insert(axis % rank, axes.pop(0))
    moved: Tensor = transpose(rows, axes)
    return moved


def concatenated(rows: Tensor, axis: int) -> Tensor:
    """The rows joined along `axis` of each."""
    rank = rows.shape.rank
    place = axis if rank is None else axis % (rank - 1)
    apart = _moved(rows, place)
    assert rank is not None
    sizes = [-1 if i == place else shape_of(rows)[i + 1] for i in range(rank - 1)]
    joined: Tensor = reshape(apart, sizes)
    return joined
