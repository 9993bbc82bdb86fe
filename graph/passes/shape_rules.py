"""Peephole rules for ops that look at shapes or move items about; see `rules.py`."""

from __future__ import annotations

import numpy as np

from ..node import Value
from ..op import OPS, Attrs, Op
from ..spec import TensorShape, TensorSpec
from .rules import RULES, Site, made, may_fail, rule

__all__ = ["RULES"]  # with those of rules.py: all there are


def _static(value: Value) -> TensorShape | None:
    """The shape of a tensor if all of it is known."""
    spec = value.spec
    return spec.shape if isinstance(spec, TensorSpec) and spec.shape.is_fully_defined() else None


@rule("shape", "size", "rank")
def known_shape(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """shape(x: f32[2,3]) -> [2, 3]"""
    shape = _static(inputs[0])
    if op.name == "rank" and inputs[0].shape.rank is not None:
        return s.constant(np.array(inputs[0].shape.rank, np.int32))
    if shape is None or op.name == "rank":
        return None
    what = {"shape": tuple(shape), "size": shape.num_elements()}[op.name]
    dtype = attrs.get("out_type")
    return s.constant(np.array(what, np.int32 if dtype is None else dtype.numpy))


@rule("shape", "size", "rank")
def shape_through(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """shape(exp(x)) -> shape(x): an elementwise op of one operand keeps the shape"""
    name, before, _ = made(inputs[0])
    if len(before) == 1 and (OPS[name].elementwise or name in ("identity", "stop_gradient")):
        return s.make(op.name, before[0], **attrs)
    return None


@rule("transpose")
def transpose_twice(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """transpose(transpose(x)) -> one transpose, or x"""
    match made(inputs[0]):
        case ("transpose", (x,), {"perm": first}):
            rank = x.shape.rank
            if rank is not None:
                backwards = tuple(range(rank))[::-1]
                inner = backwards if first is None else first
                outer = backwards if attrs["perm"] is None else attrs["perm"]
                perm = tuple([inner[i] for i in outer])
                return x if perm == tuple(range(rank)) else s.make("transpose", x, perm=perm)
            if first is None and attrs["perm"] is None:
                return x
    return None


@rule("transpose")
def transpose_nothing(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """transpose(x, (0, 1)) -> x"""
    x, perm = inputs[0], attrs["perm"]
    rank = x.shape.rank
    in_order = perm is not None and perm == tuple(range(len(perm)))
    return x if (in_order and rank is not None) or (rank is not None and rank < 2) else None


@rule("reshape")
def reshape_twice(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """reshape(reshape(x, a), b) -> reshape(x, b), and so for other ops that keep the order"""
    before = inputs[0].node
    if before is None or before.op.name not in ("reshape", "expand_dims", "squeeze"):
        return None
    direct = (before.inputs[0], *inputs[1:])
    if may_fail(before.op, before.inputs, before.attrs) or may_fail(op, direct, attrs):
        return None
    return s.make("reshape", *direct, **attrs)


@rule("reshape", "broadcast_to", "sum_to")
def same_shape(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """reshape(x: f32[2,3], (2, 3)) -> x"""
    have = _static(inputs[0])
    return inputs[0] if have is not None and have == attrs["shape"] else None


@rule("reshape", "broadcast_to", "sum_to", refines=True, keeps_checks=True)
def constant_dims(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """reshape(x, [2, 3] computed) -> reshape(x, (2, 3))"""
    if len(inputs) < 2 or inputs[1] not in s.known:
        return None
    sizes = s.known[inputs[1]].reshape(-1).tolist()
    if any(d < (-1 if op.name == "reshape" else 0) for d in sizes):
        return None
    shape = TensorShape([None if d == -1 else d for d in sizes])
    return s.make(op.name, inputs[0], **{**attrs, "shape": shape})


@rule("expand_dims")
def expand_squeezed(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """expand_dims(squeeze(x, axis), axis) -> x"""
    match made(inputs[0]):
        case ("squeeze", (x,), {"axis": (axis,)}):
            return x if axis == attrs["axis"] and axis >= 0 else None
    return None


@rule("squeeze")
def squeeze_expanded(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """squeeze(expand_dims(x, axis), axis) -> x"""
    match made(inputs[0]):
        case ("expand_dims", (x,), {"axis": axis}):
            return x if attrs["axis"] == (axis,) else None
    return None


@rule("concat")
def concat_one(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """concat([x]) -> x"""
    return inputs[0] if len(inputs) == 1 else None


@rule("ensure_shape")
def shape_ensured(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """ensure_shape(x, shape) -> x where it is known to hold"""
    return inputs[0]


@rule("reverse")
def reverse_twice(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """reverse(reverse(x, axis), axis) -> x"""
    match made(inputs[0]):
        case ("reverse", (x,), {"axis": axis}):
            return x if axis == attrs["axis"] else None
    return None
