"""What Python's own methods go over, as lists: the items that code of the user's gives."""

from __future__ import annotations

from typing import Any

from treadle.graph import Value
from treadle.graph.build import is_tracing

from ..control.choice import Choice
from ..iteration.streams import Each, is_staged
from ..values import special
from ..values.inside import staged_in, table_in
from ..values.staged_list import collecting


def in_list(x: Any) -> Any:
    """An iterable as a list, where code of the user's or the run gives its items."""
    if not is_tracing() or isinstance(x, (Value, Choice)) or not is_staged(x):
        return x
    return x if staged_in(x) is not None or table_in(x) is not None else collecting[0](x)


def pairs_in(x: Any) -> Any:
    """What `dict(x)` is made of: that of a mapping of the user's is a list of pairs."""
    if not is_tracing() or isinstance(x, dict) or not special.is_of_users(x):
        return in_list(x)
    keys = special.method(x, "keys") or getattr(x, "keys", None)
    if keys is None:
        return in_list(x)
    item = special.method(x, "__getitem__") or x.__getitem__
    return collecting[0](Each(keys(), lambda key: (key, item(key)), (), False))
