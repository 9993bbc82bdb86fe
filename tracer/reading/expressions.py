"""What the expressions in a function may stand for. No code of the user's runs."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Mapping, Sequence
from types import FunctionType, MethodType
from typing import Any

from .callees import may_take_part
from .facts import Each, Part, Scope, Source
from .frames import Frame, MemoKey, few, identity
from .known import CONTAINERS, Computed, Known, Made, Values

_PASS_THROUGH: tuple[Any, ...] = (list, tuple, reversed, sorted, iter, set, frozenset)
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

    def of(self, source: Source, frame: Frame, scope: Scope, depth: int = 0) -> list[Known]:
        """What an expression may stand for; nothing where that is not known."""
        if depth > _DEEPEST:
            return []
        match source:
            case ast.Name(id=name):
                return self._name(name, frame, scope, depth)
            case ast.Attribute(value=base, attr=attr):
                if is_super(base):
                    return self._of_super(frame, attr)
                owners = self.of(base, frame, scope, depth + 1)
                return few([v for k in owners for v in self.attribute(k, attr, frame, depth)])
            case ast.Subscript(value=base, slice=index):
                owners = self.of(base, frame, scope, depth + 1)
                return few([*self._items(owners, index, frame, scope, depth)]) if owners else []
            case ast.Call():
                return self._call(source, frame, scope, depth)
            case ast.Constant(value=value):
                return [Known(value)]
            case ast.Tuple(elts=items) | ast.List(elts=items):
                if any(isinstance(x, ast.Starred) for x in items):
                    return []
                return self.made([self.of(x, frame, scope, depth + 1) for x in items])
            case ast.IfExp(body=one, orelse=other):
                return few([k for x in (one, other) for k in self.of(x, frame, scope, depth + 1)])
            case ast.BoolOp(values=operands):
                return few([k for x in operands for k in self.of(x, frame, scope, depth + 1)])
            case ast.NamedExpr(value=value):
                return self.of(value, frame, scope, depth + 1)
            case Each(source=inner):
                whole = self.of(inner, frame, scope, depth + 1)
                return few([item for k in whole for item in self._looped(k)])
            case Part(source=inner, index=i):
                whole = self.of(inner, frame, scope, depth + 1)
                return few([item for k in whole for item in self.values.item(k, i)])
        return []

    def made(self, items: list[list[Known]]) -> list[Known]:
        """A tuple or list that the function makes: one object for all with the same items."""
        nested = max(
            [k.value.depth for ks in items for k in ks if isinstance(k.value, Made)] or [0]
        )
        if nested >= _MOST_NESTED:
            return []
        key = tuple([tuple(map(identity, options)) for options in items])
        known = self._made.get(key)
        if known is None:
            known = self._made[key] = Made(items, nested + 1)
        return [Known(known)]

    def _looped(self, known: Known) -> Iterable[Known]:
        if isinstance(known.value, dict):
            return [Known(key) for key in known.value]
        return self.values.items(known)

    # --- names ---------------------------------------------------------------

    def _name(self, name: str, frame: Frame, scope: Scope, depth: int) -> list[Known]:
        at: Scope | None = scope
        while at is not None and name not in at.local:
            at = at.parent
        if at is None:
            return self.free(frame, name)
        key, memo = (id(at), name), frame.memo
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
        given = frame.given(name) if scope is frame.facts.scope else []
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
            return self._computed(found, frame, depth)
        if not found and not isinstance(known.value, CONTAINERS):
            self.guard(known)  # what it is can't be told: the object must be the same
        return found

    def _computed(self, found: Computed, frame: Frame, depth: int) -> list[Known]:
        more = [] if found.name is None else [[Known(found.name)]]
        called = self.follow(found.function, [[found.owner], *more], {})
        return self._returned(called, frame, depth)

    def _returned(self, called: Frame | None, frame: Frame, depth: int) -> list[Known]:
        if called is None:
            return []
        self.users.setdefault(called, set()).add(frame)
        returns = called.facts.returns
        return few([k for r in returns for k in self.of(r.expr, called, r.scope, depth + 1)])

    def _of_super(self, frame: Frame, attr: str) -> list[Known]:
        cls = self.free(frame, "__class__")
        first = frame.facts.scope.parameters[:1]
        for owner in frame.given(first[0]) if first and cls else []:
            x = owner.value
            mro = (x if isinstance(x, type) else type(x)).__mro__
            if cls[0].value not in mro:
                continue
            for base in mro[mro.index(cls[0].value) + 1 :]:
                raw = base.__dict__.get(attr)
                if isinstance(raw, FunctionType):
                    return [Known(MethodType(raw, x))]
                if isinstance(raw, property) and isinstance(raw.fget, FunctionType):
                    return self._computed(Computed(raw.fget, owner, None), frame, 1)
        return []

    def _items(
        self, owners: list[Known], index: ast.expr, frame: Frame, scope: Scope, depth: int
    ) -> Iterable[Known]:
        keys = [] if isinstance(index, ast.Slice) else self.of(index, frame, scope, depth + 1)
        for owner in owners:
            own = getattr(type(owner.value), "__getitem__", None)
            if isinstance(own, FunctionType):
                called = self.follow(own, [[owner], keys], {})
                yield from self._returned(called, frame, depth)
            if keys and all(is_key(k.value) for k in keys):
                for k in keys:
                    found = self.values.item(owner, k.value)
                    if not found and not isinstance(owner.value, CONTAINERS):
                        self.guard(owner)
                    yield from found
            elif isinstance(index, ast.UnaryOp):
                yield from self._constant_item(owner, index)
            else:
                within = list(self.values.items(owner))
                self.guard(owner)
                yield from self.made([within]) if isinstance(index, ast.Slice) else within

    def _constant_item(self, owner: Known, index: ast.expr) -> Iterable[Known]:
        try:
            return self.values.item(owner, ast.literal_eval(index))
        except ValueError:
            return self.values.items(owner)

    # --- calls ---------------------------------------------------------------

    def _call(self, node: ast.Call, frame: Frame, scope: Scope, depth: int) -> list[Known]:
        key, memo = (id(node), "()"), frame.memo.found
        found = memo.get(key)
        if found is None:
            memo[key] = []  # for functions that call themselves
            found = memo[key] = few([*self._result(node, frame, scope, depth)])
        return found

    def _result(self, node: ast.Call, frame: Frame, scope: Scope, depth: int) -> Iterable[Known]:
        """What a call gives, of those that are understood."""
        args = [self.of(a, frame, scope, depth + 1) for a in node.args[:3]]
        if isinstance(node.func, ast.Attribute) and not is_super(node.func.value):
            owners = self.of(node.func.value, frame, scope, depth + 1)
            if owners and isinstance(owners[0].value, dict):
                return self._of_dict(node.func.attr, owners, args)
        callees = self.of(node.func, frame, scope, depth + 1)
        function = callees[0].value if callees else None
        if is_one(function, getattr, hasattr):
            return self._named(node, args, frame, scope, depth)
        if function is vars and args:
            return [v for k in args[0] for v in self.attribute(k, "__dict__", frame, depth)]
        if function is enumerate and args:
            return self.made(
                [[p for k in args[0] for v in self._looped(k) for p in self.made([[], [v]])]]
            )
        if function is zip:
            columns = self.made([[v for k in a for v in self._looped(k)] for a in args])
            return self.made([columns])
        if is_one(function, *_PASS_THROUGH) and args:
            return args[0]
        results: list[Known] = []
        for k in callees:
            if may_take_part(k.value) and not isinstance(k.value, type):
                given, named = self.arguments(node, frame, scope, depth)
                called = self.follow(k.value, given, named)
                results += self._returned(called, frame, depth)
        return results

    def arguments(
        self, node: ast.Call, frame: Frame, scope: Scope, depth: int = 0
    ) -> tuple[list[list[Known]], dict[str, list[Known]]]:
        """What is known of the arguments of a call."""
        args: list[list[Known]] = []
        for a in node.args:
            if isinstance(a, ast.Starred):
                several = self.of(a.value, frame, scope, depth + 1)
                if len(several) != 1 or not isinstance(several[0].value, Made):
                    break
                args += several[0].value.items
                continue
            args.append(self.of(a, frame, scope, depth + 1))
        named = {k.arg: self.of(k.value, frame, scope, depth + 1) for k in node.keywords if k.arg}
        return args, named

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

    def _of_dict(
        self, method: str, owners: list[Known], args: list[list[Known]]
    ) -> Iterable[Known]:
        for owner in owners:
            if method == "get" and args:
                for key in args[0]:
                    if is_key(key.value):
                        yield from self.values.item(owner, key.value) or [*args[1:2], []][0]
            elif method == "values":
                yield from self.made([[v] for v in self.values.items(owner)])
            elif method == "items":
                yield from self.made([self.made([[], [v]]) for v in self.values.items(owner)])
            elif method == "copy":
                yield owner


def attribute_named(node: ast.Call) -> ast.Attribute | None:
    """`x.k` for `getattr(x, "k")` and the like."""
    match node.args:
        case [owner, ast.Constant(value=str(name)), *_]:
            return ast.Attribute(owner, name, ast.Load())
    return None


def is_super(x: ast.expr) -> bool:
    return isinstance(x, ast.Call) and isinstance(x.func, ast.Name) and x.func.id == "super"


def is_one(x: Any, *candidates: Any) -> bool:
    return any([x is c for c in candidates])


def is_key(x: Any) -> bool:
    return isinstance(x, (int, str, bytes, float, bool, type(None)))


__all__ = ["Expressions", "attribute_named", "is_key", "is_one"]
