"""A traced method of an instance."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from .concrete import ConcreteFunction

if TYPE_CHECKING:
    from .function import Function

P = ParamSpec("P")
R = TypeVar("R")


class BoundFunction(Generic[P, R]):
    """A traced method of an instance."""

    __slots__ = ("__self__", "function")

    def __init__(self, function: Function[Any, R], instance: Any) -> None:
        self.function = function
        self.__self__ = instance

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(self.__self__, *args, **kwargs)

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        if not args and not kwargs and self.function.input_signature is not None:
            args = self.function.input_signature
        return self.function.get_concrete_function(self.__self__, *args, **kwargs)

    @property
    def python_function(self) -> Any:
        return self.function.python_function.__get__(self.__self__)

    @property
    def __wrapped__(self) -> Any:
        return self.python_function

    @property
    def __func__(self) -> Function[Any, R]:
        return self.function

    def __getattr__(self, name: str) -> Any:
        return getattr(self.function, name)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, BoundFunction)
            and self.function is other.function
            and self.__self__ is other.__self__
        )

    def __hash__(self) -> int:
        return hash((self.function, id(self.__self__)))

    def __deepcopy__(self, memo: Any) -> BoundFunction[P, R]:
        return BoundFunction(self.function, copy.deepcopy(self.__self__, memo))

    def __reduce__(self) -> Any:
        return BoundFunction, (self.function, self.__self__)

    def __repr__(self) -> str:
        return f"<bound {self.function!r} of {type(self.__self__).__name__}>"


__all__ = ["BoundFunction"]
