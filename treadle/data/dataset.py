"""`Dataset`: a lazy sequence of elements, each a tensor or a nested structure of tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import random
from ..graph.build import convert, is_tracing
from ..graph.dtypes import as_dtype, int64
from ..graph.errors import InvalidArgumentError
from ..graph.nest import children, flatten, map_structure, pack, rebuild
from ..graph.ops import datasets as ops
from ..graph.ops.dims import partial_value
from ..graph.spec import DataSpec, TensorSpec
from ..graph.streams import INFINITE, UNKNOWN
from .elements import (
    DatasetSpec,
    Traced,
    arguments_of,
    as_tensors,
    item_specs,
    spec_of,
    structure_key,
    traced,
    tracing_key,
    truth_function,
    with_items,
)
from .folding import reduced, scanned, structure_of
from .generators import GeneratorRows
from .iterator import Iterator, resolved
from .padding import leaf_shapes
from .padding import padded_shapes as shapes_to_pad_to
from .padding import padding_values as values_to_pad_with

AUTOTUNE = -1


def values_of(element_spec: Any, items: Sequence[Any]) -> Any:
    """An element of its tensors; a dataset in it becomes a `Dataset`."""
    if type(element_spec) is TensorSpec:
        return items[0]
    specs = flatten(element_spec)
    return pack(
        element_spec,
        [
            Dataset(item, spec.element_spec) if isinstance(spec, DatasetSpec) else item
            for item, spec in zip(items, specs, strict=True)
        ],
    )


class Dataset:
    """A sequence of elements that is computed while it is iterated over, anew each time.

    Make one with `range`, `from_tensors`, `from_tensor_slices`, `from_generator` or `zip`; each
    method gives another dataset. `for x in dataset` works eagerly, and inside of a `tl.function` it
    is one loop of the graph, however much data there is. Elements are tensors, or tuples and dicts
    of them (a list is a tensor). A function takes the parts of a tuple as its arguments.

    >>> import treadle as tl
    >>> ds = tl.data.Dataset.range(5).map(lambda x: x * x).filter(lambda x: x % 2 == 0)
    >>> [x.numpy().item() for x in ds]
    [0, 4, 16]
    >>> @tl.function
    ... def total(dataset):
    ...     sum = tl.constant(0, tl.int64)
    ...     for x in dataset:
    ...         sum += x
    ...     return sum
    >>> total(ds).numpy()
    np.int64(20)
    """

    def __init__(self, handle: Any, element_spec: Any) -> None:
        self._handle = handle
        self._element_spec = element_spec

    @property
    def element_spec(self) -> Any:
        """The structure of an element, with a `TensorSpec` for each tensor."""
        return self._element_spec

    def __repr__(self) -> str:
        return f"<tl.data.Dataset element_spec={self._element_spec!r}>"

    def _like(self, handle: Any) -> Dataset:
        return Dataset(handle, with_items(self._element_spec, handle.spec.items))

    def _traced(self, function: Callable[..., Any], what: str) -> Traced:
        return traced(function, arguments_of(self._element_spec), values_of, what)

    # --- sources -------------------------------------------------------------------

    @staticmethod
    def from_tensors(tensors: Any, name: Any = None) -> Dataset:
        """One element, `tensors`."""
        given = as_tensors(tensors)
        return Dataset(ops.from_tensors(flatten(given)), spec_of(given))

    @staticmethod
    def from_tensor_slices(tensors: Any, name: Any = None) -> Dataset:
        """The rows of `tensors`; ShapeError for scalars, and where their numbers differ."""
        given = as_tensors(tensors)
        handle = ops.from_slices(flatten(given))
        return Dataset(handle, with_items(spec_of(given), handle.spec.items))

    @staticmethod
    def range(*args: Any, output_type: Any = int64, name: Any = None) -> Dataset:
        """The numbers of `range(stop)`, `range(start, stop)` or `range(start, stop, step)`."""
        if not 1 <= len(args) <= 3:
            raise TypeError(f"range takes 1 to 3 numbers, got {len(args)}")
        start, stop, step = (*(args if len(args) > 1 else (0, *args)), 1)[:3]
        dtype = as_dtype(output_type)
        return Dataset(ops.range_(start, stop, step, dtype), TensorSpec((), dtype))

    @staticmethod
    def from_generator(
        generator: Callable[..., Any],
        output_types: Any = None,
        output_shapes: Any = None,
        args: Sequence[Any] | None = None,
        output_signature: Any = None,
        name: Any = None,
    ) -> Dataset:
        """What `generator(*args)` yields; it is called anew for each iteration.

        Elements are described by `output_signature`, nested `TensorSpec`s, or by `output_types`
        and perhaps `output_shapes`. InvalidArgumentError for an element that does not fit.
        """
        if not callable(generator):
            raise TypeError("from_generator needs a callable that gives an iterable")
        if (output_signature is None) == (output_types is None):
            raise TypeError("from_generator needs either output_signature or output_types")
        spec = output_signature
        if spec is None:
            shapes = leaf_shapes(output_types, output_shapes)
            pairs = zip(shapes, flatten(output_types), strict=True)
            spec = pack(output_types, [TensorSpec(s, as_dtype(d)) for s, d in pairs])
        rows = GeneratorRows(generator, spec)
        return Dataset(ops.from_generator(rows, list(args or ()), item_specs(spec)), spec)

    @staticmethod
    def zip(*args: Any, datasets: Any = None, name: Any = None) -> Dataset:
        """Elements of several datasets side by side, as long as each has one. They may be given
        one by one, or as a tuple or dict.
        """
        given = datasets if datasets is not None else args[0] if len(args) == 1 else args
        specs = _specs_of(given)
        return Dataset(ops.zip_(flatten(given)), specs)

    # --- functions of elements -----------------------------------------------------

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: Any = None,
        deterministic: Any = None,
        name: Any = None,
    ) -> Dataset:
        """`map_func` of each element. It is traced, once; it runs when elements are asked for.

        Where it gives a list, the items are the parts of an element, as those of a tuple.
        """
        found = self._traced(map_func, "map")
        handle = ops.map_(self._handle, found.callee, found.captured)
        return Dataset(handle, with_items(spec_of(found.result), handle.spec.items))

    def filter(self, predicate: Callable[..., Any], name: Any = None) -> Dataset:
        """The elements of which the function, which is traced once, is true."""
        found = truth_function(self._traced(predicate, "filter"), "filter")
        return self._like(ops.filter_(self._handle, found.callee, found.captured))

    def take_while(self, predicate: Callable[..., Any], name: Any = None) -> Dataset:
        """The elements before the first of which the function is false."""
        found = truth_function(self._traced(predicate, "take_while"), "take_while")
        return self._like(ops.take_while(self._handle, found.callee, found.captured))

    def flat_map(self, map_func: Callable[..., Any], name: Any = None) -> Dataset:
        """The elements of the datasets that `map_func` gives, one dataset after the other."""
        found = self._traced(map_func, "flat_map")
        if not isinstance(found.result, Dataset):
            raise TypeError("flat_map: the function must give a Dataset")
        handle = ops.flat_map(self._handle, found.callee, found.captured)
        return found.result._like(handle)

    def interleave(
        self,
        map_func: Callable[..., Any],
        cycle_length: Any = None,
        block_length: Any = None,
        num_parallel_calls: Any = None,
        deterministic: Any = None,
        name: Any = None,
    ) -> Dataset:
        """`block_length` elements in turn of each of `cycle_length` datasets from `map_func`."""
        found = self._traced(map_func, "interleave")
        if not isinstance(found.result, Dataset):
            raise TypeError("interleave: the function must give a Dataset")
        cycle, block = cycle_length or 1, block_length or 1
        handle = ops.interleave(self._handle, cycle, block, found.callee, found.captured)
        return found.result._like(handle)

    def reduce(self, initial_state: Any, reduce_func: Callable[..., Any], name: Any = None) -> Any:
        """`state = reduce_func(state, element)` for all elements; the last state.

        The function is traced, again only if it gives a state of another shape. TypeError where
        it gives another structure than `initial_state` has, DTypeError for another dtype.
        """
        return reduced(self._handle, initial_state, reduce_func, self._element_spec, values_of)

    def scan(self, initial_state: Any, scan_func: Callable[..., Any], name: Any = None) -> Dataset:
        """`state, result = scan_func(state, element)` for all elements in turn; the results.

        The function is traced once; TypeError or DTypeError as of `reduce`.

        >>> import treadle as tl
        >>> ds = tl.data.Dataset.range(4)
        >>> sums = ds.scan(tl.constant(0, tl.int64), lambda s, x: (s + x, s + x))
        >>> [int(x) for x in sums]
        [0, 1, 3, 6]
        """
        handle, specs = scanned(
            self._handle, initial_state, scan_func, self._element_spec, values_of
        )
        return Dataset(handle, specs)

    # --- several elements ----------------------------------------------------------

    def batch(
        self,
        batch_size: Any,
        drop_remainder: bool = False,
        num_parallel_calls: Any = None,
        deterministic: Any = None,
        name: Any = None,
    ) -> Dataset:
        """`batch_size` elements become one, along a new first axis; the last may have fewer, unless
        `drop_remainder`.
        """
        count, rows = _batch_size(batch_size)
        drop = bool(drop_remainder)
        return self._like(ops.batch(self._handle, count, drop, rows if drop else None))

    def padded_batch(
        self,
        batch_size: Any,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: bool = False,
        name: Any = None,
    ) -> Dataset:
        """As `batch`, of elements that differ in size: each is filled up at the ends of its axes
        with `padding_values` (zeros), to `padded_shapes`, or as far as the largest in the batch.

        InvalidArgumentError for an element that is larger than the shape asked for.

        >>> import treadle as tl
        >>> ds = tl.data.Dataset.range(1, 4).map(lambda n: tl.range(n))
        >>> [x.numpy().tolist() for x in ds.padded_batch(2)]
        [[[0, 0], [0, 1]], [[0, 1, 2]]]
        """
        count, rows = _batch_size(batch_size)
        drop = bool(drop_remainder)
        shapes = shapes_to_pad_to(self._element_spec, padded_shapes)
        values = values_to_pad_with(self._element_spec, padding_values)
        handle = ops.padded_batch(self._handle, count, values, drop, shapes, rows if drop else None)
        return self._like(handle)

    def unbatch(self, name: Any = None) -> Dataset:
        """The rows of each element."""
        return self._like(ops.unbatch(self._handle))

    def window(
        self,
        size: Any,
        shift: Any = None,
        stride: Any = 1,
        drop_remainder: bool = False,
        name: Any = None,
    ) -> Dataset:
        """Datasets of `size` elements each, that start `shift` (by default `size`) apart."""
        shift = size if shift is None else shift
        handle = ops.window(self._handle, size, shift, stride, bool(drop_remainder))
        specs = [DatasetSpec(s) for s in flatten(self._element_spec)]
        return Dataset(handle, pack(self._element_spec, specs))

    # --- order and number ----------------------------------------------------------

    def shuffle(
        self,
        buffer_size: Any,
        seed: int | None = None,
        reshuffle_each_iteration: bool | None = None,
        name: Any = None,
    ) -> Dataset:
        """Elements from random places of a buffer of `buffer_size`; anew in each iteration, unless
        `reshuffle_each_iteration` is False. A `seed` fixes the order.
        """
        if seed is None:
            seeds = random.uniform([2], 0, 2**62, int64)
        else:
            seeds = convert(random.seeds_of(int(seed)), int64)
        again = reshuffle_each_iteration is not False
        return self._like(ops.shuffle(self._handle, buffer_size, seeds, again))

    def repeat(self, count: Any = None, name: Any = None) -> Dataset:
        """All over again, `count` times; without end for None or -1."""
        return self._like(ops.repeat(self._handle, -1 if count is None else count))

    def take(self, count: Any, name: Any = None) -> Dataset:
        """At most the first `count` elements; all for -1."""
        return self._like(ops.take(self._handle, count))

    def skip(self, count: Any, name: Any = None) -> Dataset:
        """All but the first `count` elements; none for -1."""
        return self._like(ops.skip(self._handle, count))

    def shard(self, num_shards: Any, index: Any, name: Any = None) -> Dataset:
        """Each `num_shards`-th element, from `index` on."""
        return self._like(ops.shard(self._handle, num_shards, index))

    def enumerate(self, start: Any = 0, name: Any = None) -> Dataset:
        """Pairs of a number, counted from `start`, and an element."""
        handle = ops.enumerate_(self._handle, start)
        return Dataset(handle, (TensorSpec((), int64), self._element_spec))

    def concatenate(self, dataset: Dataset, name: Any = None) -> Dataset:
        """The elements of this one, then of `dataset`."""
        if structure_of(self._element_spec) != structure_of(dataset._element_spec):
            raise TypeError(
                f"concatenate: elements of {self._element_spec} and of {dataset._element_spec} "
                "differ in structure"
            )
        return self._like(ops.concatenate(self._handle, dataset._handle))

    def cache(self, filename: str = "", name: Any = None) -> Dataset:
        """Keeps what the first whole iteration gives, in memory."""
        if filename:
            raise NotImplementedError("cache(filename): only caching in memory is there")
        return self._like(ops.cache(self._handle))

    def prefetch(self, buffer_size: Any, name: Any = None) -> Dataset:
        """The same elements: nothing is computed ahead."""
        return self

    def apply(self, transformation_func: Callable[[Dataset], Any]) -> Any:
        """`transformation_func(self)`."""
        return transformation_func(self)

    # --- looking at it -------------------------------------------------------------

    def get_single_element(self, name: Any = None) -> Any:
        """The one element; InvalidArgumentError where there is none, or more than one.

        >>> import treadle as tl
        >>> tl.data.Dataset.range(3).batch(3).get_single_element().numpy()
        array([0, 1, 2])
        """
        items = ops.only(self._handle)
        return values_of(self._element_spec, items)

    def cardinality(self, name: Any = None) -> Any:
        """How many elements there are, an int64 scalar: -1 without end, -2 where not known."""
        return ops.cardinality(self._handle)

    def __len__(self) -> int:
        if is_tracing():
            raise TypeError("the length of a dataset is not known while tracing; use cardinality()")
        size = int(self.cardinality())
        if size == INFINITE:
            raise TypeError("The dataset is infinite.")
        if size == UNKNOWN:
            raise TypeError("The dataset length is unknown.")
        return size

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator:
        return Iterator(ops.iterator(self._handle), self._element_spec, values_of)

    def as_numpy_iterator(self) -> Any:
        """Elements with NumPy arrays (and scalars) in the places of tensors."""
        if is_tracing():
            raise RuntimeError("as_numpy_iterator() needs eager execution")
        return map(_as_numpy, self)

    def __tracing_type__(self) -> Any:
        return tracing_key(self._element_spec)

    def __tl_relaxed__(self, shapes: Callable[[], Any]) -> Dataset:
        """What stands for it with its tensors' shapes replaced."""
        return _stand_in(DatasetSpec(_with_shapes(self._element_spec, shapes)))

    @property
    def __tl_structure__(self) -> Any:
        return structure_key(self._element_spec)

    def __tl_flatten__(self) -> tuple[list[Any], Callable[[Sequence[Any]], Dataset]]:
        return [resolved(self._handle)], self._with

    def _with(self, items: Sequence[Any]) -> Any:
        if isinstance(items[0], (TensorSpec, DataSpec)):  # asked for what is known of a result
            return DatasetSpec(self._element_spec)
        spec = getattr(items[0], "spec", None)
        if isinstance(spec, DataSpec):
            return self._like(items[0])
        return Dataset(items[0], self._element_spec)

    def __tl_iterate__(self) -> tuple[Callable[[], Any], Callable[[], Any]]:
        """Whether there is an element, and the next one: for loops of a graph."""
        return iter(self).__tl_iterate__()

    def __tl_zip__(self, others: Sequence[Dataset]) -> Dataset:
        """Python's `zip` of it and others in a graph."""
        return Dataset.zip((self, *others))


