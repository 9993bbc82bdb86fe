"""Ops that make datasets, of tensors and of other datasets, and those of iterators.

A dataset is a value like any other: making one runs nothing. What an iteration runs may be the
user's Python (a generator, or a function with effects that a dataset's function calls), so looking
for the next element keeps its place among everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from .. import streams
from ..build import apply, convert
from ..convert import Array
from ..dtypes import bool_, int64
from ..errors import DTypeError, ShapeError
from ..node import FunctionRef, Tensor
from ..op import ANYTHING, IO, OPS, Op, has_no_batches, no_gradient
from ..running import run
from ..spec import DataSpec, Spec, TensorShape, TensorSpec, join_shapes
from ..streams import Stream
from .define import primitive


def _dataset(items: Sequence[Spec]) -> DataSpec:
    return DataSpec("dataset", [_plain(s) for s in items])


def _plain(spec: Spec) -> Spec:
    return TensorSpec(spec.shape, spec.dtype) if isinstance(spec, TensorSpec) else spec


_PUBLIC = {"tensors": "from_tensors", "slices": "from_tensor_slices", "generator": "from_generator"}


def _define(name: str, infer: Callable[..., Any], evaluate: Callable[..., Any]) -> Op:
    shown = f"Dataset.{_PUBLIC.get(name, name)}"
    return primitive(f"dataset_{name}", infer, evaluate, no_gradient, display=shown)


def _same(source: DataSpec, *more: Any, **attrs: Any) -> DataSpec:
    return source


def _function(callee: FunctionRef, captured: Sequence[Any]) -> streams.Function:
    return lambda element: run(callee, [*element, *captured])


# --- sources -----------------------------------------------------------------------


def _slices_infer(*components: TensorSpec) -> DataSpec:
    if any(c.shape.rank == 0 for c in components):
        raise ShapeError("a scalar has no rows to be elements; use from_tensors")
    sizes = {c.shape[0] for c in components if c.shape.rank} - {None}
    if len(sizes) > 1:
        shapes = " and ".join(str(c.shape) for c in components)
        raise ShapeError(f"all components need the same first size, the shapes are {shapes}")
    return _dataset([TensorSpec(c.shape[1:], c.dtype) for c in components])


_tensors = _define(
    "tensors",
    lambda *components: _dataset(components),
    lambda xp, *arrays: Stream(lambda: iter([arrays]), 1),
)
_slices = _define("slices", _slices_infer, lambda xp, *arrays: streams.slices(arrays))
_range = _define(
    "range",
    lambda start, stop, step, *, dtype: _dataset([TensorSpec((), dtype)]),
    lambda xp, start, stop, step, *, dtype: streams.counted(
        int(start), int(stop), int(step), dtype.numpy
    ),
)
_generator = _define(
    "generator",
    lambda *args, generator, items: _dataset(items),
    lambda xp, *args, generator, items: Stream(lambda: generator(args), streams.UNKNOWN),
)
_empty = _define(
    "empty", lambda *, items: _dataset(items), lambda xp, *, items: Stream(lambda: iter(()), 0)
)


def from_tensors(components: Sequence[Any]) -> Any:
    """A dataset of one element."""
    return apply(_tensors, [convert(c) for c in components])


def from_slices(components: Sequence[Any]) -> Any:
    """A dataset of the rows of tensors."""
    return apply(_slices, [convert(c) for c in components])


def range_(start: Any, stop: Any, step: Any, dtype: Any) -> Any:
    return apply(_range, [convert(v, hint=int64) for v in (start, stop, step)], {"dtype": dtype})


def from_generator(generator: Callable[..., Any], args: Sequence[Any], items: Any) -> Any:
    """`generator(arrays)` goes over elements that are tuples of arrays of the specs `items`."""
    attrs = {"generator": generator, "items": tuple(items)}
    return apply(_generator, [convert(a) for a in args], attrs)


def empty(items: Sequence[Spec]) -> Any:
    """A dataset without elements."""
    return apply(_empty, (), {"items": tuple(items)})


# --- several datasets --------------------------------------------------------------


def _concatenate_infer(first: DataSpec, second: DataSpec) -> DataSpec:
    if len(first.items) != len(second.items):
        raise ShapeError(f"the elements of {first} and {second} differ in structure")
    joined: list[Spec] = []
    for a, b in zip(first.items, second.items, strict=True):
        if isinstance(a, TensorSpec) and isinstance(b, TensorSpec) and a.dtype is b.dtype:
            joined.append(TensorSpec(join_shapes(a.shape, b.shape), a.dtype))
        elif a == b:
            joined.append(a)
        else:
            raise DTypeError(f"the elements of {first} and {second} differ in dtype")
    return _dataset(joined)


_zip = _define(
    "zip",
    lambda *sources: _dataset([s for source in sources for s in source.items]),
    lambda xp, *sources: streams.zipped(sources),
)
_concatenate = _define(
    "concatenate", _concatenate_infer, lambda xp, *sources: streams.concatenated(sources)
)


def zip_(sources: Sequence[Any]) -> Any:
    return apply(_zip, sources)


def concatenate(first: Any, second: Any) -> Any:
    return apply(_concatenate, (first, second))


# --- functions of elements ---------------------------------------------------------


def _results(source: DataSpec, *captured: Spec, callee: FunctionRef, **attrs: Any) -> DataSpec:
    assert callee.graph is not None
    return _dataset(callee.graph.out_specs)


def _scan_infer(source: DataSpec, *more: Spec, callee: FunctionRef, states: int) -> DataSpec:
    assert callee.graph is not None
    return _dataset(callee.graph.out_specs[states:])


def _inner(source: DataSpec, *more: Spec, callee: FunctionRef) -> Spec:
    assert callee.graph is not None
    return callee.graph.out_specs[0]


def _over(make: Callable[..., Stream]) -> Callable[..., Stream]:
    def evaluate(xp: Any, source: Stream, *captured: Any, callee: FunctionRef) -> Stream:
        return make(source, _function(callee, captured))

    return evaluate


def _scan_eval(xp: Any, source: Stream, *more: Any, callee: FunctionRef, states: int) -> Stream:
    return streams.scanned(source, _function(callee, more[states:]), more[:states])


def _interleave_eval(
    xp: Any, source: Stream, cycle: Array, block: Array, *captured: Any, callee: FunctionRef
) -> Stream:
    function = _function(callee, captured)
    return streams.interleaved(source, function, int(cycle), int(block))


_map = _define("map", _results, _over(streams.mapped))
_filter = _define("filter", _same, _over(streams.filtered))
_take_while = _define("take_while", _same, _over(streams.taken_while))
_flat_map = _define("flat_map", _inner, _over(streams.flattened))
_scan = _define("scan", _scan_infer, _scan_eval)
_interleave = _define("interleave", _inner, _interleave_eval)


def map_(source: Any, callee: FunctionRef, captured: Sequence[Any]) -> Any:
    """The results of a function of the program, which takes an element and what it captured."""
    return apply(_map, (source, *captured), {"callee": callee})


def filter_(source: Any, callee: FunctionRef, captured: Sequence[Any]) -> Any:
    return apply(_filter, (source, *captured), {"callee": callee})


def take_while(source: Any, callee: FunctionRef, captured: Sequence[Any]) -> Any:
    return apply(_take_while, (source, *captured), {"callee": callee})


def flat_map(source: Any, callee: FunctionRef, captured: Sequence[Any]) -> Any:
    return apply(_flat_map, (source, *captured), {"callee": callee})


def scan(source: Any, state: Sequence[Any], callee: FunctionRef, captured: Sequence[Any]) -> Any:
    attrs = {"callee": callee, "states": len(state)}
    return apply(_scan, (source, *state, *captured), attrs)


def interleave(
    source: Any, cycle: Any, block: Any, callee: FunctionRef, captured: Sequence[Any]
) -> Any:
    sizes = [convert(n, hint=int64) for n in (cycle, block)]
    return apply(_interleave, (source, *sizes, *captured), {"callee": callee})


# --- grouping ----------------------------------------------------------------------


def _batch_infer(
    source: DataSpec, count: TensorSpec, *, drop: bool, rows: int | None = None
) -> DataSpec:
    return _dataset([_rows_of(s, rows) for s in source.items])


def _rows_of(spec: Spec, rows: int | None) -> TensorSpec:
    if not isinstance(spec, TensorSpec):
        raise ShapeError("datasets can't be batched; use flat_map to batch what is in them")
    return TensorSpec(TensorShape([rows]) + spec.shape, spec.dtype)


def _padded_infer(
    source: DataSpec,
    count: TensorSpec,
    *values: TensorSpec,
    drop: bool,
    shapes: tuple[TensorShape, ...],
    rows: int | None = None,
) -> DataSpec:
    items = []
    for spec, value, wanted in zip(source.items, values, shapes, strict=True):
        if spec.dtype is not value.dtype:
            raise DTypeError(f"a component of {spec.dtype.name} is padded with {value.dtype.name}")
        if spec.shape.rank is None:
            raise ShapeError("elements of unknown rank can't be padded")
        if spec.shape.rank != wanted.rank:
            raise ShapeError(f"a component of shape {spec.shape} can't be padded to {wanted}")
        for have, size in zip(spec.shape, wanted, strict=True):
            if have is not None and size is not None and have > size:
                raise ShapeError(f"a component of shape {spec.shape} can't be padded to {wanted}")
        items.append(_rows_of(TensorSpec(wanted, spec.dtype), rows))
    return _dataset(items)


def _padded_eval(
    xp: Any,
    source: Stream,
    count: Array,
    *values: Array,
    drop: bool,
    shapes: tuple[TensorShape, ...],
    rows: int | None = None,
) -> Stream:
    join = partial(streams.padded, shapes=[list(s) for s in shapes], values=values)
    return streams.batched(source, int(count), drop, join)


def _unbatch_infer(source: DataSpec, *, rows: int | None = None) -> DataSpec:
    if any(s.shape.rank == 0 for s in source.items):
        raise ShapeError("the elements have scalars in them, which have no rows")
    return _slices_infer(*source.items)  # type: ignore[arg-type]


_batch = _define(
    "batch",
    _batch_infer,
    lambda xp, source, count, *, drop, rows=None: streams.batched(
        source, int(count), drop, streams.stacked
    ),
)
_padded_batch = _define("padded_batch", _padded_infer, _padded_eval)
_unbatch = _define(
    "unbatch", _unbatch_infer, lambda xp, source, *, rows=None: streams.unbatched(source, rows)
)
_window = _define(
    "window",
    lambda source, *numbers, drop: _dataset([_dataset([s]) for s in source.items]),
    lambda xp, source, size, shift, stride, *, drop: streams.windows(
        source, int(size), int(shift), int(stride), drop
    ),
)


def batch(source: Any, count: Any, drop: bool, rows: int | None) -> Any:
    """`rows` is the size of each batch, where that is known while tracing."""
    attrs = {"drop": drop} if rows is None else {"drop": drop, "rows": rows}
    return apply(_batch, (source, convert(count, hint=int64)), attrs)


def padded_batch(
    source: Any, count: Any, values: Sequence[Any], drop: bool, shapes: Any, rows: int | None
) -> Any:
    attrs = {"drop": drop, "shapes": tuple(shapes)}
    attrs |= {} if rows is None else {"rows": rows}
    return apply(_padded_batch, (source, convert(count, hint=int64), *values), attrs)


def unbatch(source: Any) -> Any:
    sizes = {s.shape[0] for s in source.spec.items if s.shape.rank} - {None}
    return apply(_unbatch, (source,), {"rows": sizes.pop()} if len(sizes) == 1 else {})


def window(source: Any, size: Any, shift: Any, stride: Any, drop: bool) -> Any:
    """A dataset for each window, and each component of its elements."""
    numbers = [convert(n, hint=int64) for n in (size, shift, stride)]
    return apply(_window, (source, *numbers), {"drop": drop})


# --- order and number --------------------------------------------------------------


def _counted(make: Callable[..., Stream]) -> Callable[..., Stream]:
    return lambda xp, source, *numbers: make(source, *map(int, numbers))


_take = _define("take", _same, _counted(streams.taken))
_skip = _define("skip", _same, _counted(streams.skipped))
_repeat = _define("repeat", _same, _counted(streams.repeated))
_shard = _define("shard", _same, _counted(streams.sharded))
_cache = _define("cache", _same, _counted(streams.cached))
_enumerate = _define(
    "enumerate",
    lambda source, first: _dataset([TensorSpec((), int64), *source.items]),
    _counted(streams.numbered),
)
_shuffle = _define(
    "shuffle",
    lambda source, buffer, seeds, *, again: source,
    lambda xp, source, buffer, seeds, *, again: streams.shuffled(
        source, int(buffer), seeds.tolist(), again
    ),
)


def _numbers(*values: Any) -> list[Tensor]:
    found = [convert(v, hint=int64) for v in values]
    for given, number in zip(values, found, strict=True):
        if not number.dtype.is_integer:
            raise DTypeError(f"a whole number is needed, got {given!r}")
    return found


def take(source: Any, count: Any) -> Any:
    return apply(_take, (source, *_numbers(count)))


def skip(source: Any, count: Any) -> Any:
    return apply(_skip, (source, *_numbers(count)))


def repeat(source: Any, count: Any) -> Any:
    return apply(_repeat, (source, *_numbers(count)))


def shard(source: Any, count: Any, index: Any) -> Any:
    return apply(_shard, (source, *_numbers(count, index)))


def cache(source: Any) -> Any:
    return apply(_cache, (source,))


def enumerate_(source: Any, first: Any) -> Any:
    return apply(_enumerate, (source, *_numbers(first)))


def shuffle(source: Any, buffer: Any, seeds: Any, again: bool) -> Any:
    """`seeds`: two int64. With `again` each iteration shuffles anew."""
    return apply(_shuffle, (source, *_numbers(buffer, seeds)), {"again": again})


# --- iterators ---------------------------------------------------------------------

_new_iterator = primitive(
    "iterator",
    lambda dataset: DataSpec("iterator", dataset.items),
    lambda xp, stream: streams.Cursor(stream),
    no_gradient,
    effects=(IO,),  # each is an iteration of its own
)
_has_next = primitive(
    "iterator_has_next",
    lambda iterator: TensorSpec((), bool_),
    lambda xp, cursor: np.asarray(cursor.has_next()),
    no_gradient,
    effects=(ANYTHING,),
)
_next = primitive(
    "iterator_next",
    lambda iterator: iterator.items,
    lambda xp, cursor: cursor.next(),
    lambda gs, outs, iterator: (None,),
    multiple=True,
    effects=(ANYTHING,),
    display="next",
)
_cardinality = primitive(
    "dataset_cardinality",
    lambda dataset: TensorSpec((), int64),
    lambda xp, stream: np.asarray(stream.size, np.int64),
    no_gradient,
)
_only = primitive(
    "dataset_only",
    lambda dataset: dataset.items,
    lambda xp, stream: streams.only(stream),
    lambda gs, outs, dataset: (None,),
    multiple=True,
    effects=(ANYTHING,),
    display="Dataset.get_single_element",
)


def iterator(dataset: Any) -> Any:
    """A new iteration over a dataset."""
    return apply(_new_iterator, (dataset,))


def has_next(of: Any) -> Tensor:
    result: Tensor = apply(_has_next, (of,))
    return result


def next_(of: Any) -> tuple[Any, ...]:
    """The components of the next element; OutOfRangeError at the end."""
    result: tuple[Any, ...] = apply(_next, (of,))
    return result


def cardinality(dataset: Any) -> Tensor:
    """How many elements there are: INFINITE (-1), UNKNOWN (-2) or the number, an int64 scalar."""
    result: Tensor = apply(_cardinality, (dataset,))
    return result


def only(dataset: Any) -> tuple[Any, ...]:
    """The components of the one element; InvalidArgumentError where there is not just one."""
    result: tuple[Any, ...] = apply(_only, (dataset,))
    return result


# --- of a batch of examples ----------------------------------------------------------

has_no_batches(
    "all examples would have a dataset or iterator of their own; iterate outside of the vmap, or "
    "use dataset.batch(n) and vmap what is done with a batch",
    *[op for name, op in OPS.items() if name.startswith("dataset_")],
    *(_new_iterator, _has_next, _next),
)
