"""Objects of the user's classes that a branch or loop makes: carried attribute by attribute.

Such an object holds tensors of a graph inside, so it can't be handed out as it is. Outside it is an
object of the same class that is made without running the class's code.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from treadle.graph import Value
from treadle.graph.build import GraphBuilder, convert, current
from treadle.graph.ops.formatting import Text
from treadle.graph.ops.raising import Recipe, with_texts
from treadle.graph.symbolic_text import symbolic_text

from .. import policy
from ..values import given
from ..values.item_views import note_rebuilt, spoil_of
from ..values.list_items import object_parts, thawing
from ..values.staged_list import StagedList
from ..values.state import is_number, is_tensor, parts_of
from .contents import ABSENT, Contents, contents_of, put

_DEPTH = 20
Home = frozenset[int] | None  # ids of the graphs whose tensors may be held; None: of no graph


def home_of() -> frozenset[int]:
    """The graph that is built now and those around it."""
    builder = current()
    found: set[int] = set()
    while isinstance(builder, GraphBuilder):
        found.add(id(builder))
        if builder.parent is None:
            break
        builder = builder.parent
    return frozenset(found)


def is_plain_object(value: Any) -> bool:
    """True for an object of a class of the user's that is nothing but its attributes."""
    kind = type(value)
    if isinstance(value, type) or is_tensor(value) or is_number(value):
        return False
    if policy.is_library_type(kind):
        return False
    if hasattr(kind, "__tl_flatten__") and not hasattr(kind, "__tl_unflatten__"):
        return False
    if not kind.__flags__ & _HEAP or not _is_of_object(kind) or parts_of(value) is not None:
        return False
    contents = contents_of(value)
    return contents is not None and contents.items is None


def is_mutable(value: Any) -> bool:
    """True for lists and the like, and for objects that are nothing but their attributes."""
    if isinstance(value, (list, dict, set, deque, StagedList)):
        return True
    return is_plain_object(value)


_HEAP = 1 << 9


def _is_of_object(kind: type) -> bool:
    return all(base is object or base.__flags__ & _HEAP for base in kind.__mro__)


def holds_foreign(value: Any, home: Home) -> bool:
    """True if `value` holds a tensor of a graph that is not one of `home`."""
    todo, seen = [(value, 0)], set()
    for each, depth in todo:  # it grows, and keeps what has an id in `seen`
        if isinstance(each, Value):
            if home is None or id(each.owner) not in home:
                return True
        elif id(each) not in seen and depth <= _DEPTH:
            seen.add(id(each))
            todo += [(v, depth + 1) for v in _held_by(each)]
    return False


def _held_by(value: Any) -> Iterable[Any]:
    if isinstance(value, Text):
        return value.tensors()
    if isinstance(value, BaseException):
        return Recipe(value).tensors
    if is_number(value) or value is None:
        return ()
    parts = None if is_tensor(value) else parts_of(value)
    if parts is not None:
        # Those of a Choice are no parts of it.
        options = value.tl_options if hasattr(type(value), "tl_options") else ()
        return (*parts[0], *options)
    if not is_plain_object(value):
        return ()
    contents = contents_of(value)
    assert contents is not None
    return contents.attributes.values()


def note_made(value: Any) -> None:
    """`value` was made just now, in the graph that is built."""
    builder = current()
    if isinstance(builder, GraphBuilder):
        try:
            made = weakref.ref(value), id(builder)
        except TypeError:
            return
        _made_in(builder)[id(value)] = made


def _made_in(builder: GraphBuilder) -> dict[int, tuple[Any, int]]:
    while builder.parent is not None:
        builder = builder.parent
    found: dict[int, tuple[Any, int]] = builder.derived.setdefault("objects", {})
    return found


def is_made_inside(value: Any, home: Home) -> bool:
    """True if `value` was made in a graph inside of those in `home`."""
    builder = current()
    if not isinstance(builder, GraphBuilder):
        return False
    found = _made_in(builder).get(id(value))
    return found is not None and found[0]() is value and found[1] not in (home or ())


