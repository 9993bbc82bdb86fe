"""Where a converted statement stands: names and lines for messages."""

from __future__ import annotations

import dis
import inspect
import linecache
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

from treadle.graph.location import is_internal

Helper = Callable[..., Any]


def short(file: str, line: int) -> str:
    return f"{os.path.basename(file)}:{line}"


def line_of(helper: Helper) -> str:
    """`model.py:12`: the line of the statement that `helper` was made for."""
    code = _code_of(helper)
    return short(code.co_filename, code.co_firstlineno)


def leaves_by_return(helper: Helper) -> str:
    """The word of the compound statement that `helper` follows, or '' for a branch of an `if`.

    After a loop, `with` or `try` that a `return` may have left comes a branch on that.
    """
    code = _code_of(helper)
    words = linecache.getline(code.co_filename, code.co_firstlineno).split()
    word = words[0].rstrip(":") if words else ""
    return word if word in ("for", "while", "with", "try", "match") else ""


def names_of(helper: Helper, count: int, skip: int = 0) -> tuple[str, ...]:
    """The names of the state, which are those of the helper's parameters."""
    if hasattr(helper, "__tl_names__"):
        return tuple(helper.__tl_names__)
    return helper.__code__.co_varnames[skip : skip + count]


def _code_of(helper: Helper) -> CodeType:
    """The user's code, also where a function of ours stands before it."""
    code: CodeType | None = getattr(helper, "__tl_code__", None)
    return helper.__code__ if code is None else code


def assigned_in(code: CodeType, name: str, before: int | None = None) -> str:
    """`model.py:12`: where `code` assigns `name` last (before line `before`), or ''."""
    line = found = None
    for instruction in dis.get_instructions(code):
        positions = instruction.positions
        line = (positions.lineno if positions else None) or line
        if name in _stored(instruction) and line is not None and (before is None or line < before):
            found = line if found is None else max(found, line)
    return "" if found is None else short(code.co_filename, found)


def _stored(instruction: dis.Instruction) -> tuple[str, ...]:
    """The names that an instruction stores; from Python 3.13 on, one may store two."""
    if not instruction.opname.startswith("STORE_"):
        return ()
    names = instruction.argval if isinstance(instruction.argval, tuple) else (instruction.argval,)
    return names[:1] if instruction.opname == "STORE_FAST_LOAD_FAST" else names


_TRACER = "treadle.tracer."


def user_frame() -> FrameType | None:
    """The nearest frame of the user's code."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and is_internal(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def local_values() -> dict[str, Any]:
    """What the local names of the nearest frame of the user's code hold."""
    frame = user_frame()
    return {} if frame is None else _locals(frame)


def frames_of_user() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Of the frames of the user's code, the nearest one first: the function's name (branches and
    loops have that of the function that they are in), the local and the global names.
    """
    frame = user_frame()
    while frame is not None:
        if not is_internal(frame.f_code.co_filename):
            yield frame.f_code.co_qualname, _locals(frame), frame.f_globals
        frame = frame.f_back


def uses_names(*names: str) -> bool:
    """True if the user's code that is being traced mentions one of the `names`."""
    frame = user_frame()
    while frame is not None and not frame.f_globals.get("__name__", "").startswith(_TRACER):
        code = frame.f_code
        if not is_internal(code.co_filename) and not frozenset(names).isdisjoint(code.co_names):
            return True
        frame = frame.f_back
    return False


def _locals(frame: FrameType) -> dict[str, Any]:
    known: Any = frame.f_locals
    found = dict(known)
    if isinstance(known, dict) and frame.f_code.co_flags & inspect.CO_OPTIMIZED:
        known.clear()  # before Python 3.13 the frame keeps this copy, and with it all that is in it
    return found


def user_line() -> str:
    """`model.py:12`: the line of the user's code that is at work."""
    frame = user_frame()
    return "" if frame is None else short(frame.f_code.co_filename, frame.f_lineno)


@dataclass(frozen=True, slots=True)
class LoopSite:
    """A loop and the code around it."""

    body: Helper
    around: CodeType | None

    @property
    def line(self) -> str:
        return line_of(self.body)

    def before(self, name: str) -> str:
        """' (model.py:10)': where the name got its value before the loop."""
        if self.around is None:
            return ""
        where = assigned_in(self.around, name, self.body.__code__.co_firstlineno)
        return f" ({where})" if where else ""

    def inside(self, name: str) -> str:
        where = assigned_in(self.body.__code__, name)
        return f" ({where})" if where else f" ({self.line})"


def loop_site(body: Helper) -> LoopSite:
    frame = user_frame()
    return LoopSite(body, frame.f_code if frame is not None else None)
