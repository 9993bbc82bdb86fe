"""`match` at run time: patterns as values, tested on subjects that may hold tensors.

What a subject is made of is for Python to say: a native `match` of one level takes it apart. Only
the comparisons with literals and names may depend on tensors; then what the case is run under does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from treadle.graph import weak
from treadle.graph.build import convert
from treadle.graph.ops.logic import logical_and, logical_not, logical_or

from ..values.optional import Optional, settled
from ..values.truth import condition, staged
from .choice import Choice
from .conditionals import if_exp

Names = dict[str, Any]


class Pattern:
    """A pattern; `test` gives whether `subject` matches (a tensor, if only the run will tell), and
    adds what it binds to `names`.
    """

    __slots__ = ()

    def test(self, subject: Any, names: Names) -> Any:
        raise NotImplementedError


class Any_(Pattern):  # noqa: N801
    """`_`"""

    __slots__ = ()

    def test(self, subject: Any, names: Names) -> Any:
        return True


class Equal(Pattern):
    """`0`, `"text"`, `Color.RED`: what is equal to it; `value` may be a function that gives it."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def test(self, subject: Any, names: Names) -> Any:
        same = subject == (self.value() if callable(self.value) else self.value)
        return condition(same) if staged(same) else bool(same)


class Is(Pattern):
    """`None`, `True`, `False`."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def test(self, subject: Any, names: Names) -> Any:
        subject = settled(subject)
        if issubclass(type(subject), Optional) and self.value is None:
            return logical_not(convert(subject.__tl_flatten__()[0][0]))
        return subject is self.value


class As(Pattern):
    """`pattern as name`, or `name` alone."""

    __slots__ = ("name", "pattern")

    def __init__(self, name: str, pattern: Pattern | None = None) -> None:
        self.name = name
        self.pattern = pattern

    def test(self, subject: Any, names: Names) -> Any:
        truth = True if self.pattern is None else self.pattern.test(subject, names)
        if truth is not False:
            names[self.name] = subject
        return truth


class Either(Pattern):
    """`a | b`"""

    __slots__ = ("patterns",)

    def __init__(self, *patterns: Pattern) -> None:
        self.patterns = patterns

    def test(self, subject: Any, names: Names) -> Any:
        found: Any = False
        bound: Names = {}
        for pattern in self.patterns:
            mine: Names = {}
            truth = pattern.test(subject, mine)
            if truth is False:
                continue
            if found is False:
                found, bound = truth, mine
            else:
                bound = {n: _first(found, v, mine[n]) for n, v in bound.items()}
                found = True if truth is True else logical_or(found, truth)
            if truth is True:
                break
        names.update(bound)
        return found


def _first(truth: Any, a: Any, b: Any) -> Any:
    return if_exp(truth, lambda: a, lambda: b)


class Star:
    """`*name` in a sequence."""

    __slots__ = ("name",)

    def __init__(self, name: str | None = None) -> None:
        self.name = name


class Items(Pattern):
    """`[a, b, *rest]`"""

    __slots__ = ("patterns",)

    def __init__(self, *patterns: Pattern | Star) -> None:
        self.patterns = patterns

    def test(self, subject: Any, names: Names) -> Any:
        text = ", ".join(
            [f"p{i}" if isinstance(p, Pattern) else "*_" for i, p in enumerate(self.patterns)]
        )
        stars = [i for i, p in enumerate(self.patterns) if isinstance(p, Star) and p.name]
        for i in stars:
            text = text.replace("*_", f"*p{i}")
        found = _native(f"[{text}]", _bound(text))(subject)
        if found is None:
            return False
        patterns = [
            p if isinstance(p, Pattern) else As(p.name or "")
            for p in self.patterns
            if isinstance(p, Pattern) or p.name
        ]
        return _all(patterns, found, names)


class Mapping(Pattern):
    """`{key: pattern, **rest}`; `keys` gives the keys."""

    __slots__ = ("keys", "patterns", "rest")

    def __init__(
        self, keys: Callable[[], Sequence[Any]], *patterns: Pattern, rest: str | None = None
    ) -> None:
        self.keys = keys
        self.patterns = patterns
        self.rest = rest

    def test(self, subject: Any, names: Names) -> Any:
        text = "".join([f"arg.k{i}: p{i}, " for i in range(len(self.patterns))])
        text += "**rest" if self.rest else ""
        argument = _Keys()
        for i, key in enumerate(self.keys()):
            setattr(argument, f"k{i}", key)
        found = _native(f"{{{text}}}", _bound(text))(subject, argument)
        if found is None:
            return False
        patterns = [*self.patterns, *([As(self.rest)] if self.rest else [])]
        return _all(patterns, found, names)


class _Keys:
    pass


class Instance(Pattern):
    """`Point(a, y=b)`; `cls` gives the class."""

    __slots__ = ("attributes", "cls", "patterns")

    def __init__(self, cls: Callable[[], Any], *patterns: Pattern, **attributes: Pattern) -> None:
        self.cls = cls
        self.patterns = patterns
        self.attributes = attributes

    def test(self, subject: Any, names: Names) -> Any:
        subject = settled(subject)
        if issubclass(type(subject), Optional):
            present, value = subject.__tl_flatten__()[0]
            truth = self.test(value, names)
            return truth and logical_and(convert(present), convert(truth))
        if type(subject) is Choice:
            return self._of_choice(subject, names)
        if weak.is_python(subject):  # `int(n)` is the number itself
            if not isinstance(weak.SAMPLES[subject.dtype.kind], self.cls()):
                return False
            return _all(self.patterns, [subject] * len(self.patterns), names)
        parts = [f"p{i}" for i in range(len(self.patterns))]
        first = len(parts)
        parts += [f"{name}=p{first + i}" for i, name in enumerate(self.attributes)]
        text = ", ".join(parts)
        found = _native(f"arg({text})", _bound(text))(subject, self.cls())
        if found is None:
            return False
        return _all([*self.patterns, *self.attributes.values()], found, names)

    def _of_choice(self, subject: Choice, names: Names) -> Any:
        """For each object that it may be."""
        each: list[Names] = [{} for _ in subject.tl_options]
        pairs = zip(subject.tl_options, each, strict=True)
        truths = [self.test(option, found) for option, found in pairs]
        if all(truth is False for truth in truths):
            return False
        for name in dict.fromkeys(n for found in each for n in found):
            some = next(found[name] for found in each if name in found)
            names[name] = subject.tl_pick([found.get(name, some) for found in each])
        return subject.tl_pick(truths)


def _bound(text: str) -> str:
    """The names that a native pattern binds, as the text of a tuple."""
    words = text.replace("=", " ").replace(":", " ").replace("*", " ").replace(",", " ").split()
    names = [w for w in words if w == "rest" or (w[0] == "p" and w[1:].isdigit())]
    return "".join([f"{n}, " for n in names])


@cache
def _native(pattern: str, results: str) -> Callable[..., tuple[Any, ...] | None]:
    """A function that takes a subject apart with a pattern that binds `results`."""
    source = f"def apart(subject, arg=None):\n match subject:\n  case {pattern}: return ({results})"
    namespace: dict[str, Any] = {}
    exec(compile(source, __file__, "exec"), namespace)
    made: Callable[..., tuple[Any, ...] | None] = namespace["apart"]
    return made


def _all(patterns: Sequence[Pattern], subjects: Sequence[Any], names: Names) -> Any:
    total: Any = True
    for pattern, subject in zip(patterns, subjects, strict=True):
        truth = pattern.test(subject, names)
        if truth is False:
            return False
        if truth is not True:
            total = truth if total is True else logical_and(total, truth)
    return total


class Match:
    """Whether a case is the one that runs, and what its pattern binds (surely, if `binds`)."""

    __slots__ = ("binds", "names", "truth")

    def __init__(self, truth: Any, names: Names, binds: bool = False) -> None:
        self.truth = truth
        self.binds = binds
        self.names = names


def match_case(subject: Any, pattern: Pattern, guard: Callable[..., Any] | None = None) -> Any:
    """`case pattern if guard`: the `Match`, whose `truth` tells whether it is one."""
    names: Names = {}
    truth = pattern.test(subject, names)
    if guard is None or truth is False:
        return Match(truth, names)
    if truth is True:
        return Match(guard(**names), names, binds=True)
    return Match(if_exp(truth, lambda: _truth(guard(**names)), lambda: False), names)


def _truth(value: Any) -> Any:
    return condition(value) if staged(value) else bool(value)
