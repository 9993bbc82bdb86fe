"""The namespace `ag` of converted code."""

from __future__ import annotations

import functools
import sys
from types import SimpleNamespace

from .calls.asking import class_of
from .calls.builtins import (
    all_,
    any_,
    bool_,
    divmod_,
    enumerate_,
    filter_,
    float_,
    in_,
    int_,
    len_,
    map_,
    not_in,
    reversed_,
    round_,
    sum_,
    zip_,
)
from .calls.calls import call, range_
from .calls.changing import assigning, changing, in_place
from .calls.choosing import is_, is_not, isinstance_
from .calls.collecting import dict_, list_, set_, starred, tuple_, unpacked
from .calls.counters import counter_method
from .calls.decorated import within
from .calls.formatting import percent, text
from .calls.heaps import OWN
from .calls.indexing import del_item, items, set_item, span
from .calls.iteration_tools import following_or, of_class, prod
from .calls.keys import counting, key
from .calls.list_searching import METHODS
from .calls.ordering import compared, max_, min_, sorted_
from .calls.sets import ALGEBRA
from .calls.table_methods import METHODS as TABLE_METHODS
from .calls.texts import searched
from .calls.unpacking import python_items, unpack
from .control import matching as pattern
from .control.asserting import assert_stmt
from .control.conditionals import if_exp, if_stmt
from .control.exceptions import new_error, raised
from .control.logic import and_, or_
from .control.matching import match_case
from .control.trying import paths
from .convert import NAMESPACE, RELAXED
from .iteration.advancing import first, next_
from .iteration.comprehensions import each, generator
from .iteration.generated import (
    Closed,
    consuming,
    has_enough,
    is_consuming,
    yielded,
    yielded_from,
)
from .iteration.loops import for_stmt, while_stmt
from .iteration.managed import with_stmt
from .iteration.streams import classes
from .policy import converted
from .values.optional import read
from .values.staged_list import searching
from .values.truth import not_
from .values.undefined import peek, undefined, unused

__all__ = [
    "Closed",
    "all_",
    "and_",
    "any_",
    "assert_stmt",
    "assigning",
    "bool_",
    "call",
    "changing",
    "class_of",
    "compared",
    "consuming",
    "del_item",
    "dict_",
    "divmod_",
    "each",
    "enumerate_",
    "filter_",
    "first",
    "float_",
    "for_stmt",
    "generator",
    "has_enough",
    "if_exp",
    "if_stmt",
    "in_",
    "in_place",
    "int_",
    "is_",
    "is_consuming",
    "is_not",
    "isinstance_",
    "items",
    "key",
    "len_",
    "list_",
    "map_",
    "match_case",
    "max_",
    "min_",
    "new_error",
    "next_",
    "not_",
    "not_in",
    "or_",
    "paths",
    "pattern",
    "peek",
    "percent",
    "python_items",
    "raised",
    "range_",
    "read",
    "reversed_",
    "round_",
    "searched",
    "set_",
    "set_item",
    "sorted_",
    "span",
    "starred",
    "sum_",
    "text",
    "tuple_",
    "undefined",
    "unpack",
    "unpacked",
    "unused",
    "while_stmt",
    "with_stmt",
    "yielded",
    "yielded_from",
    "zip_",
]

NAMESPACE.cell_contents = sys.modules[__name__]
searching.update(METHODS)
converted.update(function.__code__ for function in (*OWN, within, prod, following_or))
counting.append(counter_method)
TABLE_METHODS[set].update(ALGEBRA)
classes.append(of_class)

_HAVE_MODES = (and_, call, for_stmt, if_exp, if_stmt, or_, while_stmt, with_stmt)
RELAXED.cell_contents = SimpleNamespace(
    **{k: v for k, v in globals().items() if not k.startswith("_")}
    | {f.__name__: functools.partial(f, relaxed=True) for f in _HAVE_MODES}
)
