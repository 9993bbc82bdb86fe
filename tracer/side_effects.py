"""Python side effects: they happen while tracing, once, and the user is told, once."""

from __future__ import annotations

import linecache
import os
import warnings
from collections.abc import Iterator
from typing import Any

from ..autograph.policy import is_given
from ..graph.errors import SideEffectWarning
from .reading.changes import Change, is_first_time
from .reading.reader import Reading


def warn_of_side_effects(
    name: str, reading: Reading, told: set[tuple[str, int]], written: set[Any]
) -> None:
    """Warn of each line that changes something that outlives the call of function `name`, but for
    what is `written` at each call.
    """
    for change in _lasting(reading):
        if change.mark in written or is_given(change.function):
            continue
        code = change.function.__code__
        at = (code.co_filename, change.site.line)
        if at in told:
            continue
        told.add(at)
        line = linecache.getline(*at).strip()
        where = f"{os.path.basename(at[0])}:{at[1]}"
        warnings.warn_explicit(
            f"{where}: {line or code.co_name} -- this happens once, while '{name}' is traced, and "
            "not at each call. Return the value, keep it in a tl.Variable, or use tl.py_function; "
            "tl.print prints at each call",
            SideEffectWarning,
            *at,
        )


def _lasting(reading: Reading) -> Iterator[Change]:
    for change in reading.changes:
        if change.site.line and not (
            change.maybe or change.keeps or is_first_time(change, reading.changes)
        ):
            yield change
