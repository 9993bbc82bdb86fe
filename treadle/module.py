"""`Module`: an object that knows its variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .runtime import Variable


class Module:
    """Base class of things with variables: layers, models, optimizers.

    Variables are found in attributes, through lists, tuples, dicts and other modules, in the order
    of attribute names. Works without `super().__init__()`.

    >>> import treadle as tl
    >>> class Dense(tl.Module):
    ...     def __init__(self, rows, columns):
    ...         self.w = tl.Variable(tl.ones([rows, columns]), name="w")
    ...         self.b = tl.Variable(tl.zeros([columns]), name="b")
    >>> [v.name for v in Dense(3, 2).variables]
    ['b:0', 'w:0']
    """

    def __init__(self, name: str | None = None) -> None:
        self._name = name or type(self).__name__.lower()

    @property
    def name(self) -> str:
        """The name given to the module, by default its class's in lower case."""
        return getattr(self, "_name", None) or type(self).__name__.lower()

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
        """The modules inside of this one."""
        return tuple(x for x in _walk(self) if isinstance(x, Module) and x is not self)


def _walk(root: Module) -> Iterator[Any]:
    """Variables and modules reachable from `root`, depth first, each once."""
    seen: set[int] = set()
    pending: list[Any] = [root]
    while pending:
        x = pending.pop()
        if id(x) in seen:
            continue
        items: list[Any] = []
        if isinstance(x, (Variable, Module)):
            seen.add(id(x))
            yield x
        if isinstance(x, Module):
            items = [value for _, value in sorted(vars(x).items())]
        elif isinstance(x, (list, tuple)):
            seen.add(id(x))
            items = list(x)
        elif isinstance(x, Mapping):
            seen.add(id(x))
            items = list(x.values())
        pending.extend(reversed(items))
