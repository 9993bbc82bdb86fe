"""Comparison, and the choice between two values."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from ..build import apply, convert, operands
from ..dtypes import int64
from ..node import Tensor
from ..op import Op, has_no_batches, no_gradient
from ..spec import TensorSpec, broadcast_shapes, may_fail_to_broadcast
from .define import (
    ANY,
    FLOAT,
    REAL,
    elementwise,
    primitive,
    require_kind,
    same_dtype,
    to_bool,
)


def _compare(
    name: str, scalar: Callable[..., Any], accepts: str, doc: str, shown: str
) -> Callable[..., Any]:
    return elementwise(
        name,
        lambda m, x, y: scalar(x, y),
        no_gradient,
        arity=2,
        ufunc=name,
        accepts=accepts,
        result=to_bool,
        commutative=accepts is ANY,
        doc=f"""{doc}

    >>> import treadle as tl
    >>> tl.{name}([1, 2, 3], 2).numpy()
    array([{shown}])
    """,
    )


_REAL = (
    "elementwise with broadcasting; False where either is NaN.\n\n    Integer and floating dtypes."
)
less = _compare("less", operator.lt, REAL, f"x < y, {_REAL}", " True, False, False")
less_equal = _compare("less_equal", operator.le, REAL, f"x <= y, {_REAL}", " True,  True, False")
greater = _compare("greater", operator.gt, REAL, f"x > y, {_REAL}", "False, False,  True")
greater_equal = _compare(
    "greater_equal", operator.ge, REAL, f"x >= y, {_REAL}", "False,  True,  True"
)
equal = _compare(
    "equal",
    operator.eq,
    ANY,
    "x == y, elementwise with broadcasting; any dtype, equal for both.",
    "False,  True, False",
)
not_equal = _compare(
    "not_equal",
    operator.ne,
    ANY,
    "x != y, elementwise with broadcasting; any dtype, equal for both. NaN differs from all.",
    " True, False,  True",
)

isnan = elementwise(
    "isnan",
    lambda m, x: m.isnan(x),
    no_gradient,
    ufunc="isnan",
    accepts=FLOAT,
    result=to_bool,
    doc="""True where x is NaN; floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.math.is_nan([1., float("nan"), float("inf")]).numpy()
    array([False,  True, False])
    """,
)
isinf = elementwise(
    "isinf",
    lambda m, x: m.isinf(x),
    no_gradient,
    ufunc="isinf",
    accepts=FLOAT,
    result=to_bool,
    doc="""True where x is infinite; floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.math.is_inf([1., float("nan"), float("inf")]).numpy()
    array([False, False,  True])
    """,
)
isfinite = elementwise(
    "isfinite",
    lambda m, x: m.isfinite(x),
    no_gradient,
    ufunc="isfinite",
    accepts=FLOAT,
    result=to_bool,
    doc="""True where x is neither infinite nor NaN; floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.math.is_finite([1., float("nan"), float("inf")]).numpy()
    array([ True, False, False])
    """,
)

# --- choice ------------------------------------------------------------------


def _infer_where(condition: TensorSpec, x: TensorSpec, y: TensorSpec) -> TensorSpec:
    require_kind(condition, "b", "the condition")
    dtype = same_dtype(x, y)
    return TensorSpec(broadcast_shapes(condition.shape, x.shape, y.shape), dtype)


def _where_may_fail(condition: Tensor, x: Tensor, y: Tensor) -> bool:
    return may_fail_to_broadcast(condition.spec.shape, x.spec.shape, y.spec.shape)


# What the side not taken gets is 0 itself, not a product with 0: no NaN comes through.
WHERE: Op = primitive(
    "where",
    _infer_where,
    lambda xp, condition, x, y: xp.where(condition, x, y),
    lambda g, out, condition, x, y: (
        None,
        lambda: where(condition, g, 0),
        lambda: where(condition, 0, g),
    ),
    jvp=lambda ts, out, condition, x, y: where(
        condition, 0 if ts[1] is None else ts[1], 0 if ts[2] is None else ts[2]
    ),
    scalar=lambda m, condition, x, y: m.where(condition, x, y),
    elementwise=True,
    checks=_where_may_fail,
)
NONZERO: Op = primitive(
    "nonzero",
    lambda condition: TensorSpec((None, condition.shape.rank), int64),
    lambda xp, condition: xp.argwhere(condition),
    no_gradient,
)
has_no_batches(
    "how many items are true depends on the example; select by tl.where(mask, x, 0), which keeps "
    "the shape",
    NONZERO,
)


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """Take x where `condition` (dtype bool) holds, y elsewhere; all three broadcast.

    x and y have one dtype. The gradient of the side not taken is exactly 0, whatever it computed.
    Without x and y: the indices of the true items as an int64 tensor of shape (count, rank).

    >>> import treadle as tl
    >>> tl.where([True, False, True], [1, 2, 3], 0)
    <tl.Tensor: shape=(3,), dtype=int32, numpy=array([1, 0, 3], dtype=int32)>
    >>> tl.where([[True, False], [False, True]])
    <tl.Tensor: shape=(2, 2), dtype=int64, numpy=
    array([[0, 0],
           [1, 1]])>
    """
    condition = condition if isinstance(condition, Tensor) else convert(condition)
    result: Tensor
    if x is None and y is None:
        result = apply(NONZERO, (condition,))
    elif x is None or y is None:
        raise ValueError("tl.where takes both x and y, or neither")
    else:
        x, y = operands(WHERE, x, y)
        result = apply(WHERE, (condition, x, y))
    return result
