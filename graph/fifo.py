"""What a queue of tensors is when a program runs: items in order, for several threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from .convert import Array
from .errors import OutOfRangeError
from .status_errors import CancelledError

Item = tuple[Array, ...]


class Fifo:
    """At most `capacity` items. Who puts one into a full queue waits, and so does who takes one
    from an empty one that is not closed.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: deque[Item] = deque()
        self._changed = threading.Condition()
        self.closed = False
        self._cancelled = False

    def __len__(self) -> int:
        return len(self._items)

    def put(self, items: Sequence[Item]) -> None:
        """CancelledError where the queue is closed."""
        with self._changed:
            if self.closed:
                raise CancelledError("the queue is closed: nothing can be put into it any more")
            for item in items:
                while len(self._items) >= self._capacity and not self._cancelled:
                    self._changed.wait()
                if self._cancelled:
                    raise CancelledError("the queue was closed while this waited for room in it")
                self._items.append(item)
                self._changed.notify_all()

    def take(self, count: int, at_least: int) -> list[Item]:
        """`count` items; as many as are left, if these are `at_least` so many, once the queue is
        closed. OutOfRangeError where there are fewer.
        """
        found: list[Item] = []
        with self._changed:
            while len(found) < count:
                if self._items:
                    found.append(self._items.popleft())
                    self._changed.notify_all()
                elif self.closed:
                    break
                else:
                    self._changed.wait()
            if len(found) < at_least:
                self._items.extendleft(reversed(found))
                raise OutOfRangeError(
                    f"the queue is closed and has not enough elements: {at_least} are asked for, "
                    f"{len(self._items)} are there"
                )
        return found

    def close(self, cancel: bool) -> None:
        """Let nothing in any more; with `cancel` not even what waits for room."""
        with self._changed:
            self.closed = True
            self._cancelled = self._cancelled or cancel
            self._changed.notify_all()
