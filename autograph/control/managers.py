"""Context managers on the paths through a `with`: entered once, left on each path."""

from __future__ import annotations

import contextlib
from types import FunctionType
from typing import Any

from treadle.graph.build import GraphBuilder, interpreting, recording
from treadle.graph.errors import ConversionError

from ..changes import journal
from ..changes.contents import Contents, contents_of
from ..changes.touching import touch_all
from ..values.place import user_line
from ..values.state import namespace_of
from ..values.truth import condition, staged
from .conditionals import Branches

_Generated: Any = contextlib._GeneratorContextManager


def is_plain(manager: Any) -> bool:
    """True if leaving it does nothing that depends on the run: treadle's own, files, locks."""
    kind = type(manager)
    if kind.__module__.partition(".")[0] == "treadle":
        return True
    return not isinstance(getattr(kind, "__exit__", None), FunctionType)


Held = list[tuple[Any, Contents]]


class Managed:
    """A manager of the user's, in a trace: the first `with` enters and leaves it, each further one
    leaves it once more, as it was where the exception was raised.
    """

    def __init__(self, manager: Any, builder: GraphBuilder) -> None:
        self._manager = manager
        self._builder = builder
        self._times = 0
        self._value: Any = None  # what entering it gave
        self._span = (0, 0)  # of the nodes that this made
        self._of: tuple[Any, Any, Any] | None = None  # the generator function and its arguments
        if isinstance(manager, _Generated):
            self._of = manager.func, manager.args, manager.kwds

    def __enter__(self) -> Any:
        self._times += 1
        if self._times == 1:
            self._touch()
            start = len(self._builder.nodes)
            self._value = type(self._manager).__enter__(self._manager)
            self._span = start, len(self._builder.nodes)
        elif self._of is not None:
            self._manager = type(self._manager)(*self._of)
            self._enter_again()
        return self._value

    def __exit__(self, *exc: Any) -> Any:
        self._touch()
        swallows = type(self._manager).__exit__(self._manager, *exc)
        error = exc[1]
        if not isinstance(error, Exception) or not staged(swallows):
            return swallows
        Branches(None, lambda: _raise(error), (), None, None, user_line()).emit(
            condition(swallows), ()
        )
        return True

    def _touch(self) -> None:
        """Tell the journal of what a generator, which is not converted, may change."""
        if self._of is not None:
            function, args, named = self._of
            touch_all(function, (*args, *named.values()))

    def catches(self) -> list[Any]:
        """The classes that it surely swallows."""
        known = isinstance(self._manager, contextlib.suppress)
        return list(self._manager._exceptions) if known else []

    def contents(self) -> Held:
        """What the manager and its attributes hold now."""
        if self._of is not None:
            return []
        owners = self._manager, *(namespace_of(self._manager) or {}).values()
        found = [(owner, contents_of(owner)) for owner in owners]
        return [(owner, contents) for owner, contents in found if contents is not None]

    def _enter_again(self) -> None:
        """Bring the generator of a new manager to its `yield`: what it computes is known."""
        start, end = self._span
        nodes = iter(self._builder.nodes[start:end])

        def known(op: Any, inputs: Any) -> Any:
            node = next((n for n in nodes if n.op is op), None)
            if node is None:
                raise ConversionError(
                    f"the context manager of the `with` at {user_line()} computes something else "
                    "when it is entered once more, for the path of an exception"
                )
            return node

        with journal.opened() as scope:
            self._touch()
            with interpreting(self._builder), recording(()):
                self._builder.replay = known
                try:
                    type(self._manager).__enter__(self._manager)
                finally:
                    self._builder.replay = None
            scope.restore()


def _raise(error: Exception) -> None:
    raise error
