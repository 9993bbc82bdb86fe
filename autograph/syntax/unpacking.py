"""`a, *b = value`, where the graph may hold the items: `ag.unpack` knows what targets take."""

from __future__ import annotations

import ast

from .nodes import Maker

# As many items, or what each target takes: one item (1), the rest (...), or the items of an item.
Shape = int | tuple["Shape", ...]


def shape_of(target: ast.expr) -> Shape:
    """What a target takes."""
    if not isinstance(target, (ast.Tuple, ast.List)):
        return 1
    found = tuple([part for item in target.elts for part in _parts(item)])
    plain = len(found) > 1 and all(part == 1 for part in found)
    return len(found) if plain else found


def _parts(item: ast.expr) -> tuple[Shape, ...]:
    if not isinstance(item, ast.Starred):
        return (shape_of(item),)
    if not isinstance(item.value, (ast.Tuple, ast.List)):
        return (...,)  # type: ignore[return-value]
    return tuple([part for inner in item.value.elts for part in _parts(inner)])


def unpacked(target: ast.expr, value: ast.expr, ag: str) -> ast.expr:
    """`value` as what Python can unpack into `target`."""
    make = Maker(ag, value)
    return make.call("unpack", value, make.constant(shape_of(target)))


def python_items(target: ast.expr, source: ast.expr, ag: str) -> ast.expr:
    """What a comprehension that stays Python's own goes over."""
    make, shape = Maker(ag, source), shape_of(target)
    return make.call("python_items", source, *([] if shape == 1 else [make.constant(shape)]))


def fits(target: ast.expr, value: ast.expr) -> bool:
    """True if the items are written out, one for each target."""
    if not isinstance(target, (ast.Tuple, ast.List)):
        return True
    if not isinstance(value, (ast.Tuple, ast.List)) or len(value.elts) != len(target.elts):
        return isinstance(value, ast.Constant)
    if any(isinstance(e, ast.Starred) for e in (*value.elts, *target.elts)):
        return False
    return all(map(fits, target.elts, value.elts))
