"""What the calls in a function give. No code of the user's runs."""

from __future__ import annotations

import ast
import collections
import copy
import functools
import heapq
import itertools
import operator
import random
from collections.abc import Iterable, Mapping, Sequence
from types import FunctionType
from typing import Any

from ...autograph import policy
from ...graph.nest import children
from ...graph.node import Tensor
from .callees import may_take_part
from .expressions import Expressions, attribute_named, is_key, is_one, is_super
from .facts import Scope
from .frames import Frame, few
from .known import MOST_ITEMS, PLAIN, Closure, Known, Made, plainly_indexed, static

_GETTERS = (operator.attrgetter, operator.itemgetter, operator.methodcaller)
_HANDING_ON = frozenset(
    {m.__name__ for m in (collections, functools, heapq, itertools, operator, random)}
    | {"_functools", "_heapq", "_operator", "_collections", children.__module__}
)
_MOST_PARAMETERS = 8
_DEEPEST_COPY = 4
_BY_KEY = frozenset({"get", "setdefault", "pop", "__getitem__"})
_Named = Mapping[str, list[Known]]


class Calls(Expressions):
    """Evaluates calls: of functions that take part, of builtins, and of others that call those."""

    def __init__(self) -> None:
        super().__init__()
        self._getters: dict[Any, Any] = {}

    def look_again(self, frame: Frame) -> None:
        """More is known of the arguments of a function, or of one in it."""
        raise NotImplementedError

    def _call(self, node: ast.Call, frame: Frame, scope: Scope, depth: int) -> list[Known]:
        key, memo = (id(node), "()"), frame.memo.found
        found = memo.get(key)
        if found is None:
            memo[key] = []  # for functions that call themselves
            found = memo[key] = few([*self._result(node, frame, scope, depth)])
        return found

    def _result(self, node: ast.Call, frame: Frame, scope: Scope, depth: int) -> Iterable[Known]:
        """What a call gives, of those that are understood."""
        args, named = self.arguments(node, frame, scope, depth)
        owners: list[Known] = []
        if isinstance(node.func, ast.Attribute) and not is_super(node.func.value):
            owners = self.of(node.func.value, frame, scope, depth + 1)
            if owners and _is_container(owners[0].value, node.func.attr):
                return self._of_container(node.func.attr, owners, args)
        callees = self.of(node.func, frame, scope, depth + 1)
        function = callees[0].value if callees else None
        if is_one(function, getattr, hasattr):
            return self._named(node, args, frame, scope, depth)
        if function is globals:
            return [self.values.namespace(frame.function.__globals__)]
        if not callees:
            self._handed_on([*args, owners], named, frame, depth)
        return [r for k in callees for r in self._given_by(k.value, args, named, frame, depth)]

    def arguments(
        self, node: ast.Call, frame: Frame, scope: Scope, depth: int = 0
    ) -> tuple[list[list[Known]], dict[str, list[Known]]]:
        """What is known of the arguments of a call."""
        args: list[list[Known]] = []
        for a in node.args:
            if isinstance(a, ast.Starred):
                several = self.of(a.value, frame, scope, depth + 1)
                if len(several) != 1:
                    break
                x = several[0].value
                if isinstance(x, Made) and not x.unordered and not x.names:
                    args += x.items
                elif plainly_indexed(x) and not isinstance(x, dict) and len(x) <= MOST_ITEMS:
                    args += [[v] for v in self.values.items(several[0])]
                else:
                    break
                continue
            args.append(self.of(a, frame, scope, depth + 1))
        named: dict[str, list[Known]] = {}
        for keyword in node.keywords:
            given = self.of(keyword.value, frame, scope, depth + 1)
            if keyword.arg is not None:
                named[keyword.arg] = given
                continue
            for k in given:
                if isinstance(k.value, Made):
                    for name, values in zip(k.value.names, k.value.items, strict=False):
                        named[name] = [*named.get(name, []), *values]
                elif isinstance(k.value, dict):
                    for name in [n for n in k.value if isinstance(n, str)][:MOST_ITEMS]:
                        named[name] = [*named.get(name, []), *self.values.item(k, name)]
        return args, named

    # --- functions of the user's ---------------------------------------------

    def _given_by(
        self, function: Any, args: Sequence[list[Known]], named: _Named, frame: Frame, depth: int
    ) -> Iterable[Known]:
        if isinstance(function, Closure):
            return self._entered(function, args, named, frame, depth)
        if may_take_part(function):
            called = self.follow(function, args, named)
            return [] if isinstance(function, type) else self._returned(called, frame, depth)
        if isinstance(function, functools.partial):
            bound = {n: [Known(v)] for n, v in function.keywords.items()}
            args = [*([Known(a)] for a in function.args), *args]
            return self._given_by(function.func, args, bound | dict(named), frame, depth)
        if isinstance(function, _GETTERS):
            return self._got(function, args[0] if args else [], frame, depth)
        if is_one(function, *_GETTERS):
            return self._getter(function, args)
        return self._of_library(function, args, named, frame, depth)

    def _entered(
        self, closure: Closure, args: Sequence[list[Known]], named: _Named, frame: Frame, depth: int
    ) -> list[Known]:
        """What a function in a function gives."""
        inner, home = closure.inner, closure.frame
        given = dict(zip(inner.positional, args, strict=False))
        given |= {n: ks for n, ks in named.items() if n in inner.scope.parameters}
        if inner.named is not None:
            more = {n: ks for n, ks in named.items() if n not in inner.scope.parameters}
            given[inner.named] = self.made([*more.values()], names=more)
        if inner.rest is not None:
            given[inner.rest] = self.made([list(a) for a in args[len(inner.positional) :]])
        if home.add_inner(inner.scope, given):
            self.look_again(home)
        self.users.setdefault(home, set()).add(frame)
        returns = inner.returns
        return few([k for r in returns for k in self.of(r.expr, home, r.scope, depth + 1)])

    def _applied(
        self, functions: Iterable[Known], args: Sequence[list[Known]], frame: Frame, depth: int
    ) -> list[Known]:
        """What functions give that a library calls."""
        results: list[Known] = []
        for k in functions:
            if may_take_part(k.value):
                called = self.follow(k.value, args, {})
                if called is not None:
                    called.unplaced = True
            if _is_function(k.value):
                results += self._given_by(k.value, args, {}, frame, depth)
        return few(results)

    def _handed_on(
        self,
        args: Iterable[list[Known]],
        named: _Named,
        frame: Frame,
        depth: int,
        wanted: bool = False,
    ) -> list[Known]:
        """A call that isn't looked into may call the functions that it is given with whatever
        else it is given. What it may give.
        """
        given = [k for ks in (*args, *named.values()) for k in ks]
        functions = [k for k in given if _is_function(k.value)]
        if not (functions or wanted):
            return []
        items = few([v for k in given for v in (*self._looped(k), *self.values.items(k))])
        others = few([*(k for k in given if not _is_function(k.value)), *items])
        results = self._applied(functions, [others] * _MOST_PARAMETERS, frame, depth)
        return few([*items, *results, *functions])

    # --- functions of libraries ----------------------------------------------

    def _of_library(
        self, function: Any, args: Sequence[list[Known]], named: _Named, frame: Frame, depth: int
    ) -> Iterable[Known]:
        module = getattr(function, "__module__", None)
        if module not in _HANDING_ON and module not in ("builtins", "copy"):
            self._handed_on(args, named, frame, depth)
            return []
        first = args[0] if args else []
        if function is vars:
            return [v for k in first for v in self.attribute(k, "__dict__", frame, depth)]
        if function is type and len(args) == 1:
            kinds = [type(k.value) for k in first]
            return [Known(kind) for kind in kinds if not policy.is_library_type(kind)]
        if function is iter:
            return first
        if is_one(function, list, tuple, reversed, set, frozenset, dict):
            return self._copied(function, first)
        if is_one(function, map, filter, functools.reduce):
            return self._by_each(function, first, args[1:], frame, depth)
        if is_one(function, copy.copy, copy.deepcopy):
            for k in first:
                self._guard_parts(k)
            return self._copied(list, first) if first else []
        items = [v for k in first for v in self._looped(k)]
        if is_one(function, sorted, max, min):
            among = [k for ks in args for k in ks] if len(args) > 1 else items
            self._applied(named.get("key", ()), [among], frame, depth)
            if function is sorted:
                return self.made([among], unordered=True)
            return [*among, *named.get("default", [])]
        if function is next:
            return [*items, *(args[1] if len(args) > 1 else [])]
        if function is enumerate:
            return self.made(
                [[p for v in items for p in self.made([[], [v]])]],
                unordered=True,
            )
        if function is zip:
            columns = self.made([[v for k in a for v in self._looped(k)] for a in args])
            return self.made([columns], unordered=True)
        if module not in _HANDING_ON:
            return []
        results = self._handed_on(args, named, frame, depth, wanted=True)
        some = self.made([results], unordered=True)
        return [*results, *some, *self.made([some], unordered=True)]

    def _copied(self, kind: type, first: list[Known]) -> list[Known]:
        """A new list or the like of what is in another."""
        if kind is not dict and len(first) == 1:
            x = first[0].value
            if isinstance(x, Made) and not x.names:
                return first
            if isinstance(x, (list, tuple)) and plainly_indexed(x) and kind in (list, tuple):
                return self.made([[v] for v in self.values.items(first[0])])
        found = self.values.items if kind is dict else self._looped
        return self.made([[v for k in first for v in found(k)]], unordered=True)

    def _by_each(
        self,
        kind: Any,
        functions: list[Known],
        over: Sequence[list[Known]],
        frame: Frame,
        depth: int,
    ) -> list[Known]:
        """`map`, `filter` and `functools.reduce`."""
        items = [[v for k in ks for v in self._looped(k)] for ks in over]
        if kind is functools.reduce:
            first = few([k for ks in (over[1:2] or items[:1]) for k in ks])
            each = items[0] if items else []
            results = self._applied(functions, [first, each], frame, depth)
            results = self._applied(functions, [[*first, *results], each], frame, depth)
            return few([*first, *results])
        results = self._applied(functions, items, frame, depth)
        if kind is filter:
            results = [v for vs in items for v in vs]
        return self.made([results], unordered=True)

    def _getter(self, kind: Any, args: Sequence[list[Known]]) -> list[Known]:
        """`operator.attrgetter("k")` and the like."""
        if not args or not all(len(a) == 1 and is_key(a[0].value) for a in args):
            return []
        given = tuple([a[0].value for a in args])
        key = (kind, *zip(map(type, given), given, strict=True))
        if key not in self._getters:
            try:
                self._getters[key] = kind(*given)
            except TypeError:
                return []
        return [Known(self._getters[key])]

    def _got(self, getter: Any, owners: list[Known], frame: Frame, depth: int) -> list[Known]:
        """What `operator.attrgetter("k")(x)` and the like give."""
        made, given = getter.__reduce__()[:2]
        named: dict[str, list[Known]] = {}
        if isinstance(made, functools.partial):  # a methodcaller with keywords
            named = {n: [Known(v)] for n, v in made.keywords.items()}
            given = (*made.args, *given)
        if isinstance(getter, operator.methodcaller):
            args = [[Known(a)] for a in given[1:]]
            results: list[Known] = []
            for k in owners:
                methods = self.attribute(k, given[0], frame, depth)
                if not methods:
                    self.guard(k)
                for m in methods:
                    results += self._given_by(m.value, args, named, frame, depth)
            return few(results)
        columns: list[list[Known]] = []
        for key in given:
            found = owners
            if isinstance(getter, operator.attrgetter):
                for name in key.split("."):
                    found = [v for k in found for v in self.attribute(k, name, frame, depth)]
            else:
                index = ast.Constant(key)
                found = [*self._items(owners, index, frame, frame.facts.scope, depth)]
            for v in found:
                self.guard(v)
            columns.append(few(found))
        return columns[0] if len(columns) == 1 else self.made(columns)

    def _guard_parts(self, known: Known, depth: int = 0) -> None:
        """All of an object is used."""
        self.guard(known)
        if depth < _DEEPEST_COPY and isinstance(known.value, (list, tuple, dict)):
            for v in self.values.items(known):
                self._guard_parts(v, depth + 1)
        own = getattr(known.value, "__dict__", None)
        if depth >= _DEEPEST_COPY or type(own) is not dict or isinstance(known.value, type):
            return
        if policy.is_library_type(type(known.value)):
            return
        for name in [*own][:MOST_ITEMS]:
            found = self.values.attribute(known, name)
            for v in found if isinstance(found, list) else ():
                self._guard_parts(v, depth + 1)

    # --- attributes and methods ----------------------------------------------

    def _named(
        self, node: ast.Call, args: list[list[Known]], frame: Frame, scope: Scope, depth: int
    ) -> list[Known]:
        """`getattr(x, "k", default)`."""
        target = attribute_named(node)
        found = self.of(target, frame, scope, depth + 1) if target else []
        if not found and len(args) >= 2 and args[1]:
            named = [k.value for k in args[1] if isinstance(k.value, str)]
            pairs = [(k, n) for k in args[0] for n in named]
            found = few([v for k, n in pairs for v in self.attribute(k, n, frame, depth)])
        return found or (args[2] if len(args) > 2 else [])

    def _of_container(
        self, method: str, owners: list[Known], args: list[list[Known]]
    ) -> Iterable[Known]:
        for owner in owners:
            within = [*self.values.items(owner)]
            if method in _BY_KEY and args:
                for key in args[0]:
                    if is_key(key.value):
                        yield from self.values.item(owner, key.value) or [*args[1:2], []][0]
            elif method in ("pop", "popleft"):
                yield from within
            elif method == "values":
                yield from self.made([within], unordered=True)
            elif method == "items":
                pairs = [p for v in within for p in self.made([[], [v]])]
                yield from self.made([pairs], unordered=True)
            elif method == "copy":
                yield from self.made([within], unordered=True)


def _is_container(x: Any, method: str) -> bool:
    if isinstance(x, Made):
        return True
    own = isinstance(static(type(x), method), FunctionType)
    return isinstance(x, (dict, list, tuple, collections.deque)) and not own


def _is_function(x: Any) -> bool:
    if isinstance(x, (Tensor, Made, *PLAIN)):
        return False
    return isinstance(x, (Closure, *_GETTERS)) or may_take_part(x)


__all__ = ["Calls"]
