"""Runs a program as plain Python, eagerly and traced, and compares all that it does."""

from __future__ import annotations

import contextlib
import io
import linecache
import signal
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

import treadle as tl

Call = tuple[float, float, list[float], int, int]
CALLS: tuple[Call, ...] = (
    (0.75, -0.5, [0.5, -1.0, 2.0], 2, 1),
    (-1.25, 0.25, [0.0, 0.25, 0.5], 3, 0),
    (2.0, 1.5, [-0.5, 3.0, 1.0], 0, 5),
)
REFUSALS = (
    tl.errors.ConversionError,
    tl.errors.PythonLoopError,
    tl.errors.UndefinedVariableError,
    tl.errors.BranchError,
    tl.errors.LoopDtypeError,
    tl.errors.LoopShapeError,
)
USERS = ("Bad", "ValueError", "AssertionError")  # whose messages are the program's own


class PlainVariable:
    def __init__(self, value: float) -> None:
        self.value = value

    def assign(self, x: Any) -> None:
        self.value = float(x)

    def assign_add(self, x: Any) -> None:
        self.value = float(self.value + x)


PLAIN = SimpleNamespace(range=range, stack=np.stack)


class World:
    """The names that a program finds outside of its function, made anew for each way to run it."""

    def __init__(self, text: str, plain: bool) -> None:
        self.out = io.StringIO()
        self.plain = plain
        self.v = PlainVariable(0.5) if plain else tl.Variable(0.5, dtype=tl.float64)
        # One name, so that AutoGraph finds the lines.
        file = "<twin>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        self.space: dict[str, Any] = {
            "__name__": "twin",
            "tl": PLAIN if plain else tl,
            "show": lambda x: (
                print(x, file=self.out) if plain else tl.print(x, output_stream=self.out)
            ),
            "suppress": contextlib.suppress,
            "v": self.v,
            "table": {"hits": 0, "last": 0.5},
            "log": [],
        }
        exec(compile(text, file, "exec"), self.space)
        self.space["box"] = self.space["Box"](self.number(0.25))

    def number(self, x: float) -> Any:
        return x if self.plain else tl.constant(x, tl.float64)

    def state(self) -> Any:
        box = self.space["box"]
        value = self.v.value if self.plain else self.v.numpy()
        return plain((box.v, box.n, box.best, self.space["table"], self.space["log"], value))

    def run(self, call: Call, wrap: Callable[[Any], Any]) -> Any:
        """What one call gives or raises, and the state after it."""
        f, g, b, n, m = call
        if self.plain:
            arguments: Any = (f, g, np.array(b), n, m)
        else:
            floats = [tl.constant(x, tl.float64) for x in (f, g, b)]
            arguments = (*floats, tl.constant(n, tl.int64), tl.constant(m, tl.int64))
        try:
            with np.errstate(all="ignore"):
                done = "gives", plain(wrap(self.space["program"])(*arguments), leaves=True)
        except REFUSALS:
            raise
        except Exception as error:
            done = "raises", _class(error), str(error) if _class(error) in USERS else ""
            if done[1] not in KNOWN:
                done = (*done, f"{type(error).__name__}: {error}")
        printed = self.out.getvalue()
        self.out.truncate(0)
        self.out.seek(0)
        return *done, self.state(), printed


# The most special first: our errors derive from several.
PYTHONS = ("ZeroDivisionError", "IndexError", "AssertionError", "KeyError")
KNOWN = (*PYTHONS, "Bad", "ValueError")


def _class(error: Exception) -> str:
    """The name of the user's class, or of the built-in one that it stands for."""
    if isinstance(error, tl.errors.DTypeError):
        return "DTypeError"
    names = [kind.__name__ for kind in type(error).__mro__]
    if type(error).__module__.startswith("treadle"):
        names = [name for name in PYTHONS if name in names] or names
    return names[0]


class Rounded(float):
    """A Python number that left a traced function, which makes it float32, see
    docs/decisions/weak-numbers.md. All else is float64 in these programs.
    """


def plain(value: Any, leaves: bool = False) -> Any:
    """`leaves`: it is the result of a function."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict):
        return {key: plain(x, leaves) for key, x in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(x, leaves) for x in value]
    found = np.asarray(value)
    if leaves and found.dtype == np.float32 and not found.shape:
        return Rounded(found)
    return found.item().decode() if found.dtype.kind in "SO" else found.tolist()


def differs(x: Any, y: Any) -> bool:
    if isinstance(x, float) and isinstance(y, (int, float)):
        if isinstance(y, Rounded):
            x = float(np.float32(x))
        return not np.allclose(x, y, rtol=1e-12, atol=1e-12, equal_nan=True)
    if isinstance(x, (list, tuple)) and isinstance(y, (list, tuple)):
        return len(x) != len(y) or any(map(differs, x, y))
    if isinstance(x, dict) and isinstance(y, dict):
        return list(x) != list(y) or any(differs(x[k], y[k]) for k in x)
    return bool(x != y)


class TooSlow(BaseException):
    """Not an Exception: no program may catch it."""


@contextlib.contextmanager
def within(seconds: int) -> Iterator[None]:
    """Ends what runs for too long."""

    def stop(*_: Any) -> None:
        raise TooSlow(f"more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def outcomes(text: str, plain: bool, wrap: Callable[[Any], Any], calls: Any = CALLS) -> list[Any]:
    world = World(text, plain)
    made: dict[Any, Any] = {}
    return [world.run(call, lambda f: made.setdefault(f, wrap(f))) for call in calls]


def check(text: str, calls: tuple[Call, ...] = CALLS) -> str:
    """One of "agrees", "relaxed" or "refused"; AssertionError where two ways to run it differ."""
    with within(20):
        eager = outcomes(text, False, lambda f: f, calls)
        plainly = outcomes(text, True, lambda f: f, calls)
    for want, got in zip(plainly, eager, strict=True):
        assert not differs(want, got), f"plain Python: {want}\neager:        {got}"
    for word, wrap in (("agrees", tl.function), ("relaxed", tl.function(relaxed=True))):
        try:
            with within(20):
                traced = outcomes(text, False, wrap, calls)
        except REFUSALS:
            continue
        for call, want, got in zip(calls, eager, traced, strict=True):
            assert not differs(want, got), f"{call}\neager:  {want}\ntraced: {got}"
        return word
    return "refused"
