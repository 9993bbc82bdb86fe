"""`GradientTape`: records op calls, eager or traced, and walks back over them."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import Any

from ..graph.build import (
    GraphBuilder,
    convert,
    current_branch,
    recorders,
    recording,
    set_recorders,
)
from ..graph.errors import GradientError
from ..graph.gradients import Entry, backprop
from ..graph.gradients.breaks import Paths, Step, steps_of, told
from ..graph.location import Loc, describe, user_location
from ..graph.nest import flatten, pack
from ..graph.node import Node, Tensor, Value
from ..graph.op import Attrs, Op
from ..graph.ops.shaping import concat, ones_like, reshape, transpose, zeros_like
from ..graph.ops.shaping import shape as shape_of
from ..graph.settings import collector_paused
from .jacobian import (
    jacobian_rows,
    jacobian_zeros,
    joined_shape,
    require_batches,
    unit_seeds,
)
from .tensor import EagerTensor
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
        self._home: Any = None  # the branch in which it was opened, if one was traced then
        self._branch: Any = None  # the one in which it was used
        self._used_at: Loc | None = None
        self._clear()

    @property
    def orders(self) -> int:
        """A persistent tape may also record its own gradients."""
        return 2 if self._persistent else 1

    def _clear(self) -> None:
        # Op calls, as the arguments that an `Entry` is made of; entries once they are asked for.
        self._calls: list[Any] = []
        self._steps: list[Step] | None = None  # what is left of them, for `why_none`
        # What depends on something watched, by id; the list keeps ids from being reused.
        self._watched: set[int] = set()
        self._alive: list[Any] = []
        self._variables: dict[int, Variable] = {}
        # Variables of loops that are traced inside of the tape, by id: how they depend on what is
        # watched shows only when the loop is complete.
        self._unsettled: dict[int, Value] = {}
        self._left: list[tuple[int, str, Loc | None]] = []  # ids of what was made plain numbers
        self._known: dict[int, weakref.ref[Any]] = {}  # what ids stood for, once calls are gone

    def __enter__(self) -> GradientTape:
        if self._active:
            raise ValueError("this GradientTape is recording already")
        self._active = True
        self._home = current_branch()
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
            if self._steps is None:
                self._watched.add(id(value))
            return self._steps is None
        return False

    def record(
        self, op: Op, inputs: Sequence[Any], attrs: Attrs, outputs: Any, above: int = 0
    ) -> None:
        """Called by the door after each op call."""
        seen = self._watched
        if op.elementwise and type(outputs) is EagerTensor:  # no input is a variable
            for x in inputs:
                if id(x) in seen:
                    loc = user_location(3 + above)
                    self._calls.append((op, inputs, attrs, outputs, loc))
                    seen.add(id(outputs))
                    return
            return
        watched = False
        for x in inputs:
            if id(x) in seen or (isinstance(x, Variable) and self.is_watched(x)):
                watched = True
            elif type(x) is Value and x.node is None and self._is_unsettled(x):
                self._unsettled[id(x)] = x
                watched = True
        if watched:
            entry = Entry(op, inputs, attrs, outputs, user_location(3 + above))
            self._calls.append(entry)
            seen.update([id(y) for y in entry.outputs])

    @property
    def _entries(self) -> list[Entry]:
        calls = self._calls
        for i, call in enumerate(calls):
            if type(call) is tuple:
                calls[i] = Entry(*call)
        return calls

    def left(self, value: Any, how: str) -> None:
        """Called when something that can't be recorded is made of a tensor."""
        if id(value) in self._watched and len(self._left) < _NOTED:
            self._left.append((id(value), how, user_location(3)))

    def widened(self, node: Node) -> None:
        """Called when a recorded node got more results: they depend on what is watched, too."""
        if id(node.outputs[0]) in self._watched:
            self._watched.update([id(y) for y in node.outputs])

    def _is_unsettled(self, x: Value) -> bool:
        loop, home = x.owner, self._home
        if not isinstance(loop, GraphBuilder) or loop.is_function or not x.dtype.is_differentiable:
            return False
        return home is None or not (home is loop or home.lies_in(loop))

    def _require_settled(self, targets: list[Any]) -> None:
        loose = dict.fromkeys(self._unsettled)
        for entry in self._entries:
            if any(id(x) in loose for x in entry.inputs):
                loose.update(dict.fromkeys([id(y) for y in entry.outputs]))
        if any(id(t) in loose for t in targets):
            names = {v.name for v in self._unsettled.values() if v.name}
            raise GradientError(
                "a gradient is asked for inside of a loop, by a tape that was opened outside of "
                f"it, of what depends on a loop variable (one of {', '.join(sorted(names))}), at "
                f"{describe(user_location(3))}: how that depends on the sources is not known "
                "while the loop is traced. Open the tape inside of the loop"
            )

    @contextmanager
    def stop_recording(self) -> Any:
        """Ops inside of this block are not recorded."""
        if not self._active:
            raise RuntimeError("stop_recording() of a tape that is not recording")
        with recording(tuple(r for r in recorders() if r is not self)):
            yield

    def reset(self) -> None:
        """Forget all that was recorded and watched."""
        self._used, self._branch = False, None
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
        zero = _wants_zeros(unconnected_gradients)
        self._use()
        targets = [t if isinstance(t, Variable) else convert(t) for t in flatten(target)]
        flat = _sources(sources)
        grads = self._target_grads(targets, output_gradients)
        pairs = [(t, g) for t, g in zip(targets, grads, strict=True) if g is not None]
        in_rows = [id(s) for s in flat if isinstance(s, Variable)]

        def walk(watched: list[Any]) -> list[Any]:
            return backprop(
                self._entries, [t for t, _ in pairs], watched, [g for _, g in pairs], in_rows
            )

        found = self._for_watched(targets, flat, walk)
        if zero:
            found = [zeros_like(s) if g is None else g for s, g in zip(flat, found, strict=True)]
        return pack(sources, found)

    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: Any = "none",
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """The derivatives of each item of `target` by each item of each source.

        A tensor of shape `target.shape + source.shape` for each of `sources`, which may be nested;
        None (or zeros) where target does not depend on a source. One walk back does all items at
        once; a loop over them where it has to, or with `experimental_use_pfor=False`.
        `parallel_iterations` is there for TensorFlow's sake. Raises what `gradient` raises.

        >>> import treadle as tl
        >>> x = tl.Variable([1.0, 2.0])
        >>> with tl.GradientTape() as tape:
        ...     y = x * x
        >>> tape.jacobian(y, x).numpy()
        array([[2., 0.],
               [0., 4.]], dtype=float32)
        """
        zero = _wants_zeros(unconnected_gradients)
        y, flat, found = self._rows(target, sources, False, experimental_use_pfor)
        joined = [
            (jacobian_zeros(y, s) if zero else None) if rows is None else joined_shape(rows, y, s)
            for s, rows in zip(flat, found, strict=True)
        ]
        return pack(sources, joined)

    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: Any = "none",
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """The Jacobian of each example: axis 0 of `target` and `source` are the examples.

        A tensor of shape `[examples, *target.shape[1:], *source.shape[1:]]`. No example's target
        may depend on another one's source: their derivatives would be added up. Raises
        GradientError where the numbers of examples differ.

        >>> import treadle as tl
        >>> x = tl.constant([[1.0, 2.0], [3.0, 4.0]])
        >>> with tl.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = x * x
        >>> tape.batch_jacobian(y, x).shape
        TensorShape([2, 2, 2])
        """
        zero = _wants_zeros(unconnected_gradients)
        given = convert(target)
        require_batches(given, source)
        y, _, (rows,) = self._rows(given, source, True, experimental_use_pfor)
        if rows is None:
            return jacobian_zeros(y, source, skip=1) if zero else None
        rank = rows.shape.rank
        order = None if rank is None else [1, 0, *range(2, rank)]
        sizes = concat([shape_of(y), shape_of(convert(source))[1:]], 0)
        return reshape(transpose(rows, order), sizes)

    def _rows(self, target: Any, sources: Any, batched: bool, at_once: bool) -> Any:
        """The target as a tensor, the sources, and for each the rows of its Jacobian."""
        self._use()
        y = convert(target)
        flat = _sources(sources)

        def walk(watched: list[Any]) -> list[Any]:
            if not y.dtype.is_differentiable or not watched:
                return [None] * len(watched)
            seeds = unit_seeds(y, batched)
            return jacobian_rows(list(self._entries), y, watched, seeds, at_once)

        return y, flat, self._for_watched([y], flat, walk)

    def _for_watched(
        self, targets: list[Any], sources: list[Any], walk: Callable[[list[Any]], list[Any]]
    ) -> list[Any]:
        """What `walk` gives for those of `sources` that are watched, and None for the others."""
        if self._unsettled:
            self._require_settled(targets)
        # Of what depends on a tensor that was not watched, only a part was recorded.
        known = self._watched.union([id(t) for t in targets])
        watched = [s for s in sources if id(s) in known]
        recorded = [r for r in recorders() if r is not self or self._persistent]
        with recording(tuple(recorded)), collector_paused():
            by_source = walk(watched)
        found = dict(zip(map(id, watched), by_source, strict=True))
        if self._used and self._branch is None:
            self._free()
        return [found.get(id(s)) for s in sources]

    def _free(self) -> None:
        """Let go of all tensors; op names and lines stay, for `why_none`."""
        self._steps = steps_of(self._entries)
        held = [x for entry in self._entries for x in (*entry.inputs, *entry.outputs)]
        for x in (*held, *self._alive):
            if id(x) in self._watched:
                self._known[id(x)] = weakref.ref(x)
        self._calls, self._alive, self._unsettled = [], [], {}
        self._watched = set()

    def why_none(self, target: Any, source: Any) -> str:
        """Why the gradient of `target` by `source` is None: where the path between them ends.

        Names the op and the line: a cast to integers, a step in NumPy, a variable's state,
        `tl.stop_gradient`, an op that does not change smoothly; or that the source is not watched,
        or nothing leads from it to the target. Works after `gradient`, too. Raises GradientError
        for a source that is no tensor or variable.

        >>> import treadle as tl
        >>> x = tl.Variable(3.0)
        >>> with tl.GradientTape() as tape:
        ...     y = tl.cast(tl.cast(x * x, tl.int32), tl.float32)
        >>> tape.gradient(y, x) is None
        True
        >>> tape.why_none(y, x)
        'the cast to int32 at ... ends the path: only floats have gradients'
        """
        _require_source(source)
        if not isinstance(target, (Tensor, Variable)):
            return f"the target {target!r} is no tensor: nothing is known of how it was computed"
        if not source.dtype.is_differentiable:
            return f"the source has dtype {source.dtype.name}, and only floats have gradients"
        if not target.dtype.is_differentiable:
            return f"the target has dtype {target.dtype.name}, and only floats have gradients"
        if source is target:
            return "the source is the target itself: the gradient is 1, it is not None"
        if not self._has_seen(source):
            return self._why_not_watched(source)
        steps = steps_of(self._entries) if self._steps is None else self._steps
        paths = Paths(steps)
        if self._has_seen(target):
            if id(target) in paths.reached(id(source), smoothly=True):
                return "a path of ops with gradients leads from the source to the target"
            broken = paths.find_break(id(source), id(target))
            if broken is not None:
                return told(broken)
        return _UNRELATED + self._ways_out(steps, paths.reached(id(source), smoothly=False))

    def _has_seen(self, value: Any) -> bool:
        if self._steps is None:
            return id(value) in self._watched
        known = self._known.get(id(value))
        return known is not None and known() is value

    def _why_not_watched(self, source: Any) -> str:
        if not isinstance(source, Variable):
            return (
                "the source is a tensor that the tape does not watch: call tape.watch(...) on it "
                "before it is used. (If it was a tl.Variable once, a line such as x = x + 1 has "
                "put a tensor in its place: use x.assign_add(1))"
            )
        name = f"the variable '{source.name}'"
        if not source.trainable:
            return f"{name} was made with trainable=False: call tape.watch(...) on it"
        if not self._watch_accessed:
            return (
                f"{name} is not watched, since the tape has watch_accessed_variables=False: call "
                "tape.watch(...) on it"
            )
        return f"{name} was not read while the tape recorded"

    def _ways_out(self, steps: Sequence[Step], related: set[int]) -> str:
        """Where what depends on a source leaves what the tape sees."""
        outs = [f"{how} at {describe(loc)}" for x, how, loc in self._left if x in related]
        outs += [
            f"{step.state} is changed at {describe(step.loc)}"
            for step in steps
            if step.state and any(x in related for x in step.inputs[1:])
        ]
        return (
            f". What depends on the source leaves its sight here: {'; '.join(outs)}" if outs else ""
        )

    def _use(self) -> None:
        """Count a use of a tape that has only one; another branch of an `if` has its own."""
        if self._persistent:
            return
        here = current_branch()
        if self._used and not (self._branch and here and self._branch.is_beside(here)):
            raise RuntimeError(
                "A non-persistent GradientTape can only be used to compute one set of gradients "
                f"(or jacobians), and it was, at {describe(self._used_at)}; make it with "
                "GradientTape(persistent=True)"
            )
        self._used, self._branch, self._used_at = True, here, user_location(3)

    def _target_grads(self, targets: list[Any], output_gradients: Any) -> list[Any]:
        given: list[Any] = [None] * len(targets)
        if output_gradients is not None:
            given = flatten(output_gradients)
        if len(given) != len(targets):
            raise GradientError(
                f"{len(given)} output_gradients are given for {len(targets)} targets"
            )
        grads: list[Any] = []
        for i, (t, g) in enumerate(zip(targets, given, strict=True)):
            if not t.dtype.is_differentiable:
                grads.append(None)
            elif g is None:
                grads.append(ones_like(t))
            else:
                weight = convert(g, hint=t.dtype)
                which = f"output_gradients{f'[{i}]' if len(targets) > 1 else ''}"
                if not weight.shape.is_compatible_with(t.shape):
                    raise GradientError(f"{which} has shape {weight.shape}, the target {t.shape}")
                if weight.dtype is not t.dtype:
                    raise GradientError(
                        f"{which} has dtype {weight.dtype.name}, the target {t.dtype.name}; "
                        "use tl.cast"
                    )
                grads.append(weight)
        return grads