def _stand_in(spec: DatasetSpec) -> Dataset:
    """A dataset of which no more is known."""
    handle = DataSpec("dataset", item_specs(spec.element_spec))
    return Dataset(handle, spec.element_spec)


DatasetSpec.__tl_stand_in__ = _stand_in  # type: ignore[method-assign,assignment]


def _with_shapes(element_spec: Any, shapes: Callable[[], Any]) -> Any:
    if isinstance(element_spec, DatasetSpec):
        return DatasetSpec(_with_shapes(element_spec.element_spec, shapes))
    if isinstance(element_spec, TensorSpec):
        return TensorSpec(shapes(), element_spec.dtype)
    items = [_with_shapes(item, shapes) for item in children(element_spec) or ()]
    return rebuild(element_spec, items)


def _as_numpy(element: Any) -> Any:
    if isinstance(element, Dataset):
        return element.as_numpy_iterator()
    return map_structure(lambda x: x.numpy() if hasattr(x, "numpy") else np.asarray(x), element)


def _batch_size(size: Any) -> tuple[Any, int | None]:
    """The size as a tensor, and as a number where it is known."""
    count = convert(size, hint=int64)
    known = partial_value(count)
    if known is None or known.item() is None:
        return count, None
    rows = int(known.item())
    if rows < 1:
        raise InvalidArgumentError(f"batch_size must be greater than zero, it is {rows}")
    return count, rows


def _specs_of(datasets: Any) -> Any:
    if isinstance(datasets, Dataset):
        return datasets._element_spec
    if isinstance(datasets, dict):
        return {k: _specs_of(v) for k, v in datasets.items()}
    if isinstance(datasets, (tuple, list)):
        return tuple([_specs_of(d) for d in datasets])
    raise TypeError(f"zip needs datasets, got {datasets!r}")


__all__ = ["AUTOTUNE", "Dataset", "DatasetSpec"]
