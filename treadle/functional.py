"""`map_fn`, `foldl`, `foldr`, `scan`: loops over the first axis, by a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .autograph import operators as ag
from .control_flow import while_loop
from .graph.build import convert, is_tracing
from .graph.control import new_branch
from .graph.dtypes import as_dtype
from .graph.errors import ShapeError
from .graph.nest import flatten, map_structure, pack
from .graph.node import Tensor
from .graph.ops.joining import stack
from .graph.ops.queries import shape as shape_of
from .graph.spec import TensorShape, TensorSpec
from .tensor_array import TensorArray


class _Items:
    """The slices of the tensors in a structure along their first axes."""

    def __init__(self, elems: Any, what: str) -> None:
        self.structure = elems
        self.tensors = [convert(x) for x in flatten(elems)]
        if not self.tensors:
            raise ShapeError(f"{what}: elems holds no tensor")
        for x in self.tensors:
            if x.shape.rank == 0:
                raise ShapeError(f"{what}: elems must have a first axis, a scalar has none")
        sizes = {x.shape[0] for x in self.tensors} - {None}
        if len(sizes) > 1:
            shapes = ", ".join(str(x.shape) for x in self.tensors)
            raise ShapeError(f"{what}: elems differ in the size of the first axis: {shapes}")
        self.size = sizes.pop() if sizes else None
        self.count = shape_of(self.tensors[0])[0] if self.size is None else convert(self.size)

    def at(self, index: Any) -> Any:
        return pack(self.structure, [x[index] for x in self.tensors])

    def specs(self) -> list[TensorSpec]:
        return [TensorSpec(x.shape[1:], x.dtype) for x in self.tensors]

    def arrays(self, specs: list[Any]) -> list[TensorArray]:
        """Arrays for one result of each of these specs an item."""
        size = self.count if self.size is None else self.size
        return [TensorArray(s.dtype, size, element_shape=s.shape) for s in specs]


def _prepared(fn: Callable[..., Any]) -> Callable[..., Any]:
    made: Callable[..., Any] = ag.call(fn) if is_tracing() else fn
    return made


def _folded(fn: Any, elems: Any, initializer: Any, what: str, backwards: bool) -> Any:
    fn, items = _prepared(fn), _Items(elems, what)
    first = 0
    if initializer is None:
        if items.size == 0:
            raise ShapeError(f"{what}: elems is empty, and there is no initializer")
        initializer, first = items.at(items.count - 1 if backwards else 0), 1
    _, result = while_loop(
        lambda i, a: i < items.count,
        lambda i, a: (i + 1, fn(a, items.at(items.count - 1 - i if backwards else i))),
        [first, initializer],
    )
    return result


def foldl(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """`a = fn(a, x)` for each slice `x` of `elems` along the first axis; the last `a`.

    `elems` and `a` may be nested structures. Without `initializer` the first slice is the first
    `a`. Raises ShapeError for scalars, first axes of different sizes, and where nothing is there
    to begin with.

    >>> import treadle as tl
    >>> tl.foldl(lambda a, x: 10 * a + x, tl.constant([1, 2, 3])).numpy()
    np.int32(123)
    """
    return _folded(fn, elems, initializer, "foldl", backwards=False)


def foldr(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """As `foldl`, from the last slice to the first.

    >>> import treadle as tl
    >>> tl.foldr(lambda a, x: 10 * a + x, tl.constant([1, 2, 3])).numpy()
    np.int32(321)
    """
    return _folded(fn, elems, initializer, "foldr", backwards=True)


def scan(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """As `foldl`, but all the `a` along a new first axis, as many as there are slices.

    With `reverse` it goes from the last slice to the first; the results lie where the slices do.

    >>> import treadle as tl
    >>> tl.scan(lambda a, x: a + x, tl.constant([1, 2, 3])).numpy()
    array([1, 3, 6], dtype=int32)
    """
    fn, items = _prepared(fn), _Items(elems, "scan")
    done = 0

    def place(i: Any) -> Any:
        return items.count - 1 - i if reverse else i

    if initializer is None:
        if items.size == 0:
            raise ShapeError("scan: elems is empty, and there is no initializer")
        initializer, done = items.at(place(0)), 1
    structure = pack(initializer, [convert(x) for x in flatten(initializer)])
    firsts = flatten(structure)
    arrays = items.arrays(firsts)
    if done:
        arrays = [ta.write(place(0), x) for ta, x in zip(arrays, firsts, strict=True)]

    def step(i: Any, a: Any, arrays: list[TensorArray]) -> Any:
        after = fn(a, items.at(place(i)))
        values = flatten(after)
        return i + 1, after, [ta.write(place(i), v) for ta, v in zip(arrays, values, strict=True)]

    _, _, arrays = while_loop(lambda i, a, ts: i < items.count, step, [done, structure, arrays])
    return pack(structure, [ta.stack() for ta in arrays])


def map_fn(
    fn: Callable[..., Any],
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
    fn_output_signature: Any = None,
) -> Any:
    """`fn(x)` for each slice `x` of `elems` along the first axis, stacked along a new one.

    `elems` and what `fn` gives may be nested structures. `fn_output_signature` (dtypes or specs)
    says what it gives; without it a trial finds that out. Raises ShapeError for scalars and for
    first axes of different sizes, DTypeError where `fn` gives another dtype than said.

    >>> import treadle as tl
    >>> tl.map_fn(lambda row: tl.reduce_max(row), tl.constant([[1, 5], [7, 2]])).numpy()
    array([5, 7], dtype=int32)
    """
    fn, items = _prepared(fn), _Items(elems, "map_fn")
    said = dtype if fn_output_signature is None else fn_output_signature
    if said is None and not is_tracing() and items.size:
        results = [fn(items.at(i)) for i in range(items.size)]
        return map_structure(lambda *xs: stack(list(xs)), *results)
    if said is not None:
        structure: Any = said
        specs = [s if hasattr(s, "shape") else _any_shape(s) for s in flatten(said)]
    else:
        structure, specs = _tried(fn, items)

    def step(i: Any, arrays: list[TensorArray]) -> Any:
        values = flatten(fn(items.at(i)))
        return i + 1, [ta.write(i, v) for ta, v in zip(arrays, values, strict=True)]

    arrays = items.arrays(specs)
    _, arrays = while_loop(lambda i, ts: i < items.count, step, [0, arrays])
    return pack(structure, [ta.stack() for ta in arrays])


def _any_shape(dtype: Any) -> TensorSpec:
    return TensorSpec(TensorShape(None), as_dtype(dtype))


def _tried(fn: Callable[..., Any], items: _Items) -> tuple[Any, list[Any]]:
    """The structure and the specs of what `fn` gives for one item."""
    if not is_tracing():  # there is no item
        return items.structure, items.specs()
    branch = new_branch(items.specs(), name="trial")
    with branch:
        result = fn(pack(items.structure, branch.inputs))
        leaves: list[Tensor] = [convert(x) for x in flatten(result)]
    return result, [TensorSpec(x.shape, x.dtype) for x in leaves]


__all__ = ["foldl", "foldr", "map_fn", "scan"]
