"""What a traced function, and the functions that it calls, read of values that are no arguments.

The text of each function (`finder.py`) is followed from names and arguments along attributes,
items, local names and calls, after the trace. Over-approximated: a read on a path that was not
taken counts. No code of the user's runs.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Mapping, Sequence
from types import FunctionType, MethodType
from typing import Any

from ...autograph import policy
from .access import Access
from .callees import bound, may_take_part, operators_of, takes_part
from .calls import Calls
from .changes import Change, Changes, is_item
from .expressions import is_key, is_one
from .facts import Scope, Site
from .finder import CHANGING, facts_of
from .frames import Frame, Memo, receiver
from .known import CONTAINERS, WRAPPERS, Known
from .leaves import Guard, guards_of, length_guard, type_guard

MOST_CALLS = 2_000  # functions that are looked at, those to which more is given again included
_MOST_RECEIVERS = 32
_HOLDING = (list, dict, tuple, set, frozenset, *WRAPPERS)


class Reading(Calls):
    """The reads, calls and changes of one trace."""

    def __init__(self) -> None:
        super().__init__()
        self.guards: dict[tuple[Access, str], Guard] = {}
        self.codes: set[int] = set()
        self.filled: dict[Access, None] = {}  # containers that items are assigned of
        self.sites: dict[Frame, dict[tuple[int, int], tuple[Frame, Site]]] = {}  # calls of it
        self._frames: dict[Any, Frame] = {}
        self._receivers: dict[Any, int] = {}
        self._pending: dict[Frame, None] = {}
        self._stale: set[Frame] = set()  # frames whose memo is out of date
        self._guarded: set[Access] = set()
        self._operands: set[int] = set()
        self._steps = 0

    @functools.cached_property
    def changes(self) -> list[Change]:
        """What is changed of that which outlives the call."""
        return Changes(self, list(self._frames.values()), self.sites).found

    def read(self, callee: Any, arguments: Mapping[str, Any]) -> None:
        """Follow `callee`, called with `arguments`, and all that it calls."""
        known = {n: [Known(x)] for n, x in arguments.items()}
        code = getattr(callee, "__code__", None)
        if code is not None and not known.keys() <= {*code.co_varnames}:
            frame = self.follow(callee, list(known.values()), {})  # a wrapper
        else:
            frame = self.follow(callee, [], known)
        if frame is not None:
            frame.is_root = True
        self._work()

    def read_more(self, callees: Iterable[Any]) -> None:
        """Follow functions that were called; nothing is known of their arguments."""
        for callee in callees:
            function = callee.__func__ if isinstance(callee, MethodType) else callee
            if isinstance(function, FunctionType) and id(function.__code__) not in self.codes:
                self._follow_unplaced(callee)
                self._work()

    def _work(self) -> None:
        while self._pending and self._steps < MOST_CALLS:
            self._steps += 1
            frame = next(iter(self._pending))
            del self._pending[frame]
            for stale in self._stale:
                stale.memo = Memo()
            self._stale.clear()
            self._process(frame)

    # --- functions -----------------------------------------------------------

    def follow(
        self, callee: Any, args: Sequence[list[Known]], kwargs: Mapping[str, list[Known]]
    ) -> Frame | None:
        """The frame of what `callee` calls, if that takes part."""
        while isinstance(callee, (MethodType, functools.partial)):
            if isinstance(callee, MethodType):
                args = [[Known(callee.__self__)], *args]
                callee = callee.__func__
            else:
                args = [*([Known(a)] for a in callee.args), *args]
                base = self.values.place_of(Known(callee))
                held = Known(
                    callee.keywords, base and self.values.places.attribute(base, "keywords")
                )
                bound_before = {n: self.values.item(held, n) for n in callee.keywords}
                kwargs = bound_before | dict(kwargs)
                callee = callee.func
        if isinstance(callee, type):
            init: Any = callee.__init__  # type: ignore[misc]
            args, callee = [[], *args], init
        elif not isinstance(callee, FunctionType) and not policy.is_library_type(type(callee)):
            own = getattr(type(callee), "__call__", None)  # noqa: B004
            args, callee = [[Known(callee)], *args], own
        if not isinstance(callee, FunctionType) or not takes_part(callee):
            return None
        frame = self._frame(callee, receiver(args))
        if frame.add(bound(callee, args, kwargs, self.values, self.made)):
            self.look_again(frame)
        return frame

    def _frame(self, function: FunctionType, about: int) -> Frame:
        own = (id(function.__code__), *map(id, function.__closure__ or ()))
        frame = self._frames.get((own, about))
        if frame is not None:
            return frame
        if about and self._receivers.get(own, 0) >= _MOST_RECEIVERS:
            return self._frame(function, 0)
        self._receivers[own] = self._receivers.get(own, 0) + 1
        frame = self._frames[own, about] = Frame(function, facts_of(function))
        self.codes |= frame.facts.codes | {id(function.__code__)}
        self._pending[frame] = None
        return frame

    def _follow_unplaced(self, callee: Any) -> None:
        frame = self.follow(callee, [], {})
        if frame is not None:
            frame.unplaced = True

    def _follow_operators(self, known: Known) -> None:
        """`x + y`, `for v in x` and the like may call functions of the user's."""
        if id(known.value) in self._operands:
            return
        self._operands.add(id(known.value))
        for own in operators_of(known.value):
            frame = self.follow(own, [[known]], {})
            if frame is not None:
                frame.unplaced = True

    def look_again(self, frame: Frame) -> None:
        """More is known of its arguments, and so of what those stand for that asked it: next time.
        What is looked for now must come to an end first.
        """
        stack = [frame]
        seen = set(stack)
        while stack:
            frame = stack.pop()
            self._stale.add(frame)
            self._pending[frame] = None
            users = self.users.get(frame, set())
            stack += users - seen
            seen |= users

    def _process(self, frame: Frame) -> None:
        for read in frame.facts.reads:
            found = self.of(read.expr, frame, read.scope)
            if not found:
                self._not_there(read.expr, frame, read.scope)
            for known in found:
                if isinstance(known.value, FunctionType):
                    self._follow_unplaced(known.value)  # it may be called by another
                self._follow_operators(known)
                self.guard(known)
        for site in frame.facts.assigned:
            if isinstance(site.node, ast.Subscript):
                self._fill(site, frame)
        for site in frame.facts.calls:
            self._read_call(site, frame)

    def _fill(self, site: Site, frame: Frame) -> None:
        """An item is assigned: that depends on which container it is, not on what is in it."""
        base = site.node.value
        found = self.of(base, frame, site.scope)
        if not found:
            self._not_there(base, frame, site.scope)
        for known in found:
            if not (is_item(site.node) and isinstance(known.value, CONTAINERS)):
                self._follow_operators(known)
                self.guard(known)
            elif known.place is not None:
                self.filled[known.place] = None

    def _not_there(self, node: ast.expr, frame: Frame, scope: Scope) -> None:
        """A read that gives nothing that is known: there may be nothing yet."""
        match node:
            case ast.Attribute(value=base, attr=attr):
                for owner in self.of(base, frame, scope):
                    if not isinstance(owner.value, CONTAINERS):
                        self._absent(owner, attr)
                    elif attr not in CHANGING:  # a method to call: `map(table.get, keys)`
                        self.guard(owner)
            case ast.Subscript(value=base, slice=index) if not isinstance(index, ast.Slice):
                keys = [k.value for k in self.of(index, frame, scope) if is_key(k.value)]
                for owner in self.of(base, frame, scope):
                    for key in keys if isinstance(owner.value, dict) else ():
                        if not dict.__contains__(owner.value, key):
                            self._absent(owner, key)

    def guard(self, known: Known) -> None:
        if known.place is None or known.place in self._guarded:
            return
        self._guarded.add(known.place)
        for guard in guards_of(known, self.values):
            self.guards.setdefault((guard.place, guard.kind), guard)

    def _add(self, guard: Guard | None) -> None:
        if guard is not None:
            self.guards.setdefault((guard.place, guard.kind), guard)

    # --- calls ---------------------------------------------------------------

    def _read_call(self, site: Site, frame: Frame) -> None:
        node, scope = site.node, site.scope
        if self._read_by_builtin(node, frame, scope):
            return
        callees = self.of(node.func, frame, scope)
        if not callees and isinstance(node.func, ast.Attribute):
            self._not_there(node.func, frame, scope)
        own = 0
        for known in callees:
            self.guard(known)
            if not may_take_part(known.value):
                continue
            own += 1
            args, kwargs = self.arguments(node, frame, scope)
            called = self.follow(known.value, args, kwargs)
            if called is not None:
                self.sites.setdefault(called, {})[id(frame), id(site)] = (frame, site)
        self._read_items(node, frame, scope, bool(own))
        if not callees or own < len(callees):
            self.of(node, frame, scope)  # it may call the functions that it is given

    def _read_by_builtin(self, node: ast.Call, frame: Frame, scope: Scope) -> bool:
        """Calls of builtins that read something of their first argument."""
        if not isinstance(node.func, ast.Name) or not node.args:
            return False
        called = self.of(node.func, frame, scope)
        function = called[0].value if called else None
        if not is_one(function, len, hasattr, getattr, setattr, isinstance, enumerate, zip):
            return False
        for a in node.args:
            for known in self.of(a, frame, scope):
                if function is len:
                    self._follow_operators(known)
                    guard = length_guard(known, self.values)
                    self._add(guard)
                    if guard is None:
                        self.guard(known)
                elif is_one(function, enumerate, zip):
                    self.guard(known)
                elif function is isinstance:
                    self._add(type_guard(known, self.values))
        if is_one(function, hasattr, getattr):
            self._asked_for(node, frame, scope)
        return True

    def _asked_for(self, node: ast.Call, frame: Frame, scope: Scope) -> None:
        """`hasattr(x, "k")` and `getattr(x, "k", default)`: there may be none."""
        names = [k.value for a in node.args[1:2] for k in self.of(a, frame, scope)]
        for owner in self.of(node.args[0], frame, scope):
            for name in names:
                if isinstance(name, str) and not self.attribute(owner, name, frame):
                    self._absent(owner, name)
        for known in self.of(node, frame, scope):
            self.guard(known)

    def _absent(self, known: Known, name: str) -> None:
        place = self.values.absent(known, name)
        if place is not None:
            self.guards.setdefault((place, "absent"), Guard(place, "absent", None))

    def _read_items(self, node: ast.Call, frame: Frame, scope: Scope, own: bool) -> None:
        """A method of a list or dict reads some of it: `d.get("k")`, or all: `d.items()`."""
        if not isinstance(node.func, ast.Attribute):
            return
        for owner in self.of(node.func.value, frame, scope):
            if isinstance(owner.value, WRAPPERS if own else _HOLDING):
                by_key = node.func.attr in ("get", "setdefault", "__getitem__") and node.args
                if by_key and isinstance(owner.value, dict):
                    for known in self.of(node, frame, scope):
                        self.guard(known)
                    for key in self.of(node.args[0], frame, scope):
                        if is_key(key.value) and not self.values.item(owner, key.value):
                            self._absent(owner, key.value)
                else:
                    self.guard(owner)


__all__ = ["Reading"]
