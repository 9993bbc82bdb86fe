"""Name scopes: prefixes of the names of variables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[str] = ContextVar("name_scope", default="")
_VALID = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")


class name_scope:  # noqa: N801 - TensorFlow's name
    """In this block names of variables start with `name` and a slash; scopes nest.

    A name that ends with a slash is a whole scope, as `with ... as scope` gives it. Raises
    ValueError for a name with other characters than letters, digits and `_.-/`.

    >>> import treadle as tl
    >>> with tl.name_scope("layer") as scope:
    ...     with tl.name_scope("dense"):
    ...         print(scope, tl.Variable(1.0, name="w").name)
    layer/ layer/dense/w:0
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise ValueError(f"the name of a scope is a str, not {name!r}")
        if name and not _VALID.fullmatch(name):
            raise ValueError(f"{name!r} is not a valid name of a scope")
        self._name = name
        self._blocks: list[object] = []

    @property
    def name(self) -> str:
        return self._name

    def __enter__(self) -> str:
        block = _inside(self._name)
        self._blocks.append(block)
        return block.__enter__()

    def __exit__(self, *exc: object) -> None:
        self._blocks.pop().__exit__(*exc)  # type: ignore[attr-defined]


@contextmanager
def _inside(name: str) -> Iterator[str]:
    whole = name if name.endswith("/") or not name else f"{_current.get()}{name}/"
    token = _current.set(whole)
    try:
        yield whole
    finally:
        _current.reset(token)


def scoped(name: str) -> str:
    """`name` in the present scope."""
    return _current.get() + name


def get_current_name_scope() -> str:
    """The present scope, without the slash at its end: "" outside of all.

    >>> import treadle as tl
    >>> with tl.name_scope("a"), tl.name_scope("b"):
    ...     tl.get_current_name_scope()
    'a/b'
    """
    return _current.get().rstrip("/")
