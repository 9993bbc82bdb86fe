"""`vmap` and `vectorized_map`: a function of one example made one of many at once."""

from __future__ import annotations

import functools
import warnings
import weakref
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

from .autograph import operators as ag
from .graph.batching import Batch, batched_results, telling_of_loops
from .graph.batching.batch import moved
from .graph.build import convert, is_tracing
from .graph.control import new_branch
from .graph.errors import ShapeError
from .graph.location import describe
from .graph.nest import children, flatten, pack
from .graph.node import Tensor
from .graph.op import Op
from .graph.ops.queries import shape as shape_of
from .graph.spec import TensorSpec
from .tracer import function


def vmap(
    f: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0, axis_size: int | None = None
) -> Callable[..., Any]:
    """A function that does for many examples at once what `f` does for one.

    `in_axes` says along which axis of the arguments the examples lie: one number for all, or one
    for each argument (a list or tuple), or nested as an argument is; None for what all examples
    share. Keyword arguments have them along axis 0, but for Python values, which all share. The
    results have them along `out_axes`; None asks for a result that is the same for all. All
    sizes of these axes must be equal; `axis_size` tells it where nothing has such an axis.

    `f` is traced, once for each signature, and the graph is batched: each op works on all examples.
    A condition that differs between them runs both branches, for the examples that take it; a loop
    runs until all are done. Random numbers are drawn for each example; variables are shared, and
    may not be written with what differs; `print` prints once, with all examples. Ops without a
    batched form run in a loop. See docs/decisions/batching.md.

    Raises ShapeError where sizes differ, BatchingError (a ValueError) for what has no meaning for
    a batch: results whose size depends on the values, as those of `tl.boolean_mask`.

    >>> import treadle as tl
    >>> def distance(x, y):
    ...     return tl.norm(x - y)
    >>> points = tl.constant([[0., 0.], [3., 4.]])
    >>> tl.vmap(distance, in_axes=(0, None))(points, tl.constant([0., 0.])).numpy()
    array([0., 5.], dtype=float32)

    The gradient for each example:

    >>> def slope(x):
    ...     with tl.GradientTape() as tape:
    ...         tape.watch(x)
    ...         y = x ** 3
    ...     return tape.gradient(y, x)
    >>> tl.vmap(slope)(tl.constant([1., 2., 3.])).numpy()
    array([ 3., 12., 27.], dtype=float32)
    """
    if not callable(f):
        raise TypeError(f"vmap: a function is needed, this is {f!r}")
    _require_axes(in_axes, "in_axes")
    _require_axes(out_axes, "out_axes")
    if not isinstance(in_axes, (int, type(None), list, tuple)):
        raise TypeError(f"vmap: in_axes is a number, None, or a list or tuple, not {in_axes!r}")

    def batched(*args: Any, **kwargs: Any) -> Any:
        return _batched_call(f, args, kwargs, in_axes, out_axes, axis_size)

    traced = function(autograph=False, name=getattr(f, "__name__", "f"))(batched)

    def vmapped(*args: Any, **kwargs: Any) -> Any:
        return (batched if is_tracing() else traced)(*args, **kwargs)

    if hasattr(f, "__name__"):
        functools.update_wrapper(vmapped, f)
    return vmapped


def _require_axes(axes: Any, what: str) -> None:
    for axis in flatten(axes):
        if axis is not None and (not isinstance(axis, int) or isinstance(axis, bool)):
            raise TypeError(f"vmap: {what} has integers and None, not {axis!r}")


def _axes_of(axes: Any, structure: Any, what: str) -> list[int | None]:
    """The axis of each leaf of `structure`; one in `axes` stands for all leaves below it."""
    if axes is None or isinstance(axes, int):
        return [axes] * len(flatten(structure))
    parts, items = children(axes), children(structure)
    if parts is None or items is None or len(parts) != len(items):
        raise ValueError(f"vmap: {what} {axes!r} does not fit the structure of {structure!r}")
    return [a for part, item in zip(parts, items, strict=True) for a in _axes_of(part, item, what)]


def _is_python(x: Any) -> bool:
    return not (isinstance(x, Tensor) or hasattr(x, "__tl_tensor__") or hasattr(x, "__array__"))


