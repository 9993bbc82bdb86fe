"""`raise` in a graph: an exception of the user's own class, made anew in each run.

While tracing, the exception is made once, with symbolic tensors (and texts with marks for them) in
its `args` and attributes. A run makes another one of that class without calling its `__init__`,
which may take anything, and puts the values where the tensors were.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import errors
from ..build import apply, eager_constant
from ..convert import Array
from ..literals import READERS
from ..nest import children, rebuild
from ..node import Tensor, Value
from ..op import CHECKS, OPS, Op, batches, no_gradient
from ..symbolic_text import Part, has_marks, python_value, split
from ..weak import is_python
from .define import primitive
from .formatting import Text

RAISED_AT = "__tl_raised_at__"  # of one whose traceback was dropped
CAUGHT = "__tl_caught__"  # of an exception that a handler is traced with: the slot that holds it
Build = Callable[[Sequence[Any]], Any]


class Recipe:
    """How to make an exception from the arrays of the tensors in it; `chained`: with its cause."""

    def __init__(self, error: BaseException, chained: bool = True) -> None:
        self.error_type = type(error)
        self.tensors: list[Tensor] = []
        self._args = [self._builder(a) for a in error.args]
        held = {k: v for k, v in vars(error).items() if k not in (CAUGHT, RAISED_AT)}
        self._attributes = {k: self._builder(v) for k, v in held.items()}
        # The same for exceptions that differ in nothing but their tensors.
        self.text = repr(_without_tensors((error.args, held)))
        cause, context = (error.__cause__, error.__context__) if chained else (None, None)
        self._cause = None if cause is None else self._inner(cause)
        self._context: Build | None = None
        if cause is None and context is not None and CAUGHT in vars(context):
            self._context = self._inner(context)
        self._bare = error.__suppress_context__

    def __repr__(self) -> str:
        return f"<raise {self.error_type.__name__}>"

    def __tl_literal__(self) -> tuple[str, list[Any]] | None:
        """`exception("ValueError", "text")`, for errors of Python's and ours without tensors."""
        kind = self.error_type
        own = self._attributes or self._cause is not None or self._bare or self.tensors
        if own or _class_of(kind.__name__) is not kind:
            return None
        args = [make(()) for make in self._args]
        return ("exception", [kind.__name__, *args]) if all(map(_is_plain, args)) else None

    def __call__(self, arrays: Sequence[Array]) -> BaseException:
        slots = [a if hasattr(a, "array") else eager_constant(np.asarray(a)) for a in arrays]
        return self.build(slots)

    def build(self, tensors: Sequence[Any]) -> BaseException:
        """The exception with `tensors` in the place of those that it was traced with."""
        args = [make(tensors) for make in self._args]
        made = _new(self.error_type, args)
        _fill(made, args)
        made.__dict__.update({name: make(tensors) for name, make in self._attributes.items()})
        if self._cause is not None:
            made.__cause__ = made.__context__ = self._cause(tensors)
        elif self._context is not None:
            made.__context__ = self._context(tensors)
        made.__suppress_context__ = self._bare
        return made

    def _inner(self, error: BaseException) -> Build:
        recipe = Recipe(error, CAUGHT not in vars(error))
        first, last = len(self.tensors), len(self.tensors) + len(recipe.tensors)
        self.tensors += recipe.tensors
        if CAUGHT not in vars(error):
            return lambda tensors: recipe.build(tensors[first:last])
        self.tensors.append(vars(error)[CAUGHT])

        def caught(tensors: Sequence[Any]) -> Any:
            slot = tensors[last]
            if not isinstance(slot, Value):
                return getattr(slot, "array", None)  # what was raised in the run
            made = recipe.build(tensors[first:last])
            made.__dict__[CAUGHT] = slot
            return made

        return caught

    def _builder(self, value: Any) -> Build:
        if isinstance(value, Text):
            value = value.marked
        if isinstance(value, Tensor):
            index = len(self.tensors)
            self.tensors.append(value)
            if is_python(value):
                return lambda tensors: _as_python(tensors[index])
            return lambda tensors: tensors[index]
        if isinstance(value, str) and has_marks(value):
            return self._text(split(value))
        if isinstance(value, BaseException):
            return self._inner(value)
        items = children(value)
        if items is None:
            return lambda tensors: value
        parts = [self._builder(item) for item in items]
        return lambda tensors: rebuild(value, [make(tensors) for make in parts])

    def _text(self, pieces: Sequence[str | Part]) -> Build:
        index = len(self.tensors)
        self.tensors += [p.value for p in pieces if isinstance(p, Part)]

        def text(tensors: Sequence[Any]) -> str:
            values = iter(tensors[index:])
            return "".join(p if isinstance(p, str) else p.text(next(values)) for p in pieces)

        return text


