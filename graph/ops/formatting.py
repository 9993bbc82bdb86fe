"""Texts with values in them, which the run fills in: what `f"{x:.2f}"` is while tracing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..build import apply, eager_constant, is_tracing
from ..convert import Array
from ..dtypes import string
from ..errors import OperatorNotAllowedInGraphError
from ..location import describe, user_location
from ..node import Tensor
from ..op import Op, loops_over_batches, no_gradient
from ..spec import TensorSpec
from ..symbolic_text import Part, has_marks, is_active, python_value, split, symbolic_text
from ..symbolic_text import mark as marked
from ..weak import mark
from .comparison import equal, not_equal
from .define import primitive


def _evaluate(xp: Any, *arrays: Array, texts: tuple[str, ...], formats: tuple[str, ...]) -> Array:
    made = [_filled(a, f) for a, f in zip(arrays, formats, strict=True)]
    whole = "".join(t + m for t, m in zip(texts, [*made, ""], strict=True))
    return np.array(whole.encode(), object)


def _filled(array: Array, how: str) -> str:
    """The text of a value; `how` is `s` or `r`, or `f` and a format, after `n` if it is one of
    Python's.
    """
    value: Any = eager_constant(np.asarray(array))
    if how[0] == "n":
        how = how[1:]
        value = python_value(value)
    if how[0] == "f":
        return format(value, how[1:])
    return repr(value) if how == "r" else str(value)


FORMAT: Op = primitive(
    "format_text",
    lambda *specs, texts, formats: TensorSpec((), string),
    _evaluate,
    no_gradient,
)


class Text(str):
    """A text with symbolic tensors in it. By itself it reads as while tracing; `tl.print`, ops and
    what is returned get what the run makes of it.
    """

    marked: str

    @staticmethod
    def of(marked: str) -> Text:
        made = Text("".join(p if isinstance(p, str) else p.symbolic() for p in split(marked)))
        made.marked = marked
        return made

    def tensors(self) -> list[Tensor]:
        """The tensors in it."""
        return [p.value for p in split(self.marked) if isinstance(p, Part)]

    def __tl_tensor__(self) -> Tensor:
        texts, tensors, formats = [""], [], []
        for piece in split(self.marked):
            if isinstance(piece, str):
                texts[-1] += piece
            else:
                texts.append("")
                tensors.append(piece.value)
                formats.append(_how(piece))
        attrs = {"texts": tuple(texts), "formats": tuple(formats)}
        found: Tensor = mark(apply(FORMAT, tensors, attrs))
        return found

    def __str__(self) -> str:
        return self.marked if is_active() else str.__str__(self)

    def __repr__(self) -> str:
        return marked(self.__tl_tensor__(), repr) or str.__repr__(self)

    def __format__(self, spec: str) -> str:
        if is_active():
            return format(self.__tl_tensor__(), spec) if spec else self.marked
        return super().__format__(spec)

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, str):
            return self.__tl_tensor__() + other
        return Text.of(self.marked + getattr(other, "marked", other))

    def __radd__(self, other: Any) -> Any:
        return Text.of(other + self.marked) if type(other) is str else NotImplemented

    def __eq__(self, other: object) -> Any:
        return equal(self.__tl_tensor__(), other) if isinstance(other, (str, Tensor)) else False

    def __ne__(self, other: object) -> Any:
        return not_equal(self.__tl_tensor__(), other) if isinstance(other, (str, Tensor)) else True

    __hash__ = str.__hash__


def _how(part: Part) -> str:
    how = ("r" if part.make is repr else "s") if part.spec is None else f"f{part.spec}"
    return "n" + how if part.is_python else how


def _refused(name: str) -> Callable[..., Any]:
    def method(self: Text, *args: Any, **kwargs: Any) -> Any:
        raise OperatorNotAllowedInGraphError(
            f"'{name}' of a text is asked for at {describe(user_location(2))}, while tracing, but "
            "the text has tensors in it whose values only the run knows. Use tl.strings"
        )

    return method


def _of_tensor(name: str) -> Callable[..., Any]:
    """The method of what the run makes of a text."""
    return lambda self, *args, **kwargs: getattr(self.__tl_tensor__(), name)(*args, **kwargs)


_REFUSED = ("__len__", "__contains__", "__iter__", "index", "maketrans")
for _name in _REFUSED:
    setattr(Text, _name, _refused(_name))
_OPERATORS = (
    *("__getitem__", "__mul__", "__rmul__", "__mod__"),
    *("__lt__", "__le__", "__gt__", "__ge__"),
)
_METHODS = [name for name in vars(str) if not (name.startswith("_") or name in _REFUSED)]
for _name in (*_OPERATORS, *_METHODS):
    setattr(Text, _name, _of_tensor(_name))


def text(make: Callable[[], Any]) -> Any:
    """What `make()` gives; a text in which symbolic tensors are written stands for the run's."""
    if not is_tracing():
        return make()
    with symbolic_text():
        made = make()
    return Text.of(made) if type(made) is str and has_marks(made) else made


# --- of a batch of examples ----------------------------------------------------------

loops_over_batches(FORMAT)
