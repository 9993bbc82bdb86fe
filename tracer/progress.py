"""The functions that are being traced, one inside of the other.

A function that calls itself, directly or through others, meets its own unfinished trace. What is
traced meanwhile rests on what is assumed of that one (specs, effects, captures), and is dropped
when the assumption turns out wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ..autograph.changes.journal import Entry
from ..graph.node import FunctionRef
from .guards import Guards
from .signature import Key


class Progress:
    """A trace under way."""

    def __init__(self, function: Any, key: Key, ref: FunctionRef, lift: bool) -> None:
        self.function = function
        self.key = key
        self.ref = ref
        self.lift = lift  # initial values of variables are computed while tracing
        self.created = False  # the trace makes variables, itself or by what it calls
        self.touched: list[Entry] = []  # objects that it may have changed
        namespace = getattr(function.python_function, "__globals__", None)
        self.guards = Guards(namespace, finished=False)
        self.rests_on: set[FunctionRef] = set()  # unfinished ones, further out
        self.resting: list[tuple[FunctionRef, Callable[[], None]]] = []  # traces on this one

    def drop_resting(self) -> None:
        """Forget what was traced on a wrong assumption."""
        for _, forget in self.resting:
            forget()
        self.resting = []


_stack: ContextVar[tuple[Progress, ...]] = ContextVar("progress", default=())
_RESTS_ON = "rests on"


@contextmanager
def in_progress(progress: Progress) -> Iterator[None]:
    """The block traces `progress.ref`; when it fails, what rests on it is dropped."""
    token = _stack.set((*_stack.get(), progress))
    try:
        yield
    except BaseException:
        progress.drop_resting()
        raise
    finally:
        _stack.reset(token)
    _settle(progress)


def _settle(progress: Progress) -> None:
    """What rested on the finished trace now rests on what that one rests on."""
    function, key, needed = progress.function, progress.key, progress.rests_on
    progress.ref.extra[_RESTS_ON] = set(needed)
    for ref, _ in progress.resting:
        ref.extra[_RESTS_ON] -= {progress.ref}
        ref.extra[_RESTS_ON] |= needed
    if needed:
        resting = (progress.ref, lambda: function.forget(lambda k: k == key))
        for outer in _stack.get():
            if outer.ref in needed:
                outer.resting += [*progress.resting, resting]


def is_lifting() -> bool:
    return any(p.lift for p in _stack.get())


def note_created() -> None:
    """A variable was made by the innermost function, and so by those around it."""
    for progress in _stack.get():
        progress.created = True


def unfinished(function: Any, key: Key) -> FunctionRef | None:
    """The trace of `function` for `key` that is under way in this thread, if there is one."""
    for progress in _stack.get():
        if progress.function is function and progress.key == key:
            rests_on(progress.ref)
            note_guards(progress.guards)
            return progress.ref
    return None


def note_guards(guards: Guards) -> None:
    """A trace was called: what it is guarded for, the innermost unfinished one is too."""
    stack = _stack.get()
    if stack and stack[-1].guards is not guards:
        stack[-1].guards.inner[id(guards)] = guards


def rests_on(ref: FunctionRef) -> None:
    """Note a call of `ref`: what is traced inside of unfinished functions that it rests on, rests
    on them too.
    """
    stack = _stack.get()
    for needed in (ref, *ref.extra.get(_RESTS_ON, ())):
        index = next((i for i, p in enumerate(stack) if p.ref is needed), None)
        if index is not None:
            for inner in stack[index + 1 :]:
                inner.rests_on.add(needed)


__all__ = [
    "Progress",
    "in_progress",
    "is_lifting",
    "note_created",
    "note_guards",
    "rests_on",
    "unfinished",
]
