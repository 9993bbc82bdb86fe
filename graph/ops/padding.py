"""Pad with a value or with mirrored items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..build import apply, convert
from ..convert import Array
from ..dtypes import string
from ..errors import DTypeError, InvalidArgumentError, ShapeError
from ..node import Tensor
from ..op import OPS, Op, batches
from ..spec import UNKNOWN, TensorShape, TensorSpec
from .comparison import where
from .define import primitive
from .dims import partial_value, refuse
from .filling import ones_like
from .queries import shape as shape_of
from .slicing import slice_

Paddings = tuple[tuple[int, int], ...]


def _pad_infer(
    x: TensorSpec,
    *dynamic: TensorSpec,
    paddings: Paddings | None,
    mode: str = "constant",
    value: float | bool = 0,
) -> TensorSpec:
    shape = x.shape
    if paddings is None:
        rank = dynamic[0].shape[0] if dynamic[0].shape.rank else None
        rank = shape.rank if rank is None else rank
        return TensorSpec(UNKNOWN if rank is None else [None] * rank, x.dtype)
    if shape.rank is None:
        return TensorSpec([None] * len(paddings), x.dtype)
    if len(paddings) != len(shape):
        raise ShapeError(
            f"paddings for {len(paddings)} axes are given, the operand has shape {shape}"
        )
    for (before, after), d in zip(paddings, shape, strict=True):
        if before < 0 or after < 0:
            raise InvalidArgumentError(f"paddings are not negative, these are {list(paddings)}")
        if mode != "constant" and d is not None:
            _require_room(max(before, after), d, mode)
    return TensorSpec(
        [None if d is None else d + a + b for d, (a, b) in zip(shape, paddings, strict=True)],
        x.dtype,
    )


def _require_room(width: int, size: int, mode: str) -> None:
    most = size - 1 if mode == "reflect" else size
    if width > most:
        raise InvalidArgumentError(
            f"mode {mode.upper()} pads an axis of size {size} by at most {most}, not {width}"
        )


def _run_time_paddings(dynamic: tuple[Array, ...], paddings: Paddings | None, x: Array) -> Any:
    if paddings is not None:
        return paddings
    found = dynamic[0]
    if found.shape != (x.ndim, 2) or found.min(initial=0) < 0:
        raise InvalidArgumentError(
            f"paddings must be {x.ndim} pairs of sizes, they are {found.tolist()}"
        )
    return found.tolist()


def _pad_eval(
    xp: Any,
    x: Array,
    *dynamic: Array,
    paddings: Paddings | None,
    mode: str = "constant",
    value: float | bool = 0,
) -> Array:
    widths = _run_time_paddings(dynamic, paddings, x)
    if mode == "constant":
        shape = [d + a + b for d, (a, b) in zip(x.shape, widths, strict=True)]
        fill = b"" if x.dtype == string.numpy and not value else value
        out = xp.full(shape, fill, x.dtype)
        out[tuple(slice(a, a + d) for d, (a, _) in zip(x.shape, widths, strict=True))] = x
        return out  # type: ignore[no-any-return]
    for d, pair in zip(x.shape, widths, strict=True):
        _require_room(max(pair), d, mode)
    return xp.pad(x, widths, mode)  # type: ignore[no-any-return]


def _pad_may_fail(x: Tensor, *dynamic: Tensor, paddings: Paddings | None, **attrs: Any) -> bool:
    if paddings is None or x.spec.shape.rank is None:
        return True
    return attrs.get("mode", "constant") != "constant" and not x.spec.shape.is_fully_defined()


def _pad_vjp(
    g: Tensor,
    out: Tensor,
    x: Tensor,
    *dynamic: Tensor,
    paddings: Paddings | None,
    mode: str = "constant",
    value: float | bool = 0,
) -> Any:
    def back() -> Tensor:
        if mode != "constant":
            attrs = {"paddings": paddings, "mode": mode, "shape": x.spec.shape}
            folded: Tensor = apply(_pad_grad, (g, *dynamic), attrs)
            return folded
        begin = [a for a, _ in paddings] if paddings is not None else dynamic[0][:, 0]
        return slice_(g, begin, shape_of(x))

    return (back, *[None for _ in dynamic])


def _pad_jvp(ts: Any, out: Tensor, x: Tensor, *dynamic: Tensor, **attrs: Any) -> Tensor:
    result: Tensor = apply(_pad, (ts[0], *dynamic), {**attrs, "value": 0})
    return result


_pad: Op = primitive("pad", _pad_infer, _pad_eval, _pad_vjp, jvp=_pad_jvp, checks=_pad_may_fail)


def _pad_grad_eval(
    xp: Any, g: Array, *dynamic: Array, paddings: Paddings | None, mode: str, shape: TensorShape
) -> Array:
    """Fold what was mirrored back onto where it came from."""
    for axis, (a, b) in enumerate(_run_time_paddings(dynamic, paddings, g)):
        size = g.shape[axis] - a - b
        source = np.pad(np.arange(size), (a, b), mode=mode)  # type: ignore[call-overload]
        moved = xp.moveaxis(g, axis, 0)
        total = xp.zeros((size, *moved.shape[1:]), g.dtype)
        np.add.at(total, source, moved)
        g = xp.moveaxis(total, 0, axis)
    return g


def _pad_grad_vjp(h: Tensor, out: Tensor, g: Tensor, *dynamic: Tensor, **attrs: Any) -> Any:
    forward = {"paddings": attrs["paddings"], "mode": attrs["mode"]}
    return (lambda: apply(_pad, (h, *dynamic), forward), *[None for _ in dynamic])


_pad_grad: Op = primitive(
    "pad_grad",
    lambda g, *dynamic, paddings, mode, shape: TensorSpec(shape, g.dtype),
    _pad_grad_eval,
    _pad_grad_vjp,
    linear=(0,),
)


def pad(
    tensor: Any,
    paddings: Any,
    mode: str = "CONSTANT",
    constant_values: Any = 0,
    name: str | None = None,
) -> Tensor:
    """`tensor` with `paddings[i] = (before, after)` more items along each axis.

    `mode` tells what they are: `constant_values`, or mirrored items without ("REFLECT") or with
    ("SYMMETRIC") the outermost one.

    >>> import treadle as tl
    >>> tl.pad([1, 2, 3], [[2, 1]], "REFLECT").numpy()
    array([3, 2, 1, 2, 3, 2], dtype=int32)
    """
    x = tensor if isinstance(tensor, Tensor) else convert(tensor)
    kind = mode.lower()
    if kind not in ("constant", "reflect", "symmetric"):
        raise InvalidArgumentError(f"mode must be CONSTANT, REFLECT or SYMMETRIC, not {mode!r}")
    widths = convert(paddings)
    if not widths.dtype.is_integer:
        raise refuse(DTypeError("paddings are integers"), _pad, x, widths)
    shape = widths.spec.shape
    if shape.rank not in (None, 2) or (shape.rank == 2 and shape[1] not in (None, 2)):
        raise refuse(ShapeError(f"paddings have shape (axes, 2), not {shape}"), _pad, x, widths)
    known = partial_value(widths)
    attrs: dict[str, Any] = {"paddings": None}
    if known is not None and known.dtype != object:
        attrs["paddings"] = tuple([(int(a), int(b)) for a, b in known])
    if kind != "constant":
        attrs["mode"] = kind
    inputs = (x,) if attrs["paddings"] is not None else (x, widths)
    given = isinstance(constant_values, Tensor) or hasattr(constant_values, "__tl_tensor__")
    fill = None if given else np.asarray(constant_values)  # a tensor may need its gradient
    if kind != "constant" or (fill is not None and not fill.item()):
        result: Tensor = apply(_pad, inputs, attrs)
        return result
    if fill is not None and x.dtype is not string:
        value = convert(fill.item(), hint=x.dtype) if fill.dtype.kind != "O" else None
        del value  # made for its check: the value must fit the dtype
        padded: Tensor = apply(_pad, inputs, {**attrs, "value": fill.item()})
        return padded
    inside = apply(_pad, (ones_like(x, "bool"), *inputs[1:]), {**attrs, "value": False})
    outside = convert(constant_values, hint=x.dtype)
    return where(inside, apply(_pad, inputs, attrs), outside)


# --- of a batch of examples ----------------------------------------------------------


def _with_batch(paddings: Paddings | None, dynamic: Sequence[Tensor]) -> Any:
    """Paddings that leave the axis of the examples as it is."""
    if paddings is not None:
        return ((0, 0), *paddings), ()
    none = convert(np.zeros((1, 2), dynamic[0].dtype.numpy))
    return None, (apply(OPS["concat"], (none, dynamic[0]), {"axis": 0}),)


@batches(_pad)
def _batched_pad(
    batch: Any,
    flags: Any,
    x: Tensor,
    *dynamic: Tensor,
    paddings: Paddings | None,
    **attrs: Any,
) -> Any:
    if any(flags[1:]):
        return batch.each(_pad, flags, (x, *dynamic), {"paddings": paddings, **attrs})
    static, widths = _with_batch(paddings, dynamic)
    return apply(_pad, (x, *widths), {"paddings": static, **attrs})


@batches(_pad_grad)
def _batched_pad_grad(
    batch: Any,
    flags: Any,
    g: Tensor,
    *dynamic: Tensor,
    paddings: Paddings | None,
    mode: str,
    shape: TensorShape,
) -> Any:
    attrs: dict[str, Any] = {"paddings": paddings, "mode": mode, "shape": shape}
    if any(flags[1:]):
        return batch.each(_pad_grad, flags, (g, *dynamic), attrs)
    static, widths = _with_batch(paddings, dynamic)
    attrs = {**attrs, "paddings": static, "shape": batch.shape(shape)}
    return apply(_pad_grad, (g, *widths), attrs)