def _sources(sources: Any) -> list[Any]:
    flat = flatten(sources)
    for s in flat:
        _require_source(s)
    _warn_of_integers(flat)
    return flat


def _warn_of_integers(sources: Sequence[Any]) -> None:
    dtypes = dict.fromkeys([x.dtype.name for x in sources if not x.dtype.is_differentiable])
    if dtypes:
        warnings.warn(
            "The dtype of the source tensor must be floating (e.g. tl.float32) when calling "
            f"GradientTape.gradient, got tl.{', tl.'.join(dtypes)}: there is no gradient",
            stacklevel=4,
        )


def _require_source(source: Any) -> None:
    if not isinstance(source, (Tensor, Variable)):
        raise GradientError(f"the source {source!r} is not a tensor or variable")


_NOTED = 1000  # steps out of a tape's sight, for `why_none`
_UNRELATED = (
    "nothing that the tape has recorded leads from the source to the target: what is run before "
    "tape.watch, outside of the tape or inside of stop_recording is not recorded"
)


def _wants_zeros(unconnected_gradients: Any) -> bool:
    name = getattr(unconnected_gradients, "value", unconnected_gradients)
    if name not in ("none", "zero"):
        raise ValueError(f"unconnected_gradients is 'none' or 'zero', not {name!r}")
    return bool(name == "zero")
