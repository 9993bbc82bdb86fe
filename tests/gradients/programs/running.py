"""Runs a program with treadle, and as plain Python over NumPy's long doubles."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

import treadle as tl

Arrays = Sequence[Any]
FILE = "<gradient program>"  # one name, so that AutoGraph finds the lines
long = np.longdouble


class _PlainArray:
    def __init__(self, dtype: Any, size: int, element_shape: Any) -> None:
        self.values: list[Any] = [0.0] * size

    def write(self, i: int, x: Any) -> _PlainArray:
        self.values[i] = x
        return self

    def read(self, i: int) -> Any:
        return self.values[i]

    def stack(self) -> Any:
        return np.array(self.values)


PLAIN = SimpleNamespace(
    **{name: getattr(np, name) for name in ("sin", "cos", "tanh", "exp")},
    float64=float,
    function=lambda f: f,
    constant=int,
    range=range,
    reduce_sum=np.sum,
    stack=np.array,
    reverse=lambda x, axes: x[::-1],
    concat=lambda xs, axis: np.concatenate(xs),
    gather=lambda x, i: x[np.array(i)],
    TensorArray=_PlainArray,
    linalg=SimpleNamespace(matvec=lambda m, x: m @ x),
)
assert all(hasattr(tl, name) for name in vars(PLAIN))


def _loaded(text: str, **known: Any) -> dict[str, Any]:
    linecache.cache[FILE] = (len(text), None, text.splitlines(keepends=True), FILE)
    space: dict[str, Any] = {"__name__": "gradient_program", **known}
    exec(compile(text, FILE, "exec"), space)
    return space


def _put(x: Any, i: int, value: Any) -> Any:
    found = np.array(x)
    found[i] = value
    return found


class Plain:
    """The program over numbers of a `kind`; `path` is what its conditions were in the last run."""

    def __init__(self, text: str, kind: Any = long) -> None:
        self.kind = kind
        self.path: list[Any] = []
        self.space = _loaded(text, tl=PLAIN, test=self._test, pick=self._pick, put=_put)

    def _test(self, x: Any) -> bool:
        self.path.append(bool(x))
        return bool(x)

    def _pick(self, condition: Any, x: Any, y: Any) -> Any:
        self.path.append(np.asarray(condition).tobytes())
        return np.where(condition, x, y)[()]

    def __call__(self, arrays: Arrays) -> Any:
        self.path = []
        a, p, v, m = (np.asarray(x, self.kind)[()] for x in arrays)
        self.space.update(v=v, m=m)
        with np.errstate(all="ignore"):
            return self.space["program"](a, np.array(p))


class Traced:
    """The program over float64, as a graph."""

    def __init__(self, text: str) -> None:
        self.v, self.m = (tl.Variable(np.zeros(s), dtype=tl.float64) for s in ((), (3, 3)))
        known = {"tl": tl, "v": self.v, "m": self.m, "test": lambda x: x, "pick": tl.where}
        self.program: Callable[..., Any] = _loaded(text, put=_scattered, **known)["program"]

    def sources(self, arrays: Arrays) -> list[Any]:
        """The tensors and variables that the derivatives are of, with these values."""
        a, p, v, m = (np.asarray(x, np.float64) for x in arrays)
        self.v.assign(v)
        self.m.assign(m)
        return [tl.constant(a), tl.constant(p), self.v, self.m]


def _scattered(x: Any, i: Any, value: Any) -> Any:
    return tl.tensor_scatter_nd_update(x, [[i]], [value])
