"""Texts of Python's that only the run knows: their methods and operators, by Python's own rules.

A text that a loop builds is a scalar of dtype string in the graph (see `weak.py`). Its methods
count characters and know Unicode, as those of `str` do and the ops of `strings.py` do not.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..build import apply, convert
from ..convert import Array
from ..dtypes import bool_, float64, int32, int64, string
from ..errors import OperatorNotAllowedInGraphError
from ..location import describe, user_location
from ..node import Tensor
from ..op import Op, loops_over_batches, no_gradient
from ..spec import TensorSpec
from ..weak import is_python, mark
from .define import primitive

_OPERATORS: dict[str, Callable[..., Any]] = {
    "[]": operator.getitem,
    "[:]": lambda text, *bounds: text[slice(*bounds)],
    "*": operator.mul,
    "in": operator.contains,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "len": len,
    "ord": ord,
    "chr": chr,
    "list": list,
    "int": int,
    "float": float,
}
_LIST = ("split", "rsplit", "splitlines", "partition", "rpartition", "list")
_TRUTH = (
    *("startswith", "endswith", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit"),
    *("isidentifier", "islower", "isnumeric", "isprintable", "isspace", "istitle", "isupper"),
    *("in", "<", "<=", ">", ">="),
)
_NUMBER = ("count", "find", "index", "rfind", "rindex", "len", "ord")
_TEXT = (
    *("capitalize", "casefold", "center", "expandtabs", "join", "ljust", "lower", "lstrip"),
    *("removeprefix", "removesuffix", "replace", "rjust", "rstrip", "strip", "swapcase", "title"),
    *("upper", "zfill", "[]", "[:]", "*", "chr"),
)
_SCALAR = TensorSpec((), string)
_SPECS = {
    **dict.fromkeys(_LIST, TensorSpec([None], string)),
    **dict.fromkeys(_TRUTH, TensorSpec((), bool_)),
    **dict.fromkeys(_NUMBER, TensorSpec((), int32)),
    **dict.fromkeys(_TEXT, _SCALAR),
    "int": TensorSpec((), int64),
    "float": TensorSpec((), float64),
}
# What a method may raise for some text; and, besides, for some argument.
_RAISES: dict[str, tuple[type[BaseException], ...]] = {
    "index": (ValueError,),
    "rindex": (ValueError,),
    "[]": (IndexError,),
    "ord": (TypeError,),
    "chr": (ValueError, OverflowError),
    "int": (ValueError, OverflowError),
    "float": (ValueError,),
}
_RAISES_FOR: dict[str, tuple[type[BaseException], ...]] = {
    **dict.fromkeys(("split", "rsplit", "partition", "rpartition", "[:]", "int"), (ValueError,)),
    **dict.fromkeys(("center", "ljust", "rjust"), (TypeError,)),
}
METHODS = frozenset(name for name in _SPECS if hasattr(str, name))


def errors_of_method(method: str) -> tuple[type[BaseException], ...]:
    """The classes of what it may raise in a run."""
    return tuple(dict.fromkeys((*_RAISES.get(method, ()), *_RAISES_FOR.get(method, ()))))


def _call(method: str, values: list[Any]) -> Any:
    return (_OPERATORS.get(method) or getattr(str, method))(*values)


def _decoded(value: Any) -> Any:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _arguments(given: list[Any], args: tuple[Any, ...], places: tuple[int, ...]) -> list[Any]:
    """`args` with what is `given` at `places`."""
    found = list(args)
    for place, value in zip(places, given, strict=True):
        found[place] = value
    return found


def _evaluate(
    xp: Any, *arrays: Array, method: str, args: tuple[Any, ...], places: tuple[int, ...]
) -> Array:
    items = [np.asarray(a).tolist() for a in arrays]
    given = [[_decoded(v) for v in i] if isinstance(i, list) else _decoded(i) for i in items]
    made = _call(method, _arguments(given, args, places))
    spec = _SPECS[method]
    if spec.dtype is not string:
        return np.array(made, spec.dtype.numpy)
    if isinstance(made, str):
        return np.array(made.encode("utf-8", "surrogateescape"), object)
    out = np.empty(len(made), object)
    out[:] = [part.encode("utf-8", "surrogateescape") for part in made]
    return out


def _may_raise(*values: Tensor, method: str, args: Any, places: Any) -> bool:
    return method in _RAISES or (len(values) > 1 and method in _RAISES_FOR)


_METHOD: Op = primitive(
    "text_method",
    lambda *specs, method, args, places: _SPECS[method],
    _evaluate,
    no_gradient,
    checks=_may_raise,
)


def is_text(x: Any) -> bool:
    """True for a symbolic scalar that stands for a text of Python."""
    return is_python(x) and x.dtype is string and x.shape.rank == 0


def is_symbolic(x: Any) -> bool:
    return isinstance(x, Tensor) or hasattr(type(x), "__tl_tensor__")


def text_method(method: str, *args: Any) -> Any:
    """A method of `str`, or an operator, of a text and other arguments; some are symbolic."""
    places = tuple([i for i, a in enumerate(args) if is_symbolic(a)])
    tensors = [convert(args[i]) if not is_python(args[i]) else args[i] for i in places]
    known = tuple([None if i in places else _known(a, method) for i, a in enumerate(args)])
    try:
        _call(method, _arguments([_sample(t) for t in tensors], known, places))
    except _RAISES.get(method, ()):
        pass
    made = apply(_METHOD, tensors, {"method": method, "args": known, "places": places})
    return made if made.shape.rank else mark(made)


def _known(value: Any, method: str) -> Any:
    """A value as an attribute of the op."""
    if isinstance(value, tuple) and any(map(is_symbolic, value)):
        raise OperatorNotAllowedInGraphError(
            f"'{method}' of a text gets a tuple at {describe(user_location(2))}, in which a text "
            "depends on a tensor; ask for each of them ('a or b')"
        )
    if hasattr(value, "__index__") and not isinstance(value, bool):
        return operator.index(value)
    return str(value) if isinstance(value, str) else value


def _sample(x: Tensor) -> Any:
    """A value like that of a tensor, of which Python tells whether it is of the right type."""
    if x.dtype is string:
        return ["a"] if x.shape.rank else "a"
    one: Any = np.ones((), x.dtype.numpy).item()
    return one


def characters(text: Any) -> Tensor:
    """The characters of a text, a vector that stands for texts of Python."""
    found: Tensor = mark(text_method("list", text))
    return found


def text_item(text: Any, key: Any) -> Any:
    """`text[key]`"""
    if isinstance(key, slice):
        return text_method("[:]", text, key.start, key.stop, key.step)
    return text_method("[]", text, key)


# --- of a batch of examples ----------------------------------------------------------

loops_over_batches(_METHOD)
