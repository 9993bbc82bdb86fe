"""The signature of a trace as text, in TensorFlow's form."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..graph.nest import attribute_names, children
from ..graph.spec import ArraySpec, DataSpec, TensorSpec
from ..runtime import Variable
from .accepts import Opaque, VariableArgument, names_within

_LITERALS = (bool, int, float, complex, str, bytes, type(None))
_TITLES = {"list": "List", "tuple": "Tuple"}
_Taken = tuple[str, Any, Any]  # an argument's name, kind and what is known of it


def signature_text(
    signature: inspect.Signature,
    arguments: Mapping[str, Any],
    outputs: Any,
    captures: Sequence[Any],
    verbose: bool,
) -> str:
    """What a trace takes, gives and captures, on lines of their own; or `(a: ...) -> ...`."""
    taken = list(_taken(signature, arguments))
    if not verbose:
        return f"({', '.join(_short(taken))}) -> {type_text(outputs)}"
    lines = ["Input Parameters:"]
    lines += [f"  {name} ({kind.name}): {type_text(x, name)}" for name, kind, x in taken]
    lines += ["Output Type:", f"  {type_text(outputs)}", "Captures:"]
    lines += [f"  {_capture(c)}" for c in captures] or ["  None"]
    return "\n".join(lines)


def _taken(signature: inspect.Signature, arguments: Mapping[str, Any]) -> Iterator[_Taken]:
    """The arguments; those of `*args` one by one."""
    kinds = {n: p.kind for n, p in signature.parameters.items()}
    rest = inspect.Parameter.VAR_POSITIONAL
    several = any(k is rest and arguments.get(n) for n, k in kinds.items())
    for name, x in arguments.items():
        kind = kinds.get(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        if kind is rest:
            for i, item in enumerate(x):
                yield f"{name}_{i}", inspect.Parameter.POSITIONAL_ONLY, item
        elif kind is inspect.Parameter.VAR_KEYWORD:
            for key, item in x.items():
                yield key, inspect.Parameter.KEYWORD_ONLY, item
        elif several and kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
            yield name, inspect.Parameter.POSITIONAL_ONLY, x
        else:
            yield name, kind, x


def _short(taken: Sequence[_Taken]) -> list[str]:
    """The parameters with the marks `/` and `*` where the kind changes."""
    parts: list[str] = []
    last: Any = None
    for name, kind, x in taken:
        if last is inspect.Parameter.POSITIONAL_ONLY and kind is not last:
            parts.append("/")
        if kind is inspect.Parameter.KEYWORD_ONLY and kind is not last:
            parts.append("*")
        parts.append(f"{name}: {type_text(x, name)}")
        last = kind
    return [*parts, "/"] if last is inspect.Parameter.POSITIONAL_ONLY else parts


def type_text(x: Any, name: str | None = None) -> str:
    """What is known of an argument (called `name`) or a result: `TensorSpec(...)`, `Literal[2]`,
    `List[...]`.
    """
    if isinstance(x, TensorSpec):
        own = None if x.name == name else x.name  # not the one that the parameter gives it
        return repr(TensorSpec(x.shape, x.dtype, own))
    if isinstance(x, VariableArgument):
        return repr(x)
    if isinstance(x, _LITERALS):
        return f"Literal[{x!r}]"
    if isinstance(x, Opaque):
        return f"Weakref[{x!r}]"
    items = None if isinstance(x, (ArraySpec, DataSpec)) else children(x)
    if items is None:
        return repr(x)
    if isinstance(x, Mapping):
        within = {k: None if name is None else f"{name}_{k}" for k in x}
        return f"Dict[{', '.join([f'[{k!r}, {type_text(x[k], within[k])}]' for k in x])}]"
    each = zip(items, names_within(x, name), strict=True)
    texts = [type_text(item, n) for item, n in each]
    names: Sequence[str] = getattr(type(x), "_fields", ())
    if dataclasses.is_dataclass(x):
        names = attribute_names(x)
    if names:
        texts = [f"[{n!r}, {t}]" for n, t in zip(names, texts, strict=True)]
    kind = type(x).__name__
    return f"{_TITLES.get(kind, kind)}[{', '.join(texts)}]"


def _capture(x: Any) -> str:
    if isinstance(x, Variable):
        spec = f"VariableSpec(shape={x.shape}, dtype=tl.{x.dtype.name}, trainable={x.trainable})"
        return f"{x.name}: {spec}"
    return f"{id(x)}: {type_text(getattr(x, 'spec', x))}"


__all__ = ["signature_text", "type_text"]
