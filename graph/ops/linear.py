"""Products of matrices and tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..build import apply, operands
from ..convert import Array
from ..errors import InvalidArgumentError, OpError, ShapeError
from ..node import Tensor
from ..op import OPS, Op, batches
from ..spec import UNKNOWN, TensorShape, TensorSpec, broadcast_shapes, may_fail_to_broadcast
from .axes import expand_dims, squeeze, transpose
from .casting import conj
from .define import NUMERIC, primitive, require_kind, same_dtype
from .dims import constant_ints, normal_axis, refuse
from .queries import shape as shape_of
from .reshaping import reshape, sum_to_like


def _sizes(shape: TensorShape, transposed: bool) -> tuple[Any, Any]:
    """Rows and columns."""
    return (shape[-1], shape[-2]) if transposed else (shape[-2], shape[-1])


def _mismatch(a: Any, b: Any, transpose_a: bool, transpose_b: bool) -> ShapeError:
    def shown(shape: Any, transposed: bool) -> str:
        text = str(shape).replace("None", "?")
        return f"{text} transposed" if transposed else text

    return ShapeError(f"inner sizes differ: {shown(a, transpose_a)} @ {shown(b, transpose_b)}")


def _matmul_infer(
    a: TensorSpec, b: TensorSpec, *, transpose_a: bool, transpose_b: bool
) -> TensorSpec:
    dtype = same_dtype(a, b)
    require_kind(a, NUMERIC)
    for spec in (a, b):
        if spec.shape.rank is not None and len(spec.shape) < 2:
            raise ShapeError(
                f"a matrix has 2 axes or more, this has the shape {spec.shape}; "
                "use tl.linalg.matvec or tl.tensordot for vectors"
            )
    if a.shape.rank is None or b.shape.rank is None:
        return TensorSpec(UNKNOWN, dtype)
    *batch, rows, inner = a.shape
    *also_batch, also_inner, columns = b.shape
    if transpose_a:
        rows, inner = inner, rows
    if transpose_b:
        also_inner, columns = columns, also_inner
    if inner != also_inner and inner is not None and also_inner is not None:
        raise _mismatch(a.shape, b.shape, transpose_a, transpose_b)
    if batch != also_batch:
        batch = list(broadcast_shapes(TensorShape(batch), TensorShape(also_batch)))
    return TensorSpec((*batch, rows, columns), dtype)


def _matmul_eval(xp: Any, a: Array, b: Array, *, transpose_a: bool, transpose_b: bool) -> Array:
    x = a.swapaxes(-1, -2) if transpose_a else a
    y = b.swapaxes(-1, -2) if transpose_b else b
    if x.shape[-1] != y.shape[-2]:
        raise _mismatch(a.shape, b.shape, transpose_a, transpose_b)
    if y.ndim == 2 and x.ndim > 2:  # one large product instead of many small ones
        flat = x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
        return xp.matmul(flat, y).reshape(*x.shape[:-1], y.shape[-1])  # type: ignore[no-any-return]
    try:
        return xp.matmul(x, y)  # type: ignore[no-any-return]
    except ValueError:
        raise ShapeError(
            f"shapes {x.shape[:-2]} and {y.shape[:-2]} of the batches do not broadcast"
        ) from None


def _matmul_may_fail(a: Tensor, b: Tensor, *, transpose_a: bool, transpose_b: bool) -> bool:
    first, second = a.spec.shape, b.spec.shape
    if first.rank is None or second.rank is None:
        return True
    inner = (_sizes(first, transpose_a)[1], _sizes(second, transpose_b)[0])
    return None in inner or may_fail_to_broadcast(first[:-2], second[:-2])


def _matmul_vjp(
    g: Tensor, out: Tensor, a: Tensor, b: Tensor, *, transpose_a: bool, transpose_b: bool
) -> Any:
    ta, tb = transpose_a, transpose_b

    def for_a() -> Tensor:
        found = _matmul(conj(b), g, tb, True) if ta else _matmul(g, conj(b), False, not tb)
        return unbatched(found, a)

    def for_b() -> Tensor:
        x, h = conj(a), g
        columns, wide = a.spec.shape[-1:], g.spec.shape[-1:]
        batched = b.spec.shape.rank == 2 and (a.spec.shape.rank or 0) > 2
        if batched and not ta and None not in (*columns, *wide):
            # The sum over the batch is one product.
            x, h = reshape(x, [-1, columns[0]]), reshape(h, [-1, wide[0]])
        found = _matmul(h, x, True, ta) if tb else _matmul(x, h, not ta, False)
        return unbatched(found, b)

    return for_a, for_b


def unbatched(g: Tensor, like: Tensor) -> Tensor:
    if g.spec.shape.rank == 2 == like.spec.shape.rank:
        return g
    return sum_to_like(g, like)


def _matmul_jvp(ts: Any, out: Tensor, a: Tensor, b: Tensor, **attrs: bool) -> Tensor:
    ta, tb = ts
    one = None if ta is None else _matmul(ta, b, **attrs)
    other = None if tb is None else _matmul(a, tb, **attrs)
    found = other if one is None else one if other is None else one + other
    assert found is not None
    return found


MATMUL = primitive(
    "matmul", _matmul_infer, _matmul_eval, _matmul_vjp, jvp=_matmul_jvp, checks=_matmul_may_fail
)


def _matmul(a: Tensor, b: Tensor, transpose_a: bool = False, transpose_b: bool = False) -> Tensor:
    attrs = {"transpose_a": transpose_a, "transpose_b": transpose_b}
    result: Tensor = apply(MATMUL, (a, b), attrs)
    return result


def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    name: str | None = None,
) -> Tensor:
    """The matrix product of the last two axes; axes before these are a batch and broadcast.

    Numeric dtypes, equal for both; 2 axes or more. Either side may be transposed first, or
    transposed and conjugated. ShapeError where the inner sizes differ.

    >>> import treadle as tl
    >>> tl.matmul([[1, 2], [3, 4]], [[5], [6]])
    <tl.Tensor: shape=(2, 1), dtype=int32, numpy=
    array([[17],
           [39]], dtype=int32)>
    >>> tl.matmul(tl.ones([2, 3]), tl.ones([4, 5]))
    Traceback (most recent call last):
        ...
    treadle.graph.errors.ShapeError: matmul: inner sizes differ: (2, 3) @ (4, 5)
    ...
    """
    x, y = operands(MATMUL, a, b)
    if adjoint_a:
        x = conj(x)
    if adjoint_b:
        y = conj(y)
    return _matmul(x, y, bool(transpose_a or adjoint_a), bool(transpose_b or adjoint_b))


def matvec(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    adjoint_a: bool = False,
    name: str | None = None,
) -> Tensor:
    """The product of the matrices `a` and the vectors `b`: shapes [..., m, n] and [..., n].

    >>> import treadle as tl
    >>> tl.linalg.matvec([[1, 2], [3, 4]], [5, 6])
    <tl.Tensor: shape=(2,), dtype=int32, numpy=array([17, 39], dtype=int32)>
    """
    x, y = operands(MATMUL, a, b)
    return squeeze(matmul(x, expand_dims(y, -1), transpose_a, False, adjoint_a), [-1])


# --- products over any axes --------------------------------------------------

Size = int | Tensor  # of an axis: known while tracing, or a scalar


def known_rank(x: Tensor) -> int:
    rank: int | None = x.spec.shape.rank
    if rank is None:
        raise InvalidArgumentError("the rank must be known while tracing; use tl.ensure_shape")
    return rank


def sizes_of(x: Tensor) -> list[Size]:
    """The sizes of all axes; the rank must be known."""
    known_rank(x)
    known = x.spec.shape
    now = None if known.is_fully_defined() else shape_of(x)
    return [now[i] if d is None and now is not None else d for i, d in enumerate(known)]


def regroup(x: Tensor, groups: Sequence[Sequence[Size]]) -> Tensor:
    """`x` reshaped so that each group of sizes becomes one axis."""
    merged: list[Any] = []
    for group in groups:
        size: Any = math.prod(d for d in group if isinstance(d, int))
        for d in group:
            size = size if isinstance(d, int) else d * size
        merged.append(size)
    unknown = [i for i, d in enumerate(merged) if not isinstance(d, int)]
    if not unknown and x.spec.shape == tuple(merged):
        return x
    if len(unknown) == 1 and 0 not in [d for d in merged if isinstance(d, int)]:
        merged[unknown[0]] = -1
    return reshape(x, merged)


def reorder(x: Tensor, order: Sequence[int]) -> Tensor:
    return x if list(order) == list(range(len(order))) else transpose(x, list(order))


_TENSORDOT = Op("tensordot", infer=len, display="tensordot")  # what messages name


def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Tensor:
    """The sum of products over pairs of axes of `a` and `b`; the other axes follow, a's first.

    `axes` is a number n (the last n of a with the first n of b), or two lists of axes. Ranks must
    be known. ShapeError where paired sizes differ.

    >>> import treadle as tl
    >>> tl.tensordot([[1, 2], [3, 4]], [[5, 6], [7, 8]], axes=1)
    <tl.Tensor: shape=(2, 2), dtype=int32, numpy=
    array([[19, 22],
           [43, 50]], dtype=int32)>
    >>> tl.tensordot([1, 2], [3, 4], axes=0)
    <tl.Tensor: shape=(2, 2), dtype=int32, numpy=
    array([[3, 4],
           [6, 8]], dtype=int32)>
    """
    x, y = operands(MATMUL, a, b)
    try:
        first, second = _paired_axes(x, y, axes)
    except OpError as error:
        raise refuse(error, _TENSORDOT, x, y) from None
    rest = [i for i in range(len(x.shape)) if i not in first]
    more = [i for i in range(len(y.shape)) if i not in second]
    have, want = sizes_of(x), sizes_of(y)
    summed = [have[i] if isinstance(have[i], int) else want[j]
              for i, j in zip(first, second, strict=True)]  # fmt: skip
    left = regroup(reorder(x, [*rest, *first]), [[have[i] for i in rest], summed])
    right = regroup(reorder(y, [*second, *more]), [summed, [want[i] for i in more]])
    outer = [[have[i]] for i in rest] + [[want[i]] for i in more]
    return regroup(_matmul(left, right), outer)


def _paired_axes(x: Tensor, y: Tensor, axes: Any) -> tuple[list[int], list[int]]:
    same_dtype(x.spec, y.spec)
    m, n = known_rank(x), known_rank(y)
    if isinstance(axes, int):
        if not 0 <= axes <= min(m, n):
            raise InvalidArgumentError(f"axes={axes} is out of range for {m} and {n} axes")
        first, second = list(range(m - axes, m)), list(range(axes))
    else:
        pair = [constant_ints(side, "axes") for side in axes]
        first = [normal_axis(i, m) for i in pair[0]]
        second = [normal_axis(i, n) for i in pair[1]]
    if len(first) != len(second) or len(set(first)) < len(first) or len(set(second)) < len(second):
        raise InvalidArgumentError(f"axes {first} and {second} are no pairs")
    for i, j in zip(first, second, strict=True):
        d, e = x.shape[i], y.shape[j]
        if d != e and None not in (d, e):
            raise ShapeError(
                f"axis {i} of the shape {x.shape} and axis {j} of {y.shape} differ in size"
            )
    return first, second


# --- of a batch of examples ----------------------------------------------------------


@batches(MATMUL)
def _batched_matmul(
    batch: Any, flags: Any, a: Tensor, b: Tensor, *, transpose_a: bool, transpose_b: bool
) -> Any:
    """One product where just one side is batched; products of vectors without BLAS calls each."""
    first, second = batch.rank(a, flags[0]), batch.rank(b, flags[1])
    if first == second == 2:
        if not flags[0] and b.spec.shape[1 if transpose_b else 2] == 1:
            # A matrix times a vector of each example: the vectors side by side are a matrix.
            column = apply(OPS["squeeze"], (b,), {"axis": (1 if transpose_b else 2,)})
            return expand_dims(_matmul(column, a, False, not transpose_a), 2)
        if flags[0] and flags[1]:
            x = transpose(a, [0, 2, 1]) if transpose_a else a
            y = transpose(b, [0, 2, 1]) if transpose_b else b
            if x.spec.shape[2] == 1 == y.spec.shape[1]:
                return x * y
    x, y = batch.aligned((a, b), flags, least=2)
    return _matmul(x, y, transpose_a, transpose_b)
