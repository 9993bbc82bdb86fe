"""Exceptions that handlers are traced with, where only the run will have the exception itself."""

from __future__ import annotations

from typing import Any

from treadle.graph import Value
from treadle.graph.errors import ConversionError
from treadle.graph.ops.raising import CAUGHT, Recipe
from treadle.graph.symbolic_text import mark
from treadle.graph.trying import raised_text


class RaisedInRun(Exception):  # noqa: N818
    """Stands for an exception of which only the run will tell more than its class."""

    def __str__(self) -> str:
        text = mark(raised_text(self.__dict__[CAUGHT]), _decoded)
        if text is None:
            raise self._refusal("what it says is")
        return text

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise self._refusal(f"its attribute '{name}' is")

    @staticmethod
    def _refusal(what: str) -> ConversionError:
        return ConversionError(
            f"an exception that an op or a called function raises in the run: {what} not known "
            "while the function is traced. Print it by tl.print(str(e)) or raise another one from "
            "it; of an exception that is raised in this function everything is known"
        )


def _decoded(value: Any) -> str:
    text: bytes = value.numpy()
    return text.decode()


def stand_in(kind: type[BaseException], slot: Value) -> BaseException:
    """An exception that is caught as one of class `kind` is."""
    made: Any = next((c for c in kind.__subclasses__() if c.__bases__ == (RaisedInRun, kind)), None)
    if made is None:
        made = type(kind.__name__, (RaisedInRun, kind), {})
    error: BaseException = made.__new__(made)
    error.__dict__[CAUGHT] = slot
    return error


def known_of(error: BaseException) -> Any:
    """What is known while tracing of an exception that a handler was given: how to make it, or its
    class.
    """
    return type(error).__mro__[2] if isinstance(error, RaisedInRun) else Recipe(error)
