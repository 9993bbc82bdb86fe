"""The check of a trace: one generated function that looks whether all that was read is the same.

It runs no code of the user's: names, attributes of instances, items of lists and dicts.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from keyword import iskeyword
from types import CellType, FunctionType
from typing import Any

from .reading.access import Access, reference
from .reading.changes import ItemsChanged, Mark, is_first_time
from .reading.leaves import Guard, contents, same_value
from .reading.reader import Reading

Check = Callable[[], bool]
_OURS = "__tl_"  # how the names that a check uses for itself begin


class Guards:
    """The guards of a trace and of the traces that it calls."""

    __slots__ = ("_check", "_namespace", "finished", "held", "inner", "own", "source")

    def __init__(self, namespace: dict[str, Any] | None = None, finished: bool = True) -> None:
        self.own: list[Guard] = []
        self.inner: dict[int, Guards] = {}  # of traces called, by id
        self.finished = finished  # False while the trace is under way
        self.held: frozenset[int] = frozenset()  # ids of what the trace keeps alive anyway
        self.source = ""
        self._namespace = {} if namespace is None else namespace
        self._check: Check | None = None

    def _reachable(self) -> list[Guards]:
        seen = {id(self): self}
        pending = [self]
        while pending:
            for guards in pending.pop().inner.values():
                if id(guards) not in seen:
                    seen[id(guards)] = guards
                    pending.append(guards)
        return list(seen.values())

    def all(self) -> list[Guard]:
        """Each guard once, those of the traces called included."""
        found: dict[tuple[Any, ...], Guard] = {}
        for guards in self._reachable():
            for g in guards.own:
                found.setdefault((*_path(g.place), g.kind), g)
        return list(found.values())

    def check(self) -> Check | None:
        """The check to ask from now on; None where there is nothing to check."""
        if self._check is None:
            if not all(guards.finished for guards in self._reachable()):
                return self.holds  # a function that calls itself through others: not all is known
            listed = self.all()
            if not listed:
                return None
            self._check, self.source = compiled(listed, self._namespace, self.held)
        return self._check

    def release(self) -> None:
        """The trace is dropped: keep nothing alive."""
        self._check, self.held = None, frozenset()

    def holds(self) -> bool:
        """True as long as nothing has changed."""
        check = self.check()
        return self.broken() is None if check == self.holds else check is None or check()

    def broken(self) -> Guard | None:
        """The first guard that does not hold."""
        return next((g for g in self.all() if not g.holds()), None)

    def references(self) -> Iterator[weakref.ref[Any]]:
        """Those to objects that are looked for, and are not kept alive."""
        for g in self.all():
            if g.kind == "object" and isinstance(g.expected, weakref.ref):
                yield g.expected


def _path(place: Access) -> tuple[Any, ...]:
    steps: list[Any] = []
    while isinstance(place.base, Access):
        steps += [place.kind, type(place.key), place.key]
        place = place.base
    base = place.base() if place.kind == "object" else place.base
    return (place.kind, id(base), place.key, *steps)


def guards_from(reading: Reading, written: Mapping[int, Collection[Any]]) -> list[Guard]:
    """The guards of what was read, but for what the functions themselves change, and what each
    run writes: the items with the keys in `written`, by the ids of their containers.

    What they only set the first time (`if self.v is None: self.v = ...`) is guarded.
    """
    changes_found = [c for c in reading.changes if not is_first_time(c, reading.changes)]
    items = ItemsChanged(changes_found, written)
    changed = {c.mark for c in changes_found if c.mark[0] != "items"}
    seen = reading.values.seen

    def changes(place: Access) -> bool:
        if place.kind in ("global", "cell"):
            return (place.kind, id(place.base), place.key) in changed
        if place.kind == "object":
            return False
        base = place.base
        owner = id(seen.get(base))
        mark: Mark = ("attribute", owner, place.key)
        if place.kind == "item" and base.kind == "attribute" and base.key == "__dict__":
            whose = id(seen.get(base.base))  # `vars(x)["k"]`
            if ("attribute", whose, place.key) in changed:
                return True
        if place.kind == "attribute":
            return mark in changed
        return items.changes(seen.get(base), place.key)

    def stays(guard: Guard, changed_inside: bool = False) -> bool:
        if guard.kind != "value" and not changed_inside:
            container = seen.get(guard.place)
            whole = guard.kind not in ("length", "keys")
            if items.any_of(container) if whole else items.resized(container):
                return False
        place = guard.place
        while not changes(place):
            if not isinstance(place.base, Access):
                return True
            place = place.base
        return False

    found = [g for g in reading.guards.values() if stays(g)]
    # What the function changes of a container is its own business, but which container it is.
    own = {c.mark for c in reading.changes if c.maybe and c.mark[0] == "items"}
    whole = [g.place for g in reading.guards.values() if g.kind in ("length", "keys")]
    for place in dict.fromkeys([*whole, *reading.filled]):
        container = seen.get(place)
        if ("items", id(container)) in own:
            itself = Guard(place, "object", reference(container))
            if stays(itself, changed_inside=True):
                found.append(itself)
    return found


class _Writer:
    """Writes the source of a check. Constants are the defaults of parameters."""

    def __init__(self, namespace: Mapping[str, Any], held: Container[int]) -> None:
        self._namespace = namespace
        self._held = held
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {}
        self.cells: dict[str, CellType] = {}
        self._marks: dict[int, str] = {}
        self._names: dict[Access, str] = {}
        self.uses: Counter[Access] = Counter()
        self.indent = "        "

    def constant(self, value: Any) -> str:
        mark = self._marks.get(id(value))
        if mark is None:
            mark = self._marks[id(value)] = f"{_OURS}constant_{len(self.constants)}"
            self.constants[mark] = value
        return mark

    def write(self, line: str) -> None:
        self.lines.append(self.indent + line)

    def place(self, place: Access) -> str:
        """An expression for the value at a place; what is used twice gets a name."""
        known = self._names.get(place)
        if known is not None:
            return known
        text = self._expression(place)
        if self.uses[place] > 1 and place.kind != "cell":
            name = f"{_OURS}{len(self._names)}"
            self.write(f"{name} = {text}")
            self._names[place] = text = name
        return text

    def _expression(self, place: Access) -> str:
        match place.kind:
            case "global":
                name = place.key
                plain = name.isidentifier() and not iskeyword(name) and not name.startswith(_OURS)
                if plain and place.base is self._namespace:
                    return str(name)
                return f"{self.constant(place.base)}[{self.constant(place.key)}]"
            case "cell":
                name = f"{_OURS}cell_{len(self.cells)}"
                self.cells[name] = place.base
                self._names[place] = name
                return name
            case "object":
                if not isinstance(place.base, weakref.ref):
                    return self.constant(place.base())
                return f"{self.constant(place.base)}()"
            case _:
                return place.source(self.place(place.base), self.constant)

    def guard(self, guard: Guard) -> None:
        if guard.kind == "absent":
            place = guard.place
            base = place.base
            holder = self.place(base) if isinstance(base, Access) else self.constant(base)
            key = self.constant(place.key)
            there = f"{key} in {holder}"
            if place.kind == "attribute":
                there = f"{self.constant(hasattr)}({holder}, {key})"
            self.write(f"if {there}: return False")
            return
        where = self.place(guard.place)
        expected = guard.expected
        match guard.kind:
            case "object":
                weak = isinstance(expected, weakref.ref) and id(expected()) not in self._held
                wanted = f"{self.constant(expected)}()" if weak else self.constant(expected())
                self.write(f"if {where} is not {wanted}: return False")
            case "type":
                type_, wanted = self.constant(type), self.constant(expected())
                self.write(f"if {type_}({where}) is not {wanted}: return False")
            case "length":
                self.write(f"if {self.constant(len)}({where}) != {expected!r}: return False")
            case "contents":
                found = f"{self.constant(contents)}({where})"
                self.write(f"if {found} != {self.constant(expected)}: return False")
            case "keys":
                tuple_, same = self.constant(tuple), self.constant(same_value)
                self.write(
                    f"if not {same}({tuple_}({where}), {self.constant(expected)}): return False"
                )
            case _:
                wanted = self.constant(expected)
                test = f"{where} is not {wanted}"
                if not (expected is None or isinstance(expected, bool)):
                    test += f" and not {self.constant(same_value)}({where}, {wanted})"
                self.write(f"if {test}: return False")


def compiled(
    guards: Iterable[Guard], namespace: dict[str, Any], held: Container[int] = ()
) -> tuple[Check, str]:
    """The check of `guards`, and its source. `namespace` are the function's own globals; objects
    that are `held` (ids) need no weak reference.
    """
    writer = _Writer(namespace, held)
    by_root: dict[Access, list[Guard]] = {}
    for g in guards:
        by_root.setdefault(g.place.root, []).append(g)
        place = g.place
        writer.uses[place] += 1
        while isinstance(place.base, Access) and writer.uses[place] == 1:
            place = place.base
            writer.uses[place] += 1
    for root, listed in by_root.items():
        weak = root.kind == "object" and isinstance(root.base, weakref.ref)
        if weak:
            writer.uses[root] = 2
            writer.write(f"if {writer.place(root)} is not None:")
            writer.indent += "    "
        for g in listed:
            writer.guard(g)
        if weak:
            writer.indent = writer.indent[4:]
    lines = "\n".join(writer.lines)
    failed = writer.constant(Exception)
    source = (
        f"def {_OURS}factory({', '.join(writer.cells)}):\n"
        f"  def {_OURS}check({', '.join(writer.constants)}):\n"
        f"    try:\n{lines}\n    except {failed}: return False\n"
        f"    return True\n  return {_OURS}check\n"
    )
    module = compile(source, "<guards of a trace>", "exec", dont_inherit=True)
    factory = next(c for c in module.co_consts if hasattr(c, "co_code"))
    code = next(c for c in factory.co_consts if hasattr(c, "co_code"))
    closure = tuple([writer.cells[name] for name in code.co_freevars])
    return FunctionType(code, namespace, "check", tuple(writer.constants.values()), closure), source


__all__ = ["Check", "Guards", "guards_from"]
