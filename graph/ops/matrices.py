"""Matrices, the last two axes of a tensor: diagonals, bands, norms."""

from __future__ import annotations

from typing import Any

from ..build import convert, operands
from ..dtypes import int32
from ..errors import InvalidArgumentError, ShapeError
from ..node import Tensor
from .arithmetic import multiply
from .axes import expand_dims, transpose
from .casting import cast
from .comparison import equal, less_equal, where
from .dims import constant_int
from .division import minimum
from .joining import stack
from .linear import MATMUL, Size, known_rank, sizes_of
from .logic import logical_and, logical_or
from .padding import pad
from .reductions import reduce_sum
from .sequences import range_


def _matrix(value: Any, axes: int = 2) -> Tensor:
    x = convert(value)
    if known_rank(x) < axes:
        what = "a matrix has 2 axes or more" if axes == 2 else "a vector has 1 axis or more"
        raise ShapeError(f"{what}, this has the shape {x.shape}")
    return x


def _offsets(rows: Size, columns: Size) -> Tensor:
    """How far each item lies to the right of the diagonal."""
    return expand_dims(range_(columns), 0) - expand_dims(range_(rows), 1)


def _least(a: Size, b: Size) -> Size:
    if isinstance(a, int) and isinstance(b, int):
        return min(a, b)
    result: Tensor = minimum(a, b)
    return result


def matrix_transpose(a: Any, name: str | None = None, conjugate: bool = False) -> Tensor:
    """`a` with its last two axes exchanged; the rank must be known.

    >>> import treadle as tl
    >>> tl.linalg.matrix_transpose([[1, 2, 3], [4, 5, 6]]).shape
    TensorShape([3, 2])
    """
    x = _matrix(a)
    n = len(x.shape)
    return transpose(x, [*range(n - 2), n - 1, n - 2], conjugate)


def adjoint(matrix: Any, name: str | None = None) -> Tensor:
    """The conjugate of the transpose of the last two axes.

    >>> import treadle as tl
    >>> tl.linalg.adjoint([[1. + 2.j, 3.]]).numpy()
    array([[1.-2.j],
           [3.-0.j]])
    """
    return matrix_transpose(matrix, conjugate=True)


def diag_part(input: Any, k: int = 0, name: str | None = None) -> Tensor:
    """The diagonal of each matrix, or the one `k` places above it; numeric dtypes.

    >>> import treadle as tl
    >>> tl.linalg.diag_part([[1, 2], [3, 4]])
    <tl.Tensor: shape=(2,), dtype=int32, numpy=array([1, 4], dtype=int32)>
    >>> tl.linalg.diag_part([[1, 2], [3, 4]], k=1)
    <tl.Tensor: shape=(1,), dtype=int32, numpy=array([2], dtype=int32)>
    """
    x = _matrix(input)
    k = constant_int(k, "k")
    rows, columns = sizes_of(x)[-2:]
    down, right = max(-k, 0), max(k, 0)
    length = _length(rows, columns, k)
    square = x[..., down : down + length, right : right + length]
    zero = x.dtype.as_numpy_dtype(0)
    return reduce_sum(where(equal(_offsets(length, length), 0), square, zero), -2)


def _length(rows: Size, columns: Size, k: int) -> Size:
    size = _least(rows + min(k, 0), columns - max(k, 0))
    if isinstance(size, int) and size < 0:
        raise InvalidArgumentError(f"a matrix of {rows} x {columns} has no diagonal k={k}")
    return size


def trace(x: Any, name: str | None = None) -> Tensor:
    """The sum of the diagonal of each matrix.

    >>> import treadle as tl
    >>> tl.linalg.trace([[1, 2], [3, 4]])
    <tl.Tensor: shape=(), dtype=int32, numpy=5>
    """
    return reduce_sum(diag_part(x), -1)


