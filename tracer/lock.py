"""The lock of a function's tracing. Threads can't block each other for good."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_change = threading.Condition()
_waiting: dict[int, TraceLock] = {}  # which lock a thread waits for


class TraceLock:
    """Lets one thread trace a function at a time; that thread may come again.

    Two threads may trace functions that call each other. The one that would close the circle goes
    on without the lock: the function is then traced twice, rather than never.
    """

    def __init__(self) -> None:
        self._owner: int | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        me = threading.get_ident()
        with _change:
            while self._owner not in (None, me) and not self._closes_circle(me):
                _waiting[me] = self
                _change.wait()
            _waiting.pop(me, None)
            taken = self._owner is None
            if taken:
                self._owner = me
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
