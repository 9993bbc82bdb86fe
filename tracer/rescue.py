"""What a run that raises leaves in objects: what they held where it raised, as in eager code.

Before each node that may raise, the graph keeps the values that its places hold there, in storage
that outlives the run.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import numpy as np

from ..autograph.changes import journal
from ..graph.build import GraphBuilder
from ..graph.nest import children, is_mapping
from ..graph.node import Value
from ..graph.op import Attrs, Op
from ..graph.ops.raising import RAISE
from ..graph.spec import ResourceSpec, TensorSpec
from ..graph.trying import AGAIN, store
from ..runtime.eager import wrap
from .places import Places, Write, put_results

RESCUE = "rescue"  # of a traced function, for its callers
RAISES = "raises"  # it may raise an exception of the user's code
_stamps = count()
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


class _Storage(threading.local):
    """What a run has kept last. Each thread has its own."""

    array: Any = None
    stamp = -1

    def keep(self, array: Any) -> tuple[()]:
        self.array, self.stamp = array, next(_stamps)
        return ()


class Kept:
    """Storage for values of a spec, which graphs capture as they do variables."""

    __slots__ = ("__weakref__", "_value", "dtype", "name", "spec")

    def __init__(self, spec: Any) -> None:
        self.spec = ResourceSpec(spec)
        self.dtype = spec.dtype
        self.name = "kept"
        self._value = _Storage()


class Rescue:
    """Is told of each node of a trace that may raise."""

    catches = False  # as a `try` does

    def __init__(self, places: Places, builder: GraphBuilder) -> None:
        self._places = places
        self._builder = builder
        self._kinds: dict[Any, tuple[int, list[Value]]] = {}
        self._kept: list[tuple[list[Write], list[Kept]]] = []
        self._which = Kept(TensorSpec((), "int32"))
        self._inner: dict[int, Rescue] = {}
        self._busy = False
        self.was_told = False
        self.raises = False  # an exception of the user's code

    def __call__(self, builder: GraphBuilder, op: Op, attrs: Attrs) -> None:
        if self._busy or (op.structured and op.name != "call"):
            return
        self.was_told = True
        if op is RAISE or op is AGAIN or (op.name == "call" and RAISES in attrs["callee"].extra):
            self.raises = True
            journal.turn()
        if op is AGAIN and attrs["known"] is None:
            return  # the state is that of the place that has raised
        if op.name == "call":
            inner = attrs["callee"].extra.get(RESCUE)
            if inner is not None:
                self._inner[id(inner)] = inner
        if op is RAISE or op is AGAIN or op.name == "call":
            journal.note_changes()
        if not self._places.watched:
            return
        self._busy = True
        try:
            self._note(builder, op is RAISE)
        finally:
            self._busy = False

    def _note(self, builder: GraphBuilder, surely: bool) -> None:
        writes, leaves = self._places.now(surely)
        form = tuple([_form(w) for w in writes]), tuple([leaf.spec for leaf in leaves])
        kind = self._kinds.get(form)
        if kind is None:
            kept = [Kept(leaf.spec) for leaf in leaves]
            self._kept.append((writes, kept))
            kind = len(self._kept) - 1, [self._builder.resolve(k) for k in kept]
            self._kinds[form] = kind
        number, slots = kind
        for slot, leaf in zip(slots, leaves, strict=True):
            store(slot, leaf)
        now = builder.constant(np.array(number, np.int32))
        store(self._builder.resolve(self._which), now)

    # --- runs ------------------------------------------------------------------

    def start(self) -> None:
        """A run begins."""
        for rescue in self._all():
            rescue._which._value.array = None

    def finish(self, arguments: Mapping[str, Any]) -> None:
        """A run has raised: let the places hold what they held there."""
        reached = [r for r in self._all() if r._which._value.array is not None]
        own = self._which._value.stamp
        for rescue in sorted(reached, key=lambda r: r._which._value.stamp):
            if rescue is self or rescue._which._value.stamp > own:
                writes, kept = rescue._kept[int(rescue._which._value.array)]
                found = [wrap(k._value.array, k.spec.value) for k in kept]
                put_results(writes, found, arguments if rescue is self else {})

    def _all(self) -> Iterator[Rescue]:
        yield self
        for inner in self._inner.values():
            yield from inner._all()


def _form(write: Write) -> Any:
    leaves = _form_of(write.template)
    return write.place.label, leaves, write.is_result, write.numbers, _static(write.or_else)


def _form_of(x: Any) -> Any:
    items = children(x)
    if items is None:
        return _static(x)
    keys = tuple(x) if is_mapping(x) else None
    return type(x), keys, tuple([_form_of(item) for item in items])


def _static(x: Any) -> Any:
    return (type(x), repr(x)) if isinstance(x, _PLAIN) else id(x)


__all__ = ["RAISES", "RESCUE", "Kept", "Rescue"]
