"""What is done with dicts and sets whose keys only the run knows, and how they come to be such."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, ItemsView, Iterable, Sequence, ValuesView
from types import MappingProxyType
from typing import Any

from treadle.graph import Value, weak
from treadle.graph.build import convert
from treadle.graph.errors import ConversionError
from treadle.graph.location import describe, user_location
from treadle.graph.ops.effects import require

from ..changes import journal
from ..changes.contents import ITEMS
from ..control.conditionals import Branches
from ..control.operations import Operations
from ..iteration.stream import Loop
from ..iteration.streams import Live, go_over, site_of, views
from ..values.inside import Mark, table_in
from ..values.list_items import here
from ..values.place import user_line
from ..values.staged_list import StagedList
from ..values.tables import DICTS, Kept, Table, fits, hold, is_key, like, of_class

_ABSENT = object()


def stageable(owner: Any, key: Any, *value: Any) -> bool:
    """True if the graph can hold a dict or set that gets `key`."""
    known = table_in(owner)
    if known is None and type(owner) not in (Kept, *DICTS):
        return False
    found = like(owner)
    return found is not None and fits(found, key, *value)


def put(owner: Any, table: Table) -> None:
    """Let `owner` hold the items of `table`."""
    if type(owner) not in (Kept, *DICTS):
        raise refusal("a change")
    journal.touch(owner)
    hold(owner, table)
    journal.mark(owner, ITEMS)


def either(test: Any, yes: Callable[[], Any], no: Callable[[], Any]) -> Any:
    if test is False:
        return no()
    return Branches(yes, no, (), None, None, user_line()).emit(convert(test), ())


def missing(d: Any, key: Any) -> Any:
    """What `d[key]` gives where there is none."""
    return 0 if isinstance(d, Counter) else Operations.ended(KeyError(key))


def contains(owner: Any, key: Any) -> Any:
    """`key in owner`"""
    present, _ = Table.of(owner).find(key)
    return weak.mark(present) if isinstance(present, Value) else present


def read(d: Any, key: Any) -> Any:
    """`d[key]`; a defaultdict gets what it makes then."""
    if isinstance(d, defaultdict) and d.default_factory is not None:
        return set_default(d, key, d.default_factory())
    return get(d, key, _ABSENT)


def get(d: Any, key: Any, default: Any = None) -> Any:
    """`d.get(key, default)`"""
    table = Table.of(d)
    present, place = table.find(key)

    def otherwise() -> Any:
        return missing(d, key) if default is _ABSENT else default

    return either(present, lambda: table.item(place), otherwise)


def store(d: Any, key: Any, value: Any) -> None:
    """`d[key] = value`"""
    if not is_key(key):
        raise ConversionError(
            f"a dict gets a key at {here()} that is no number or text; its other keys are known "
            "only when the function runs, and must be alike"
        )
    put(d, Table.of(d).storing(key, value))


def set_default(d: Any, key: Any, default: Any = None) -> Any:
    """`d.setdefault(key, default)`"""
    value = get(d, key, default)
    store(d, key, value)
    return value


def pop(d: Any, key: Any, *default: Any) -> Any:
    """`d.pop(key, default)`"""
    table = Table.of(d)
    value = get(d, key, *(default or (_ABSENT,)))
    present, place = table.find(key)
    if present is not False:
        put(d, table.without(present, place))
    return value


def delete(d: Any, key: Any) -> None:
    """`del d[key]`"""
    _discard(d, key, True)


def pop_item(d: Any) -> Any:
    """`d.popitem()`"""
    table = Table.of(d)
    size = table.keys.size()
    pairs = table.pairs()
    text = f"popitem(): dictionary is empty, at {here()}"
    pairs.arrays = tuple(require(size > 0, pairs.arrays, "KeyError", text))
    value = pairs.read(size - 1)
    put(d, table.without(True, size - 1))
    return value


def _discard(owner: Any, key: Any, surely: bool) -> None:
    table = Table.of(owner)
    present, place = table.find(key)
    if present is False and not surely:
        return
    if surely:
        either(present, lambda: None, lambda: Operations.ended(KeyError(key)))
    put(owner, table.without(present, place))


def add(owner: Any, key: Any) -> None:
    """`owner.add(key)`"""
    store(owner, key, None)


def clear(owner: Any) -> None:
    journal.touch(owner)
    type(owner).clear(owner)
    journal.mark(owner, ITEMS)


def copy(owner: Any) -> Any:
    return of_class(owner, Table.of(owner))


def update(owner: Any, *others: Any, **named: Any) -> None:
    """`owner.update(...)`"""
    if isinstance(owner, Counter):
        raise refusal("update")
    for other in (*others, named):
        put(owner, extended(Table.of(owner), other))


def extended(table: Table, items: Any) -> Table:
    """The table with `items`: pairs, or the items of a dict, or keys if it is that of a set."""

    def step(item: Any, table: Table) -> Table:
        if table.values is None:
            return _with(table, item)
        key, value = item
        return _with(table, key, value)

    known = table_in(items)
    if known is not None and isinstance(items, (dict, set)):
        items = known.keys if table.values is None else known.pairs()
    elif isinstance(items, dict) and table.values is not None:
        items = list(items.items())
    found: Table = go_over(items, step, [table], Loop(site_of(items, step), ["the keys"]))[0]
    return found


def _with(table: Table, key: Any, *value: Any) -> Table:
    if not is_key(key):
        raise ConversionError(
            f"a dict or set of what is no number or text is made at "
            f"{describe(user_location(2))}, of items of a number that only the run tells; make a "
            "list of them"
        )
    return table.storing(key, *value)


class Entries(Live):
    """`d.items()` and the like: what `d` holds when it is gone over."""

    def __init__(self, owner: Any, what: str) -> None:
        self.owner = owner
        self.what = what

    def now(self) -> StagedList:
        owner = self.owner
        table = Table.of(owner.copy() if isinstance(owner, MappingProxyType) else owner)
        if self.what == "items":
            return table.pairs()
        found = table.keys if self.what == "keys" else table.values
        assert found is not None
        return found.listed()


def _view(x: Any) -> Any:
    """A view of Python's as one of a dict that the graph holds."""
    held = x.mapping.get(Mark()) if hasattr(x, "mapping") else None
    if held is None:
        return x
    what = "values" if isinstance(x, ValuesView) else "keys"
    return Entries(x.mapping, "items" if isinstance(x, ItemsView) else what)


