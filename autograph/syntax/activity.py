"""Which names a piece of code reads, writes, deletes and hands to inner functions.

Sets of names are integers used as bit sets: a function has few names and the analyses take many
unions of them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from .nodes import parts


class Names:
    """The identifiers of a function, a bit each, in order of appearance."""

    __slots__ = ("_bits", "_names")

    def __init__(self) -> None:
        self._bits: dict[str, int] = {}
        self._names: list[str] = []

    def bit(self, name: str) -> int:
        bit = self._bits.get(name)
        if bit is None:
            bit = self._bits[name] = 1 << len(self._names)
            self._names.append(name)
        return bit

    def mask(self, names: Iterable[str]) -> int:
        mask = 0
        for name in names:
            mask |= self.bit(name)
        return mask

    def of(self, mask: int) -> list[str]:
        """The names in `mask`, in order of appearance."""
        found = []
        while mask:
            low = mask & -mask
            found.append(self._names[low.bit_length() - 1])
            mask ^= low
        return found

    def __contains__(self, name: str) -> bool:
        return name in self._bits

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)


@dataclass(slots=True)
class Activity:
    """What a piece of code does with names.

    gen         read before they are written here
    kill        surely written here, on each way through to the end
    writes      perhaps written or deleted
    dels        perhaps deleted
    captured    used by functions made here, which may run later
    calls       something is called, so any function that was made before may run
    """

    gen: int = 0
    kill: int = 0
    writes: int = 0
    dels: int = 0
    captured: int = 0
    calls: bool = False

    def then(self, later: Activity) -> None:
        """Go on with `later`, which runs after this."""
        self.gen |= later.gen & ~self.kill
        self.kill |= later.kill
        self.include(later)

    def perhaps(self, later: Activity) -> None:
        """Go on with `later`, which may run or not."""
        self.gen |= later.gen & ~self.kill
        self.include(later)

    def include(self, other: Activity) -> None:
        self.writes |= other.writes
        self.dels |= other.dels
        self.captured |= other.captured
        self.calls |= other.calls


# Calls that use up a generator expression, or call their `key`, before they return.
_IMMEDIATE = frozenset(
    [
        *("all", "any", "bytearray", "bytes", "dict", "frozenset", "list", "max", "min", "set"),
        *("sorted", "sum", "tuple"),
    ]
)


class Scanner:
    """Collects the activity of statements and expressions of one function."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.globals = 0
        self.nonlocals = 0
        self.written_inside = 0  # names of ours that inner functions assign

    def of(self, *nodes: ast.AST | None) -> Activity:
        found = Activity()
        for node in nodes:
            if node is not None:
                self.scan(node, found)
        return found

    def scan(self, node: ast.AST, into: Activity) -> None:
        handler = _HANDLERS.get(type(node))
        if handler is not None:
            handler(self, node, into)
        else:
            self.children(node, into)

    def children(self, node: ast.AST, into: Activity) -> None:
        for part in parts(node):
            self.scan(part, into)

    def all(self, nodes: Iterable[ast.AST | None], into: Activity) -> None:
        for node in nodes:
            if node is not None:
                self.scan(node, into)

    def write(self, name: str, into: Activity) -> None:
        bit = self.names.bit(name)
        into.kill |= bit
        into.writes |= bit

    def inner(self, inside: Activity, bound: int, into: Activity, escapes: bool) -> None:
        """Account for a scope of its own which uses names of ours besides its `bound` ones."""
        free = (inside.gen | inside.captured) & ~bound
        into.gen |= free & ~into.kill
        into.captured |= free if escapes else inside.captured & ~bound
        into.calls |= inside.calls


def _name(s: Scanner, node: ast.Name, into: Activity) -> None:
    bit = s.names.bit(node.id)
    if type(node.ctx) is not ast.Store and not into.kill & bit:
        into.gen |= bit
    if type(node.ctx) is not ast.Load:
        into.kill |= bit
        into.writes |= bit
        if type(node.ctx) is ast.Del:
            into.dels |= bit


def _assign(s: Scanner, node: ast.Assign, into: Activity) -> None:
    s.scan(node.value, into)
    s.all(node.targets, into)


def _aug_assign(s: Scanner, node: ast.AugAssign, into: Activity) -> None:
    if isinstance(node.target, ast.Name):
        into.gen |= s.names.bit(node.target.id) & ~into.kill
    s.scan(node.value, into)
    s.scan(node.target, into)


def _ann_assign(s: Scanner, node: ast.AnnAssign, into: Activity) -> None:
    if node.value is not None:
        s.scan(node.value, into)
        s.scan(node.target, into)


def _named(s: Scanner, node: ast.NamedExpr, into: Activity) -> None:
    s.scan(node.value, into)
    s.scan(node.target, into)


def _bool_op(s: Scanner, node: ast.BoolOp, into: Activity) -> None:
    s.scan(node.values[0], into)
    _lazily(s, node.values[1:], into)


def _if_exp(s: Scanner, node: ast.IfExp, into: Activity) -> None:
    s.scan(node.test, into)
    _lazily(s, [node.body], into)
    _lazily(s, [node.orelse], into)


def _compare(s: Scanner, node: ast.Compare, into: Activity) -> None:
    s.scan(node.left, into)
    s.scan(node.comparators[0], into)
    _lazily(s, node.comparators[1:], into)


def _lazily(s: Scanner, nodes: Iterable[ast.AST], into: Activity) -> None:
    inside = Activity()
    s.all(nodes, inside)
    into.perhaps(inside)


