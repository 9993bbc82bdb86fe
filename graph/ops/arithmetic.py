"""Sums, products, quotients and what belongs to them."""

from __future__ import annotations

from typing import Any

from ..build import apply, binary, operands
from ..dtypes import float32, float64
from ..node import Tensor
from ..op import OPS, no_gradient
from ..weak import are_weak, mark
from .casting import cast, complex_, conj, imag, real, real_part, zeros
from .comparison import equal, where
from .define import FLOAT, Function, elementwise

_add = elementwise(
    "add",
    lambda m, x, y: x + y,
    lambda g, out, x, y: (g, g),
    arity=2,
    ufunc="add",
    commutative=True,
)
subtract = elementwise(
    "subtract",
    lambda m, x, y: x - y,
    lambda g, out, x, y: (g, lambda: -g),
    arity=2,
    ufunc="subtract",
    doc="""x - y, elementwise with broadcasting; numeric dtypes, equal for both.

    >>> import treadle as tl
    >>> tl.subtract([5, 7], 2)
    <tl.Tensor: shape=(2,), dtype=int32, numpy=array([3, 5], dtype=int32)>
    """,
)
multiply = elementwise(
    "multiply",
    lambda m, x, y: x * y,
    lambda g, out, x, y: (lambda: g * conj(y), lambda: g * conj(x)),
    arity=2,
    ufunc="multiply",
    commutative=True,
    doc="""x * y, elementwise with broadcasting; numeric dtypes, equal for both.

    >>> import treadle as tl
    >>> tl.multiply([[1], [2]], [3, 4])
    <tl.Tensor: shape=(2, 2), dtype=int32, numpy=
    array([[3, 4],
           [6, 8]], dtype=int32)>
    """,
)
negative = elementwise(
    "negative",
    lambda m, x: -x,
    lambda g, out, x: (lambda: -g,),
    ufunc="negative",
    doc="""-x, elementwise; unsigned integers wrap.

    >>> import treadle as tl
    >>> tl.negative([1., -2.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([-1.,  2.], dtype=float32)>
    """,
)


def _strong(xp: Any, g: Any, d: Any) -> Any:
    """One pass and a sum, as long as nothing is NaN."""
    out = g * d
    return xp.where(g == 0, g, out) if xp.isnan(out.sum()) else out


def _xdivy(xp: Any, x: Any, y: Any) -> Any:
    out = x / y
    return xp.where(x == 0, x, out) if xp.isnan(out.sum()) else out


# Rules of gradients use these two where a derivative may be infinite or NaN: what a branch not
# taken sends back is 0, and stays 0. Products of such derivatives are chains of them.
strong: Function = elementwise(
    "strong_multiply",
    lambda m, g, d: m.where(g == 0, g, g * d),
    lambda h, out, g, d: (
        lambda: strong(h, conj(d)),
        lambda: strong(where(equal(g, 0), 0, h), conj(g)),
    ),
    arity=2,
    eval=_strong,
    doc="""g * d, but 0 where g is 0, even if d is infinite or NaN there.

    >>> import treadle as tl
    >>> tl.math.multiply_no_nan([float("nan"), 2.], [0., 3.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([0., 6.], dtype=float32)>
    """,
)
xdivy: Function = elementwise(
    "xdivy",
    lambda m, x, y: m.where(x == 0, x, x / y),
    lambda g, out, x, y: (
        lambda: xdivy(g, conj(y)),
        lambda: strong(g, conj(xdivy(-out, y))),
    ),
    jvp=lambda ts, out, x, y: _xdivy_tangent(ts[0], ts[1], out, x, y),
    arity=2,
    eval=_xdivy,
    accepts=FLOAT,
    doc="""x / y, but 0 where x is 0, even if y is 0 or NaN there.

    >>> import treadle as tl
    >>> tl.math.xdivy([0., 1.], [0., 4.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([0.  , 0.25], dtype=float32)>
    """,
)
_divide = elementwise(
    "divide",
    lambda m, x, y: x / y,
    lambda g, out, x, y: (
        lambda: xdivy(g, conj(y)),
        lambda: strong(g, conj(-out / y)),
    ),
    arity=2,
    ufunc="divide",
    accepts=FLOAT,
)
_divide_no_nan: Function = elementwise(
    "divide_no_nan",
    lambda m, x, y: m.where(y == 0, 0.0, x / y),
    lambda g, out, x, y: (
        lambda: _divide_no_nan(g, conj(y)),
        lambda: strong(g, conj(_divide_no_nan(-out, y))),
    ),
    arity=2,
    accepts=FLOAT,
)


