"""Comprehensions as calls: `[f(v) for v in x if p(v)]` becomes
`ag.list_(ag.each(x, lambda v: f(v), where=lambda v: p(v)))`, so that `x` and `p(v)` may be tensors.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from .nodes import Maker, walk
from .unpacking import shape_of

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_COLLECTORS = {ast.ListComp: "list_", ast.SetComp: "set_", ast.DictComp: "dict_"}


def can_convert(node: Comprehension) -> bool:
    """False where it must stay as it is: it makes functions that see its variables change, binds
    names, or has targets that no parameter can be; or where nothing in it can be a tensor.
    """
    own = {name for g in node.generators for name in parameters(g.target)}
    for part in walk(node):
        if isinstance(part, (ast.Await, ast.NamedExpr, ast.Yield, ast.YieldFrom)):
            return False
        if isinstance(part, ast.Lambda) and own & _free(part):
            return False
        if isinstance(part, ast.comprehension) and (part.is_async or not parameters(part.target)):
            return False
    if isinstance(getattr(node, "elt", None), ast.GeneratorExp):
        return False
    return any(g.ifs or not is_fixed(g.iter) for g in node.generators)


def _free(node: ast.Lambda) -> set[str]:
    """The names in a lambda, but for its parameters."""
    defaults = {n.id for n in walk(node.args) if isinstance(n, ast.Name)}
    inside = {n.id for n in walk(node.body) if isinstance(n, ast.Name)}
    return defaults | (inside - {a.arg for a in walk(node.args) if isinstance(a, ast.arg)})


def is_fixed(source: ast.expr) -> bool:
    """True for what surely is Python's, and holds nothing of the graph."""
    match source:
        case ast.Call(func=ast.Name(id="range"), args=args):
            return all(isinstance(a, ast.Constant) for a in args)
        case ast.Constant():
            return True
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return all(is_fixed(i) for i in items)
        case _:
            return False


def parameters(target: ast.expr) -> list[str]:
    """The names of a target as the parameters of a function; none if that can't be."""
    leaves = [n for n in walk(target) if isinstance(n, ast.expr) and not isinstance(n, _GROUPS)]
    names = [leaf.id for leaf in leaves if isinstance(leaf, ast.Name)]
    alike = len(names) == len(leaves) and len(set(names)) == len(names)
    return names if alike else []


_GROUPS = (ast.Tuple, ast.List, ast.Starred)


def _taken(target: ast.expr, names: Sequence[str], make: Maker) -> ast.expr:
    """`lambda item: [(a, b, c) for a, (b, *c) in (item,)][0]`"""
    given = make.call("unpack", make.name("item"), make.constant(shape_of(target)))
    source = ast.Tuple([given], ast.Load(), **make.at)
    values = ast.Tuple([make.name(n) for n in names], ast.Load(), **make.at)
    only = ast.ListComp(values, [ast.comprehension(target, source, [], 0)], **make.at)
    return _function(["item"], ast.Subscript(only, make.constant(0), ast.Load(), **make.at), make)


def lowered(
    node: Comprehension, make: Maker, convert: Callable[[Sequence[str], ast.expr], ast.expr]
) -> ast.expr:
    """The call of `ag.each` that stands for the comprehension.

    `convert(names, expression)` converts an expression in which `names` are local.
    """

    def level(index: int, outer: Sequence[str]) -> ast.expr:
        generator = node.generators[index]
        own = parameters(generator.target)
        names = [*outer, *own]
        source = convert(outer, generator.iter) if index else generator.iter
        last = index == len(node.generators) - 1
        body = convert(names, _element(node, make)) if last else level(index + 1, names)
        keywords: dict[str, ast.expr] = {}
        if generator.ifs:
            keywords["where"] = _function(own, convert(names, make.both(generator.ifs)), make)
        if not isinstance(shape_of(generator.target), int):
            keywords["take"] = _taken(generator.target, own, make)
        if not last:
            keywords["flat"] = make.constant(True)
        return make.call("each", source, _function(own, body, make), keywords=keywords)

    made = level(0, ())
    collector = _COLLECTORS.get(type(node))
    return made if collector is None else make.call(collector, made)


def _element(node: Comprehension, make: Maker) -> ast.expr:
    if isinstance(node, ast.DictComp):
        return ast.Tuple([node.key, node.value], ast.Load(), **make.at)
    return node.elt


def _function(names: Sequence[str], body: ast.expr, make: Maker) -> ast.Lambda:
    args = [ast.arg(n, None, **make.at) for n in names]
    return ast.Lambda(ast.arguments([], args, None, [], [], None, []), body, **make.at)