def _call(s: Scanner, node: ast.Call, into: Activity) -> None:
    into.calls = True
    s.scan(node.func, into)
    quick = (isinstance(node.func, ast.Name) and node.func.id in _IMMEDIATE) or (
        isinstance(node.func, ast.Attribute) and node.func.attr == "join"
    )
    for arg in node.args:
        if quick and isinstance(arg, ast.GeneratorExp):
            _comprehension(s, arg, into, escapes=False)
        else:
            s.scan(arg, into)
    for keyword in node.keywords:
        if quick and keyword.arg == "key" and isinstance(keyword.value, ast.Lambda):
            _lambda(s, keyword.value, into, escapes=False)
        else:
            s.scan(keyword.value, into)


def _comprehension(
    s: Scanner,
    node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp,
    into: Activity,
    escapes: bool | None = None,
) -> None:
    s.scan(node.generators[0].iter, into)
    inside, targets = Activity(), Activity()
    for i, generator in enumerate(node.generators):
        s.scan(generator.target, targets)
        if i:
            s.scan(generator.iter, inside)
        s.all(generator.ifs, inside)
    if isinstance(node, ast.DictComp):
        s.all((node.key, node.value), inside)
    else:
        s.scan(node.elt, inside)
    into.writes |= inside.writes  # `:=` binds in the enclosing function
    if escapes is None:
        escapes = isinstance(node, ast.GeneratorExp)
    s.inner(inside, targets.writes, into, escapes)


def parameters(args: ast.arguments) -> list[str]:
    """The names of all parameters."""
    plain = [a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
    return plain + [a.arg for a in (args.vararg, args.kwarg) if a is not None]


def _lambda(s: Scanner, node: ast.Lambda, into: Activity, escapes: bool = True) -> None:
    s.all((*node.args.defaults, *node.args.kw_defaults), into)
    inside = s.of(node.body)
    bound = s.names.mask(parameters(node.args)) | inside.writes
    s.inner(inside, bound, into, escapes)


def _function(s: Scanner, node: ast.FunctionDef | ast.AsyncFunctionDef, into: Activity) -> None:
    args = node.args
    every = (*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg)
    s.all(node.decorator_list, into)
    s.all((*args.defaults, *args.kw_defaults), into)
    s.all((a.annotation for a in every if a is not None), into)
    s.all([node.returns], into)
    scanner = Scanner(s.names)
    inside = scanner.of(*node.body)
    own = s.names.mask(parameters(args)) | inside.writes | scanner.globals
    bound = own & ~scanner.nonlocals
    inside.captured |= scanner.nonlocals
    s.written_inside |= (scanner.written_inside | scanner.nonlocals) & ~bound
    s.inner(inside, bound, into, escapes=True)
    s.write(node.name, into)


def _class(s: Scanner, node: ast.ClassDef, into: Activity) -> None:
    s.all((*node.decorator_list, *node.bases, *node.keywords), into)
    scanner = Scanner(s.names)
    inside = scanner.of(*node.body)
    bound = (inside.writes | scanner.globals) & ~scanner.nonlocals
    # The body runs here and now; its methods do not see the names that it binds.
    into.gen |= ((inside.gen & ~bound) | inside.captured) & ~into.kill
    into.captured |= inside.captured
    into.calls = True
    s.written_inside |= scanner.written_inside | scanner.nonlocals
    s.write(node.name, into)


def _import(s: Scanner, node: ast.Import | ast.ImportFrom, into: Activity) -> None:
    for alias in node.names:
        s.write(alias.asname or alias.name.split(".")[0], into)


def _global(s: Scanner, node: ast.Global, into: Activity) -> None:
    s.globals |= s.names.mask(node.names)


def _nonlocal(s: Scanner, node: ast.Nonlocal, into: Activity) -> None:
    s.nonlocals |= s.names.mask(node.names)


def _handler(s: Scanner, node: ast.ExceptHandler, into: Activity) -> None:
    if node.name is not None:
        bit = s.names.bit(node.name)
        into.writes |= bit
        into.dels |= bit
    s.children(node, into)


def _pattern(
    s: Scanner, node: ast.MatchAs | ast.MatchStar | ast.MatchMapping, into: Activity
) -> None:
    name = node.rest if isinstance(node, ast.MatchMapping) else node.name
    if name is not None:
        into.writes |= s.names.bit(name)
    s.children(node, into)


def _branches(s: Scanner, node: ast.stmt, into: Activity) -> None:
    """A compound statement seen from afar: what it may do, in no order."""
    for child in parts(node):
        into.perhaps(s.of(child))


_HANDLERS: dict[type[ast.AST], Callable[..., None]] = {
    ast.Name: _name,
    ast.Assign: _assign,
    ast.AugAssign: _aug_assign,
    ast.AnnAssign: _ann_assign,
    ast.NamedExpr: _named,
    ast.BoolOp: _bool_op,
    ast.IfExp: _if_exp,
    ast.Compare: _compare,
    ast.Call: _call,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.DictComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.Lambda: _lambda,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
    ast.Import: _import,
    ast.ImportFrom: _import,
    ast.Global: _global,
    ast.Nonlocal: _nonlocal,
    ast.ExceptHandler: _handler,
    ast.MatchAs: _pattern,
    ast.MatchStar: _pattern,
    ast.MatchMapping: _pattern,
    ast.If: _branches,
    ast.For: _branches,
    ast.AsyncFor: _branches,
    ast.While: _branches,
    ast.With: _branches,
    ast.AsyncWith: _branches,
    ast.Try: _branches,
    ast.TryStar: _branches,
    ast.Match: _branches,
}
