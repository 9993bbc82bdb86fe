"""Places that a check can look at again: how to get to a value that was read while tracing."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from types import BuiltinFunctionType, CellType, FunctionType, ModuleType
from typing import Any

MISSING = object()


class Access:
    """A way to a value: from a global, a closure cell or an object, along attributes and items.

    Places are interned by their `Places`, so they compare by identity.
    """

    __slots__ = ("base", "key", "kind", "name")

    def __init__(self, kind: str, base: Any, key: Any, name: str) -> None:
        self.kind = kind  # global, cell, object, attribute, item
        self.base = base  # a namespace, a cell, an object's reference; or another place
        self.key = key
        self.name = name  # as the user would write it

    def current(self) -> Any:
        """The value that is there now, or MISSING."""
        try:
            match self.kind:
                case "global":
                    return self.base.get(self.key, MISSING)
                case "cell":
                    return self.base.cell_contents
                case "object":
                    return self.base()
                case "attribute":
                    return getattr(self.base.current(), self.key, MISSING)
                case _:
                    base = self.base.current()
                    if isinstance(base, dict) and self.key not in base:
                        return MISSING  # a defaultdict would get it
                    return base[self.key]
        except Exception:
            return MISSING

    def source(self, base: str, constant: Callable[[Any], str]) -> str:
        """A Python expression for the value; `base` is that of the place that it starts from."""
        if self.kind == "attribute":
            return f"{base}.{self.key}"
        return f"{base}[{constant(self.key)}]"

    @property
    def root(self) -> Access:
        place = self
        while isinstance(place.base, Access):
            place = place.base
        return place

    def __repr__(self) -> str:
        return self.name


class _Strongly:
    """Stands in for a weak reference to what has none."""

    __slots__ = ("target",)

    def __init__(self, target: Any) -> None:
        self.target = target

    def __call__(self) -> Any:
        return self.target


def reference(x: Any) -> Callable[[], Any]:
    """A weak reference to `x`, where that is possible and needed."""
    if isinstance(x, (ModuleType, BuiltinFunctionType)):
        return _Strongly(x)
    if isinstance(x, (FunctionType, type)) and "<locals>" not in x.__qualname__:
        return _Strongly(x)  # lives as long as its module
    try:
        return weakref.ref(x)
    except TypeError:
        return _Strongly(x)


class Places:
    """The places that were met, each once."""

    def __init__(self) -> None:
        self._known: dict[Any, Access] = {}

    def _intern(self, mark: Any, kind: str, base: Any, key: Any, name: str) -> Access:
        found = self._known.get(mark)
        if found is None:
            found = self._known[mark] = Access(kind, base, key, name)
        return found

    def variable(self, namespace: dict[str, Any], name: str, module: str = "") -> Access:
        shown = f"{module}.{name}" if module else name
        return self._intern(("global", id(namespace), name), "global", namespace, name, shown)

    def cell(self, cell: CellType, name: str) -> Access:
        return self._intern(("cell", id(cell)), "cell", cell, name, name)

    def object(self, x: Any, name: str) -> Access:
        return self._intern(("object", id(x)), "object", reference(x), id(x), name)

    def attribute(self, base: Access, name: str) -> Access:
        mark = ("attribute", id(base), name)
        return self._intern(mark, "attribute", base, name, f"{base.name}.{name}")

    def item(self, base: Access, key: Any) -> Access:
        mark = ("item", id(base), type(key), key)
        return self._intern(mark, "item", base, key, f"{base.name}[{key!r}]")


__all__ = ["MISSING", "Access", "Places", "reference"]
