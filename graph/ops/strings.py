"""Ops on text: tensors of dtype string, whose items are bytes (of UTF-8, where that matters)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..build import apply, convert
from ..convert import Array
from ..dtypes import int32, string
from ..errors import DTypeError, InvalidArgumentError
from ..node import Tensor
from ..op import Op, batches, no_gradient
from ..spec import TensorSpec, broadcast_shapes
from .arithmetic import add
from .define import batches_in_step, primitive
from .dims import normal_axis
from .reductions import axes_argument, reduced_spec

UNITS = ("BYTE", "UTF8_CHAR")


def require_text(*specs: TensorSpec) -> None:
    """DTypeError unless all are of dtype string."""
    for spec in specs:
        if spec.dtype is not string:
            raise DTypeError(
                f"the operand has dtype {spec.dtype.name}, string is needed; use "
                "tl.strings.as_string"
            )


def each(function: Callable[..., Any], *arrays: Array, dtype: Any = object) -> Array:
    """`function` of each item; the arrays broadcast."""
    spread = np.broadcast_arrays(*arrays)
    out = np.empty(spread[0].shape, dtype)
    flat = out.reshape(-1)
    for i, items in enumerate(zip(*[a.ravel().tolist() for a in spread], strict=True)):
        flat[i] = function(*items)
    return out


def text_op(name: str, function: Callable[..., Any], result: Any = string, **fields: Any) -> Op:
    """Define an op that maps each item; `function` takes the attributes, too."""

    def infer(x: TensorSpec, **attrs: Any) -> TensorSpec:
        require_text(x)
        return TensorSpec(x.shape, result)

    def evaluate(xp: Any, x: Array, **attrs: Any) -> Array:
        return each(lambda item: function(item, **attrs), x, dtype=result.numpy)

    return primitive(f"string_{name}", infer, evaluate, no_gradient, display=name, **fields)


def one_of(value: Any, choices: Any, label: str) -> Any:
    """`value`; InvalidArgumentError unless it is one of `choices`."""
    if value not in choices:
        raise InvalidArgumentError(
            f"{label} must be one of {', '.join(map(repr, choices))}, it is {value!r}"
        )
    return value


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


# --- items -------------------------------------------------------------------------


def _length(text: bytes, *, unit: str) -> int:
    return len(text) if unit == "BYTE" else sum(byte & 0xC0 != 0x80 for byte in text)


def _lower(text: bytes, *, encoding: str) -> bytes:
    return _encoded(_decoded(text).lower()) if encoding else text.lower()


def _upper(text: bytes, *, encoding: str) -> bytes:
    return _encoded(_decoded(text).upper()) if encoding else text.upper()


_LENGTH = text_op("length", _length, int32)
_LOWER = text_op("lower", _lower)
_UPPER = text_op("upper", _upper)
_STRIP = text_op("strip", bytes.strip)


def length(input: Any, unit: str = "BYTE", name: str | None = None) -> Tensor:
    """The length of each text in bytes, or in characters for the unit "UTF8_CHAR"; int32.

    >>> import treadle as tl
    >>> tl.strings.length(["warp", "hé"]).numpy()
    array([4, 3], dtype=int32)
    >>> tl.strings.length(["warp", "hé"], unit="UTF8_CHAR").numpy()
    array([4, 2], dtype=int32)
    """
    result: Tensor = apply(_LENGTH, (convert(input),), {"unit": one_of(unit, UNITS, "unit")})
    return result


def lower(input: Any, encoding: str = "", name: str | None = None) -> Tensor:
    """The texts in lower case: ASCII letters alone, with `encoding` "utf-8" all letters.

    >>> import treadle as tl
    >>> tl.strings.lower("WEFT").numpy()
    b'weft'
    """
    attrs = {"encoding": one_of(encoding, ("", "utf-8"), "encoding")}
    result: Tensor = apply(_LOWER, (convert(input),), attrs)
    return result


def upper(input: Any, encoding: str = "", name: str | None = None) -> Tensor:
    """The texts in upper case: ASCII letters alone, with `encoding` "utf-8" all letters.

    >>> import treadle as tl
    >>> tl.strings.upper(["a", "bc"]).numpy()
    array([b'A', b'BC'], dtype=object)
    """
    attrs = {"encoding": one_of(encoding, ("", "utf-8"), "encoding")}
    result: Tensor = apply(_UPPER, (convert(input),), attrs)
    return result


def strip(input: Any, name: str | None = None) -> Tensor:
    """The texts without white space at their ends.

    >>> import treadle as tl
    >>> tl.strings.strip(" a b ").numpy()
    b'a b'
    """
    result: Tensor = apply(_STRIP, (convert(input),))
    return result


def _substr_infer(x: TensorSpec, pos: TensorSpec, len: TensorSpec, *, unit: str) -> TensorSpec:
    require_text(x)
    for spec, label in ((pos, "pos"), (len, "len")):
        if not spec.dtype.is_integer:
            raise DTypeError(f"{label} has dtype {spec.dtype.name}, an integer dtype is needed")
    return TensorSpec(broadcast_shapes(x.shape, pos.shape, len.shape), string)


def _substr(text: bytes, pos: int, count: int, unit: str) -> bytes:
    whole: Any = text if unit == "BYTE" else _decoded(text)
    if not -len(whole) <= pos <= len(whole):
        raise InvalidArgumentError(f"pos {pos} is out of range for the text {text!r}")
    start = pos + len(whole) if pos < 0 else pos
    part = whole[start:] if count < 0 else whole[start : start + count]
    return part if unit == "BYTE" else _encoded(part)


_SUBSTR = primitive(
    "string_substr",
    _substr_infer,
    lambda xp, x, pos, len, *, unit: each(
        lambda text, start, count: _substr(text, start, count, unit), x, pos, len
    ),
    no_gradient,
    checks=lambda x, pos, len, **attrs: True,
    display="substr",
)


def substr(input: Any, pos: Any, len: Any, unit: str = "BYTE", name: str | None = None) -> Tensor:
    """`len` bytes (or characters, for the unit "UTF8_CHAR") of each text from `pos` on.

    A negative `pos` counts from the end. All three broadcast. Fewer come where the text ends;
    InvalidArgumentError for a `pos` outside of it.

    >>> import treadle as tl
    >>> tl.strings.substr(["shuttle", "heddle"], [0, -3], 3).numpy()
    array([b'shu', b'dle'], dtype=object)
    """
    operands = (convert(input), convert(pos), convert(len))
    result: Tensor = apply(_SUBSTR, operands, {"unit": one_of(unit, UNITS, "unit")})
    return result


# --- joined ------------------------------------------------------------------------


def join(inputs: Any, separator: str = "", name: str | None = None) -> Tensor:
    """The texts of several tensors joined item by item; they broadcast.

    >>> import treadle as tl
    >>> tl.strings.join([["a", "b"], "x", ["c", "d"]], separator="-").numpy()
    array([b'a-x-c', b'b-x-d'], dtype=object)
    """
    parts = [convert(x) for x in inputs]
    if not parts:
        return convert("")
    require_text(*[x.spec for x in parts])
    joined = parts[0]
    for part in parts[1:]:
        joined = add(add(joined, separator) if separator else joined, part)
    return joined


def _reduce_infer(
    x: TensorSpec, *, axis: tuple[int, ...] | None, keepdims: bool, separator: str
) -> TensorSpec:
    require_text(x)
    return reduced_spec(x, axis, keepdims)


def _reduce_eval(
    xp: Any, x: Array, *, axis: tuple[int, ...] | None, keepdims: bool, separator: str
) -> Array:
    # The axis that is named first varies fastest.
    named = reversed(range(x.ndim)) if axis is None else [normal_axis(i, x.ndim) for i in axis]
    gone = list(named)[::-1]
    kept = [i for i in range(x.ndim) if i not in gone]
    rows = x.transpose([*kept, *gone]).reshape(*[x.shape[i] for i in kept], -1) if x.size else None
    shape = [1 if i in gone else n for i, n in enumerate(x.shape) if keepdims or i in kept]
    out = np.empty(shape, object)
    flat = out.reshape(-1)
    for i in range(flat.size):
        items = [] if rows is None else rows.reshape(flat.size, -1)[i].tolist()
        flat[i] = separator.encode().join(items)
    return out


_REDUCE_JOIN = primitive(
    "string_reduce_join", _reduce_infer, _reduce_eval, no_gradient, display="reduce_join"
)


def reduce_join(
    inputs: Any,
    axis: Any = None,
    keepdims: bool = False,
    separator: str = "",
    name: str | None = None,
) -> Tensor:
    """The texts along axes joined; all of them by default. Of several axes the first one that
    `axis` names varies fastest.

    >>> import treadle as tl
    >>> tl.strings.reduce_join([["a", "b"], ["c", "d"]], axis=-1, separator="+").numpy()
    array([b'a+b', b'c+d'], dtype=object)
    """
    x = convert(inputs)
    axes = axes_argument(_REDUCE_JOIN, x, axis)
    attrs = {"axis": axes, "keepdims": keepdims, "separator": separator}
    result: Tensor = apply(_REDUCE_JOIN, (x,), attrs)
    return result


# --- of a batch of examples ----------------------------------------------------------

batches_in_step(_LENGTH, _LOWER, _UPPER, _STRIP)


@batches(_SUBSTR)
def _batched_substr(batch: Any, flags: Any, *inputs: Tensor, unit: str) -> Any:
    return apply(_SUBSTR, batch.aligned(inputs, flags), {"unit": unit})


@batches(_REDUCE_JOIN)
def _batched_join(
    batch: Any, flags: Any, x: Tensor, *, axis: tuple[int, ...] | None, **attrs: Any
) -> Any:
    if axis is None and x.spec.shape.rank is None:
        return batch.each(_REDUCE_JOIN, flags, (x,), {"axis": axis, **attrs})
    return apply(_REDUCE_JOIN, (x,), {"axis": batch.axes(axis, x), **attrs})


__all__ = ["join", "length", "lower", "reduce_join", "strip", "substr", "upper"]
