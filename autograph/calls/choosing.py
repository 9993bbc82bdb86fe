"""What is done with one of several objects that a tensor chose: a path for each of them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from types import BuiltinFunctionType
from typing import Any

from treadle.graph import Value, weak
from treadle.graph.build import convert
from treadle.graph.dtypes import int32
from treadle.graph.location import user_location

from .. import policy
from ..changes import aliases, journal
from ..changes.aliases import View, depending_on, snapshot, view_of
from ..changes.contents import put_items
from ..control.choice import Choice, operate, picked
from ..control.conditionals import Branches, if_exp
from ..control.exceptions import PathEndsError, stage
from ..control.operations import Operations
from ..control.options import VALUES
from ..values import optional
from ..values.optional import Optional, settled
from ..values.place import user_line
from ..values.snapshots import refuse_question
from ..values.staged_list import StagedList
from ..values.truth import not_
from .changing import changing, property_of
from .indexing import items

_KNOWN_SIZES = (str, bytes, int, float, bool, type(None))
Convert = Callable[..., Any]
_convert: list[Convert] = []


def convert_with(convert: Convert) -> None:
    """Let `convert` find what to call instead of a function; `calls.py` needs this module, too."""
    _convert[:] = [convert]


def select(choice: Choice, act: Callable[[Any], Any], relaxed: bool = False) -> Any:
    """`act(option)` for the option that it is, on paths of their own."""
    index, options = choice.tl_index, choice.tl_options
    if isinstance(index, int):
        return act(options[index])
    return _among(convert(index, int32), options, act, 0, (user_line(), relaxed))


def _among(
    index: Any, options: Any, act: Callable[[Any], Any], first: int, where: tuple[str, bool]
) -> Any:
    """`select` for the `options`, whose numbers begin with `first`.

    No function here refers to itself: the journal counts references, also those of cycles.
    """
    if len(options) == 1:
        return act(options[0])
    half = len(options) // 2
    line, relaxed = where
    branches = Branches(
        lambda: _among(index, options[:half], act, first, where),
        lambda: _among(index, options[half:], act, first + half, where),
        *((), None, None, line),
        relaxed=relaxed,
    )
    return branches.emit(index < first + half, ())


def call_chosen(relaxed: bool, choice: Choice, /, *args: Any, **kwargs: Any) -> Any:
    """Call the option that a tensor chooses."""
    given = [*args, *kwargs.values()]
    texts = all(
        type(o) is BuiltinFunctionType and type(o.__self__) in VALUES for o in choice.tl_options
    )
    if texts and all(type(v) in (*_KNOWN_SIZES, Choice) for v in given):
        return operate(lambda option, *a: option(*a, **kwargs), choice, *args, plain=True)
    return select(choice, lambda o: _convert[0](o, relaxed)(*args, **kwargs), relaxed)


def read(option: Any, name: str) -> Any:
    """`option.name`"""
    found = property_of(option, name)
    if found is not None and policy.may_need_conversion(found.fget):
        return _convert[0](found.fget, False)(option)
    return getattr(option, name)


def assign(option: Any, name: str, value: Any) -> None:
    """`option.name = value`"""
    setattr(changing(option), name, value)


def item(option: Any, key: Any) -> Any:
    """`option[key]`"""
    return items(option)[key]


def set_item(option: Any, key: Any, value: Any) -> None:
    """`option[key] = value`"""
    changing(option)[key] = value


def del_item(option: Any, key: Any) -> None:
    """`del option[key]`"""
    del changing(option)[key]


def ended(error: BaseException) -> Any:
    """This path of a branch raises `error` in the run."""
    stage(error, user_location(2))
    raise PathEndsError


def change(owner: Any, act: Callable[[Any], Any]) -> Any:
    """Do `act(owner)`, which changes a list or dict, where it is one that a tensor chose, or such
    ones are known.
    """
    changed: list[Any] = []
    result = _change(owner, act, changed)
    for view in depending_on(changed):
        items = _of_view(view, snapshot)
        journal.touch(view.target)
        put_items(view.target, items)
    return result


def _change(owner: Any, act: Callable[[Any], Any], changed: list[Any]) -> Any:
    view = view_of(owner)
    if view is None:
        changed.append(owner)
        journal.touch(owner)
        return act(owner)
    if not view.is_known:
        view.refuse()
    return _of_view(view, lambda o: _change(o, act, changed))


def _of_view(view: View, act: Callable[[Any], Any]) -> Any:
    if isinstance(view.index, int):
        return act(view.options[view.index])
    where = user_line(), False
    return _among(convert(view.index, int32), view.options, act, 0, where)


def is_(value: Any, other: Any) -> Any:
    """`value is other`, also for lists and dicts of which a tensor chose one."""
    if value is not other:
        for one, another in ((value, other), (other, value)):
            view = aliases.known_view(one) if aliases.is_container(one) else None
            if view is not None and view.is_known:
                same = [is_(option, another) for option in view.options]
                return picked(view.index, same, view.source)
            refuse_question(one, partial(operator.is_, another))
    return optional.is_(value, other)


def is_not(value: Any, other: Any) -> Any:
    """`value is not other`"""
    return not_(is_(value, other))


def isinstance_(x: Any, kinds: Any) -> Any:
    """`isinstance(x, kinds)`"""
    kind = type(x)
    if kind is Choice:
        return x.tl_pick([isinstance(o, kinds) for o in x.tl_options])
    if issubclass(kind, Optional):
        return _is_optional_of(x, kinds)
    if kind is Value and weak.is_python(x):
        return isinstance(weak.SAMPLES[x.dtype.kind], kinds)
    if kind is StagedList:
        return isinstance([], kinds)
    refuse_question(x, lambda y: isinstance(y, kinds))
    return isinstance(x, kinds)


def _is_optional_of(x: Any, kinds: Any) -> Any:
    """`isinstance(x, kinds)` for what may be None."""
    known = settled(x)
    if not isinstance(known, Optional):
        return isinstance_(known, kinds)
    present, value = x.__tl_flatten__()[0]
    inner, none = isinstance_(value, kinds), isinstance(None, kinds)
    if inner is none:
        return none
    return if_exp(present, lambda: inner, lambda: none)


aliases.Operations.change = change
Operations.select = select
Operations.read = read
Operations.assign = assign
Operations.changing = changing
Operations.item = item
Operations.set_item = set_item
Operations.del_item = del_item
Operations.ended = ended
Operations.call = lambda option: _convert[0](option, False)

__all__ = ["call_chosen", "change", "is_", "is_not", "isinstance_", "operate", "select"]