def add(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The sum x + y, elementwise with broadcasting; numeric dtypes, equal for both.

    Strings are joined.

    >>> import treadle as tl
    >>> tl.add([1, 2], [[10], [20]])
    <tl.Tensor: shape=(2, 2), dtype=int32, numpy=
    array([[11, 12],
           [21, 22]], dtype=int32)>
    >>> tl.add(["warp", "weft"], "s")
    <tl.Tensor: shape=(2,), dtype=string, numpy=array([b'warps', b'wefts'], dtype=object)>
    """
    if _is_text(x) or _is_text(y):
        return binary(_JOIN, x, y)  # type: ignore[no-any-return]
    return _add(x, y)


def _is_text(x: Any) -> bool:
    dtype = getattr(x, "dtype", None)
    if dtype is not None:
        return dtype.kind in "OSU"
    while isinstance(x, (list, tuple)) and x:
        x = x[0]
    return isinstance(x, (str, bytes))


def _join(xp: Any, x: Any, y: Any) -> Any:
    return xp.asarray(xp.add(x, y), dtype=object)  # of 0-d arrays NumPy gives bare bytes


_JOIN = OPS[elementwise("join", _join, no_gradient, arity=2, accepts="O").__name__]


def divide(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The quotient x / y, elementwise with broadcasting, as Python divides.

    Integers are cast first: those of 8 and 16 bits to float32, wider ones to float64.

    >>> import treadle as tl
    >>> tl.divide([7, 8], 2)
    <tl.Tensor: shape=(2,), dtype=float64, numpy=array([3.5, 4. ])>
    >>> tl.divide([1., -1., 0.], 0.)
    <tl.Tensor: shape=(3,), dtype=float32, numpy=array([ inf, -inf,  nan], dtype=float32)>
    """
    weak = are_weak(x, y)
    x, y = _quotient(_DIVIDE, x, y)
    result: Tensor = apply(_DIVIDE, (x, y))
    return mark(result) if weak else result


def divide_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The quotient x / y, but 0 where y is 0.

    >>> import treadle as tl
    >>> tl.math.divide_no_nan([3., 1., 0.], [2., 0., 0.])
    <tl.Tensor: shape=(3,), dtype=float32, numpy=array([1.5, 0. , 0. ], dtype=float32)>
    """
    x, y = _quotient(_DIVIDE_NO_NAN, x, y)
    return apply(_DIVIDE_NO_NAN, (x, y))  # type: ignore[no-any-return]


_DIVIDE, _DIVIDE_NO_NAN = OPS["divide"], OPS["divide_no_nan"]


def _quotient(op: Any, x: Any, y: Any) -> tuple[Tensor, Tensor]:
    x, y = operands(op, x, y)
    if x.dtype.is_integer and x.dtype is y.dtype:
        target = float32 if x.dtype.size <= 2 else float64
        return cast(x, target), cast(y, target)
    return x, y


def multiply_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The product x * y, but 0 where y is 0, even if x is infinite or NaN there.

    >>> import treadle as tl
    >>> tl.math.multiply_no_nan([float("nan"), 2.], [0., 3.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([0., 6.], dtype=float32)>
    """
    x, y = operands(OPS["strong_multiply"], x, y)
    return strong(y, x)


def squared_difference(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The square of x - y, elementwise; of complex numbers its absolute value.

    >>> import treadle as tl
    >>> tl.math.squared_difference([1., 2., 3.], 2.)
    <tl.Tensor: shape=(3,), dtype=float32, numpy=array([1., 0., 1.], dtype=float32)>
    """
    d = subtract(x, y)
    return conj(d) * d if d.dtype.is_complex else square(d)


# --- one operand -------------------------------------------------------------

square = elementwise(
    "square",
    lambda m, x: x * x,
    lambda g, out, x: (lambda: g * conj(x * 2),),
    ufunc="square",
    doc="""x * x, elementwise.

    >>> import treadle as tl
    >>> tl.square([-2., 3.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([4., 9.], dtype=float32)>
    """,
)
reciprocal = elementwise(
    "reciprocal",
    lambda m, x: 1 / x,
    lambda g, out, x: (lambda: strong(strong(-g, conj(out)), conj(out)),),
    ufunc="reciprocal",
    accepts=FLOAT,
    doc="""1 / x, elementwise; floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.math.reciprocal([2., 0.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([0.5, inf], dtype=float32)>
    """,
)
sign = elementwise(
    "sign",
    lambda m, x: m.sign(x),
    lambda g, out, x: (lambda: _turn(g, out, x) if x.dtype.is_complex else None,),
    jvp=lambda ts, out, x: _turn(ts[0], out, x) if x.dtype.is_complex else None,
    ufunc="sign",
    doc="""-1, 0 or 1 as x is negative, zero or positive (NaN: NaN); of complex x it is x / |x|.

    >>> import treadle as tl
    >>> tl.sign([-3., 0., 2.])
    <tl.Tensor: shape=(3,), dtype=float32, numpy=array([-1.,  0.,  1.], dtype=float32)>
    """,
)
absolute = elementwise(
    "abs",
    lambda m, x: m.abs(x),
    lambda g, out, x: (lambda: (complex_(g, zeros(g)) if x.dtype.is_complex else g) * sign(x),),
    jvp=lambda ts, out, x: real(ts[0] * conj(sign(x))),
    ufunc="abs",
    result=real_part,
    doc="""The absolute value, elementwise; of complex numbers the modulus, of the real dtype.

    >>> import treadle as tl
    >>> tl.abs([-3, 2])
    <tl.Tensor: shape=(2,), dtype=int32, numpy=array([3, 2], dtype=int32)>
    >>> tl.abs([3. + 4.j])
    <tl.Tensor: shape=(1,), dtype=float64, numpy=array([5.])>
    """,
)


def _xdivy_tangent(tx: Any, ty: Any, out: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Where x is 0 the quotient does not vary with y, not even if y varies without bound."""
    by_y = None if ty is None else strong(where(equal(x, 0), 0, ty), xdivy(-out, y))
    if tx is None:
        assert by_y is not None
        return by_y
    return xdivy(tx, y) if by_y is None else add(xdivy(tx, y), by_y)


def _turn(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    """The gradient of x / |x|: the unit vector moves only across itself."""
    across = xdivy(imag(g * conj(out)), absolute(x))
    return complex_(zeros(across), across) * out
