"""Texts that are made of values: f-strings, `str(x)`, `"...".format(x)`, `", ".join(...)`.

Where a value is symbolic the text is a `Text`, which the run makes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from treadle.graph import Value
from treadle.graph.build import convert, is_tracing
from treadle.graph.dtypes import bool_
from treadle.graph.errors import OperatorNotAllowedInGraphError
from treadle.graph.location import describe, user_location
from treadle.graph.ops.formatting import Text, text
from treadle.graph.symbolic_text import symbolic_text

from ..control.choice import Choice, choice_as_tensor, operate
from ..control.conditionals import if_exp
from ..control.operations import Operations
from ..policy import replaced
from ..values.optional import Maybe, Optional, settled, showing, taken
from . import texts
from .collecting import listed


def text_method(method: Any) -> Callable[..., Any]:
    """What to call instead of the method of a Python text."""
    if not is_tracing():
        return method  # type: ignore[no-any-return]
    if method.__name__ == "format":
        return lambda *args, **kwargs: text(lambda: method(*args, **kwargs))

    def act(*args: Any, **kwargs: Any) -> Any:
        given = (
            [listed(choice_as_tensor(args[0]))]
            if method.__name__ == "join" and len(args) == 1
            else args
        )
        if any(map(texts.depends_on_run, [*given, *kwargs.values()])):
            return texts.call_method(method.__name__, method.__self__, *given, **kwargs)
        return method(*given, **kwargs)

    return act


_DIRECTIVE = re.compile(r"%(?:\((.*?)\))?([-#0 +]*)(\d*)((?:\.\d+)?)([a-zA-Z%])")


def percent(left: Any, right: Any) -> Any:
    """`left % right`"""
    if type(left) is not str or not is_tracing():
        return left % right
    held = right.values() if isinstance(right, dict) else right
    values = list(held) if isinstance(right, (tuple, dict)) else [right]
    if not any(map(_is_symbolic, values)):
        return text(lambda: left % right)
    return text(lambda: _filled(left, right, values))


def _is_symbolic(x: Any) -> bool:
    """True for a value whose text only the run knows."""
    if isinstance(x, (Value, Text)) or type(x) is Choice:
        return True
    return not isinstance(x, (str, int, float)) and isinstance(text(lambda: str(x)), Text)


def _filled(template: str, right: Any, values: list[Any]) -> str:
    """`template % right` where some of the values are symbolic."""
    found = list(_DIRECTIVE.finditer(template))
    count = sum(m[5] != "%" for m in found)
    named = isinstance(right, dict)
    if "*" in template:
        raise _refusal("*")
    if not named and count != len(values):
        refused: str = template % right
        return refused
    made, at, rest = "", 0, iter(values)
    for m in found:
        made += template[at : m.start()]
        at = m.end()
        value = right[m[1]] if named and m[1] else right if named else None
        value = value if named or m[5] == "%" else next(rest)
        plain = m[0] if m[1] is None else m[0].replace(f"({m[1]})", "", 1)
        symbolic = m[5] != "%" and _is_symbolic(value)
        made += _formatted(value, m) if symbolic else plain % (value,)[: m[5] != "%"]
    return made + template[at:]


def _formatted(value: Any, directive: re.Match[str]) -> str:
    """The text of a symbolic value, as `format` makes it."""
    _, flags, width, precision, kind = directive.groups()
    left = "-" in flags
    if kind in "sra":
        if not (width or precision) and kind != "a":
            return str(value) if kind == "s" else repr(value)
        shown = text(lambda: str(value) if kind == "s" else repr(value))
        return format(convert(shown), f"{'<' if left else '>'}{width}{precision}")
    whole = kind in "diuxXo" and isinstance(value, Value) and value.dtype.is_integer
    if whole or kind in "feFEgG":
        signs = "".join(f for f in "+ #" if f in flags)[:1]
        zeros = "0" if "0" in flags and not left else ""
        form = "d" if kind in "iu" else kind
        side = "<" if left else "" if zeros else ">"
        return format(value, f"{side}{signs}{zeros}{width}{precision}{form}")
    raise _refusal(directive[0])


def _refusal(part: str) -> OperatorNotAllowedInGraphError:
    return OperatorNotAllowedInGraphError(
        f"'{part}' in the text that is filled in by '%' at {describe(user_location(3))} needs the "
        "value of a tensor, which only the run knows; use '%s', or '%d' of an int"
    )


def str_(*args: Any, **kwargs: Any) -> Any:
    """`str(x)`."""
    if len(args) != 1 or kwargs:
        return str(*args, **kwargs)
    x = settled(args[0])
    if type(x) is Choice:
        return operate(str_, x)
    return x if texts.is_of_run(x) else text(lambda: str(x))


def repr_(x: Any) -> Any:
    """`repr(x)`."""
    x = settled(x)
    return operate(repr_, x) if type(x) is Choice else text(lambda: repr(x))


def format_(value: Any, spec: Any = "", /) -> Any:
    """`format(value, spec)`."""
    value = settled(value)
    if type(value) is Choice:
        return operate(lambda one: format_(one, spec), value)
    return text(lambda: format(value, spec))


def _in_base(own: Callable[[Any], str], form: str) -> Callable[[Any], Any]:
    """`hex(x)` and the like."""

    def call(x: Any, /) -> Any:
        whole = isinstance(x, Value) and (x.dtype.is_integer or x.dtype is bool_)
        return text(lambda: format(x, form)) if whole else own(x)

    return call


def _show(choice: Choice, make: Callable[[Any], Any]) -> str:
    """`make(option)` for the one that it is, a mark."""
    with symbolic_text(False):
        made = convert(operate(lambda option: text(lambda: make(option)), choice))
    return str(made)


def _show_optional(x: Optional, make: Callable[[Any], str]) -> str:
    """`make` of the value or of None, a mark."""
    known = taken(x) if isinstance(x, Maybe) else settled(x)
    if not isinstance(known, Optional):
        return make(known)
    with symbolic_text(False):
        made = if_exp(x._present, lambda: text(lambda: make(taken(x))), lambda: make(None))
    return str(convert(made))


Operations.show = _show
showing[:] = [_show_optional]
replaced[format] = format_
replaced.update({f: _in_base(f, form) for f, form in ((hex, "#x"), (oct, "#o"), (bin, "#b"))})

__all__ = ["percent", "repr_", "str_", "text", "text_method"]