def with_texts(made: Any) -> Any:
    """A new exception, or what an `assert` says, with a `Text` for each text that has marks."""
    if not isinstance(made, BaseException):
        return _text_of(made)
    args = [_text_of(a) for a in made.args]
    if any(a is not b for a, b in zip(args, made.args, strict=True)):
        _fill(made, args)
    vars(made).update({name: _text_of(value) for name, value in vars(made).items()})
    return made


def _without_tensors(value: Any) -> Any:
    if isinstance(value, Text):
        value = value.marked
    if isinstance(value, Tensor):
        return type(value)
    if isinstance(value, str) and has_marks(value):
        return [p if isinstance(p, str) else (p.make.__name__, p.spec) for p in split(value)]
    items = children(value)
    if items is None:
        return value
    return (
        type(value),
        [*value] if isinstance(value, dict) else (),
        list(map(_without_tensors, items)),
    )


def _text_of(value: Any) -> Any:
    if type(value) is str:
        return Text.of(value) if has_marks(value) else value
    items = None if isinstance(value, Tensor) else children(value)
    new = [_text_of(item) for item in items or ()]
    same = all(a is b for a, b in zip(new, items or (), strict=True))
    return value if same else rebuild(value, new)


def _fill(error: BaseException, args: Sequence[Any]) -> None:
    """Let `error` hold `args`; of built-in classes some keep them in places of their own."""
    native: Any = next(c for c in type(error).__mro__ if not c.__flags__ & _HEAP_TYPE)
    try:
        native.__init__(error, *args)
    except TypeError:
        BaseException.__init__(error, *args)


def _new(kind: type[BaseException], args: Sequence[Any]) -> BaseException:
    try:
        return kind.__new__(kind, *args)
    except TypeError:  # Python makes one of several bases by the `__new__` of another
        return BaseException.__new__(kind, *args)


def _bare(error: BaseException) -> BaseException:
    """A copy that holds no frames, made without running code of the user's."""
    made = _new(type(error), error.args)
    made.args = error.args
    made.__dict__.update(vars(error))
    return made


def without_slot(error: BaseException) -> BaseException:
    """A copy of an exception of which all is known, for any place in the graph."""
    made = _bare(error)
    made.__dict__.pop(CAUGHT, None)
    return made


def _as_python(value: Any) -> Any:
    return value if isinstance(value, Value) else python_value(value)


_HEAP_TYPE = 1 << 9


def _is_plain(value: Any) -> bool:
    return value is None or type(value) in (bool, int, float, str, bytes)


def _class_of(name: str) -> Any:
    return getattr(builtins, name, None) or getattr(errors, name, None)


def _read(name: str, *args: Any) -> Recipe:
    return Recipe(_class_of(name)(*args))


READERS["exception"] = _read


def _raise_eval(xp: Any, *arrays: Array, make: Callable[[Sequence[Array]], BaseException]) -> Any:
    raise make(arrays)


RAISE: Op = primitive(
    "raise_",
    lambda *specs, make: (),
    _raise_eval,
    no_gradient,
    multiple=True,
    effects=(CHECKS,),
    display="raise",
)


def raise_(error: BaseException) -> None:
    """Raise an exception like `error` when the program comes to this point."""
    recipe = Recipe(error)
    apply(RAISE, recipe.tensors, {"make": recipe})


# --- of a batch of examples ----------------------------------------------------------


@batches(RAISE)
def _batched_raise(batch: Any, flags: Any, *values: Tensor, **attrs: Any) -> Any:
    """What the first example raises, as a loop over them would."""
    key = {"key": "0"}
    first = [
        apply(OPS["strided_slice"], (x,), key) if flag else x
        for x, flag in zip(values, flags, strict=True)
    ]
    return apply(RAISE, first, attrs)
