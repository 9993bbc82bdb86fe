"""`Batch`: what the rules of ops know of the examples that they work on at once.

A value that differs between the examples has them along a first axis of its own; a value that does
not is there once. A batched array (`ArraySpec`) has batched items.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..build import apply, convert, current
from ..dtypes import int32
from ..errors import BatchingError, ShapeError
from ..location import Loc, describe
from ..op import OPS, Op
from ..ops.array_rows import array_spread
from ..ops.casting import cast
from ..ops.joining import concat
from ..ops.queries import rank as rank_of
from ..ops.queries import shape as shape_of
from ..ops.reductions import reduce_max
from ..spec import UNKNOWN, ArraySpec, Dim, Spec, TensorShape, TensorSpec


class Batch:
    """Examples that are worked on at once: their number, and where in the program we are.

    `count` is the number where it is known while tracing. `masked` is true on paths that only some
    of the examples take: the others are there as copies of one that does.
    """

    def __init__(self, size: Any, masked: bool = False, loc: Loc | None = None) -> None:
        self.count: Dim = size if isinstance(size, int) else None
        self._size: Any = size
        self.masked = masked
        self.loc = loc

    def on_some(self) -> Batch:
        """The batch on a path that only some of the examples take."""
        return Batch(self._size, True, self.loc)

    @property
    def size(self) -> Any:
        """The number of examples, an int32 scalar."""
        if self.count is not None:
            return current().constant(np.array(self.count, np.int32))
        return self._size

    def refuse(self, what: str, why: str) -> BatchingError:
        """The error for what has no meaning for a batch."""
        return BatchingError(f"{what} at {describe(self.loc)} can't be done in a vmap: {why}")

    # --- specs and shapes ----------------------------------------------------------

    def spec(self, spec: Spec) -> Any:
        """The spec of a batched value whose examples are of spec `spec`."""
        try:
            return batched_spec(spec, self.count)
        except TypeError:
            raise self.refuse(
                "what uses a variable or dataset of each example", "all examples share one"
            ) from None

    def shape(self, shape: TensorShape) -> TensorShape:
        return UNKNOWN if shape.rank is None else TensorShape((self.count, *shape))

    def example(self, spec: Any) -> Any:
        """The spec of the examples of a batched value."""
        if isinstance(spec, ArraySpec):
            return ArraySpec(self.example(spec.element))
        return TensorSpec(spec.shape[1:], spec.dtype)

    def rank(self, x: Any, flag: bool) -> int | None:
        """The number of axes that an example has."""
        known: int | None = x.spec.shape.rank
        return known - 1 if flag and known is not None else known

    def dims(self, shape: TensorShape, dims: Sequence[Any]) -> tuple[TensorShape, tuple[Any, ...]]:
        """What an op takes for the shape of an example, made the shape of a batch."""
        static = self.shape(shape)
        if static.rank is not None and static.is_fully_defined():
            return static, ()
        if dims:
            sizes = dims[0] if dims[0].spec.shape.rank == 1 else self.flat(dims[0])
        else:
            sizes = convert(np.array(list(shape), np.int32))
        return static, (concat([cast(self.one_size(), sizes.dtype), sizes], 0),)

    def one_size(self) -> Any:
        """The number of examples as a vector of one item."""
        if self.count is not None:
            return current().constant(np.array([self.count], np.int32))
        return self.flat(self._size)

    def flat(self, x: Any) -> Any:
        return apply(OPS["reshape"], (x,), {"shape": TensorShape([None])})

    # --- values --------------------------------------------------------------------

    def full(self, x: Any, flag: bool) -> Any:
        """`x` for each example."""
        if flag:
            return x
        if isinstance(x.spec, ArraySpec):
            return array_spread(x, self.size, self.count)
        static, dims = self.dims(x.spec.shape, self._dims_of(x))
        return apply(OPS["broadcast_to"], (x, *dims), {"shape": static, "safe": True})

    def fulls(self, xs: Sequence[Any], flags: Sequence[bool]) -> list[Any]:
        return [self.full(x, flag) for x, flag in zip(xs, flags, strict=True)]

    def _dims_of(self, x: Any) -> tuple[Any, ...]:
        shape = x.spec.shape
        return () if shape.rank is not None and shape.is_fully_defined() else (shape_of(x),)

    def sizes(self, x: Any) -> Any:
        """The shape of an example of the batched `x`, as a tensor."""
        known = x.spec.shape
        if known.rank is not None and known[1:].is_fully_defined():
            return convert(np.array(list(known[1:]), np.int32))
        return apply(OPS["strided_slice"], (shape_of(x),), {"key": "1:"})

    def reshaped(self, x: Any, shape: TensorShape, sizes: Any) -> Any:
        """The batched `x` with examples of another shape, known to have as many items."""
        known = shape.rank is not None and shape.is_fully_defined()
        static, dims = self.dims(shape, () if known else (sizes,))
        return apply(OPS["reshape"], (x, *dims), {"shape": static, "safe": True})

    def grown(self, x: Any, axes: int) -> Any:
        """The batched `x` with `axes` new axes of size 1 in front of those of each example."""
        if axes == 0:
            return x
        shape = x.spec.shape
        if axes == 1:
            return apply(OPS["expand_dims"], (x,), {"axis": 1})
        if shape.rank is not None and shape.is_fully_defined():
            wider = TensorShape((shape[0], *[1] * axes, *shape[1:]))
            return apply(OPS["reshape"], (x,), {"shape": wider, "safe": True})
        return apply(OPS["strided_slice"], (x,), {"key": ":" + ", None" * axes})

    def aligned(self, xs: Sequence[Any], flags: Sequence[bool], least: int = 0) -> list[Any]:
        """`xs` so that the axes of the examples broadcast as those of single ones.

        The batched ones get as many axes as the one with most has (`least` at least).
        """
        ranks = [self.rank(x, f) for x, f in zip(xs, flags, strict=True)]
        if None not in ranks:
            top = max([least, *[r or 0 for r in ranks]])
            return [
                self.grown(x, top - (r or 0)) if flag else x
                for x, flag, r in zip(xs, flags, ranks, strict=True)
            ]
        others = [r for x, r, f in zip(xs, ranks, flags, strict=True) if not f]
        if sum(flags) == 1 and all(r is not None and r <= least for r in others):
            return list(xs)
        now = [cast(rank_of(x), int32) - int(f) for x, f in zip(xs, flags, strict=True)]
        most = reduce_max(convert(now))
        return [
            self._grown_by(x, most - r) if flag else x
            for x, flag, r in zip(xs, flags, now, strict=True)
        ]

    def _grown_by(self, x: Any, axes: Any) -> Any:
        """`grown` for a number of axes that is known only when the program runs."""
        ones = apply(
            OPS["broadcast_to"],
            (convert(np.array(1, np.int32)), self.flat(axes)),
            {"shape": TensorShape([None])},
        )
        sizes = concat([ones, self.sizes(x)], 0)
        return self.reshaped(x, UNKNOWN, sizes)

    def grown_to(self, x: Any, shape: TensorShape, dims: Sequence[Any]) -> Any:
        """The batched `x` whose examples have as many axes as `shape`, or as the sizes `dims`."""
        rank = self.rank(x, True)
        if rank is not None and shape.rank is not None:
            return self.grown(x, max(0, len(shape) - rank))
        wanted: Any = shape.rank
        if wanted is None:
            attrs = {"out_type": int32}
            wanted = self.flat(apply(OPS["size"], (dims[0],), attrs))
        return self._grown_by(x, wanted - (cast(rank_of(x), int32) - 1))

    def known(self, x: Any, spec: Spec) -> Any:
        """The batched `x`, with all that is known of its examples, which are of spec `spec`."""
        if not isinstance(spec, TensorSpec) or spec.shape.rank is None:
            return x
        have, wanted = x.spec.shape, self.shape(spec.shape)
        if wanted.is_fully_defined() and not (have.rank is not None and have.is_fully_defined()):
            return apply(OPS["reshape"], (x,), {"shape": wanted, "safe": True})
        return x

    # --- axes ----------------------------------------------------------------------

    def axis(self, axis: int) -> int:
        """The place of an axis of the examples; negative ones count from the end as before."""
        return axis + 1 if axis >= 0 else axis

    def axes(self, axis: Sequence[int] | None, x: Any) -> tuple[int, ...]:
        """The places of several axes of the batched `x`; all of an example's for None."""
        if axis is not None:
            return tuple([self.axis(i) for i in axis])
        return tuple(range(1, len(x.spec.shape)))

    def to_front(self, x: Any, axis: int) -> Any:
        """`x` with an axis moved to the front."""
        return moved(x, axis, 0)

    def each(
        self, op: Op, flags: Sequence[bool], inputs: Sequence[Any], attrs: dict[str, Any]
    ) -> Any:
        """What `op` gives for the examples, one after the other: a loop."""
        return _each[0](self, op, flags, inputs, attrs)


def batched_spec(spec: Spec, count: Dim) -> Any:
    """The spec of `count` examples of spec `spec`; TypeError for variables and datasets."""
    if isinstance(spec, ArraySpec):
        return ArraySpec(batched_spec(spec.element, count))
    if not isinstance(spec, TensorSpec):
        raise TypeError(spec)
    shape = spec.shape
    return TensorSpec(UNKNOWN if shape.rank is None else (count, *shape), spec.dtype)


_each: list[Any] = []  # set by each.py, which needs loops


def moved(x: Any, source: int, target: int) -> Any:
    """`x` with one axis moved to another place, both counted from either end; known rank."""
    rank = x.spec.shape.rank
    if rank is None:
        raise ShapeError(f"the rank of {x.spec} must be known to move an axis in a vmap")
    source, target = source % rank, target % rank
    if source == target:
        return x
    order = [i for i in range(rank) if i != source]
    order.insert(target, source)
    return apply(OPS["transpose"], (x,), {"perm": tuple(order)})


__all__ = ["Batch", "batched_spec", "moved"]
