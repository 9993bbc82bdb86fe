"""Names without a value: raised when they are read, not before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

from treadle.graph.errors import UndefinedVariableError

T = TypeVar("T")


class Undefined:
    """What a name holds that some path has left without a value, or paths that do not agree.

    `reason` says why in a trace, and is raised as `error`; without it the error is Python's own.
    """

    __slots__ = ("error", "name", "reason")

    def __init__(
        self, name: str, reason: str = "", error: type[Exception] = UndefinedVariableError
    ) -> None:
        for slot, value in (("name", name), ("reason", reason), ("error", error)):
            object.__setattr__(self, slot, value)

    def __repr__(self) -> str:
        return f"<undefined {self.name}>"

    def __getattr__(self, attribute: str) -> Any:
        # Probing for a protocol is no use of the value, unless it is that of tensors.
        if attribute.startswith("__") and attribute != "__tl_tensor__":
            raise AttributeError(attribute)
        raise error_of(self)


def error_of(undefined: Undefined) -> Exception:
    if undefined.reason:
        made: Exception = undefined.error(undefined.reason)
        return made
    return UnboundLocalError(
        f"cannot access local variable '{undefined.name}' where it is not associated with a value"
    )


def _refuse(self: Undefined, *args: Any, **kwargs: Any) -> NoReturn:
    raise error_of(self)


for _operation in (
    *("bool", "len", "iter", "next", "contains", "getitem", "setitem", "delitem", "call"),
    *("add", "radd", "iadd", "sub", "rsub", "isub", "mul", "rmul", "imul", "truediv", "rtruediv"),
    *("floordiv", "rfloordiv", "mod", "rmod", "pow", "rpow", "matmul", "rmatmul", "neg", "pos"),
    *("abs", "invert", "and", "rand", "or", "ror", "xor", "rxor", "lshift", "rshift"),
    *("eq", "ne", "lt", "le", "gt", "ge", "int", "float", "complex", "index", "round", "setattr"),
    *("array", "enter", "exit"),
):
    setattr(Undefined, f"__{_operation}__", _refuse)
Undefined.__hash__ = object.__hash__  # type: ignore[method-assign]


class OnlyTruth(Undefined):
    """What `a and b` gives where `a` and `b` don't go together: all that is known is its truth."""

    __slots__ = ("truth",)

    def __init__(self, truth: Any, error: Exception) -> None:
        super().__init__("the result", str(error), type(error))
        object.__setattr__(self, "truth", truth)

    def __tl_truth__(self) -> Any:
        return self.truth

    def __tl_flatten__(self) -> tuple[list[Any], Callable[[Sequence[Any]], OnlyTruth]]:
        error = error_of(self)
        return [self.truth], lambda new: OnlyTruth(new[0], error)


def is_disagreement(value: Any) -> bool:
    """True for what paths gave that do not go together: it can't be had, on whichever path."""
    return isinstance(value, Undefined) and value.error is not UndefinedVariableError


def without_truth(value: Any) -> Any:
    """Where a value of which only the truth is known meets another one, nothing is known."""
    if type(value) is OnlyTruth:
        return Undefined(value.name, value.reason, value.error)
    return value


class Unused:
    """What a path hands on for a name that nobody reads after it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<unused>"


unused = Unused()


def undefined(name: str) -> Undefined:
    """The value of a name that has none yet."""
    return Undefined(name)


def peek(thunk: Callable[[], T]) -> T | Undefined:
    """The value of a name, attribute or item, or an `Undefined` where there is none."""
    try:
        return thunk()
    except (NameError, AttributeError, LookupError):
        code = thunk.__code__
        names = (*code.co_freevars, *code.co_names)
        return Undefined(names[0] if names else "?")
