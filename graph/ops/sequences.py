"""Sequences and patterns: range, linspace, one_hot, eye, meshgrid."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..build import apply, convert, current, is_tracing, strong
from ..dtypes import DType, as_dtype, float32, float64, int32, int64
from ..errors import DTypeError, InvalidArgumentError, OpError
from ..node import Tensor
from ..op import has_no_batches, no_gradient
from ..spec import TensorSpec
from .axes import expand_dims
from .casting import cast
from .comparison import equal, where
from .define import constant_of, primitive, same_dtype
from .dims import constant, dims_argument, normal_axis, refuse
from .filling import SMALL
from .joining import concat
from .queries import shape as shape_of
from .reshaping import broadcast_to, reshape


def _range_infer(
    start: TensorSpec, limit: TensorSpec, delta: TensorSpec, *, size: int | None = None
) -> TensorSpec:
    dtype = same_dtype(start, limit, delta)
    if dtype.kind not in "iuf":
        raise DTypeError(f"a range has an integer or floating dtype, not {dtype.name}")
    for label, spec in (("start", start), ("limit", limit), ("delta", delta)):
        if spec.shape.rank:
            raise InvalidArgumentError(f"{label} must be a scalar, it has shape {spec.shape}")
    return TensorSpec((size,), dtype)


def _range_size(start: Any, limit: Any, delta: Any) -> int:
    if delta == 0:
        raise InvalidArgumentError("the step of a range must not be 0")
    if all(isinstance(v, (int, np.integer)) for v in (start, limit, delta)):
        return max(0, -((int(start) - int(limit)) // int(delta)))
    return max(0, math.ceil((float(limit) - float(start)) / float(delta)))


def _range_eval(xp: Any, start: Any, limit: Any, delta: Any, *, size: int | None = None) -> Any:
    first, last, step = start.item(), limit.item(), delta.item()
    count = _range_size(first, last, step)
    if start.dtype.kind in "iu":
        return xp.arange(first, first + count * step, step, start.dtype)
    return (first + xp.arange(count) * step).astype(start.dtype)


def _range_may_fail(start: Tensor, limit: Tensor, delta: Tensor, **_: Any) -> bool:
    step = constant_of(delta)
    return step is None or not step.all()


_range = primitive("range", _range_infer, _range_eval, no_gradient, checks=_range_may_fail)


def range_(
    start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = None
) -> Tensor:
    """The numbers from `start` (0 by default) up to but not including `limit`, `delta` apart.

    The dtype is the widest of the arguments' (int32, int64, float32, float64) unless given.
    Where `start` has passed `limit` already the result is empty, as in Python.

    >>> import treadle as tl
    >>> tl.range(3, 18, 3).numpy()
    array([ 3,  6,  9, 12, 15], dtype=int32)
    >>> tl.range(2, 1, -0.5).numpy()
    array([2. , 1.5], dtype=float32)
    """
    if limit is None:
        start, limit = 0, start
    if type(start) is type(limit) is type(delta) is int and delta and not is_tracing():
        found = np.arange(start, limit, delta)
        if dtype is None and -(2**31) <= min(start, limit) <= max(start, limit) < 2**31:
            return current().constant(found.astype(np.int32))
    given = [strong(v) if isinstance(v, Tensor) else v for v in (start, limit, delta)]
    if dtype is not None:
        wanted = as_dtype(dtype)
        values = [v if isinstance(v, Tensor) else convert(v, wanted) for v in given]
    else:
        tensors = [v for v in given if isinstance(v, Tensor) or hasattr(v, "__tl_tensor__")]
        hint = tensors[0].dtype if tensors else None
        values = [convert(v, hint=None if isinstance(v, float) else hint) for v in given]
        order = [int32, int64, float32, float64]
        dtypes = {v.dtype for v in values}
        if len(dtypes) > 1 and not all(d in order for d in dtypes):
            names = ", ".join(v.dtype.name for v in values)
            raise refuse(DTypeError(f"dtypes {names} are mixed; give dtype"), _range, *values)
        wanted = order[max(order.index(d) for d in dtypes)] if len(dtypes) > 1 else values[0].dtype
    values = [v if v.dtype is wanted else cast(v, wanted) for v in values]
    known = [constant_of(v) for v in values]
    size = None
    if all(k is not None and k.size == 1 for k in known):
        try:
            size = _range_size(*[k.item() for k in known if k is not None])
        except OpError as error:
            raise refuse(error, _range, *values) from None
    result: Tensor = apply(_range, values, {"size": size})
    return result


def linspace(start: Any, stop: Any, num: Any, name: str | None = None, axis: int = 0) -> Tensor:
    """`num` evenly spaced values from `start` to `stop`, both included, along a new axis `axis`.

    Integers give float64. `start` and `stop` may be tensors of one shape.

    >>> import treadle as tl
    >>> tl.linspace(10.0, 12.0, 3).numpy()
    array([10., 11., 12.], dtype=float32)
    """
    first = convert(start)
    last = convert(stop, hint=first.dtype)
    if first.dtype.is_integer:
        first, last = cast(first, float64), cast(last, float64)
    if first.dtype is not last.dtype:
        raise refuse(DTypeError("start and stop differ in dtype"), _range, first, last, first)
    rank = first.spec.shape.rank
    if rank is None:
        raise InvalidArgumentError("the ranks of start and stop must be known while tracing")
    along = normal_axis(axis, rank + 1)
    count = convert(num)
    known = constant_of(count)
    if known is not None and known.item() < 1:
        raise InvalidArgumentError(f"num must be positive, it is {known.item()}")
    steps = range_(count)
    spread = [1] * (rank + 1)
    spread[along] = -1
    place = reshape(cast(steps, first.dtype), spread)
    a, b = expand_dims(first, along), expand_dims(last, along)
    gaps = cast(where(count > 1, count - 1, 1), first.dtype)
    at_end = reshape((steps + 1 >= count) & (count > 1), spread)
    return where(at_end, b, a + (b - a) / gaps * place)


# --- one_hot, eye, masks -----------------------------------------------------------


def one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: int | None = None,
    dtype: Any = None,
    name: str | None = None,
) -> Tensor:
    """`indices` as vectors of size `depth` along a new axis: `on_value` in the place of the index.

    An index outside of 0..depth-1 gives `off_value` everywhere. The dtype is that of the values,
    float32 by default.

    >>> import treadle as tl
    >>> tl.one_hot([0, 2, -1], 3).numpy()
    array([[1., 0., 0.],
           [0., 0., 1.],
           [0., 0., 0.]], dtype=float32)
    """
    index = convert(indices)
    if not index.dtype.is_integer:
        raise refuse(DTypeError(f"indices are integers, not {index.dtype.name}"), _range)
    given = [v for v in (on_value, off_value) if isinstance(v, Tensor)]
    hint = as_dtype(dtype) if dtype is not None else given[0].dtype if given else None
    if hint is None:
        plain = [v for v in (on_value, off_value) if v is not None]
        hint = convert(plain[0]).dtype if plain else float32
    on = convert(_one(hint) if on_value is None else on_value, hint)
    off = convert(np.zeros((), hint.numpy) if off_value is None else off_value, hint)
    rank = index.spec.shape.rank
    if rank is None and axis not in (None, -1):
        raise InvalidArgumentError("the rank of indices must be known for this axis")
    along = -1 if rank is None else normal_axis(-1 if axis is None else axis, rank + 1)
    places = cast(range_(depth), index.dtype)
    if rank is not None:
        spread = [1] * (rank + 1)
        spread[along] = -1
        places = reshape(places, spread)
    return where(equal(expand_dims(index, along), places), on, off)


def _one(dtype: DType) -> Any:
    return np.ones((), dtype.numpy)


def eye(
    num_rows: Any,
    num_columns: Any = None,
    batch_shape: Any = None,
    dtype: Any = float32,
    name: str | None = None,
) -> Tensor:
    """The identity matrix, or a batch of them.

    >>> import treadle as tl
    >>> tl.eye(2, 3).numpy()
    array([[1., 0., 0.],
           [0., 1., 0.]], dtype=float32)
    """
    wanted = as_dtype(dtype)
    rows = num_rows
    columns = rows if num_columns is None else num_columns
    static, dynamic = dims_argument([rows, columns])
    if not dynamic and (not is_tracing() or (static.num_elements() or 0) <= SMALL):
        matrix = constant(np.eye(static[0], static[1]), wanted)
    else:
        below = reshape(range_(rows), [-1, 1])
        matrix = cast(equal(below, cast(range_(columns), below.dtype)), wanted)
    if batch_shape is None:
        return matrix
    batch, more = dims_argument(batch_shape)
    if not more and not dynamic:
        return broadcast_to(matrix, (*batch, *static))
    front = more[0] if more else constant(list(batch), int32)
    return broadcast_to(matrix, concat([front, shape_of(matrix)], 0))


def meshgrid(*args: Any, indexing: str = "xy", name: str | None = None) -> list[Tensor]:
    """The coordinates of a grid: for vectors of sizes n, m, ... tensors of shape (m, n, ...).

    `indexing="ij"` leaves the axes in the order of the arguments: (n, m, ...).

    >>> import treadle as tl
    >>> x, y = tl.meshgrid([1, 2, 3], [4, 5])
    >>> y.numpy()
    array([[4, 4, 4],
           [5, 5, 5]], dtype=int32)
    """
    if indexing not in ("xy", "ij"):
        raise InvalidArgumentError(f"indexing must be 'xy' or 'ij', it is {indexing!r}")
    vectors = [reshape(v, [-1]) for v in args]
    order = list(range(len(vectors)))
    if indexing == "xy" and len(vectors) > 1:
        order[0], order[1] = 1, 0
    sizes: list[Any] = [None] * len(vectors)
    for i, v in enumerate(vectors):
        known = v.spec.shape[0]
        sizes[order[i]] = shape_of(v)[0] if known is None else known
    grids = []
    for i, v in enumerate(vectors):
        spread = [1] * len(vectors)
        spread[order[i]] = -1
        grids.append(broadcast_to(reshape(v, spread), sizes))
    return grids


# --- of a batch of examples ----------------------------------------------------------

has_no_batches(
    "its length depends on the example; make a range of the greatest length, and tl.where",
    _range,
)
