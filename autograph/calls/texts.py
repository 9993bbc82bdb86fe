"""Methods of texts of Python's that only the run knows: `s.upper()`, `"-".join(parts)`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MethodType, SimpleNamespace
from typing import Any, NoReturn

from treadle.graph import Value
from treadle.graph.build import convert
from treadle.graph.dtypes import string
from treadle.graph.errors import OperatorNotAllowedInGraphError
from treadle.graph.location import describe, user_location
from treadle.graph.operators import attributes
from treadle.graph.ops.formatting import Text, text
from treadle.graph.ops.joining import stack
from treadle.graph.ops.texts import METHODS, is_symbolic, is_text, text_method
from treadle.graph.spec import TensorSpec

from ..control.choice import Choice
from ..values.list_items import Item
from ..values.staged_list import StagedList, rows_as_list
from ..values.state import Slot
from .collecting import listed

_NAMES: dict[str, dict[str, Any]] = {
    "split": {"sep": None, "maxsplit": -1},
    "rsplit": {"sep": None, "maxsplit": -1},
    "expandtabs": {"tabsize": 8},
    "splitlines": {"keepends": False},
    "replace": {"old": "", "new": "", "count": -1},
}
_TEXT_ITEM = Item(Slot(0), None, (TensorSpec((), string),), (True,))


def is_of_run(x: Any) -> bool:
    """True for a text that only the run knows."""
    return is_text(x) or isinstance(x, Text)


def depends_on_run(x: Any) -> bool:
    """True for an argument of a method of Python's texts that needs the op."""
    if isinstance(x, (list, tuple)):
        return any(map(depends_on_run, x))
    return _is_chosen(x) or isinstance(x, (Value, Text, StagedList))


def _is_chosen(x: Any) -> bool:
    return type(x) is Choice and x.tl_is_text


def call_method(name: str, owner: Any, *args: Any, **kwargs: Any) -> Any:
    """`owner.name(...)`, where some text is symbolic."""
    if name == "join":
        return _join(owner, *args, **kwargs)
    made = text_method(name, owner, *_positional(name, args, kwargs))
    if not made.shape.rank:
        return made
    if name in ("partition", "rpartition"):
        rows = StagedList(_TEXT_ITEM, rows_as_list(made).arrays)
        return rows.read(0), rows.read(1), rows.read(2)
    return as_list(made)


def as_list(texts: Any) -> StagedList:
    """A vector of texts as the list that Python would have."""
    return StagedList(_TEXT_ITEM, rows_as_list(texts).arrays)


def _positional(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
    found = list(args)
    for key, default in list(_NAMES.get(name, {}).items())[len(args) :]:
        if kwargs:
            found.append(kwargs.pop(key, default))
    if kwargs:
        raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(kwargs))}'")
    return found


def _join(separator: Any, parts: Any) -> Any:
    """`separator.join(parts)`"""
    items = listed(parts)
    if isinstance(items, StagedList):
        if not items.arrays:
            return ""
        if items.item != _TEXT_ITEM:
            raise TypeError("join() takes texts, but the items of this list are others")
        return text_method("join", separator, convert(items))
    if type(separator) is str and all(isinstance(i, str) for i in items):
        return text(lambda: separator.join(map(str, items)))
    for i, item in enumerate(items):
        if not (isinstance(item, str) or is_text(item) or _is_chosen(item)):
            kind = "Tensor" if is_symbolic(item) else type(item).__name__
            raise TypeError(f"sequence item {i}: expected str instance, {kind} found")
    parts = stack([convert(i) for i in items]) if items else convert([], string)
    return text_method("join", separator, parts)


def attribute(x: Value, name: str) -> Any:
    """`x.name`, of what is no attribute of tensors."""
    if not hasattr(str, name) or not is_text(x):
        cure = f"; use tl.strings.{name}" if x.dtype is string and name in METHODS else ""
        raise AttributeError(f"a tensor has no attribute '{name}'{cure}", name=name, obj=x)
    if name not in METHODS:
        refuse(name)
    return MethodType(_METHODS[name], x)


def searched(x: Any) -> Any:
    """`x`, whose `index` is to be called: that of a tensor is another one's."""
    return SimpleNamespace(index=MethodType(_METHODS["index"], x)) if is_of_run(x) else x


def refuse(name: str) -> NoReturn:
    raise OperatorNotAllowedInGraphError(
        f"'{name}' of a text is asked for at {describe(user_location(2))}, while tracing, but what "
        "the text is, only the run knows; do it after the traced function, on its result"
    )


def _method_of(name: str) -> Callable[..., Any]:
    return lambda self, *args, **kwargs: call_method(name, self, *args, **kwargs)


_METHODS = {name: _method_of(name) for name in METHODS}


attributes[:] = [attribute]