@dataclass(frozen=True, slots=True)
class Shape:
    """What objects that are carried by their attributes have in common."""

    cls: type
    names: tuple[str, ...]
    copied: given.Copied | None = None  # read from, or put into, a list of the graph's

    @staticmethod
    def of(value: Any) -> Shape:
        if isinstance(value, BaseException):
            recipe = Recipe(value)
            names = tuple([f"tensor {i}" for i in range(len(recipe.tensors))])
            return ErrorShape(type(value), names, None, recipe.text, recipe)
        contents = contents_of(value)
        assert contents is not None
        return Shape(type(value), tuple(sorted(contents.attributes)), given.copied(value))

    def values(self, value: Any) -> list[Any]:
        """What an object of this shape holds."""
        contents = contents_of(value) or Contents({})
        return [contents.attributes.get(name, ABSENT) for name in self.names]

    def make(self, values: Sequence[Any]) -> Any:
        """An object that holds `values`."""
        made: Any = object.__new__(self.cls)
        for name, value in zip(self.names, values, strict=True):
            put(made, ("attribute", name), value)
        note_made(made)
        note_rebuilt(made)
        return made if self.copied is None else given.as_copied(made, self.copied)


@dataclass(frozen=True, slots=True)
class ErrorShape(Shape):
    """The same of exceptions, which are their arguments and attributes."""

    text: str = ""
    recipe: Recipe | None = field(default=None, compare=False)

    def values(self, value: Any) -> list[Any]:
        return list(Recipe(value).tensors)

    def make(self, values: Sequence[Any]) -> Any:
        assert self.recipe is not None
        with symbolic_text():
            made = self.recipe.build(values)
        return with_texts(made)


class Rebuilt:
    """An object in parts: `values` are those of the attributes."""

    __slots__ = ("shape", "values")

    def __init__(self, shape: Shape, values: Sequence[Any]) -> None:
        self.shape = shape
        self.values = values

    @classmethod
    def of(cls, value: Any, home: Home, depth: int = 0) -> Rebuilt:
        spoil_of(value)
        shape = Shape.of(value)
        return cls(shape, [lifted(v, home, depth + 1) for v in shape.values(value)])

    @property
    def __tl_structure__(self) -> object:
        return self.shape

    def __tl_flatten__(self) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
        return list(self.values), self.shape.make


def lifted(value: Any, home: Home, depth: int = 0) -> Any:
    """`value`, with `Rebuilt` for each object in it that holds a tensor from outside of `home`.

    Called where `value` is known: it may take ops to join the options of a Choice.
    """
    text = isinstance(value, Text)
    if depth > _DEPTH or (is_tensor(value) and not text) or not holds_foreign(value, home):
        return value
    if text:
        return convert(value)
    if hasattr(type(value), "__tl_lifted__"):
        return value.__tl_lifted__(home)
    parts = parts_of(value)
    if parts is None:
        return Rebuilt.of(value, home, depth)
    new = [lifted(v, home, depth + 1) for v in parts[0]]
    same = all(a is b for a, b in zip(new, parts[0], strict=True))
    return value if same else parts[1](new)


def _object_parts(value: Any) -> Any:
    """As `parts_of` does: of objects that hold tensors, or were made in a branch or loop."""
    if not is_plain_object(value):
        return None
    if not (holds_foreign(value, None) or is_made_inside(value, frozenset())):
        return None
    shape = Shape.of(value)
    return shape.values(value), shape.make, (shape.cls, shape.names)


def _thaw(value: Any, part: Callable[[Any], Any]) -> None:
    """Let an object that leaves the function hold what `part` gives for what it holds."""
    contents = contents_of(value) if is_plain_object(value) else None
    for name, held in (contents.attributes if contents is not None else {}).items():
        new = part(held)
        if new is not held:
            put(value, ("attribute", name), new)


object_parts[:] = [_object_parts]
thawing[:] = [_thaw]
