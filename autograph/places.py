"""Attributes and items that a branch or loop assigns: which of them can be followed."""

from __future__ import annotations

import ast

from .activity import Names
from .syntax import Maker


def find_places(
    targets: list[ast.expr], names: Names, writes: int, reads: int
) -> tuple[dict[str, ast.expr], list[str]]:
    """The places that stay the same while a construct runs, by their text, and the others' texts.

    `writes` are the names that the construct assigns, `reads` those whose values from before it
    uses. A place in an object that the construct itself makes is of no concern.
    """
    places: dict[str, ast.expr] = {}
    refused: list[str] = []
    for target in targets:
        text = ast.unparse(target)
        used = _names_in(target)
        if used is None:
            refused.append(text)
            continue
        if not any(names.bit(n) & writes for n in used):
            places.setdefault(text, target)
        elif names.bit(used[0]) & ~writes or names.bit(used[0]) & reads:
            refused.append(text)
    return places, list(dict.fromkeys(refused))


def _names_in(node: ast.expr) -> list[str] | None:
    """The names of a plain place, its owner first; None where something else occurs in it."""
    match node:
        case ast.Name(id=name):
            return [name]
        case ast.Attribute(value=value):
            return _names_in(value)
        case ast.Subscript(value=value, slice=index):
            owner, used = _names_in(value), _names_in_index(index)
            return None if owner is None or used is None else owner + used
        case _:
            return None


def _names_in_index(index: ast.expr) -> list[str] | None:
    match index:
        case ast.Constant():
            return []
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
            return []
        case ast.Tuple(elts=items):
            found = [_names_in_index(i) for i in items]
            return [n for names in found for n in names or ()] if None not in found else None
        case ast.Name() | ast.Attribute():
            return _names_in(index)
        case _:
            return None


def place_copy(node: ast.expr, context: ast.expr_context, make: Maker) -> ast.expr:
    """A copy of a plain place, to read or to assign it."""
    match node:
        case ast.Name(id=name):
            return make.name(name)
        case ast.Attribute(value=value, attr=attr):
            return ast.Attribute(place_copy(value, ast.Load(), make), attr, context, **make.at)
        case ast.Subscript(value=value, slice=index):
            owner = place_copy(value, ast.Load(), make)
            return ast.Subscript(owner, _index_copy(index, make), context, **make.at)
        case _:
            raise AssertionError(ast.dump(node))


def _index_copy(node: ast.expr, make: Maker) -> ast.expr:
    match node:
        case ast.Constant(value=value):
            return make.constant(value)
        case ast.UnaryOp(operand=operand):
            return ast.UnaryOp(ast.USub(), _index_copy(operand, make), **make.at)
        case ast.Tuple(elts=items):
            copies = [_index_copy(i, make) for i in items]
            return ast.Tuple(copies, ast.Load(), **make.at)
        case _:
            return place_copy(node, ast.Load(), make)
