"""Reductions made of others: means, spreads, counts; sums over lists; the place of an extremum."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from ..build import apply, convert
from ..convert import Array
from ..dtypes import DType, as_dtype, float16, float32, int32, int64
from ..errors import DTypeError, InvalidArgumentError, ShapeError
from ..nest import staged_list
from ..node import Tensor
from ..op import OPS, Op, no_gradient
from ..spec import UNKNOWN, TensorSpec
from .arithmetic import absolute, add, divide_no_nan, square
from .casting import cast
from .comparison import not_equal
from .define import FLOATING, batches_along_axis, primitive, require_kind
from .dims import constant_int, normal_axis, refuse
from .division import truncatediv
from .exponential import sqrt
from .queries import shape as shape_of
from .queries import size as size_of
from .reductions import Axes, axes_argument, reduce_sum, reduction, spread


def _count(x: Tensor, axis: Any) -> Any:
    """How many items of `x` make one of the result: a number where that is known."""
    known = x.spec.shape
    axes = axes_argument(OPS["reduce_sum"], x, axis)
    if known.rank is not None:
        sizes = list(known) if axes is None else [known[i] for i in axes]
        if None not in sizes:
            return reduce(lambda a, b: a * b, sizes, 1)
    if axes is None:
        return cast(size_of(x), x.dtype)
    sizes_now = shape_of(x)
    return cast(reduce(lambda a, b: a * b, [sizes_now[i] for i in axes]), x.dtype) if axes else 1


def reduce_mean(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The mean along `axis` (one, several, or None for all); numeric dtypes, kept.

    The mean of integers is rounded to zero, that of no items is NaN.

    >>> import treadle as tl
    >>> tl.reduce_mean([[1., 2.], [3., 4.]], axis=0)
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([2., 3.], dtype=float32)>
    >>> tl.reduce_mean([1, 2])
    <tl.Tensor: shape=(), dtype=int32, numpy=1>
    """
    x = convert(input_tensor)
    if x.dtype is float16:  # its sum may be out of range
        return cast(reduce_mean(cast(x, float32), axis, keepdims), float16)
    total = reduce_sum(x, axis, keepdims)
    return truncatediv(total, _count(x, axis)) if x.dtype.is_integer else total / _count(x, axis)


