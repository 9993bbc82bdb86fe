"""What a trace assumes of the values in places that it reads at each call."""

from __future__ import annotations

import gc
import weakref
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any

from ..autograph.changes.rebuilt import is_plain_object
from ..autograph.values.inside import staged_in, table_in
from ..autograph.values.state import default_dtype, is_record
from ..autograph.values.undefined import Undefined
from ..graph.dtypes import DType, float64
from ..graph.nest import children
from ..graph.node import Tensor

NUMBERS = (bool, int, float)


class Itself:
    """Equal to one of the same object, as long as that is alive."""

    __slots__ = ("_find",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, x: Any) -> None:
        try:
            self._find: Callable[[], Any] = weakref.ref(x)
        except TypeError:
            self._find = lambda: x

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Itself):
            return NotImplemented
        mine = self._find()
        return mine is not None and mine is other._find()


class Kinds:
    """Tells what values are like, and which of the objects in them are the same one."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[int, Any]] = {}  # keeps the objects, so that ids stay theirs

    def at(self, owner: Any, value: Any) -> Any:
        """Of what is in a place of `owner`."""
        return self._known(owner), self.of(value)

    def of(self, value: Any) -> Any:
        if isinstance(value, Undefined):
            return "absent"
        if isinstance(value, Tensor):
            shape = value.shape
            return "tensor", value.dtype.code, None if shape.rank is None else tuple(shape)
        if type(value) in NUMBERS:
            return "number", type(value), dtype_of(value).code
        items = children(value)
        if items is not None:
            known = self._known(value) if is_lasting(value) else None
            if known is not None:
                return "again", known
            keys = tuple(value) if isinstance(value, dict) else len(items)
            return type(value), keys, tuple([self.of(item) for item in items])
        if value is None or isinstance(value, (str, bytes, frozenset)):
            return value
        return "object", Itself(value)

    @property
    def objects(self) -> list[Any]:
        """Those that were met, in order."""
        return [x for _, x in self._seen.values()]

    def known_elsewhere(self, own: Sequence[Any]) -> list[tuple[int, Any]]:
        """The lists, dicts and dataclasses that more than one place refers to, with their numbers;
        `own` refers to some of them, too.
        """
        lasting = [(number, x) for number, x in self._seen.values() if is_lasting(x)]
        if not lasting:
            return []
        ours = {id(own), id(lasting), *map(id, lasting), *map(id, self._seen.values())}
        counts: Counter[int] = Counter()
        for referrer in gc.get_referrers(*[x for _, x in lasting]):  # looks at all objects, once
            if id(referrer) not in ours and type(referrer) is not FrameType:
                counts.update({id(r) for r in gc.get_referents(referrer)})
        return [(number, x) for number, x in lasting if counts[id(x)] > 1]

    def _known(self, x: Any) -> int | None:
        """The number of an object that was there before."""
        number = len(self._seen)
        found, _ = self._seen.setdefault(id(x), (number, x))
        return found if found < number else None


def is_input(leaf: Any) -> bool:
    """True for what is read anew at each call: tensors, and Python numbers."""
    return isinstance(leaf, Tensor) or type(leaf) in NUMBERS


def dtype_of(number: Any) -> DType:
    return float64 if isinstance(number, float) else default_dtype(number)


def is_lasting(x: Any) -> bool:
    """True for a list, dict or dataclass of the user's, which stays the same one."""
    if type(x) is list or type(x) is deque:
        return staged_in(x) is None
    if isinstance(x, dict):
        return table_in(x) is None
    if not is_record(x) or hasattr(type(x), "__tl_flatten__"):
        return False
    return is_plain_object(x)


def inputs_in(value: Any, seen: dict[int, Any]) -> Iterator[Any]:
    """The leaves that are inputs, depth first, of each object once."""
    items = children(value)
    if items is None:
        if is_input(value):
            yield value
        return
    if is_lasting(value):
        if id(value) in seen:
            return
        seen[id(value)] = value
    for item in items:
        yield from inputs_in(item, seen)


def objects_in(value: Any) -> Iterator[Any]:
    """The lists, dicts and dataclasses in a value."""
    items = children(value)
    if items is not None:
        if is_lasting(value):
            yield value
        for item in items:
            yield from objects_in(item)
