"""The structure of elements (tuples and dicts of tensors), and functions traced on elements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..autograph import convert as autograph_convert
from ..graph.build import convert
from ..graph.effects import graph_effects
from ..graph.errors import InvalidArgumentError
from ..graph.nest import children, flatten, pack, rebuild, staged_list
from ..graph.node import FunctionRef
from ..graph.spec import DataSpec, Spec, TensorSpec
from ..tracer.signature import tensor_key
from ..tracer.trace import Trace


class DatasetSpec:
    """What is known of a dataset: the `element_spec` of its elements.

    It stands for a dataset inside of a dataset, in an `input_signature` and where a concrete
    function is asked for.

    >>> import treadle as tl
    >>> @tl.function(input_signature=[tl.data.DatasetSpec(tl.TensorSpec([None], tl.int64))])
    ... def total(batches):
    ...     return batches.reduce(tl.constant(0, tl.int64), lambda sum, b: sum + tl.reduce_sum(b))
    >>> int(total(tl.data.Dataset.range(5).batch(2)))
    10
    """

    __slots__ = ("element_spec",)

    def __init__(self, element_spec: Any) -> None:
        self.element_spec = element_spec

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatasetSpec) and self.element_spec == other.element_spec

    def __hash__(self) -> int:
        return hash(structure_key(self.element_spec))

    def __repr__(self) -> str:
        return f"DatasetSpec({self.element_spec!r})"

    if TYPE_CHECKING:  # set by dataset.py

        def __tl_stand_in__(self) -> Any: ...


def tracing_key(element_spec: Any) -> Any:
    """What elements of these specs count as where a function is traced: tensors as arguments do,
    so that a trace for open sizes serves all.
    """
    if isinstance(element_spec, DatasetSpec):
        return ("dataset", tracing_key(element_spec.element_spec))
    if isinstance(element_spec, TensorSpec):
        shape = element_spec.shape
        return tensor_key(element_spec.dtype, None if shape.rank is None else shape)
    keys = tuple(element_spec) if isinstance(element_spec, Mapping) else ()
    return (type(element_spec), keys, *map(tracing_key, children(element_spec) or ()))


def structure_key(element_spec: Any) -> Any:
    """Something hashable that is equal for equal structures."""
    items = children(element_spec)
    if items is None:
        return element_spec
    keys = tuple(element_spec) if isinstance(element_spec, Mapping) else ()
    return (type(element_spec), keys, *map(structure_key, items))


def as_tensors(structure: Any) -> Any:
    """The structure with what is no tensor made one. Lists are tensors; tuples and dicts nest."""
    if hasattr(type(structure), "element_spec"):
        return structure
    items = None if isinstance(structure, list) else children(structure)
    if items is None:
        return convert(structure)
    return rebuild(structure, [as_tensors(item) for item in items])


def spec_of(structure: Any) -> Any:
    """The specs of the tensors and datasets in a structure."""
    found = getattr(structure, "element_spec", None)
    if found is not None:
        return DatasetSpec(found)
    items = children(structure)
    if items is None:
        return TensorSpec(structure.shape, structure.dtype)
    return rebuild(structure, [spec_of(item) for item in items])


def item_specs(element_spec: Any) -> list[Spec]:
    """The specs of the components of an element, as a program has them."""
    return [
        DataSpec("dataset", item_specs(s.element_spec)) if isinstance(s, DatasetSpec) else s
        for s in flatten(element_spec)
    ]


def with_items(element_spec: Any, items: Sequence[Spec]) -> Any:
    """The structure with what ops found of its tensors."""
    old = flatten(element_spec)
    return pack(
        element_spec,
        [o if isinstance(n, DataSpec) else n for o, n in zip(old, items, strict=True)],
    )


class Traced(NamedTuple):
    """A function of elements as a graph, what it captured, and the structure of its results."""

    callee: FunctionRef
    captured: list[Any]
    result: Any


def traced(
    function: Callable[..., Any],
    specs: Sequence[Any],
    values_of: Callable[[Any, Sequence[Any]], Any],
    what: str,
) -> Traced:
    """`function` traced, once, on arguments of these specs; `values_of` wraps their tensors."""
    name = getattr(function, "__name__", what)
    trace = Trace(name if name.isidentifier() else f"dataset_{what}", False)
    arguments = []
    for spec in specs:
        inputs = [trace.builder.add_input(item) for item in item_specs(spec)]
        arguments.append(values_of(spec, inputs))
    with trace.running():
        result = autograph_convert(function)(*arguments)
        if what == "map" and isinstance(result, list) and staged_list(result) is None:
            result = tuple(result)  # several components, as TensorFlow has it
        result = as_tensors(result)
        leaves = flatten(result)
    graph = trace.builder.finish(leaves)
    ref = FunctionRef(graph.name)
    ref.graph, ref.specs, ref.effects = graph, graph.out_specs, graph_effects(graph)
    return Traced(ref, list(trace.builder.captures), result)


def truth_function(found: Traced, what: str) -> Traced:
    """A function whose result must be a scalar truth value."""
    spec = spec_of(found.result)
    if (
        not isinstance(spec, TensorSpec)
        or not spec.dtype.is_bool
        or spec.shape.rank not in (0, None)
    ):
        raise InvalidArgumentError(f"{what}: the function must give a bool scalar, it gives {spec}")
    return found


def arguments_of(element_spec: Any) -> list[Any]:
    """The specs of a function's arguments: a tuple is spread over them."""
    if isinstance(element_spec, tuple) and not hasattr(element_spec, "_fields"):
        return list(element_spec)
    return [element_spec]
