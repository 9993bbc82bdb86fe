"""Ops on variables: read, assign, and their kin.

A variable's run-time value is an object whose attribute `array` is its present value. It is never
changed in place, since others may see it: an assignment puts another array there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..build import apply, convert
from ..convert import Array
from ..errors import DTypeError, FailedPreconditionError, IndexOutOfRangeError, ShapeError
from ..node import Tensor
from ..op import READ, WRITE, no_gradient
from ..spec import ResourceSpec, TensorShape, TensorSpec, covers
from .axes import ensure_shape
from .define import primitive


def _value_of(storage: Any) -> Array:
    array: Array | None = storage.array
    if array is None:
        raise FailedPreconditionError(
            "the variable has no value yet: it is made by a function that did not run to its end"
        )
    return array


_read = primitive(
    "read",
    lambda variable: variable.value,
    lambda xp, storage: _value_of(storage),
    lambda g, out, variable: (g,),
    jvp=lambda ts, out, variable: ts[0],
    effects=(READ,),
)


def read(variable: Any) -> Tensor:
    """The present value of a variable."""
    result: Tensor = apply(_read, (variable,))
    return result


# --- assignment --------------------------------------------------------------------


def _assign_infer(variable: ResourceSpec, x: TensorSpec) -> TensorSpec:
    held = variable.value
    if x.shape == held.shape and x.dtype is held.dtype and held.shape.is_fully_defined():
        return held
    if x.dtype is not held.dtype:
        raise DTypeError(
            f"the variable has dtype {held.dtype.name}, the value {x.dtype.name}; use tl.cast"
        )
    if not held.shape.is_compatible_with(x.shape):
        raise ShapeError(f"the variable has shape {held.shape}, the value {x.shape}")
    return TensorSpec(held.shape.merge_with(x.shape), held.dtype)


def _update_infer(variable: ResourceSpec, x: TensorSpec) -> TensorSpec:
    found = _assign_infer(variable, x)
    return found if variable.value.shape.is_fully_defined() else variable.value


def _may_not_fit(variable: Any, x: Tensor) -> bool:
    return not covers(variable.spec.value.shape, x.spec.shape)


def _assign_eval(xp: Any, storage: Any, x: Array) -> Array:
    array = xp.asarray(x)
    # A view would keep alive what it is a view of.
    storage.array = array if array.flags.c_contiguous else array.copy()
    return storage.array  # type: ignore[no-any-return]


def _update(combine: str) -> Callable[..., Array]:
    def evaluate(xp: Any, storage: Any, x: Array) -> Array:
        old = _value_of(storage)
        if x.shape != old.shape:
            raise ShapeError(f"the variable has shape {old.shape}, the value {x.shape}")
        storage.array = xp.asarray(getattr(xp, combine)(old, x))
        return storage.array  # type: ignore[no-any-return]

    return evaluate


_assign = primitive(
    "assign", _assign_infer, _assign_eval, no_gradient, effects=(WRITE,), checks=_may_not_fit
)


def _may_not_fit_old(variable: Any, x: Tensor) -> bool:
    return not variable.spec.shape.is_fully_defined() or _may_not_fit(variable, x)


_assign_add = primitive(
    "assign_add",
    _update_infer,
    _update("add"),
    no_gradient,
    effects=(WRITE,),
    checks=_may_not_fit_old,
)
_assign_sub = primitive(
    "assign_sub",
    _update_infer,
    _update("subtract"),
    no_gradient,
    effects=(WRITE,),
    checks=_may_not_fit_old,
)


def assign(variable: Any, value: Any) -> Tensor:
    """Set the value of a variable; the new value."""
    x = convert(value, hint=variable.dtype)
    wanted = variable.spec.value
    if wanted.is_compatible_with(x.spec) and not covers(wanted.shape, x.spec.shape):
        x = ensure_shape(x, wanted.shape)  # the op itself does not see the variable's spec
    result: Tensor = apply(_assign, (variable, x))
    return result


def assign_add(variable: Any, value: Any) -> Tensor:
    """Add to the value of a variable; the new value."""
    result: Tensor = apply(_assign_add, (variable, convert(value, hint=variable.dtype)))
    return result


def assign_sub(variable: Any, value: Any) -> Tensor:
    """Subtract from the value of a variable; the new value."""
    result: Tensor = apply(_assign_sub, (variable, convert(value, hint=variable.dtype)))
    return result


# --- some rows of a variable -------------------------------------------------------


def _scatter_infer(variable: ResourceSpec, indices: TensorSpec, updates: TensorSpec) -> TensorSpec:
    held = variable.value
    if not indices.dtype.is_integer:
        raise DTypeError(f"indices are integers, not {indices.dtype.name}")
    if updates.dtype is not held.dtype:
        raise DTypeError(
            f"the variable has dtype {held.dtype.name}, the updates {updates.dtype.name}; "
            "use tl.cast"
        )
    if held.shape.rank == 0:
        raise ShapeError("a scalar variable has no rows")
    rows = TensorShape(indices.shape) + held.shape[1:]
    if updates.shape.rank != 0 and not rows.is_compatible_with(updates.shape):
        raise ShapeError(f"the updates have shape {updates.shape}, {rows} is needed")
    return held


def _scatter(change: Callable[[Array, Any, Array], None]) -> Callable[..., Array]:
    def evaluate(xp: Any, storage: Any, indices: Array, updates: Array) -> Array:
        new = _value_of(storage).copy()
        _require_rows(indices, len(new))
        change(new, indices, updates)
        storage.array = new
        return new

    return evaluate


def _require_rows(indices: Array, size: int) -> None:
    if indices.size:
        low, high = int(indices.min()), int(indices.max())
        if low < 0 or high >= size:
            bad = low if low < 0 else high
            raise IndexOutOfRangeError(f"index {bad} is out of range for axis 0 of size {size}")


def _set_rows(array: Array, indices: Any, updates: Array) -> None:
    array[indices] = updates


def _divide_rows(array: Array, indices: Any, updates: Array) -> None:
    divide = np.divide if array.dtype.kind in "fc" else np.floor_divide
    divide.at(array, indices, updates)


def _always(*values: Any) -> bool:
    return True


_SCATTERS = {
    name: primitive(
        name, _scatter_infer, _scatter(change), no_gradient, effects=(WRITE,), checks=_always
    )
    for name, change in (
        ("scatter_update", _set_rows),
        ("scatter_add", np.add.at),
        ("scatter_sub", np.subtract.at),
        ("scatter_max", np.maximum.at),
        ("scatter_min", np.minimum.at),
        ("scatter_mul", np.multiply.at),
        ("scatter_div", _divide_rows),
    )
}


def scatter(kind: str, variable: Any, indices: Any, updates: Any) -> Tensor:
    """Update the rows `indices` of a variable: `kind` is update, add, sub, mul, div, max or min.

    Rows named twice are added to twice; of two updates the last stays. The new value.
    """
    inputs = (variable, convert(indices), convert(updates, hint=variable.dtype))
    result: Tensor = apply(_SCATTERS[f"scatter_{kind}"], inputs)
    return result
