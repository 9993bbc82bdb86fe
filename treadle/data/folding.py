"""Functions of a state and an element: what `reduce` and `scan` repeat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..graph.build import is_tracing
from ..graph.control import call, emit_while, join_specs, new_branch
from ..graph.errors import DTypeError, ShapeError
from ..graph.nest import flatten, pack
from ..graph.ops import datasets as ops
from ..graph.spec import DataSpec, TensorSpec
from .elements import Traced, as_tensors, item_specs, spec_of, structure_key, traced, with_items

_ATTEMPTS = 20  # each makes a shape less precise


def traced_on_state(
    function: Callable[..., Any],
    state: Any,
    element_spec: Any,
    values_of: Callable[[Any, Sequence[Any]], Any],
    what: str,
) -> tuple[Traced, Any]:
    """`function(state, element)` as a graph, and the specs of the state.

    The shape of the state is as precise as each state that the function gives allows. With `what`
    "scan" the function gives a pair of a state and a result.
    """
    specs = spec_of(state)
    for _ in range(_ATTEMPTS):
        found = traced(function, [specs, element_spec], values_of, what)
        after = found.result
        if what == "scan":
            if not isinstance(after, tuple) or len(after) != 2:
                raise TypeError(
                    f"scan: the function must give a pair (new state, result), it gives {after!r}"
                )
            after = after[0]
        joined = _joined(specs, spec_of(after), what)
        if joined == specs:
            return found, specs
        specs = joined
    raise ShapeError(f"{what}: the function gives a state of another shape each time, {specs}")


def _joined(before: Any, after: Any, what: str) -> Any:
    """The specs that cover both."""
    if structure_of(before) != structure_of(after):
        raise TypeError(
            f"{what}: the function must give a state of the structure of the first one, {before}; "
            f"it gives {after}"
        )
    leaves = []
    for a, b in zip(flatten(before), flatten(after), strict=True):
        if a != b and not (isinstance(a, TensorSpec) and isinstance(b, TensorSpec)):
            raise TypeError(f"{what}: the state holds {a} first, and {b} then")
        if a.dtype is not b.dtype:
            raise DTypeError(
                f"{what}: the function must give a state of the dtypes of the first one, {before}; "
                f"it gives {after}; use tl.cast"
            )
        leaves.append(a if a == b else join_specs(a, b))
    return pack(before, leaves)


def structure_of(element_spec: Any) -> Any:
    """A key that is equal for elements of one structure."""
    return structure_key(pack(element_spec, [None] * len(flatten(element_spec))))


def reduced(
    handle: Any,
    initial_state: Any,
    function: Callable[..., Any],
    element_spec: Any,
    values_of: Callable[[Any, Sequence[Any]], Any],
) -> Any:
    """The last `state = function(state, element)`."""
    state = as_tensors(initial_state)
    found, specs = traced_on_state(function, state, element_spec, values_of, "reduce")
    iterator = ops.iterator(handle)
    values: Sequence[Any] = flatten(state)

    def step(values: Sequence[Any]) -> Sequence[Any]:
        return call(found.callee, [*values, *ops.next_(iterator), *found.captured])

    if is_tracing():
        body, test = (new_branch(item_specs(specs), name=name) for name in ("body", "test"))
        with test:
            more = ops.has_next(iterator)
        with body:
            after = step(body.inputs)
        values = emit_while(values, test, more, body, after)
    else:
        while bool(ops.has_next(iterator)):
            values = step(values)
    return pack(state, list(values))


def scanned(
    handle: Any,
    initial_state: Any,
    function: Callable[..., Any],
    element_spec: Any,
    values_of: Callable[[Any, Sequence[Any]], Any],
) -> tuple[Any, Any]:
    """The dataset of the results of `state, result = function(state, element)`: its handle, and
    the specs of its elements.
    """
    state = as_tensors(initial_state)
    found, _ = traced_on_state(function, state, element_spec, values_of, "scan")
    made = ops.scan(handle, flatten(state), found.callee, found.captured)
    spec: DataSpec = made.spec
    return made, with_items(spec_of(found.result[1]), spec.items)
