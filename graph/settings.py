"""What is set for all functions: the environment variables (docs/environment.md), whether they run
eagerly, and pausing the garbage collector.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


def debug_level() -> int:
    """`TREADLE_DEBUG`: 0 to 4."""
    text = os.environ.get("TREADLE_DEBUG", "")
    return int(text) if text.isdecimal() else 0


def debug(level: int, text: object) -> None:
    """Show `text` on stderr where `TREADLE_DEBUG` is at least `level`."""
    if debug_level() >= level:
        print(text, file=sys.stderr)


def checking() -> bool:
    """`TREADLE_CHECK=1`: check graphs after tracing and after each pass."""
    return os.environ.get("TREADLE_CHECK") == "1"


def full_tracebacks() -> bool:
    """`TREADLE_TRACEBACK=full`: leave treadle's own frames in."""
    return os.environ.get("TREADLE_TRACEBACK") == "full"


SETTINGS = {"run_eagerly": False}


def run_functions_eagerly(run_eagerly: bool) -> None:
    """Make every `tl.function` run as plain Python (for debugging), or trace again.

    >>> import treadle as tl
    >>> tl.config.run_functions_eagerly(True)
    >>> tl.function(lambda: tl.executing_eagerly())()
    True
    >>> tl.config.run_functions_eagerly(False)
    """
    SETTINGS["run_eagerly"] = bool(run_eagerly)


def functions_run_eagerly() -> bool:
    """True after `run_functions_eagerly(True)`."""
    return SETTINGS["run_eagerly"]


_lock = threading.Lock()
_paused = 0


@contextmanager
def collector_paused() -> Iterator[None]:
    """No cyclic garbage collection inside of the block.

    Tracing and planning make many objects that stay; collections in between only look at them
    again and again (a third of the time for 100,000 ops).
    """
    global _paused  # noqa: PLW0603 - the collector is a global of the process
    with _lock:
        if _paused == 0 and not gc.isenabled():
            switch = False
        else:
            switch = True
            _paused += 1
            gc.disable()
    try:
        yield
    finally:
        if switch:
            with _lock:
                _paused -= 1
                if _paused == 0:
                    gc.enable()
