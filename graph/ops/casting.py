"""Change of dtype: `cast`, and between real and complex."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..build import apply, convert
from ..dtypes import DType, as_dtype, complex64, complex128, float32
from ..errors import DTypeError
from ..node import Tensor
from ..op import OPS
from ..spec import TensorSpec
from .define import FLOATING, elementwise, primitive

COMPLEX = "c"


def _infer_cast(x: TensorSpec, *, dtype: DType) -> TensorSpec:
    if "O" in (x.dtype.kind, dtype.kind) and x.dtype is not dtype:
        cure = "to_number" if x.dtype.kind == "O" else "as_string"
        raise DTypeError(f"{x.dtype.name} can't be cast to {dtype.name}; use tl.strings.{cure}")
    return TensorSpec(x.shape, dtype)


def _cast(xp: Any, x: Any, *, dtype: DType) -> Any:
    if x.dtype.kind == "c" and not dtype.is_complex:
        x = x.real
    if dtype.is_bool:
        return x != 0
    if dtype.is_integer and x.dtype.kind not in "biu":
        return _to_integer(xp, x, dtype.numpy)
    return x.astype(dtype.numpy)


def _to_integer(xp: Any, x: Any, target: Any) -> Any:
    """Truncate; what is out of range becomes the nearest limit, NaN 0 (as native code does)."""
    if x.dtype.itemsize == 2:
        x = x.astype(np.float32)  # float16 can't hold the limits
    limits = np.iinfo(target)
    low, above = float(limits.min), float(limits.max // 2 + 1) * 2.0
    if x.size == 0 or (x.min() >= low and x.max() < above):
        return x.astype(target)
    whole = xp.trunc(x)
    inside = (whole >= low) & (whole < above)
    out = xp.where(inside, whole, 0).astype(target)
    out = xp.where(whole >= above, target.type(limits.max), out)
    return xp.where(whole < low, target.type(limits.min), out)


CAST = primitive(
    "cast",
    _infer_cast,
    _cast,
    lambda g, out, x, *, dtype: (lambda: cast(g, x.dtype),),
    linear=(0,),
    scalar=lambda m, x, *, dtype: m.astype(x, dtype.numpy),
    elementwise=True,
)


def cast(x: Any, dtype: Any, name: str | None = None) -> Tensor:
    """`x` with its elements changed to `dtype`.

    Floats are truncated to integers (out of range: the nearest limit; NaN: 0), integers wrap,
    complex numbers give their real part, and all but 0 is True. Strings can't be cast
    (DTypeError). The gradient is cast back.

    >>> import treadle as tl
    >>> tl.cast([1.7, -2.7, 3e9], tl.int32).numpy()
    array([         1,         -2, 2147483647], dtype=int32)
    """
    target = dtype if type(dtype) is DType else as_dtype(dtype)
    if not isinstance(x, Tensor):
        x = convert(x)
    if x.dtype is target:
        return x  # type: ignore[no-any-return]
    result: Tensor = apply(CAST, (x,), {"dtype": target})
    return result


def real_part(dtype: DType) -> DType:
    """The dtype of the real part, for `elementwise(result=...)`."""
    return dtype.real_dtype


def _complex_of(dtype: DType) -> DType:
    if dtype.size == 2:
        raise DTypeError(f"{dtype.name} has no complex dtype; use tl.cast to float32 first")
    return complex64 if dtype is float32 else complex128


def _complex(xp: Any, re: Any, im: Any) -> Any:
    dtype = np.complex64 if re.dtype.itemsize == 4 else np.complex128
    out = xp.empty(np.broadcast_shapes(re.shape, im.shape), dtype)
    out.real = re
    out.imag = im
    return out


complex_ = elementwise(
    "complex",
    lambda m, re, im: m.complex(re, im),
    lambda g, out, re, im: (lambda: real(g), lambda: imag(g)),
    arity=2,
    accepts=FLOATING,
    result=_complex_of,
    linear=(0, 1),
    eval=_complex,
    doc="""The complex numbers with the real parts `x` and imaginary parts `y`, float32 or float64.

    >>> import treadle as tl
    >>> tl.complex([1., 2.], [3., 0.])
    <tl.Tensor: shape=(2,), dtype=complex64, numpy=array([1.+3.j, 2.+0.j], dtype=complex64)>
    """,
)
_conj = elementwise(
    "conj",
    lambda m, x: m.conj(x),
    lambda g, out, x: (lambda: conj(g),),
    linear=(0,),
    ufunc="conj",
    accepts=COMPLEX,
)
_real = elementwise(
    "real",
    lambda m, x: m.real(x),
    lambda g, out, x: (lambda: complex_(g, zeros(g)),),
    linear=(0,),
    accepts=COMPLEX,
    result=real_part,
    eval=lambda xp, x: x.real.copy(),
)
_imag = elementwise(
    "imag",
    lambda m, x: m.imag(x),
    lambda g, out, x: (lambda: complex_(zeros(g), g),),
    linear=(0,),
    accepts=COMPLEX,
    result=real_part,
    eval=lambda xp, x: x.imag.copy(),
)


def zeros(like: Tensor) -> Tensor:
    """A zero of `like`'s dtype, for rules: a scalar, which broadcasts."""
    return convert(0, like.dtype)


def conj(x: Any, name: str | None = None) -> Tensor:
    """The complex conjugate; real tensors are returned as they are.

    >>> import treadle as tl
    >>> tl.math.conj([1. + 2.j])
    <tl.Tensor: shape=(1,), dtype=complex128, numpy=array([1.-2.j])>
    """
    x = x if isinstance(x, Tensor) else convert(x)
    result: Tensor = _conj(x) if x.dtype.is_complex else x
    return result


def real(input: Any, name: str | None = None) -> Tensor:
    """The real part; real tensors are returned as they are.

    >>> import treadle as tl
    >>> tl.math.real([1. + 2.j])
    <tl.Tensor: shape=(1,), dtype=float64, numpy=array([1.])>
    """
    x = input if isinstance(input, Tensor) else convert(input)
    result: Tensor = _real(x) if x.dtype.is_complex else x
    return result


def imag(input: Any, name: str | None = None) -> Tensor:
    """The imaginary part; zeros for a real tensor.

    >>> import treadle as tl
    >>> tl.math.imag([1. + 2.j])
    <tl.Tensor: shape=(1,), dtype=float64, numpy=array([2.])>
    """
    x = input if isinstance(input, Tensor) else convert(input)
    result: Tensor = _imag(x) if x.dtype.is_complex else apply(OPS["zeros_like"], (x,))
    return result
