"""`raise` in code whose running depends on a tensor: the exception is raised when the graph runs.

While tracing, Python raises it as ever, and a handler in the same branch catches it as ever. What
gets to the edge of the branch becomes a node there, and the path of the branch has no end.
"""

from __future__ import annotations

import dis
import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from treadle.graph.build import GraphBuilder, current, is_tracing
from treadle.graph.effects import node_effects
from treadle.graph.errors import ConversionError, OpError
from treadle.graph.location import Loc, describe, is_internal, user_location
from treadle.graph.op import READ
from treadle.graph.ops.raising import CAUGHT, RAISED_AT, Recipe, raise_, with_texts, without_slot
from treadle.graph.symbolic_text import symbolic_text
from treadle.graph.trying import raise_again

from .. import policy
from ..values.class_names import names_one
from ..values.optional import taken
from ..values.stand_ins import known_of
from .operations import Operations

_AUTOGRAPH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_RAISE = dis.opmap["RAISE_VARARGS"]


class PathEndsError(BaseException):
    """Control flow of the tracer: no path leads on from here, each one raises in the run."""


def new_error(make: Callable[[], Any]) -> Any:
    """What a `raise` statement raises, with marks in its text for symbolic tensors."""
    if not is_tracing():
        return make()
    with symbolic_text():
        made = make()
    return raised(with_texts(made))


def raised(error: Any) -> Any:
    """What is raised: `error`, or each one that it may stand for on a path of its own."""
    error = taken(error)
    if hasattr(type(error), "__tl_chosen__"):
        return Operations.select(error, functools.partial(_raise_option, user_location(2)))
    return error


def _raise_option(place: Loc | None, option: Any) -> Any:
    error = option() if isinstance(option, type) else without_slot(option)
    vars(error)[RAISED_AT] = place
    raise error


@contextmanager
def location(loc: Loc | None) -> Iterator[None]:
    """Nodes that are made inside are of this place."""
    builder = current()
    assert isinstance(builder, GraphBuilder)
    before, builder.loc = builder.loc, loc or builder.loc
    try:
        yield
    finally:
        builder.loc = before


def place_of_raise(error: BaseException) -> Loc | None:
    """The `raise` (or `assert`) statement of the user's that raised `error`; None for errors that
    come from elsewhere: these are about the trace.
    """
    return _place_in_traceback(error) or vars(error).get(RAISED_AT)


def _place_in_traceback(error: BaseException) -> Loc | None:
    tb = error.__traceback__
    last: TracebackType | None = None
    while tb is not None:
        if tb.tb_frame.f_code.co_name == "assert_stmt" and last is not None:
            break
        last, tb = tb, tb.tb_next
    if last is None:
        return None
    code = last.tb_frame.f_code
    if is_internal(code.co_filename) or policy.is_library_file(code.co_filename):
        return None
    if tb is None and not _raises(last):
        return None
    return Loc(code, last.tb_lasti)


_OF_PYTHON = (ArithmeticError, AttributeError, LookupError, NameError, OSError, StopIteration,
              TypeError, ValueError)  # fmt: skip


def is_caught() -> bool:
    """True in the body of a `try` in a trace."""
    builder = current()
    watch = builder.watched_by() if isinstance(builder, GraphBuilder) else None
    return watch is not None and bool(getattr(watch, "catches", True))


def place_of_error(error: BaseException) -> Loc | None:
    """The place in the user's code where Python, or an op in a `try`, has found an error that
    eager code would have, too; None for others.
    """
    if isinstance(error, OpError):
        return user_place(error) if is_caught() else None
    if type(error).__module__ != "builtins" or not isinstance(error, _OF_PYTHON):
        return None
    return None if is_of_stand_in(error) else user_place(error)


def is_of_stand_in(error: BaseException) -> bool:
    """True for what Python raises where it gets what stands for a value that only the run knows."""
    if type(error) not in (AttributeError, TypeError):
        return False
    return place_of_raise(error) is None and not _is_ours(error) and names_one(str(error))


def _is_ours(error: BaseException) -> bool:
    """True for what code of ours has raised, which says what it means."""
    tb = error.__traceback__
    while tb is not None and tb.tb_next is not None:
        tb = tb.tb_next
    return tb is not None and is_internal(tb.tb_frame.f_code.co_filename) and _raises(tb)


def _raises(tb: TracebackType) -> bool:
    """True for a `raise` statement."""
    return tb.tb_frame.f_code.co_code[tb.tb_lasti] == _RAISE


def refusal(error: BaseException) -> ConversionError:
    """What to say of such an error, which the program itself would not raise."""
    return ConversionError(
        "Python's own code can't work with what only the run knows, at "
        f"{describe(_last_of(error))}: {error}. Use the functions of tl, do it on each path of an "
        "`if`, or in tl.py_function"
    )


def _last_of(error: BaseException) -> Loc | None:
    """The last line of the user's on the way to an error."""
    found: Loc | None = None
    tb = error.__traceback__
    while tb is not None:
        code = tb.tb_frame.f_code
        if not (is_internal(code.co_filename) or policy.is_library_file(code.co_filename)):
            found = Loc(code, tb.tb_lasti)
        tb = tb.tb_next
    return found


def user_place(error: BaseException) -> Loc | None:
    """The user's line, if no other code than that of AutoGraph was at work below it."""
    found: Loc | None = None
    tb = error.__traceback__
    while tb is not None:
        code = tb.tb_frame.f_code
        if not is_internal(code.co_filename):
            found = None if policy.is_library_file(code.co_filename) else Loc(code, tb.tb_lasti)
        elif not isinstance(error, OpError) and not code.co_filename.startswith(_AUTOGRAPH):
            found = None
        tb = tb.tb_next
    return found


def stage_at_top(error: BaseException) -> bool:
    """Leave an exception that ends a whole trace to the run, if that is what eager code does.

    False where it may as well be raised now: nothing happens before it, and no tensor is in it.
    """
    place = place_of_raise(error)
    builder = current()
    if place is None or not isinstance(builder, GraphBuilder):
        return False
    acts = any(e != READ for node in builder.nodes for e, _ in node_effects(node))
    if not (acts or Recipe(error).tensors):
        return False
    stage(error, place)
    return True


def stage(error: BaseException, place: Loc | None) -> None:
    """Raise an exception like `error` when the current graph runs to this point."""
    with location(place):
        if CAUGHT in vars(error):
            raise_again(vars(error)[CAUGHT], known_of(error))
        else:
            raise_(error)
    known: BaseException | None = error
    while known is not None:
        if known.__traceback__ is not None:
            vars(known)[RAISED_AT] = place_of_raise(known)  # a handler may raise it again
            known.__traceback__ = None  # it holds all frames of the trace
        known = known.__context__


_LEFT = "__tl_left__"


def is_about_the_trace(error: BaseException) -> bool:
    """True for an error that has left a branch, which only the run may take."""
    return _LEFT in vars(error)


@contextmanager
def ending(errors: bool = True) -> Iterator[None]:
    """A path of the current graph: what the user's code raises in it is raised in the run, and
    errors of Python and of ops, if `errors` says so.

    PathEndsError if it does.
    """
    try:
        yield
    except PathEndsError:
        raise
    except BaseException as error:
        place = place_of_raise(error) or (place_of_error(error) if errors else None)
        if place is None and CAUGHT not in vars(error):
            vars(error)[_LEFT] = True
            raise
        stage(error, place)
        raise PathEndsError from None
