"""Kinds that hold what two paths give where it does not fit as it is: the visible list.

Two paths are the branches of an `if`, or the start of a loop and the end of one iteration. A kind
is asked once values, dtypes and structures can't be matched one by one. It makes an object of the
protocol `__tl_flatten__` of each side, and the two are then matched part by part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..changes.contents import SetItems
from ..values.inside import staged_in
from ..values.list_items import Item, item_of, joined_item
from ..values.optional import Maybe, Optional, Source
from ..values.staged_list import StagedList
from ..values.state import is_number, is_number_member, is_tensor
from ..values.tables import DICTS, Table, like, of_class
from ..values.undefined import Undefined, is_disagreement
from .choice import Choice


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to bring two values together.

    applies(a, b)                   both can be of this kind, and are not yet
    widen(value, other, source)     `value` as one of this kind, made in the current graph. `other`
                                    is what the other path gives: a pattern only, its tensors may
                                    belong to another graph; None where it is not known
    relaxed                         asked in relaxed functions only
    """

    name: str
    applies: Callable[[Any, Any], bool]
    widen: Callable[[Any, Any, Source], Any]
    relaxed: bool = False


def _may_be_none(a: Any, b: Any) -> bool:
    lacks = a is None or b is None or isinstance(a, Optional) or isinstance(b, Optional)
    defined = not isinstance(a, (Undefined, Maybe)) and not isinstance(b, (Undefined, Maybe))
    return lacks and defined and type(a) is not type(b)


def _may_be_undefined(a: Any, b: Any) -> bool:
    kinds = (Undefined, Maybe)
    lacks = isinstance(a, kinds) or isinstance(b, kinds)
    return lacks and type(a) is not type(b) and not (is_disagreement(a) or is_disagreement(b))


def _may_be_staged(a: Any, b: Any) -> bool:
    """True for two lists that can be made `StagedList`s and that do not fit as they are."""
    if not (isinstance(a, (list, StagedList)) and isinstance(b, (list, StagedList))):
        return False
    first, second = staged_in(a), staged_in(b)
    if first is not None and second is not None:
        alike = type(a) is type(b) and not (_is_joined(a) or _is_joined(b))
        return not alike or first.__tl_structure__ != second.__tl_structure__
    return first is not None or second is not None or len(a) != len(b)


def _is_joined(x: Any) -> bool:
    """True for what Python made of several lists, by `+`."""
    return isinstance(x, list) and list.__len__(x) > 1


def _as_staged(value: Any, other: Any, source: Source) -> StagedList:
    """`value` as a StagedList that holds the items of `other`, too."""
    return StagedList.of(value, None if other is None else _common_item(other))


def _may_be_table(a: Any, b: Any) -> bool:
    """True for two dicts with other keys, and for what two sets hold, that can be `Table`s."""
    if isinstance(a, (SetItems, Table)) and isinstance(b, (SetItems, Table)):
        if isinstance(a, Table) and isinstance(b, Table):
            return a.__tl_structure__ != b.__tl_structure__
        return (type(a) is not type(b) or a != b) and like(a, b) is not None
    dicts = type(a) is type(b) and type(a) in DICTS
    return dicts and list(a) != list(b) and like(a, b) is not None


def _as_table(value: Any, other: Any, source: Source) -> Any:
    found = None if other is None else like(value, other)
    table: Table = Table.of(value)
    table = table if found is None else table.covering(found)
    return of_class(value, table) if isinstance(value, dict) else table


def _may_be_number(a: Any, b: Any) -> bool:
    """True for a member of an enum that is a number, and a number that is no member."""
    numbers = [is_number(v) or (is_tensor(v) and type(v) is not Choice) for v in (a, b)]
    members = [all(map(is_number_member, _options(v))) for v in (a, b)]
    return (numbers[0] and members[1]) or (members[0] and numbers[1])


def _as_number(value: Any, other: Any, source: Source) -> Any:
    if type(value) is Choice:
        return value.tl_number()
    return value._value_ if is_number_member(value) else value


def _options(value: Any) -> Sequence[Any]:
    return value.tl_options if type(value) is Choice else (value,)


def _common_item(values: Any) -> Item | None:
    known = staged_in(values)
    item: Item | None = None if known is None else known.item
    if known is not None:
        return item
    for value in values:
        item = joined_item(item, replace(item_of(value)[0], origins=None))
    return item


PERHAPS_UNDEFINED = Kind("perhaps undefined", _may_be_undefined, Maybe.of, relaxed=True)
PERHAPS_NONE = Kind("perhaps None", _may_be_none, Optional.of)
LIST = Kind("list of unknown length", _may_be_staged, _as_staged)
TABLE = Kind("dict of unknown keys", _may_be_table, _as_table)
NUMBER = Kind("number", _may_be_number, _as_number)
CHOICE = Kind("one of several objects", Choice.applies, Choice.of)
KINDS: list[Kind] = [PERHAPS_UNDEFINED, PERHAPS_NONE, LIST, TABLE, NUMBER, CHOICE]


def kind_of(value: Optional) -> Kind:
    """The kind that an optional value is of."""
    return PERHAPS_UNDEFINED if isinstance(value, Maybe) else PERHAPS_NONE


def widening(a: Any, b: Any, relaxed: bool = False) -> Kind | None:
    """The first kind that holds both; None if there is none."""
    for kind in KINDS:
        asked = relaxed or not kind.relaxed or Maybe in (type(a), type(b))
        if asked and kind.applies(a, b):
            return kind
    return None
