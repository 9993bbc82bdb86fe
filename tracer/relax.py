"""`reduce_retracing`: the sizes in which a call differs from an earlier one are left open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..graph.nest import children, rebuild
from ..graph.spec import TensorShape, TensorSpec
from ..runtime import Variable
from .signature import Key, is_tensor_key, is_tensor_like, spec_of

Shape = tuple[int | None, ...] | None


def open_sizes(arguments: Mapping[str, Any], key: Key, earlier: Sequence[Key]) -> Any:
    """The arguments with specs that also take the latest of `earlier` that differs from `key` in
    shapes alone; None if there is none.
    """
    for other in reversed(earlier):
        if _alike(key, other):
            merged = [
                _merged(a[2], b[2]) for a, b in zip(_tensors(key), _tensors(other), strict=True)
            ]
            shapes = iter(merged)
            return {name: _with_shapes(x, shapes) for name, x in arguments.items()}
    return None


def _alike(x: Any, y: Any) -> bool:
    """True for keys that differ in the shapes of tensors alone."""
    if is_tensor_key(x) and is_tensor_key(y):
        return bool(x[1] == y[1])
    if isinstance(x, tuple) and isinstance(y, tuple):
        return len(x) == len(y) and all(_alike(a, b) for a, b in zip(x, y, strict=True))
    return type(x) is type(y) and bool(x == y)


def _tensors(key: Any) -> Iterator[Any]:
    if is_tensor_key(key):
        yield key
    elif isinstance(key, tuple):
        for part in key:
            yield from _tensors(part)


def _merged(one: Shape, other: Shape) -> Shape:
    if one is None or other is None or len(one) != len(other):
        return None
    return tuple([a if a == b else None for a, b in zip(one, other, strict=True)])


def _with_shapes(x: Any, shapes: Iterator[Shape]) -> Any:
    relaxed = getattr(x, "__tl_relaxed__", None)
    if relaxed is not None and not isinstance(x, type):
        return relaxed(lambda: TensorShape(next(shapes)))
    if hasattr(type(x), "__tracing_type__"):
        return x
    if is_tensor_like(x) and isinstance(spec := spec_of(x), TensorSpec):
        wanted = TensorShape(next(shapes))
        return x if spec.shape == wanted else TensorSpec(wanted, spec.dtype)
    items = None if isinstance(x, Variable) else children(x)
    if items is None:
        return x
    return rebuild(x, [_with_shapes(item, shapes) for item in items])


__all__ = ["open_sizes"]
