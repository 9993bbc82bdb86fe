"""How ops are put into the table: dtype and shape rules are written once, here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..build import NO_ATTRS, apply, binary, convert
from ..convert import Array
from ..dtypes import DType, bool_
from ..errors import DTypeError
from ..node import Tensor, Value
from ..op import Op, batches, register
from ..spec import TensorSpec, broadcast_shapes, may_fail_to_broadcast

# Kinds of dtypes that an op accepts, as `DType.kind` letters.
NUMERIC, REAL, FLOAT, FLOATING, INTEGER, BOOL, ANY = (
    *("iufc", "iuf", "fc", "f", "iu", "b", "biufcO"),
)
_KIND_NAMES = {
    NUMERIC: "a numeric dtype",
    REAL: "an integer or floating dtype",
    FLOAT: "a floating or complex dtype",
    FLOATING: "a floating dtype",
    INTEGER: "an integer dtype",
    BOOL: "dtype bool",
}

Function = Callable[..., Tensor]  # what a user calls


def constant_of(value: Any) -> Array | None:
    """The array of a value that is known while tracing, else None."""
    if isinstance(value, Value):
        if value.node is not None and value.node.op.name == "const":
            array: Array = value.node.attrs["value"]
            return array
        return None
    return np.asarray(value)


def require_kind(spec: TensorSpec, accepts: str, label: str = "the operand") -> None:
    """DTypeError unless the dtype is of a kind in `accepts`."""
    if spec.dtype.kind not in accepts:
        wanted = _KIND_NAMES.get(accepts, f"a dtype of kind {'/'.join(accepts)}")
        cure = "tl.strings.to_number" if spec.dtype.kind == "O" else "tl.cast"
        raise DTypeError(f"{label} has dtype {spec.dtype.name}, {wanted} is needed; use {cure}")


def same_dtype(*specs: TensorSpec) -> DType:
    """The one dtype of `specs`; DTypeError if they differ."""
    dtype = specs[0].dtype
    for s in specs:
        if s.dtype is not dtype:
            names = " and ".join(dict.fromkeys(s.dtype.name for s in specs))
            raise DTypeError(f"dtypes {names} are mixed; use tl.cast to make them equal")
    return dtype


def elementwise(
    name: str,
    scalar: Callable[..., Any],
    vjp: Callable[..., Any] | None = None,
    *,
    arity: int = 1,
    ufunc: str | None = None,
    accepts: str = NUMERIC,
    result: Callable[[DType], DType] | None = None,
    checks: Callable[..., bool] | None = None,
    eval: Callable[..., Any] | None = None,
    commutative: bool = False,
    jvp: Callable[..., Any] | None = None,
    linear: tuple[int, ...] = (),
    doc: str = "",
) -> Function:
    """Define an op that works on each element; gives the function that applies it.

    `scalar(m, *xs)` is the value for any interpreter m of scalar mathematics, `ufunc` names the
    NumPy ufunc that does the same, `eval(xp, *arrays)` stands in where neither is right for
    arrays. `result` maps the dtype of the operands to that of the result. `jvp` or `linear` is
    needed where the derivative of a complex function is no complex number: else the derivative
    that `vjp` states serves forward mode, too.
    """

    def infer(*specs: TensorSpec) -> TensorSpec:
        first = specs[0]
        dtype = first.dtype if len(specs) == 1 else same_dtype(*specs)
        if dtype.kind not in accepts:
            require_kind(first, accepts)
        out = dtype if result is None else result(dtype)
        shape = first.shape
        if len(specs) > 1:
            shape = broadcast_shapes(*[s.shape for s in specs])
        if shape is first.shape and out is dtype and first.name is None:
            return first
        return TensorSpec(shape, out)

    def evaluate(xp: Any, *arrays: Array) -> Any:
        if ufunc:
            return getattr(xp, ufunc)(*arrays)
        dtype = arrays[0].dtype
        if dtype.itemsize == 2 and dtype.kind in "fV":
            return _widened(xp, scalar, arrays, dtype)
        return scalar(xp, *arrays)

    def may_fail(*values: Tensor) -> bool:
        assert checks is not None
        return checks(*values) or _broadcast_may_fail(*values)

    op = register(
        Op(
            name,
            infer,
            eval or evaluate,
            scalar,
            ufunc,
            vjp,
            jvp,
            linear,
            checks=checks if arity == 1 else _broadcast_may_fail if checks is None else may_fail,
            commutative=commutative,
            elementwise=True,
            display=name,
        )
    )
    function = _unary(op) if arity == 1 else _binary(op)
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


def _widened(xp: Any, scalar: Callable[..., Any], arrays: Any, dtype: Any) -> Any:
    """Compute in float32 what has intermediate results; bfloat16 would become float32 anyhow."""
    out = scalar(xp, *[a.astype(np.float32) for a in arrays])
    return out.astype(dtype) if out.dtype == np.float32 else out


def _broadcast_may_fail(x: Tensor, y: Tensor) -> bool:
    a, b = x.spec.shape, y.spec.shape
    return x is not y and may_fail_to_broadcast(a, b)


def _unary(op: Op) -> Function:
    def function(x: Any, name: str | None = None) -> Tensor:
        result: Tensor = apply(op, (x if isinstance(x, Tensor) else convert(x),), NO_ATTRS, 1)
        return result

    return function


def _binary(op: Op) -> Function:
    def function(x: Any, y: Any, name: str | None = None) -> Tensor:
        result: Tensor = binary(op, x, y)
        return result

    return function


def to_bool(dtype: DType) -> DType:
    return bool_


def primitive(
    name: str,
    infer: Callable[..., Any],
    eval: Callable[..., Any] | None,
    vjp: Callable[..., Any] | None = None,
    **fields: Any,
) -> Op:
    """Define an op that is not elementwise."""
    fields.setdefault("display", name)
    return register(Op(name, infer, eval, vjp=vjp, **fields))


# --- batching rules that several ops have ------------------------------------------


def batches_as_they_are(*ops: Op) -> None:
    """Ops that work on the last axes of their first input, for any axes before these.

    What else they take must be the same for all examples, or else they loop.
    """
    for op in ops:

        def rule(
            batch: Any, flags: Sequence[bool], *inputs: Any, _op: Op = op, **attrs: Any
        ) -> Any:
            if any(flags[1:]):
                return batch.each(_op, flags, inputs, attrs)
            return apply(_op, inputs, attrs)

        batches(op)(rule)


def batches_in_step(*ops: Op) -> None:
    """Ops of which all inputs have the same first axes."""
    for op in ops:

        def rule(
            batch: Any, flags: Sequence[bool], *inputs: Any, _op: Op = op, **attrs: Any
        ) -> Any:
            return apply(_op, batch.fulls(inputs, flags), attrs)

        batches(op)(rule)


def batches_along_axis(*ops: Op) -> None:
    """Ops along one axis, the attribute `axis`, of which all inputs have one rank."""
    for op in ops:

        def rule(
            batch: Any, flags: Sequence[bool], *inputs: Any, _op: Op = op, axis: int, **attrs: Any
        ) -> Any:
            given = batch.fulls(inputs, flags)
            return apply(_op, given, {**attrs, "axis": batch.axis(axis)})

        batches(op)(rule)