def reduce_variance(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The mean square of the distance from the mean along `axis`; floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.math.reduce_variance([[1., 2.], [3., 6.]], axis=0)
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([1., 4.], dtype=float32)>
    """
    x = _no_integers(input_tensor)
    return reduce_mean(square(absolute(_deviation(x, axis))), axis, keepdims)


def reduce_std(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The standard deviation along `axis`, the root of `reduce_variance`.

    Its gradient is 0 where all items are equal.

    >>> import treadle as tl
    >>> tl.math.reduce_std([[1., 2.], [3., 6.]], axis=0)
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([1., 2.], dtype=float32)>
    """
    x = _no_integers(input_tensor)
    if x.dtype is float16:
        return cast(reduce_std(cast(x, float32), axis, keepdims), float16)
    far = reduce_euclidean_norm(absolute(_deviation(x, axis)), axis, keepdims)
    return far / sqrt(cast(_count(x, axis), far.dtype))


def _no_integers(value: Any) -> Tensor:
    x = convert(value)
    if not x.dtype.is_differentiable:
        raise DTypeError(f"a floating or complex dtype is needed, this is {x.dtype.name}")
    return x


def _deviation(x: Tensor, axis: Any) -> Tensor:
    return x - reduce_mean(x, axis, keepdims=True)


def _norm_vjp(g: Tensor, out: Tensor, x: Tensor, *, axis: Axes, keepdims: bool) -> Any:
    """The direction of x; 0 where there is none."""
    return (
        lambda: spread(g, x, axis, keepdims) * divide_no_nan(x, spread(out, x, axis, keepdims)),
    )


_NORM = reduction(
    "reduce_euclidean_norm",
    FLOATING,
    lambda xp, x, axis, keepdims: xp.sqrt(
        xp.sum(x * x, axis=axis, keepdims=keepdims, dtype=x.dtype)
    ),
    _norm_vjp,
)


def reduce_euclidean_norm(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The root of the sum of squares along `axis`; floating and complex dtypes, kept.

    Its gradient is 0 where all items are 0.

    >>> import treadle as tl
    >>> tl.math.reduce_euclidean_norm([[3., 4.], [0., 0.]], axis=1)
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([5., 0.], dtype=float32)>
    """
    x = convert(input_tensor)
    if x.dtype.is_complex:
        return cast(reduce_euclidean_norm(absolute(x), axis, keepdims), x.dtype)
    axes = axes_argument(_NORM, x, axis)
    result: Tensor = apply(_NORM, (x,), {"axis": axes, "keepdims": bool(keepdims)})
    return result


def count_nonzero(
    input: Any,
    axis: Any = None,
    keepdims: bool = False,
    dtype: Any = int64,
    name: str | None = None,
) -> Tensor:
    """How many items along `axis` are not 0 (not False, not ''), as `dtype`.

    >>> import treadle as tl
    >>> tl.math.count_nonzero([[1, 0], [2, 3]], axis=0)
    <tl.Tensor: shape=(2,), dtype=int64, numpy=array([2, 1])>
    """
    x = convert(input)
    zero: Any = b"" if x.dtype.kind == "O" else x.dtype.as_numpy_dtype(0)
    return reduce_sum(cast(not_equal(x, zero), dtype), axis, keepdims)


def add_n(inputs: Any, name: str | None = None) -> Tensor:
    """The sum of a list of tensors of one dtype and one shape (there is no broadcasting).

    >>> import treadle as tl
    >>> tl.add_n([[1, 2], [3, 4], [5, 6]])
    <tl.Tensor: shape=(2,), dtype=int32, numpy=array([ 9, 12], dtype=int32)>
    """
    if isinstance(inputs, Tensor):
        return inputs
    staged = staged_list(inputs)
    if staged is not None:
        return reduce_sum(staged.__tl_stack__(0), 0)
    tensors = [convert(x) for x in inputs]
    if not tensors:
        raise InvalidArgumentError("add_n needs at least one tensor")
    for x in tensors:
        if not x.shape.is_compatible_with(tensors[0].shape):
            raise ShapeError(f"add_n got tensors of shapes {tensors[0].shape} and {x.shape}")
    return reduce(add, tensors)


# --- where the extremum is ---------------------------------------------------


def _infer_arg(x: TensorSpec, *, axis: int, output_type: DType) -> TensorSpec:
    require_kind(x, "biuf")
    if x.shape.rank is None:
        return TensorSpec(UNKNOWN, output_type)
    gone = normal_axis(axis, len(x.shape))
    if x.shape[gone] == 0:
        raise _nothing(gone, x.shape)
    return TensorSpec([d for i, d in enumerate(x.shape) if i != gone], output_type)


def _nothing(axis: int, shape: Any) -> InvalidArgumentError:
    return InvalidArgumentError(f"axis {axis} of the shape {shape} has no items to choose from")


def _arg(which: str) -> Callable[..., Any]:
    def evaluate(xp: Any, x: Array, *, axis: int, output_type: DType) -> Any:
        if not x.shape[normal_axis(axis, x.ndim)]:
            raise _nothing(axis, x.shape)
        return getattr(xp, which)(x, axis=axis).astype(output_type.numpy)

    return evaluate


def _arg_may_fail(x: Tensor, *, axis: int, output_type: DType) -> bool:
    return x.spec.shape.rank is None or x.spec.shape[axis] is None


_ARGMAX = primitive("argmax", _infer_arg, _arg("argmax"), no_gradient, checks=_arg_may_fail)
_ARGMIN = primitive("argmin", _infer_arg, _arg("argmin"), no_gradient, checks=_arg_may_fail)


def _place(op: Op, input: Any, axis: Any, output_type: Any) -> Tensor:
    x = convert(input)
    dtype = as_dtype(output_type)
    if dtype not in (int32, int64):
        raise DTypeError(f"output_type must be int32 or int64, it is {dtype.name}")
    try:
        axis = normal_axis(0 if axis is None else constant_int(axis, "axis"), x.spec.shape.rank)
    except InvalidArgumentError as error:
        raise refuse(error, op, x) from None
    result: Tensor = apply(op, (x,), {"axis": axis, "output_type": dtype})
    return result


def argmax(
    input: Any, axis: Any = None, output_type: Any = int64, name: str | None = None
) -> Tensor:
    """The index of the first largest item along `axis` (0 by default), as int64 or int32.

    NaN counts as largest. InvalidArgumentError where the axis has no items.

    >>> import treadle as tl
    >>> tl.argmax([[1., 5., 5.], [7., 2., 3.]], axis=1)
    <tl.Tensor: shape=(2,), dtype=int64, numpy=array([1, 0])>
    """
    return _place(_ARGMAX, input, axis, output_type)


def argmin(
    input: Any, axis: Any = None, output_type: Any = int64, name: str | None = None
) -> Tensor:
    """The index of the first smallest item along `axis` (0 by default), as int64 or int32.

    NaN counts as smallest. InvalidArgumentError where the axis has no items.

    >>> import treadle as tl
    >>> tl.argmin([[1., 5., 5.], [7., 2., 3.]], axis=1)
    <tl.Tensor: shape=(2,), dtype=int64, numpy=array([0, 1])>
    """
    return _place(_ARGMIN, input, axis, output_type)


# --- of a batch of examples ----------------------------------------------------------

batches_along_axis(_ARGMAX, _ARGMIN)
