"""What the expressions in a function may stand for. No code of the user's runs."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Mapping, Sequence
from types import FunctionType, MethodType
from typing import Any, TypeGuard

from .facts import Each, Part, Read, Scope, Some, Source
from .frames import Frame, MemoKey, few, identity
from .known import CONTAINERS, Computed, Known, Made, Values

_WITH_ITEMS = tuple(kind for kind in CONTAINERS if kind is not bytearray)
_VALUES = (ast.Constant, ast.Name, ast.Attribute, ast.Subscript)
_DEEPEST = 60  # expressions of expressions
_MOST_ROUNDS = 32  # until it is known what a name that depends on itself stands for
_MOST_NESTED = 3  # tuples of tuples that functions make


class Expressions:
    """Evaluates; names and calls once for each frame."""

    def __init__(self) -> None:
        self.values = Values()
        self.users: dict[Frame, set[Frame]] = {}  # those that asked what a function returns
        self._made: dict[Any, Made] = {}

    def guard(self, known: Known) -> None:
        """A value is used."""

    def follow(
        self, callee: Any, args: Sequence[list[Known]], kwargs: Mapping[str, list[Known]]
    ) -> Frame | None:
        """A function is called: its frame, if that takes part."""
        raise NotImplementedError

    def _call(self, node: ast.Call, frame: Frame, scope: Scope, depth: int) -> list[Known]:
        """What a call gives."""
        raise NotImplementedError

    def of(self, source: Source, frame: Frame, scope: Scope, depth: int = 0) -> list[Known]:
        """What an expression may stand for; nothing where that is not known."""
        if depth > _DEEPEST:
            return []
        match source:
            case ast.Name(id=name):
                return self._name(name, frame, scope, depth)
            case ast.Attribute(value=base, attr=attr):
                if is_super(base):
                    return self._of_super(base, frame, scope, attr)
                owners = self.of(base, frame, scope, depth + 1)
                return few([v for k in owners for v in self.attribute(k, attr, frame, depth)])
            case ast.Subscript(value=base, slice=index):
                owners = self.of(base, frame, scope, depth + 1)
                return few([*self._items(owners, index, frame, scope, depth)]) if owners else []
            case ast.Call():
                return self._call(source, frame, scope, depth)
            case ast.Constant(value=value):
                return [Known(value)]
            case ast.IfExp(body=one, orelse=other):
                return few([k for x in (one, other) for k in self.of(x, frame, scope, depth + 1)])
            case ast.BoolOp(values=operands):
                return few([k for x in operands for k in self.of(x, frame, scope, depth + 1)])
            case Read(expr=expr, scope=home):
                return self.of(expr, frame, home, depth + 1)
            case ast.NamedExpr(value=value):
                return self.of(value, frame, scope, depth + 1)
            case Each(source=inner):
                whole = self.of(inner, frame, scope, depth + 1)
                return few([item for k in whole for item in self._looped(k)])
            case Part(source=inner, index=i):
                whole = self.of(inner, frame, scope, depth + 1)
                return few([item for k in whole for item in self.values.item(k, i)])
            case Some(source=inner):
                whole = self.of(inner, frame, scope, depth + 1)
                return self.made([[v for k in whole for v in self._looped(k)]], unordered=True)
            case _:
                return self._defined(source, frame, scope, depth)

    def _defined(self, source: Source, frame: Frame, scope: Scope, depth: int) -> list[Known]:
        """A container or function that the function makes."""
        match source:
            case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
                if any(isinstance(x, ast.Starred) for x in items):
                    return self._joined(items, frame, scope, depth)
                return self.made([self.of(x, frame, scope, depth + 1) for x in items])
            case ast.BinOp(left=one, op=ast.Add() | ast.BitOr(), right=other):
                if not (_may_be_list(one) and _may_be_list(other)):
                    return []
                both = [ast.Starred(x, ast.Load()) for x in (one, other)]
                return self._joined(both, frame, scope, depth)
            case ast.Dict(keys=keys, values=items):
                each = [self.of(x, frame, scope, depth + 1) for x in items]
                for i, key in enumerate(keys):
                    if key is None:  # {**x}
                        each[i] = [v for k in each[i] for v in self.values.items(k)]
                names = [k.value for k in keys if isinstance(k, ast.Constant)]
                if each and len({*names}) == len(each):
                    return self.made(each, names=names)
                return self.made([[k for ks in each for k in ks]], unordered=True)
            case ast.Lambda() | ast.FunctionDef() | ast.AsyncFunctionDef():
                inner = frame.facts.inner.get(id(source))
                return [Known(frame.closure(inner))] if inner else []
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                inner = frame.facts.inner.get(id(source))
                returns = inner.returns if inner else ()
                known = [k for r in returns for k in self.of(r.expr, frame, r.scope, depth + 1)]
                return self.made([known], unordered=True)
        return []

    def _joined(
        self, items: Iterable[ast.expr], frame: Frame, scope: Scope, depth: int
    ) -> list[Known]:
        """A list of what is in several."""
        found: list[Known] = []
        for x in items:
            if isinstance(x, ast.Starred):
                for k in self.of(x.value, frame, scope, depth + 1):
                    found += self._looped(k)
                    found += self.values.items(k) if isinstance(k.value, dict) else ()
            else:
                found += self.of(x, frame, scope, depth + 1)
        return self.made([found], unordered=True) if found else []

    def made(
        self, items: list[list[Known]], unordered: bool = False, names: Iterable[Any] = ()
    ) -> list[Known]:
        """A tuple or list that the function makes: one object for all with the same items."""
        nested = max(
            [k.value.depth for ks in items for k in ks if isinstance(k.value, Made)] or [0]
        )
        if nested >= _MOST_NESTED:
            return []
        items = [few(options) for options in items]
        names = tuple(names)
        key = (unordered, names, *(tuple(map(identity, options)) for options in items))
        known = self._made.get(key)
        if known is None:
            known = self._made[key] = Made(items, nested + 1, unordered, names)
        return [Known(known)]

    def _looped(self, known: Known) -> Iterable[Known]:
        if isinstance(known.value, dict):
            return [Known(key) for key in known.value]
        if isinstance(known.value, Made) and known.value.names:
            return [Known(key) for key in known.value.names]
        return self.values.items(known)

    # --- names ---------------------------------------------------------------

    def _name(self, name: str, frame: Frame, scope: Scope, depth: int) -> list[Known]:
        at: Scope | None = scope
        while at is not None and name not in at.local:
            at = at.parent
        memo = frame.memo
        if at is None:
            free = memo.free.get(name)
            if free is None:
                free = memo.free[name] = self.free(frame, name)
            return free
        key = (id(at), name)
        found = memo.found.get(key)
        if found is not None:
            if key in memo.asked:
                memo.asked[key] = True
            return found
        if memo.asked:
            return self._local(key, frame, at, depth)
        # A name may depend on itself (`node = node.next`): until nothing is added any more.
        size = len(memo.found)
        for _ in range(_MOST_ROUNDS):
            memo.again = False
            found = self._local(key, frame, at, depth)
            now = dict(list(memo.found.items())[size:])
            if not memo.again or sum(map(len, now.values())) <= sum(
                map(len, memo.earlier.values())
            ):
                break
            memo.earlier = now
            for later in now:
                del memo.found[later]
        memo.earlier = {}
        return found or []

    def _local(self, key: MemoKey, frame: Frame, scope: Scope, depth: int) -> list[Known]:
        """What a local name stands for, if what was found of it earlier is true."""
        name, memo = key[1], frame.memo
        given = frame.given(name, scope)
        memo.found[key] = [*given, *memo.earlier.get(key, ())]
        memo.asked[key] = False
        more = [k for s in scope.local[name] for k in self.of(s, frame, scope, depth + 1)]
        found = memo.found[key] = few([*memo.found[key], *more])
        memo.again |= memo.asked.pop(key)
        return found

    def free(self, frame: Frame, name: str) -> list[Known]:
        """What a name is that the function does not assign: a cell, a global or a builtin."""
        function = frame.function
        names = function.__code__.co_freevars
        if name in names:
            cell = (function.__closure__ or ())[names.index(name)]
            try:
                value = cell.cell_contents
            except ValueError:
                return []
            return [self.values.known(value, self.values.places.cell(cell, name))]
        namespace = function.__globals__
        if name in namespace:
            place = self.values.places.variable(namespace, name)
            return [self.values.known(namespace[name], place)]
        return [Known(getattr(builtins, name))] if hasattr(builtins, name) else []

    # --- attributes and items ------------------------------------------------

    def attribute(self, known: Known, name: str, frame: Frame, depth: int = 0) -> list[Known]:
        """What `known.name` may be."""
        found = self.values.attribute(known, name)
        if isinstance(found, Computed):
            called = self.follow(found.function, found.arguments, {})
            if called is None:
                self.guard(known)
            return self._returned(called, frame, depth)
        if not found and not isinstance(known.value, CONTAINERS):
            self.guard(known)  # what it is can't be told: the object must be the same
        return found

    def _computed(self, found: Computed, frame: Frame, depth: int) -> list[Known]:
        called = self.follow(found.function, found.arguments, {})
        return self._returned(called, frame, depth)

    def _returned(self, called: Frame | None, frame: Frame, depth: int) -> list[Known]:
        if called is None:
            return []
        self.users.setdefault(called, set()).add(frame)
        returns = called.facts.returns
        return few([k for r in returns for k in self.of(r.expr, called, r.scope, depth + 1)])

    def _of_super(self, call: ast.Call, frame: Frame, scope: Scope, attr: str) -> list[Known]:
        if len(call.args) == 2:
            cls, owners = [self.of(a, frame, scope) for a in call.args]
        else:
            cls = self.free(frame, "__class__")
            owners = [k for name in frame.facts.scope.parameters[:1] for k in frame.given(name)]
        for owner in owners if cls else ():
            x = owner.value
            kind = x if isinstance(x, type) else type(x)
            if cls[0].value not in kind.__mro__:
                continue
            for base in kind.__mro__[kind.__mro__.index(cls[0].value) + 1 :]:
                raw = base.__dict__.get(attr)
                if isinstance(raw, FunctionType):
                    return [Known(MethodType(raw, x))]
                if isinstance(raw, classmethod):
                    return [Known(MethodType(raw.__func__, kind))]
                if isinstance(raw, property) and isinstance(raw.fget, FunctionType):
                    return self._computed(Computed(raw.fget, [[owner]]), frame, 1)
                if attr in base.__dict__:
                    return self.attribute(Known(base), attr, frame)
        return []

    def _items(
        self, owners: list[Known], index: ast.expr, frame: Frame, scope: Scope, depth: int
    ) -> Iterable[Known]:
        keys: list[Known] = []
        if not isinstance(index, ast.Slice) and self.all_is_known(index, frame, scope):
            keys = self.of(index, frame, scope, depth + 1)
        for owner in owners:
            own = getattr(type(owner.value), "__getitem__", None)
            if isinstance(own, FunctionType):
                called = self.follow(own, [[owner], keys], {})
                yield from self._returned(called, frame, depth)
            if keys and all(is_key(k.value) for k in keys):
                for k in keys:
                    found = self.values.item(owner, k.value)
                    if not found and not isinstance(owner.value, _WITH_ITEMS):
                        self.guard(owner)
                    yield from found
            elif isinstance(index, ast.UnaryOp):
                yield from self._constant_item(owner, index)
            else:
                within = list(self.values.items(owner))
                self.guard(owner)
                if isinstance(index, ast.Slice):
                    yield from self.made([within], unordered=True)
                else:
                    yield from within

    def all_is_known(self, index: ast.expr, frame: Frame, scope: Scope) -> bool:
        """False for a name that may stand for more than what is known of it: `i += 1`."""
        at: Scope | None = scope if isinstance(index, ast.Name) else None
        while at is not None and index.id not in at.local:  # type: ignore[attr-defined]
            at = at.parent
        sources = at.local[index.id] if at is not None else ()  # type: ignore[attr-defined]
        if len(sources) < 2:
            return None not in sources
        return all(isinstance(s, _VALUES) for s in sources)

    def _constant_item(self, owner: Known, index: ast.expr) -> Iterable[Known]:
        try:
            return self.values.item(owner, ast.literal_eval(index))
        except ValueError:
            return self.values.items(owner)


def attribute_named(node: ast.Call) -> ast.Attribute | None:
    """`x.k` for `getattr(x, "k")` and the like."""
    match node.args:
        case [owner, ast.Constant(value=str(name)), *_]:
            return ast.Attribute(owner, name, ast.Load())
    return None


def _may_be_list(x: ast.expr) -> bool:
    if isinstance(x, ast.BinOp):
        return isinstance(x.op, (ast.Add, ast.BitOr)) and _may_be_list(x.left)
    return not isinstance(x, (ast.Constant, ast.UnaryOp, ast.Compare))


def is_super(x: ast.expr) -> TypeGuard[ast.Call]:
    return isinstance(x, ast.Call) and isinstance(x.func, ast.Name) and x.func.id == "super"


def is_one(x: Any, *candidates: Any) -> bool:
    return any([x is c for c in candidates])


def is_key(x: Any) -> bool:
    return isinstance(x, (int, str, bytes, float, bool, type(None)))


__all__ = ["Expressions", "attribute_named", "is_key", "is_one", "is_super"]
