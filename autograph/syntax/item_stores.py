"""`x[i] = v` for a local name becomes `x = ag.set_item(x, i, v)`: `x` may be a tensor.

Tensors never change, so the name is bound again; all else is changed in place and given back.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection, Sequence

from .hoisting import binds
from .nodes import FreshNames, Maker, parts, walk


def item_stores(
    stmt: ast.stmt, own: Collection[str], fresh: FreshNames, ag: str
) -> list[ast.stmt] | None:
    """Statements that do the same, or None where `stmt` stores no item of a local name."""
    match stmt:
        case ast.Assign(targets=[ast.Subscript() as target], value=value):
            if not _is_store(target, own):
                return None
            make = Maker(ag, stmt)
            before: list[ast.stmt] = []
            if binds(value) or not _is_simple(target.slice):
                name = fresh("value")
                before, value = [make.assign([name], value)], make.name(name)
            return [*before, _store(target, value, make)]
        case ast.Assign(targets=[ast.Tuple() | ast.List() as target], value=value):
            return _unpacked(stmt, target, value, own, fresh, ag)
        case ast.Assign(targets=[_, _, *_] as targets) if any(_is_special(t, own) for t in targets):
            make = Maker(ag, stmt)
            name = fresh("value")
            each: list[ast.stmt] = [ast.Assign([t], make.name(name), **make.at) for t in targets]
            stored = [item_stores(s, own, fresh, ag) or [s] for s in each]
            return [make.assign([name], stmt.value), *(s for block in stored for s in block)]
        case ast.AugAssign(target=ast.Subscript() as target, op=op, value=value):
            if not _is_store(target, own):
                return None
            make = Maker(ag, stmt)
            item = fresh("item")
            out: list[ast.stmt] = []
            if binds(value) or not _is_simple(target.slice):
                if isinstance(target.slice, (ast.Slice, ast.Tuple)):
                    return None
                key = fresh("key")
                out.append(make.assign([key], target.slice))
                target = ast.Subscript(target.value, make.name(key), ast.Store(), **make.at)
            read = ast.Subscript(_load(target.value), _load(target.slice), ast.Load(), **make.at)
            out.append(make.assign([item], read))
            changed = ast.Name(item, ast.Store(), **make.at)
            out.append(ast.AugAssign(changed, op, value, **make.at))
            out.append(_store(target, make.name(item), make))
            return out
        case ast.Delete(targets=[ast.Subscript() as target]) if _is_store(target, own):
            make = Maker(ag, stmt)
            assert isinstance(target.value, ast.Name)
            owner = target.value.id
            key_value = _as_value(target.slice, make)
            call = make.call("del_item", make.name(owner), key_value)
            return [make.assign([owner], call)]
        case _:
            return None


def _is_store(target: ast.expr, own: Collection[str]) -> bool:
    match target:
        case ast.Subscript(value=ast.Name(id=name), slice=index):
            return name in own and not _has_text(index)
        case _:
            return False


def _is_special(target: ast.expr, own: Collection[str]) -> bool:
    return isinstance(target, (ast.Tuple, ast.List)) or _is_store(target, own)


def _has_text(index: ast.expr) -> bool:
    """True if the key is, or has, a string: then it is that of a dict or the like."""
    return any(isinstance(n, ast.Constant) and isinstance(n.value, str) for n in walk(index))


def _is_simple(index: ast.AST) -> bool:
    """True if it makes no difference when the key is evaluated."""
    match index:
        case ast.Name() | ast.Constant():
            return True
        case ast.Slice() | ast.Tuple() | ast.UnaryOp() | ast.BinOp():
            return all(_is_simple(p) for p in parts(index) if isinstance(p, ast.expr))
        case _:
            return False


def _store(target: ast.Subscript, value: ast.expr, make: Maker) -> ast.stmt:
    assert isinstance(target.value, ast.Name)
    owner = target.value.id
    call = make.call("set_item", make.name(owner), _as_value(target.slice, make), value)
    return make.assign([owner], call)


def _as_value(index: ast.expr, make: Maker) -> ast.expr:
    """The key as an argument: `1:n` is `ag.span(1, n)`."""
    match index:
        case ast.Slice(lower=lower, upper=upper, step=step):
            bounds = [b or make.constant(None) for b in (lower, upper, step)]
            return make.call("span", *(bounds if step else bounds[:2]))
        case ast.Tuple(elts=items):
            return ast.Tuple([_as_value(i, make) for i in items], ast.Load(), **make.at)
        case _:
            return index


def _load(node: ast.expr) -> ast.expr:
    return copy.deepcopy(node)


def _unpacked(
    stmt: ast.Assign,
    target: ast.Tuple | ast.List,
    value: ast.expr,
    own: Collection[str],
    fresh: FreshNames,
    ag: str,
) -> list[ast.stmt] | None:
    """`l[i], l[j] = ...`: first into names, then one after the other."""
    items: Sequence[ast.expr] = target.elts
    if not any(_is_store(t, own) for t in items):
        return None
    if not all(isinstance(t, ast.Name) or _is_store(t, own) for t in items):
        return None
    bound = {t.id for t in items if isinstance(t, ast.Name)}
    stored = [n for t in items if _is_store(t, own) for n in walk(t)]
    used = {n.id for n in stored if isinstance(n, ast.Name)}
    if bound & used:
        return None
    make = Maker(ag, stmt)
    names: list[ast.expr] = []
    stores: list[ast.stmt] = []
    for t in items:
        if isinstance(t, ast.Subscript):
            name = fresh("item")
            names.append(ast.Name(name, ast.Store(), **make.at))
            stores += item_stores(ast.Assign([t], make.name(name), **make.at), own, fresh, ag) or []
        else:
            names.append(t)
    return [ast.Assign([ast.Tuple(names, ast.Store(), **make.at)], value, **make.at), *stores]
