"""Peephole rules: small functions, each tried once as a node of its op is rebuilt.

A rule returns the value to use in place of the node's result, or None. It is asked only about
nodes that can't fail. Its result must be equal to the bit for floats: `x + 0.0` (wrong for -0.0),
`x * 0` and `x / x` (wrong for NaN) are no rules, nor is `x * 1` of complex numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from ..convert import Array
from ..node import Value
from ..op import Attrs, Op
from .fold import is_filled


class Site(Protocol):
    """What a rule may ask of the graph in the making, and do to it."""

    known: dict[Value, Array]

    def make(self, name: str, *inputs: Value, **attrs: Any) -> Value: ...
    def constant(self, array: Array) -> Value: ...


Apply = Callable[[Site, tuple[Value, ...], Op, Attrs], Value | None]


class Rule(NamedTuple):
    """A rule; `refines` if its result may have a more precise type than the node's.

    One that `keeps_checks` is also asked about nodes that may fail: its result fails like them.
    """

    apply: Apply
    refines: bool
    keeps_checks: bool


RULES: dict[str, list[Rule]] = {}


def rule(*ops: str, refines: bool = False, keeps_checks: bool = False) -> Callable[[Apply], Apply]:
    """Try the decorated function on nodes of these ops."""

    def register(function: Apply) -> Apply:
        for name in ops:
            RULES.setdefault(name, []).append(Rule(function, refines, keeps_checks))
        return function

    return register


Made = tuple[str, tuple[Value, ...], Attrs]


def made(value: Value) -> Made:
    """How a value was made: op, inputs, attributes; ('', (), {}) for an input."""
    node = value.node
    return (node.op.name, node.inputs, node.attrs) if node is not None else ("", (), {})


def may_fail(op: Op, inputs: tuple[Value, ...], attrs: Attrs) -> bool:
    return op.checks is not None and bool(op.checks(*inputs, **attrs))


# --- arithmetic --------------------------------------------------------------------


@rule("multiply", "strong_multiply")
def times_one(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """X * 1 -> x"""
    x, y = inputs
    if x.dtype.is_complex:
        return None
    if is_filled(s.known.get(y), 1):
        return x
    return y if is_filled(s.known.get(x), 1) else None


@rule("divide")
def over_one(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """X / 1 -> x"""
    x, y = inputs
    return x if not x.dtype.is_complex and is_filled(s.known.get(y), 1) else None


@rule("add")
def plus_zero(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """X + 0 -> x for integers, x + -0.0 -> x for floats"""
    x, y = inputs
    if x.dtype.is_complex:
        return None
    if is_filled(s.known.get(y), -0.0, signed=True):
        return x
    return y if is_filled(s.known.get(x), -0.0, signed=True) else None


@rule("subtract")
def minus_zero(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """X - 0 -> x"""
    x, y = inputs
    if x.dtype.is_complex:
        return None
    return x if is_filled(s.known.get(y), 0.0, signed=True) else None


@rule("add")
def plus_negative(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """X + -y -> x - y"""
    match inputs[0], made(inputs[1]):
        case x, ("negative", (y,), _):
            return s.make("subtract", x, y)
    match made(inputs[0]), inputs[1]:
        case ("negative", (x,), _), y:
            return s.make("subtract", y, x)
    return None


@rule("subtract")
def minus_negative(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """X - -y -> x + y"""
    match inputs[0], made(inputs[1]):
        case x, ("negative", (y,), _):
            return s.make("add", x, y)
    return None


_SELF_INVERSE = ("negative", "logical_not", "invert", "conj")
_IDEMPOTENT = ("abs", "sign", "floor", "ceil", "round", "trunc", "stop_gradient")


@rule(*_SELF_INVERSE)
def twice(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """-(-x) -> x, and so for other ops that undo themselves"""
    name, before, _ = made(inputs[0])
    return before[0] if name == op.name else None


@rule(*_IDEMPOTENT)
def again(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """floor(floor(x)) -> floor(x), and so for other ops that have nothing more to do"""
    if inputs[0].dtype.is_complex:
        return None  # x / |x| is rounded each time
    return inputs[0] if made(inputs[0])[0] == op.name else None


@rule("maximum", "minimum", "logical_and", "logical_or", "bitwise_and", "bitwise_or")
def with_itself(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """max(x, x) -> x, and the like"""
    return inputs[0] if inputs[0] is inputs[1] else None


@rule("logical_and", "logical_or")
def with_truth(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """X and True -> x, x or False -> x"""
    x, y = inputs
    neutral = op.name == "logical_and"
    if is_filled(s.known.get(y), neutral):
        return x
    return y if is_filled(s.known.get(x), neutral) else None


@rule("where")
def chosen(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """where(True, x, y) -> x, where(False, x, y) -> y, where(c, x, x) -> x"""
    condition, x, y = inputs
    known = s.known.get(condition)
    if x is y or is_filled(known, True):
        return x
    return y if is_filled(known, False) else None


@rule("where")
def not_chosen(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """where(not c, x, y) -> where(c, y, x)"""
    match made(inputs[0]):
        case ("logical_not", (condition,), _):
            return s.make("where", condition, inputs[2], inputs[1])
    return None


@rule("identity")
def itself(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """identity(x) -> x"""
    return inputs[0]


@rule("cast")
def cast_to_own(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """cast(x, dtype of x) -> x"""
    return inputs[0] if inputs[0].dtype is attrs["dtype"] else None


@rule("cast")
def cast_and_back(s: Site, inputs: tuple[Value, ...], op: Op, attrs: Attrs) -> Value | None:
    """f32 -> f64 -> f32 is nothing: a wider dtype of the same kind keeps the value"""
    match made(inputs[0]):
        case ("cast", (x,), _):
            through, to = inputs[0].dtype, attrs["dtype"]
            if x.dtype is to and through.kind == to.kind and through.size > to.size:
                return x
    return None
