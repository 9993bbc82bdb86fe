"""What an op is. The table `OPS` has one entry for each; `graph/ops/` fills it.

One entry holds all that the rest of the system asks of an op, so a new elementwise op touches one
file. Attributes of an op are the keyword-only parameters of its `infer`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .spec import Spec

# The effects that an op may declare. "read" and "write" are of the resource that is its first
# input; "io" is ordered with all other io; "checks" may fail when the program runs; "anything" may
# be all of these, on every resource: Python code that the program calls.
READ, WRITE, IO, CHECKS, ANYTHING = "read", "write", "io", "checks", "anything"
PURE: tuple[str, ...] = ()

Attrs = dict[str, Any]
ALL = (-1,)  # for `Op.linear`


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """An entry of the op table.

    infer(*specs, **attrs)          spec or tuple of specs of the result; raises OpError
    eval(xp, *arrays, **attrs)      the reference semantics; xp is numpy or cupy
    scalar(m, *scalars)             elementwise ops only: the value for any interpreter m
    ufunc                           elementwise ops only: the name of the equal NumPy ufunc
    vjp(g, out, *inputs, **attrs)   one gradient (or a function that makes it, or None) an input;
                                    g and out are lists where the op has several results
    jvp(ts, out, *inputs, **attrs)  the tangent of the result from those of the inputs, None for
                                    zero; a list where the op has several results; NotImplemented
                                    asks for the transpose of the vjp, which is also what serves
                                    where nothing is said
    linear                          in place of jvp: the inputs in which the op is linear, all at
                                    once; ALL for all of them
    effects, checks                 what it does besides its result; `checks(*values, **attrs)`
                                    tells whether it might fail when the program runs
    """

    name: str
    infer: Callable[..., Any]
    eval: Callable[..., Any] | None = None
    scalar: Callable[..., Any] | None = None
    ufunc: str | None = None
    vjp: Callable[..., Any] | None = None
    jvp: Callable[..., Any] | None = None
    linear: tuple[int, ...] = ()
    effects: tuple[str, ...] = PURE
    checks: Callable[..., bool] | None = None
    multiple: bool = False  # the result is a tuple
    commutative: bool = False
    metadata: bool = False  # small result that needs only shapes: saved in place of its input
    structured: bool = False  # holds sub-graphs
    elementwise: bool = False
    display: str = ""  # the public name, for messages

    def __repr__(self) -> str:
        return f"Op({self.name})"

    def __reduce__(self) -> Any:
        return OPS.__getitem__, (self.name,)


OPS: dict[str, Op] = {}


def register(op: Op) -> Op:
    """Add `op` to the table; a name can be taken once."""
    if op.name in OPS:
        raise ValueError(f"op {op.name!r} is defined twice")
    OPS[op.name] = op
    return op


def infer_specs(op: Op, specs: tuple[Spec, ...], attrs: Attrs) -> tuple[Spec, ...]:
    """The specs of the op's results, always as a tuple."""
    result = op.infer(*specs, **attrs)
    return result if op.multiple else (result,)


def no_gradient(g: Any, out: Any, *inputs: Any, **attrs: Any) -> tuple[None, ...]:
    """The vjp of an op whose result does not vary smoothly: floor, argmax, shape."""
    return (None,) * len(inputs)


# How an op that is called for a batch of examples is carried out: `rule(batch, flags, *inputs,
# **attrs)` gives the results for all examples, which lie along axis 0. `flags` tells which inputs
# have that axis, the others are the same for all examples. See graph/batching/.
BATCHING: dict[str, Callable[..., Any]] = {}
LOOPED: set[str] = set()  # ops that a loop over the examples carries out
UNBATCHABLE: dict[str, str] = {}  # why an op has no meaning for a batch, and the cure


def batches(*ops: Op) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated function as the batching rule of `ops`."""

    def added(rule: Callable[..., Any]) -> Callable[..., Any]:
        BATCHING.update({op.name: rule for op in ops})
        return rule

    return added


def loops_over_batches(*ops: Op) -> None:
    """Let a loop over the examples carry out `ops`."""
    LOOPED.update([op.name for op in ops])


def has_no_batches(why: str, *ops: Op) -> None:
    """Refuse `ops` for a batch, with the reason and the cure in the user's words."""
    UNBATCHABLE.update({op.name: why for op in ops})
