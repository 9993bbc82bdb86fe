"""`ForwardAccumulator`: tangents computed along with the ops, eager or traced."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from ..graph.build import GraphBuilder, convert, current, leaked, recorders, set_recorders
from ..graph.errors import DTypeError, GradientError, ShapeError
from ..graph.gradients import Tangents
from ..graph.indexed_slices import IndexedSlices
from ..graph.location import describe, user_location
from ..graph.nest import children, rebuild
from ..graph.node import Tensor, Value
from ..graph.ops.shaping import zeros_like
from .tape import _wants_zeros
from .variable import Variable


class ForwardAccumulator(Tangents):
    """Computes Jacobian-vector products of the ops run inside of its `with` block.

    `tangents` has a direction for each of `primals`, of its dtype and shape: tensors or variables,
    nested if need be. `jvp(target)` then is the derivative of `target` along that direction. Works
    eagerly and inside of functions. Accumulators and tapes nest: each sees the derivatives that
    those inside of it compute, so a tape in an accumulator gives products of Hessian and vector
    (`jvp` of its gradient), and an accumulator in an accumulator second derivatives. Raises
    ValueError where a primal is named twice or the structures differ, ShapeError or DTypeError for
    a tangent that does not fit.

    >>> import treadle as tl
    >>> x = tl.constant([2., 3.])
    >>> with tl.autodiff.ForwardAccumulator(x, tl.constant([1., 0.])) as acc:
    ...     y = tl.reduce_sum(x ** 3.)
    >>> acc.jvp(y)
    <tl.Tensor: shape=(), dtype=float32, numpy=12.0>

    Every read of a variable has the tangent of the variable, also after it was assigned, as in
    TensorFlow and as with tapes: derivatives do not flow through state.
    """

    def __init__(self, primals: Any, tangents: Any) -> None:
        super().__init__()
        self._active = False
        self._primals: list[Any] = []
        self._watch(primals, tangents)

    def __enter__(self) -> ForwardAccumulator:
        if self._active:
            raise ValueError("Accumulator is already recording.")
        self._active = True
        self.home = current()
        set_recorders((*recorders(), self))
        return self

    def __exit__(self, *exc: Any) -> None:
        self._active = False
        set_recorders(tuple(r for r in recorders() if r is not self))

    def _watch(self, primals: Any, tangents: Any) -> None:
        """Take `tangents` as those of `primals`, tensors or variables in a nested structure."""
        for primal, tangent in _pairs(primals, tangents):
            if not isinstance(primal, (Tensor, Variable)):
                raise ValueError(f"{primal!r} is not a tensor or variable: it has no derivative")
            if any(primal is known for known in self._primals):
                raise ValueError(
                    f"Tensor {primal!r} was specified as a primal multiple times. This may "
                    "indicate an error. If it was intended, please sum the corresponding tangents."
                )
            self._primals.append(primal)
            if not primal.dtype.is_differentiable:
                warnings.warn(
                    "The dtype of the watched primal must be floating (e.g. tl.float32), "
                    f"got tl.{primal.dtype.name}",
                    stacklevel=3,
                )
                continue
            self.watch(primal, _fitting(primal, tangent))

    def jvp(self, primals: Any, unconnected_gradients: Any = "none") -> Any:
        """The tangents of what was computed: of a tensor, or of each in a nested structure.

        None (or zeros, with `unconnected_gradients=tl.UnconnectedGradients.ZERO`) for what does
        not depend on the primals. Raises GradientError inside of a branch or loop, for what was
        computed there, of an accumulator that was opened outside; MissingGradientError (a
        LookupError) for what an op without a rule has computed.
        """
        zero = _wants_zeros(unconnected_gradients)

        def fetch(target: Any) -> Any:
            if isinstance(target, IndexedSlices):
                rows = fetch(target.values)
                return (
                    None
                    if rows is None
                    else IndexedSlices(rows, target.indices, target.dense_shape)
                )
            parts = children(target)
            if parts is not None:
                return rebuild(target, [fetch(part) for part in parts])
            if not isinstance(target, (Tensor, Variable)):
                target = convert(target)
            found = self.tangent(target)
            if found is None:
                self._require_here(target)
                return zeros_like(target) if zero else None
            return found

        return fetch(primals)

    def _require_here(self, target: Any) -> None:
        owner, home = target.owner if isinstance(target, Value) else None, self.home
        if not isinstance(owner, GraphBuilder) or owner is home:
            return
        if owner.closed:
            raise leaked(target)
        if target.dtype.is_differentiable and not (
            isinstance(home, GraphBuilder) and not owner.lies_in(home)
        ):
            raise GradientError(
                "a tangent is asked for inside of a branch, loop or function, of what was computed "
                f"there, at {describe(user_location(3))}, but the ForwardAccumulator was opened "
                "outside: the tangents are there once that is complete. Open the accumulator "
                "inside of it, or ask after it"
            )


def _pairs(primals: Any, tangents: Any) -> Iterator[tuple[Any, Any]]:
    parts = children(primals)
    if parts is None:
        yield primals, tangents
        return
    directions = children(tangents) or []
    if len(parts) != len(directions):
        raise ValueError(f"{len(directions)} tangents are given for {len(parts)} primals")
    for part, direction in zip(parts, directions, strict=True):
        yield from _pairs(part, direction)


def _fitting(primal: Any, tangent: Any) -> Tensor:
    """`tangent` as a tensor that `primal` might be moved along."""
    t = convert(tangent, hint=primal.dtype)
    if t.dtype is not primal.dtype:
        raise DTypeError(
            f"the tangent has dtype {t.dtype.name}, its primal {primal.dtype.name}; use tl.cast"
        )
    if not t.shape.is_compatible_with(primal.shape):
        raise ShapeError(f"the tangent has shape {t.shape}, its primal {primal.shape}")
    return t


__all__ = ["ForwardAccumulator"]