def _in_axes(in_axes: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[int | None]:
    if isinstance(in_axes, (list, tuple)) and len(in_axes) != len(args):
        raise ValueError(
            f"vmap: in_axes has {len(in_axes)} items for {len(args)} arguments; give one for each"
        )
    axes = _axes_of(tuple(in_axes) if isinstance(in_axes, list) else in_axes, args, "in_axes")
    return [*axes, *[None if _is_python(x) else 0 for x in flatten(kwargs)]]


def _batched_call(
    f: Any, args: Any, kwargs: Any, in_axes: Any, out_axes: Any, axis_size: int | None
) -> Any:
    """The results of `f` for all examples, by nodes of the graph that is traced."""
    leaves = flatten((args, kwargs))
    axes = _in_axes(in_axes, args, kwargs)
    values = [_examples(x, axis) for x, axis in zip(leaves, axes, strict=True) if axis is not None]
    size = _size(values, axis_size)
    specs = [TensorSpec(x.shape[1:], x.dtype) for x in values]
    branch = new_branch(specs, name=getattr(f, "__name__", "vmap"))
    with branch:
        symbols = iter(branch.inputs)
        given = [x if axis is None else next(symbols) for x, axis in zip(leaves, axes, strict=True)]
        positional, named = pack((args, kwargs), given)
        structure = ag.call(f)(*positional, **named)
        results = flatten(structure)
        outputs = [convert(y) for y in results if y is not None]
    graph, _ = branch.close(outputs, list(branch.captures))
    flags = [True] * len(values) + [False] * len(branch.captures)
    batch = Batch(size)
    found, batched = batched_results(batch, graph, [*values, *branch.captures], flags)
    places = _axes_of(out_axes, structure, "out_axes")
    made = iter(zip(found, batched, strict=True))
    return pack(
        structure,
        [
            None if y is None else _placed(batch, *next(made), axis)
            for y, axis in zip(results, places, strict=True)
        ],
    )


def _examples(x: Any, axis: int) -> Tensor:
    """A tensor with the examples along axis 0."""
    tensor = convert(x)
    rank = tensor.shape.rank
    if rank is None:
        if axis:
            raise ShapeError(f"vmap: the rank must be known to map over axis {axis}")
        return tensor
    if not -rank <= axis < rank:
        cure = "in_axes=None for what all examples share"
        raise ShapeError(f"vmap: {x!r} has no axis {axis} to map over; use {cure}")
    result: Tensor = moved(tensor, axis, 0)
    return result


def _size(values: Sequence[Tensor], axis_size: int | None) -> Any:
    known = [x.shape[0] for x in values if x.shape.rank and x.shape[0] is not None]
    if axis_size is not None:
        known.append(axis_size)
    if len(set(known)) > 1:
        shapes = ", ".join(str(x.shape) for x in values)
        more = "" if axis_size is None else f", axis_size is {axis_size}"
        raise ShapeError(
            f"vmap: the arguments differ in the number of examples: {shapes} (axis 0 of each){more}"
        )
    if known:
        return known[0]
    if not values:
        raise ValueError("vmap: no argument has an axis to map over; give axis_size")
    return shape_of(values[0])[0]


def _placed(batch: Batch, y: Any, is_batched: bool, axis: int | None) -> Any:
    if axis is None:
        if is_batched:
            raise ValueError("vmap: out_axes is None for a result that differs between examples")
        return y
    return moved(batch.full(y, is_batched), 0, axis) if axis else batch.full(y, is_batched)


# --- TensorFlow's form -------------------------------------------------------------

_made: weakref.WeakKeyDictionary[Any, dict[Any, Any]] = weakref.WeakKeyDictionary()


def vectorized_map(
    fn: Callable[[Any], Any], elems: Any, fallback_to_while_loop: bool = True, warn: bool = True
) -> Any:
    """`fn(x)` for each slice `x` of `elems` along axis 0, all at once: `tl.vmap(fn)(elems)`.

    `elems` and what `fn` gives may be nested structures; a tensor with one slice serves all. Ops
    without a batched form run in a loop, with a warning if `warn`; without
    `fallback_to_while_loop` they raise BatchingError.

    >>> import treadle as tl
    >>> tl.vectorized_map(lambda row: tl.reduce_max(row), tl.constant([[1, 5], [7, 2]])).numpy()
    array([5, 7], dtype=int32)
    """
    if not callable(fn):
        raise TypeError(f"vectorized_map: a function is needed, this is {fn!r}")
    key = (bool(fallback_to_while_loop), bool(warn))
    if is_tracing():
        return _slices_mapped(fn, elems, *key)
    if not isinstance(fn, FunctionType):  # a bound method is made anew for each call
        return _mapping(lambda: fn, *key)(elems)
    forms = _made.setdefault(fn, {})
    if key not in forms:
        forms[key] = _mapping(weakref.ref(fn), *key)
    return forms[key](elems)


def _mapping(fn: Callable[[], Any], fallback: bool, warn: bool) -> Callable[..., Any]:
    def mapped(elems: Any) -> Any:
        return _slices_mapped(fn(), elems, fallback, warn)

    made: Callable[..., Any] = function(autograph=False)(mapped)
    return made


def _slices_mapped(fn: Any, elems: Any, fallback: bool, warn: bool) -> Any:
    leaves = [convert(x) for x in flatten(elems)]
    if not leaves:
        raise ShapeError("vectorized_map: elems holds no tensor")
    many = any(x.shape.rank and x.shape[0] != 1 for x in leaves)
    # A tensor with one slice beside others serves all examples.
    alone = [bool(many and x.shape.rank and x.shape[0] == 1) for x in leaves]
    values = [x[0] if one else x for x, one in zip(leaves, alone, strict=True)]
    axes = pack(elems, [None if one else 0 for one in alone])

    def tell(op: Op, batch: Batch) -> None:
        if not fallback:
            raise batch.refuse(op.display or op.name, "it has no batched form")
        if warn:
            warnings.warn(
                f"vectorized_map: {op.display or op.name} at {describe(batch.loc)} has no batched "
                "form: a loop over the examples carries it out",
                stacklevel=2,
            )

    with telling_of_loops(tell):
        return _batched_call(fn, (pack(elems, values),), {}, (axes,), 0, None)


__all__ = ["vectorized_map", "vmap"]
