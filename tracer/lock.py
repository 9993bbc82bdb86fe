"""The lock of a function's tracing. Threads can't block each other for good."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_change = threading.Condition()
_waiting: dict[int, TraceLock] = {}  # which lock a thread waits for


def _after_fork() -> None:
    """In a child process no thread but this one is there to give anything back."""
    global _change  # noqa: PLW0603
    _change = threading.Condition()
    _waiting.clear()
    _generation[0] += 1


_generation = [0]  # locks taken before the last fork are free
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class TraceLock:
    """Lets one thread trace a function at a time; that thread may come again.

    Two threads may trace functions that call each other. The one that would close the circle goes
    on without the lock: the function is then traced twice, rather than never.
    """

    def __init__(self) -> None:
        self._owner: int | None = None
        self._taken_in = 0  # the generation

    @contextmanager
    def held(self) -> Iterator[None]:
        me = threading.get_ident()
        with _change:
            if self._owner is not None and self._taken_in != _generation[0] and self._owner != me:
                self._owner = None
            while self._owner not in (None, me) and not self._closes_circle(me):
                _waiting[me] = self
                _change.wait()
            _waiting.pop(me, None)
            taken = self._owner is None
            if taken:
                self._owner, self._taken_in = me, _generation[0]
        try:
            yield
        finally:
            if taken:
                with _change:
                    self._owner = None
                    _change.notify_all()

    def _closes_circle(self, me: int) -> bool:
        """True if the owner of this lock waits, through others, for one that `me` holds."""
        lock: TraceLock | None = self
        while lock is not None and lock._owner is not None:
            if lock._owner == me:
                return True
            lock = _waiting.get(lock._owner)
        return False


__all__ = ["TraceLock"]