views.append(_view)


def refusal(use: str) -> ConversionError:
    """Of a method, or an operator like `|=`."""
    what = f".{use}() of" if use.isidentifier() else f"{use} on"
    return ConversionError(
        f"{what} a dict or set whose keys are known only when the function runs is no part of a "
        f"graph, at {here()}; go over its items instead ('for k, v in d.items()', 'sorted(s)')"
    )


def act(owner: Any, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Call the method `name`."""
    methods = METHODS[set if isinstance(owner, set) else dict]
    if name not in methods:
        raise refusal(name)
    return methods[name](owner, *args, **kwargs)


def made(empty: Any, items: Iterable[Any]) -> Any:
    """A dict or set of `items`, of the class of `empty`."""
    return of_class(empty, extended(Table.of(empty), items))


METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    dict: {
        "__contains__": contains,
        "clear": clear,
        "copy": copy,
        "get": get,
        "items": lambda d: Entries(d, "items"),
        "keys": lambda d: Entries(d, "keys"),
        "pop": pop,
        "popitem": pop_item,
        "setdefault": set_default,
        "update": update,
        "values": lambda d: Entries(d, "values"),
    },
    set: {
        "__contains__": contains,
        "add": add,
        "clear": clear,
        "copy": copy,
        "discard": lambda s, key: _discard(s, key, False),
        "remove": lambda s, key: _discard(s, key, True),
        "update": update,
    },
}
