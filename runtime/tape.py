"""`GradientTape`: records op calls, eager or traced, and walks back over them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any

from ..graph.build import convert, recorders, recording, set_recorders
from ..graph.errors import GradientError
from ..graph.gradients import Entry, backprop
from ..graph.location import user_location
from ..graph.nest import flatten, pack
from ..graph.node import Node, Tensor
from ..graph.op import Attrs, Op
from ..graph.ops.shaping import ones_like, zeros_like
from .variable import Variable


class GradientTape:
    """Records the ops run inside of its `with` block, for `gradient`.

    Trainable variables that are read are watched by themselves (unless
    `watch_accessed_variables=False`), tensors after `watch`. A tape that is not `persistent` gives
    one set of gradients. Works eagerly and inside of functions, and tapes nest: the gradient's own
    ops are recorded by outer tapes.

    >>> import treadle as tl
    >>> x = tl.Variable(3.0)
    >>> with tl.GradientTape() as tape:
    ...     y = x * x
    >>> tape.gradient(y, x)
    <tl.Tensor: shape=(), dtype=float32, numpy=6.0>
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent = persistent
        self._watch_accessed = watch_accessed_variables
        self._active = False
        self._used = False
        self._clear()

    def _clear(self) -> None:
        self._entries: list[Entry] = []
        # What depends on something watched, by id; the list keeps ids from being reused.
        self._watched: set[int] = set()
        self._alive: list[Any] = []
        self._variables: dict[int, Variable] = {}

    def __enter__(self) -> GradientTape:
        if self._active:
            raise ValueError("this GradientTape is recording already")
        self._active = True
        set_recorders((*recorders(), self))
        return self

    def __exit__(self, *exc: Any) -> None:
        self._active = False
        set_recorders(tuple(r for r in recorders() if r is not self))

    def watch(self, tensor: Any) -> None:
        """Count `tensor` (or each in a nested structure) as something to differentiate by."""
        for x in flatten(tensor):
            if isinstance(x, Variable):
                self._variables[id(x)] = x
            elif not isinstance(x, Tensor):
                raise ValueError(f"{x!r} is not a tensor; only tensors and variables are watched")
            if not x.dtype.is_differentiable:
                warnings.warn(
                    "The dtype of the watched tensor must be floating (e.g. tl.float32), "
                    f"got tl.{x.dtype.name}",
                    stacklevel=2,
                )
            self._watched.add(id(x))
            self._alive.append(x)

    def watched_variables(self) -> tuple[Variable, ...]:
        """The variables watched so far, in the order of first use."""
        return tuple(self._variables.values())

    def is_watched(self, value: Any) -> bool:
        if id(value) in self._watched:
            return True
        if isinstance(value, Variable) and value.trainable and self._watch_accessed:
            self._variables.setdefault(id(value), value)
            self._watched.add(id(value))
            return True
        return False

    def record(self, op: Op, inputs: Sequence[Any], attrs: Attrs, outputs: Any) -> None:
        """Called by the door after each op call."""
        watched = False
        for x in inputs:
            if id(x) in self._watched or (isinstance(x, Variable) and self.is_watched(x)):
                watched = True
        if not watched:
            return
        entry = Entry(op, inputs, attrs, outputs, user_location(3))
        self._entries.append(entry)
        self._watched.update([id(y) for y in entry.outputs])

    def widened(self, node: Node) -> None:
        """Called when a recorded node got more results: they depend on what is watched, too."""
        if id(node.outputs[0]) in self._watched:
            self._watched.update([id(y) for y in node.outputs])

    @contextmanager
    def stop_recording(self) -> Any:
        """Ops inside of this block are not recorded."""
        if not self._active:
            raise RuntimeError("stop_recording() of a tape that is not recording")
        with recording(tuple(r for r in recorders() if r is not self)):
            yield

    def reset(self) -> None:
        """Forget all that was recorded and watched."""
        self._used = False
        self._clear()

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: Any = "none",
    ) -> Any:
        """The gradient of `target` (the sum, if it is no scalar, or several) for each source.

        `sources` may be nested, the result has its structure; None (or zeros, with
        `unconnected_gradients=tl.UnconnectedGradients.ZERO`) where target does not depend on a
        source. `output_gradients` weighs the items of the targets. Raises RuntimeError for a
        second use of a tape that is not persistent, LookupError for an op without a gradient.
        """
        if self._used:
            raise RuntimeError(
                "A non-persistent GradientTape can only be used to compute one set of gradients "
                "(or jacobians); make it with GradientTape(persistent=True)"
            )
        if not self._persistent:
            self._used = True
        targets = [t if isinstance(t, Variable) else convert(t) for t in flatten(target)]
        flat = flatten(sources)
        for s in flat:
            if not isinstance(s, (Tensor, Variable)):
                raise GradientError(f"the source {s!r} is not a tensor or variable")
        grads = self._target_grads(targets, output_gradients)
        pairs = [(t, g) for t, g in zip(targets, grads, strict=True) if g is not None]
        recorded = [r for r in recorders() if r is not self or self._persistent]
        with recording(tuple(recorded)):
            found = backprop(
                list(self._entries), [t for t, _ in pairs], flat, [g for _, g in pairs]
            )
        if str(getattr(unconnected_gradients, "value", unconnected_gradients)) == "zero":
            found = [zeros_like(s) if g is None else g for s, g in zip(flat, found, strict=True)]
        if not self._persistent:
            self._entries = []
        return pack(sources, found)

    def _target_grads(self, targets: list[Any], output_gradients: Any) -> list[Any]:
        given: list[Any] = [None] * len(targets)
        if output_gradients is not None:
            given = flatten(output_gradients)
        grads: list[Any] = []
        for t, g in zip(targets, given, strict=True):
            if not t.dtype.is_differentiable:
                grads.append(None)
            elif g is None:
                grads.append(ones_like(t))
            else:
                weight = convert(g, hint=t.dtype)
                if not weight.shape.is_compatible_with(t.shape):
                    raise GradientError(
                        f"output_gradients has shape {weight.shape}, the target {t.shape}"
                    )
                grads.append(weight)
        return grads
