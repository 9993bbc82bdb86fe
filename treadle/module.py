"""`Module`: an object that knows its variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, TypeVar

from .autograph import operators as ag
from .graph.build import is_tracing
from .graph.name_scope import name_scope, scoped
from .graph.nest import children
from .runtime import Variable

Method = TypeVar("Method", bound=Callable[..., Any])


class Module:
    """Base class of things with variables: layers, models, optimizers.

    Variables are found in attributes, through lists, tuples, dicts and dataclasses: first the
    module's own, in the order of attribute names (of dicts: of keys), then those of the modules
    inside of it. Works without `super().__init__()`. Raises ValueError for a name that is no Python
    identifier.

    >>> import treadle as tl
    >>> class Dense(tl.Module):
    ...     def __init__(self, rows, columns):
    ...         self.w = tl.Variable(tl.ones([rows, columns]), name="w")
    ...         self.b = tl.Variable(tl.zeros([columns]), name="b")
    >>> [v.name for v in Dense(3, 2).variables]
    ['b:0', 'w:0']
    """

    _name: str
    _scope: str

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = _snake_case(type(self).__name__)
        if not name.isidentifier():
            raise ValueError(
                f"{name!r} is not a valid name of a module: it must be a Python identifier"
            )
        self._name = name
        self._scope = scoped(f"{name}/")

    @property
    def name(self) -> str:
        """The name given to the module, by default its class's: `MyLayer` is `my_layer`."""
        return getattr(self, "_name", None) or _snake_case(type(self).__name__)

    @property
    def name_scope(self) -> name_scope:
        """The `tl.name_scope` of the module: its name, in the scope in which it was made."""
        return name_scope(getattr(self, "_scope", f"{self.name}/"))

    @classmethod
    def with_name_scope(cls, method: Method) -> Method:
        """Let the variables that `method` makes be named after the module.

        >>> import treadle as tl
        >>> class Layer(tl.Module):
        ...     @tl.Module.with_name_scope
        ...     def build(self):
        ...         return tl.Variable(1.0, name="w")
        >>> Layer().build().name
        'layer/w:0'
        """

        @wraps(method)
        def scoped_method(self: Module, *args: Any, **kwargs: Any) -> Any:
            with self.name_scope:
                function: Any = ag.call(method) if is_tracing() else method
                return function(self, *args, **kwargs)

        return scoped_method  # type: ignore[return-value]

    @property
    def variables(self) -> tuple[Variable, ...]:
        """All variables, each once."""
        return tuple(x for x in _walk(self) if isinstance(x, Variable))

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """The variables made with `trainable=True`, which is the default."""
        return tuple(v for v in self.variables if v.trainable)

    @property
    def non_trainable_variables(self) -> tuple[Variable, ...]:
        """The variables made with `trainable=False`."""
        return tuple(v for v in self.variables if not v.trainable)

    @property
    def submodules(self) -> tuple[Module, ...]:
        """The modules inside of this one, at any depth, each once."""
        return tuple(x for x in _walk(self) if isinstance(x, Module) and x is not self)


def _snake_case(name: str) -> str:
    return re.sub(r"((?<=[a-z0-9])[A-Z]|(?!^)[A-Z](?=[a-z]))", r"_\1", name).lower()


def _walk(root: Module) -> Iterator[Any]:
    """Variables and modules reachable from `root`, each once: a module's own before those of the
    modules inside of it.
    """
    seen = {id(root)}
    pending = [root]
    while pending:
        module = pending.pop()
        inside: list[Module] = []
        for _, value in sorted(vars(module).items()):
            for leaf in _leaves(value, set()):
                if isinstance(leaf, (Variable, Module)) and id(leaf) not in seen:
                    seen.add(id(leaf))
                    yield leaf
                    if isinstance(leaf, Module):
                        inside.append(leaf)
        pending.extend(reversed(inside))


def _leaves(value: Any, around: set[int]) -> Iterator[Any]:
    """The leaves of nested lists, tuples and dicts; of what contains itself, once."""
    items = None if isinstance(value, (Variable, Module)) else children(value)
    if items is None:
        yield value
    elif id(value) not in around:
        for item in items:
            yield from _leaves(item, around | {id(value)})
