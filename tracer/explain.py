"""Why a function was traced: what differs from the closest earlier trace, and what avoids it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from ..graph.nest import children, item_names
from ..graph.node import Tensor
from ..graph.spec import TensorSpec
from ..runtime import Variable
from .guards import Guards
from .reading.access import MISSING
from .signature import Keyed, is_tensor_like, spec_of

KEPT = 64  # reasons that a function remembers
MANY = 8  # traces in a row, none of which is used again
_NUMBERS = (int, float, complex)


@dataclass(eq=False, slots=True)
class Argument:
    """An argument, or an item of one, as far as it counts."""

    kind: str  # tensor, variable, number, value, object, function, structure
    shown: str
    key: Any
    ref: Callable[[], Any] | None = None  # to an object: a new one may get the key of a dead one


@dataclass(slots=True)
class TraceReason:
    """Why a trace was made: `place` was `old` in trace `closest`, and is `new`."""

    number: int
    arguments: dict[str, Argument] = field(repr=False)
    guards: Guards = field(repr=False)
    place: str = ""
    old: str = ""
    new: str = ""
    cure: str = ""
    closest: int = 0
    others: int = 0  # further arguments that differ
    kept: bool = True

    @property
    def signature(self) -> str:
        """The arguments: `x: f32[3], training=True`."""
        return ", ".join(
            f"{n}: {a.shown}" if a.kind in ("tensor", "variable") else f"{n}={a.shown}"
            for n, a in self.arguments.items()
            if a.kind != "structure"
        )

    @property
    def reason(self) -> str:
        """The reason in words."""
        if not self.place:
            return "the first call" if self.number == 1 else self.new
        more = f", and {self.others} more differ" if self.others > 1 else ""
        more = ", and 1 more differs" if self.others == 1 else more
        return f"{self.place} was {self.old} in trace {self.closest}, is {self.new}{more}"


class Explanation(Sequence[TraceReason]):
    """What `Function.explain()` gives; prints as text."""

    def __init__(self, name: str, reasons: Sequence[TraceReason], total: int) -> None:
        self.name = name
        self.traces = list(reasons)
        self.total = total

    def __len__(self) -> int:
        return len(self.traces)

    def __getitem__(self, index: Any) -> Any:
        return self.traces[index]

    def __str__(self) -> str:
        times = "once" if self.total == 1 else f"{self.total} times"
        lines = [f"{self.name} was traced {times}" if self.total else f"{self.name}: no trace yet"]
        if self.total > len(self.traces):
            lines[0] += f"; the last {len(self.traces)}:"
        for r in self.traces:
            gone = "" if r.kept else "   (dropped)"
            lines.append(f"{r.number}. {self.name}({r.signature}){gone}")
            lines.append(f"   {r.reason}")
            if r.cure:
                lines.append(f"   to avoid it: {r.cure}")
        return "\n".join(lines)

    __repr__ = __str__


def described(arguments: Mapping[str, Any], keyed: Keyed) -> dict[str, Argument]:
    """The arguments and their items by path: `x`, `pair[0]`, `options['rate']`."""
    found: dict[str, Argument] = {}
    for name, x in arguments.items():
        _describe(name, x, keyed, found)
    return found


def _describe(path: str, x: Any, keyed: Keyed, found: dict[str, Argument]) -> None:
    key: Any
    if isinstance(x, Variable):
        index = next((i for i, v in enumerate(keyed.variables) if v is x), 0)
        found[path] = Argument("variable", f"{x.spec}", (f"{x.spec}", index))
    elif is_tensor_like(x):
        spec = spec_of(x)
        plain = f"{TensorSpec(spec.shape, spec.dtype) if isinstance(spec, TensorSpec) else spec}"
        found[path] = Argument("tensor", plain, plain)
    elif (items := children(x)) is not None and not hasattr(type(x), "__tracing_type__"):
        names = item_names(x)
        key = (type(x), tuple(names))
        found[path] = Argument("structure", _structure(x, len(items)), key)
        for name, item in zip(names, items, strict=True):
            _describe(path + name, item, keyed, found)
    else:
        key = Keyed({"": x}, {}).parts[0][1]
        kind = "value"
        if isinstance(x, _NUMBERS) and not isinstance(x, bool):
            kind = "number"
        elif isinstance(key, tuple) and key[0] in ("object", "method"):
            kind = "function" if isinstance(x, (FunctionType, MethodType)) else "object"
        found[path] = Argument(kind, shown(x), key, _reference(x) if kind != "value" else None)


def _structure(x: Any, size: int) -> str:
    kind = type(x).__name__
    return f"{'an' if kind[0] in 'AEIOaeio' else 'a'} {kind} of {size}"


def _reference(x: Any) -> Callable[[], Any] | None:
    try:
        return weakref.ref(getattr(x, "__self__", x))
    except TypeError:
        return None


def shown(x: Any) -> str:
    """A short text for a value; objects by their class."""
    if x is MISSING:
        return "missing"
    if isinstance(x, Tensor):
        return f"the tensor {TensorSpec(x.shape, x.dtype)}"
    if isinstance(x, Variable):
        return f"the variable {x.name!r}"
    if hasattr(x, "__array_interface__") and bool(getattr(x, "shape", None)):
        return f"the array {spec_of(x)}"
    if isinstance(x, (int, float, complex, str, bytes, type(None), tuple, frozenset, set)):
        text = repr(x)
        return text if len(text) <= 60 else text[:57] + "..."
    name = getattr(x, "__qualname__", None)
    return str(name) if isinstance(name, str) else f"another {type(x).__name__}"


def reason_for(
    number: int,
    arguments: dict[str, Argument],
    guards: Guards,
    earlier: Sequence[TraceReason],
    reduce_retracing: bool,
) -> TraceReason:
    """Compare a new trace with those made earlier."""
    made = TraceReason(number, arguments, guards)
    if not earlier:
        made.new = "the earlier traces were dropped"
        return made
    differing = [(r, _differing(r.arguments, arguments)) for r in reversed(earlier)]
    closest, paths = min(differing, key=lambda pair: len(pair[1]))
    made.closest = closest.number
    if not paths:
        _explain_guards(made, [r for r, p in differing if not p])
        return made
    path = min(paths, key=lambda p: _weight(closest.arguments.get(p), arguments.get(p)))
    made.others = len(
        [p for p in paths if p != path and not p.startswith((f"{path}[", f"{path}."))]
    )
    old, new = closest.arguments.get(path), arguments.get(path)
    made.place = path
    made.old = old.shown if old else "missing"
    made.new = new.shown if new else "missing"
    if old and new and made.old == made.new:
        made.new = "another one"
    made.cure = _cure(path, old, new, reduce_retracing)
    return made


def _explain_guards(made: TraceReason, same: Sequence[TraceReason]) -> None:
    found = [(earlier, earlier.guards.broken()) for earlier in same]
    dropped = next((earlier for earlier, broken in found if broken is None), None)
    if dropped is not None:
        made.closest = dropped.number
        made.new = f"the same as trace {dropped.number}, which was dropped"
        return
    for earlier, broken in found:
        if broken is not None:
            made.closest = earlier.number
            made.place = broken.place.name
            old, new = broken.wanted(), broken.found()
            made.old, made.new = ("gone" if old is None else shown(old)), shown(new)
            if broken.kind == "length":
                made.place = f"len({made.place})"
            elif broken.kind == "type":
                made.place = f"type({made.place})"
            elif broken.kind == "keys":
                made.place = f"the keys of {made.place}"
            elif broken.kind == "contents":
                made.place = f"the contents of {made.place}"
                made.old, made.new = (np.array2string(x, threshold=6) for x in (old, new))
            elif old is None and broken.kind == "value":
                made.old = "None"
            if made.old == made.new:
                made.new = "another one"
            made.cure = (
                f"keep '{broken.place.name}' as it is, or make it an argument"
                if broken.kind in ("type", "length", "keys", "absent")
                else _guard_cure(broken.place.name, old, new)
            )
            return


def _guard_cure(place: str, old: Any, new: Any) -> str:
    if isinstance(old, _NUMBERS) and isinstance(new, _NUMBERS) and not isinstance(new, bool):
        return (
            f"make '{place}' an argument (as a tensor), or keep it in a tl.Variable; a number that "
            "the function reads is part of the trace"
        )
    if isinstance(new, Tensor) or hasattr(new, "__array_interface__"):
        return f"make '{place}' an argument, or a tl.Variable and assign to it"
    if isinstance(new, Variable):
        return f"assign to the variable instead of binding '{place}' to another"
    return f"make '{place}' an argument, or leave it as it is"


def _differing(old: Mapping[str, Argument], new: Mapping[str, Argument]) -> list[str]:
    paths = dict.fromkeys([*new, *old])
    return [p for p in paths if p not in old or p not in new or not _same(old[p], new[p])]


def _same(old: Argument, new: Argument) -> bool:
    return old.key == new.key and (old.ref is None or old.ref() is not None)


def _weight(old: Argument | None, new: Argument | None) -> int:
    """Structures explain what is missing in them."""
    if old and new:
        return 0 if "structure" in (old.kind, new.kind) else 1
    return 2


def _cure(path: str, old: Argument | None, new: Argument | None, reduce: bool) -> str:
    if old is None or new is None or "structure" in (old.kind, new.kind):
        return f"give '{path}' the same structure each time"
    kinds = {old.kind, new.kind}
    if kinds == {"tensor"}:
        if old.shown.partition("[")[0] != new.shown.partition("[")[0]:
            return f"give '{path}' one dtype: tl.cast it before the call"
        if reduce:
            return "the sizes that differ are left open from now on"
        return (
            "leave the sizes that differ open: reduce_retracing=True, or an input_signature with "
            f"None for '{path}'"
        )
    if kinds == {"number"}:
        return f"pass '{path}' as a tensor: tl.constant({new.shown})"
    if "number" in kinds and "tensor" in kinds:
        return f"pass '{path}' as a tensor each time"
    if kinds == {"variable"}:
        return "variables of other shapes or dtypes, or one passed twice, need a trace of their own"
    if kinds == {"function"}:
        return (
            f"make the function '{path}' once, before the calls, and pass that one: each time that "
            "`lambda` or `def` runs, it makes another one"
        )
    if kinds == {"object"}:
        return (
            f"pass the same object as '{path}', or give its class a __tracing_type__ method that "
            "returns what it counts as"
        )
    return f"each value of '{path}' needs a trace of its own; pass it as a tensor if it may be one"


def keeps_retracing(recent: Sequence[TraceReason], used: Sequence[bool]) -> bool:
    """True if the last traces were all made for the same place, and none was used again."""
    last = recent[-MANY:]
    return (
        len(last) == MANY
        and not any(used[-MANY:])
        and len({r.place for r in last}) == 1
        and bool(last[0].place)
    )


__all__ = ["Argument", "Explanation", "TraceReason", "described", "keeps_retracing", "reason_for"]
