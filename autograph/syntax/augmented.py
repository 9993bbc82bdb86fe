"""`s += [x]` changes the list `s` in place: converted code tells that before, as of `s.append(x)`.

    s = ag.in_place(s, "+=", [x])

and `ag.changing(s, "-=")` before an operator of sets alone. Not where a name surely holds a number
or tensor, which never change.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence

from .nodes import Maker, blocks, walk

# Operators that some container has in place.
_IN_PLACE = (ast.Add, ast.Mult, ast.BitOr, ast.BitAnd, ast.BitXor, ast.Sub)


def tell(
    stmts: list[ast.stmt], parameters: Iterable[str], ag: str, gives_tensor: Callable[[str], bool]
) -> None:
    """Insert the calls in place. `gives_tensor(root)`: what `root.f()` gives is a tensor."""
    found = list(_walk(stmts))
    changed = [s for s in found if isinstance(s, ast.AugAssign) and _may_change(s, gives_tensor)]
    if changed:
        numbers = _numbers(found, parameters, gives_tensor)
        _insert(stmts, {id(s): s.op for s in changed if _name(s) not in numbers}, ag)


_SIGNS: dict[type[ast.operator], str] = {
    ast.BitOr: "|=",
    ast.BitAnd: "&=",
    ast.BitXor: "^=",
    ast.Sub: "-=",
}


# Those that lists or dicts have.
_OF_LISTS: dict[type[ast.operator], str] = {ast.Add: "+=", ast.Mult: "*=", ast.BitOr: "|="}


def _waits(stmt: ast.stmt) -> bool:
    return any(isinstance(n, (ast.Yield, ast.YieldFrom, ast.Await)) for n in walk(stmt))


def _insert(stmts: list[ast.stmt], changed: dict[int, ast.operator], ag: str) -> None:
    for i in range(len(stmts) - 1, -1, -1):
        stmt = stmts[i]
        for block in blocks(stmt):
            _insert(block, changed, ag)
        if id(stmt) in changed:
            make = Maker(ag, stmt)
            if isinstance(stmt, ast.AugAssign) and type(stmt.op) in _OF_LISTS and not _waits(stmt):
                name, how = make.name(_name(stmt)), make.constant(_OF_LISTS[type(stmt.op)])
                stmts[i] = make.assign([name.id], make.call("in_place", name, how, stmt.value))
                continue
            sign = _SIGNS.get(type(changed[id(stmt)]))  # those of sets
            args = [make.name(_name(stmt))] + ([] if sign is None else [make.constant(sign)])
            stmts.insert(i, make.expr(make.call("changing", *args)))


def _walk(stmts: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    for stmt in stmts:
        yield stmt
        for block in blocks(stmt):
            yield from _walk(block)


def _name(stmt: ast.stmt) -> str:
    target = getattr(stmt, "target", None)
    return target.id if isinstance(target, ast.Name) else ""


def _may_change(stmt: ast.AugAssign, gives_tensor: Callable[[str], bool]) -> bool:
    if not isinstance(stmt.target, ast.Name) or not isinstance(stmt.op, _IN_PLACE):
        return False
    # A list times a number is a list; no container is changed by another operator and a number.
    return isinstance(stmt.op, ast.Mult) or not _is_number(stmt.value, gives_tensor, set())


def _numbers(
    stmts: Sequence[ast.stmt], parameters: Iterable[str], gives_tensor: Callable[[str], bool]
) -> set[str]:
    """The names that are assigned numbers and tensors only."""
    assigned: dict[str, list[ast.expr | None]] = {name: [None] for name in parameters}
    for stmt in stmts:
        for target, value in _bindings(stmt):
            assigned.setdefault(target, []).append(value)
    known: set[str] = set(assigned)
    while True:  # assume it of all names, until that is wrong of some
        wrong = {
            name
            for name in known
            if not all(v is not None and _is_number(v, gives_tensor, known) for v in assigned[name])
        }
        if not wrong:
            return known
        known -= wrong


def _bindings(stmt: ast.stmt) -> Iterator[tuple[str, ast.expr | None]]:
    """The names that a statement binds, and to what if that is an expression."""
    match stmt:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _unpacked(target, value)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield from _unpacked(target, value)
        case ast.For(target=target):
            yield from _unpacked(target, None)
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            yield from ((name, None) for name in names)
        case ast.With(items=items):
            for item in items:
                if item.optional_vars is not None:
                    yield from _unpacked(item.optional_vars, None)


def _unpacked(target: ast.expr, value: ast.expr | None) -> Iterator[tuple[str, ast.expr | None]]:
    match target:
        case ast.Name(id=name):
            yield name, value
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            values: Sequence[ast.expr | None] = [None] * len(targets)
            if isinstance(value, ast.Tuple) and len(value.elts) == len(targets):
                values = value.elts
            for inner, part in zip(targets, values, strict=True):
                yield from _unpacked(inner, part)
        case ast.Starred(value=inner):
            yield from _unpacked(inner, None)


def _is_number(node: ast.expr, gives_tensor: Callable[[str], bool], numbers: set[str]) -> bool:
    match node:
        case ast.Constant(value=value):
            return isinstance(value, (bool, int, float, complex))
        case ast.Name(id=name):
            return name in numbers
        case ast.Compare() | ast.UnaryOp():
            return True
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return any(_is_number(v, gives_tensor, numbers) for v in (left, right))
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return all(_is_number(v, gives_tensor, numbers) for v in (left, right))
        case ast.BinOp(op=op):
            sets = (ast.BitOr, ast.BitAnd, ast.BitXor, ast.Sub)
            return not isinstance(op, sets) or any(
                _is_number(v, gives_tensor, numbers) for v in (node.left, node.right)
            )
        case ast.Call(func=ast.Attribute(value=ast.Name(id=root))):
            return gives_tensor(root)
        case _:
            return False