def diag(
    diagonal: Any,
    k: int = 0,
    num_rows: int = -1,
    num_cols: int = -1,
    padding_value: Any = 0,
    name: str | None = None,
) -> Tensor:
    """Matrices that hold the last axis of `diagonal` on their diagonal `k`, `padding_value` else.

    They are square, or where one of `num_rows` and `num_cols` is given, as small as can be.

    >>> import treadle as tl
    >>> tl.linalg.diag([1, 2])
    <tl.Tensor: shape=(2, 2), dtype=int32, numpy=
    array([[1, 0],
           [0, 2]], dtype=int32)>
    >>> tl.linalg.diag([1], k=1).numpy()
    array([[0, 1],
           [0, 0]], dtype=int32)
    """
    x = _matrix(diagonal, 1)
    k = constant_int(k, "k")
    size = sizes_of(x)[-1]
    rows, columns = size + max(-k, 0), size + max(k, 0)
    if num_rows == num_cols == -1:
        rows = columns = size + abs(k)
    if num_rows != -1:
        rows = constant_int(num_rows, "num_rows")
    if num_cols != -1:
        columns = constant_int(num_cols, "num_cols")
    room = _length(rows, columns, k)
    if isinstance(size, int) and isinstance(room, int) and size > room:
        raise ShapeError(f"{size} items do not fit on a diagonal of {rows} x {columns}")
    values = _by_row(x, rows, k, padding_value)
    return where(equal(_offsets(rows, columns), k), values, padding_value)


def _by_row(x: Tensor, rows: Size, k: int, fill: Any = 0) -> Tensor:
    """The items of a diagonal, each in the row where it belongs: shape [..., rows, 1]."""
    above = max(-k, 0)
    below = rows - above - sizes_of(x)[-1]
    paddings = [[0, 0]] * (len(x.shape) - 1) + [[above, below]]
    if above or not (isinstance(below, int) and below == 0):
        x = pad(x, paddings, constant_values=fill)
    return expand_dims(x, -1)


def set_diag(input: Any, diagonal: Any, k: int = 0, name: str | None = None) -> Tensor:
    """`input` with its diagonal `k` replaced.

    >>> import treadle as tl
    >>> tl.linalg.set_diag([[1, 2], [3, 4]], [8, 9])
    <tl.Tensor: shape=(2, 2), dtype=int32, numpy=
    array([[8, 2],
           [3, 9]], dtype=int32)>
    """
    x, d = operands(MATMUL, input, diagonal)
    x, d = _matrix(x), _matrix(d, 1)
    k = constant_int(k, "k")
    rows, columns = sizes_of(x)[-2:]
    size, length = sizes_of(d)[-1], _length(rows, columns, k)
    if isinstance(size, int) and isinstance(length, int) and size != length:
        raise ShapeError(
            f"the diagonal k={k} of the shape {x.shape} has {length} items, not {size}"
        )
    return where(equal(_offsets(rows, columns), k), _by_row(d, rows, k), x)


def band_part(input: Any, num_lower: Any, num_upper: Any, name: str | None = None) -> Tensor:
    """`input` with 0 outside of a band: `num_lower` diagonals below the main one and `num_upper`
    above it; a negative number keeps all.

    >>> import treadle as tl
    >>> tl.linalg.band_part([[1, 2], [3, 4]], -1, 0)
    <tl.Tensor: shape=(2, 2), dtype=int32, numpy=
    array([[1, 0],
           [3, 4]], dtype=int32)>
    """
    x = _matrix(input)
    right = _offsets(*sizes_of(x)[-2:])
    inside = None
    for width, offset in ((num_lower, -right), (num_upper, right)):
        if isinstance(width, int) and width < 0:
            continue
        limit = cast(convert(width), int32)
        near = less_equal(offset, limit)
        if not isinstance(width, int):
            near = logical_or(near, limit < 0)
        inside = near if inside is None else logical_and(inside, near)
    return x if inside is None else where(inside, x, x.dtype.as_numpy_dtype(0))


def cross(a: Any, b: Any, name: str | None = None) -> Tensor:
    """The cross product of vectors in space: the last axis of both has size 3.

    >>> import treadle as tl
    >>> tl.linalg.cross([1., 0., 0.], [0., 1., 0.])
    <tl.Tensor: shape=(3,), dtype=float32, numpy=array([0., 0., 1.], dtype=float32)>
    """
    x, y = operands(MATMUL, a, b)
    for v in (x, y):
        if v.shape.rank == 0 or (v.shape.rank and v.shape[-1] not in (3, None)):
            raise ShapeError(f"a vector in space has 3 items, this has the shape {v.shape}")
    p, q = [x[..., i] for i in range(3)], [y[..., i] for i in range(3)]
    parts = [multiply(p[i], q[j]) - multiply(p[j], q[i]) for i, j in ((1, 2), (2, 0), (0, 1))]
    return stack(parts, -1)
