"""Rewrites expressions: calls, `and`/`or`/`not`, ternaries and chained comparisons.

Whatever can't depend on a tensor stays as it is written.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Container, Iterable
from types import BuiltinFunctionType
from typing import Any

from .activity import parameters
from .comprehensions import can_convert, is_fixed, lowered
from .hoisting import binds, binds_lazily
from .nodes import FreshNames, Maker, fields, walk
from .resolve import Resolver, root_of
from .unpacking import fits, python_items, unpacked

# Builtins that have a meaning of their own for tensors, and the operators that know it.
_OPERATORS = {
    builtin: f"{builtin.__name__}_"
    for builtin in (
        *(all, any, bool, dict, divmod, enumerate, filter, float, int, isinstance, len, list, map),
        *(max, min, next, range, reversed, round, set, sorted, sum, tuple, zip),
    )
}


class Expressions:
    """Converts expressions in place.

    undefined   names that may hold an `Undefined` where the expression stands: they are read
                by `ag.read(name)`
    unbound     names that Python may find unbound there; seen from a helper function that would
                be another error than in the user's own function
    depth       how many functions around the expression the user did not write
    first       the function's first parameter, for `super()`
    """

    def __init__(
        self,
        ag: str,
        resolver: Resolver,
        fresh: FreshNames,
        first: str | None,
        inner_function: Callable[[ast.FunctionDef], ast.stmt],
    ) -> None:
        self.ag = ag
        self.resolver = resolver
        self.fresh = fresh
        self.first = first
        self.inner_function = inner_function
        self.undefined: Container[str] = ()
        self.perhaps: Collection[str] = ()  # names that may have no value when a lambda reads them
        self.unbound: Container[str] = ()
        self.depth = 0
        self.variadic: str | None = None  # the name of `*args`, which is a tuple
        self._may_bind = True
        self._consumed: set[ast.expr] = set()  # what an operator uses up, as it is

    def statement(self, stmt: ast.stmt) -> ast.stmt:
        """Convert all expressions in a statement that is no control flow, or stays Python's."""
        match stmt:
            case ast.FunctionDef():
                args = stmt.args
                args.defaults = [self.expression(d) for d in args.defaults]
                args.kw_defaults = [d and self.expression(d) for d in args.kw_defaults]
                return self.inner_function(stmt)
            case ast.AsyncFunctionDef() | ast.ClassDef():
                return stmt  # what they hold is converted when it is called
            case ast.Assert() if not (
                self.resolver.is_python_truth(stmt.test) or (stmt.msg and binds(stmt.msg))
            ):
                return self._assert(stmt)
            case ast.Raise(exc=ast.expr() as error):
                stmt.exc = self._error(error)
                stmt.cause = stmt.cause and self.expression(stmt.cause)
                return stmt
            case ast.Assign(targets=[ast.Tuple() | ast.List() as target], value=value):
                known = fits(target, value)
                self.children(stmt)
                stmt.value = stmt.value if known else unpacked(target, stmt.value, self.ag)
                return stmt
            case _:
                self.children(stmt)
                return stmt

    def _error(self, error: ast.expr) -> ast.expr:
        """What is raised: a new exception, or one that a tensor may have chosen."""
        make = Maker(self.ag, error)
        if isinstance(error, ast.Call):
            known = self.resolver.is_class(error.func) and not _has_values(error)
            if known or binds(error):
                return self.expression(error)
            return make.call("new_error", make.thunk(self.thunk_body(error)))
        value = self.expression(error)
        return value if self.resolver.is_class(error) else make.call("raised", value)

    def _assert(self, stmt: ast.Assert) -> ast.stmt:
        make = Maker(self.ag, stmt)
        if not __debug__:
            return make.pass_()
        test = self.expression(stmt.test)
        message = [make.thunk(self.thunk_body(stmt.msg))] if stmt.msg else []
        return make.expr(make.call("assert_stmt", test, *message))

    def children(self, node: ast.AST) -> None:
        for field in fields(node):
            value = getattr(node, field, None)
            if isinstance(value, ast.expr):
                setattr(node, field, self.expression(value))
            elif value.__class__ is list:
                for i, item in enumerate(value):
                    if isinstance(item, ast.expr):
                        value[i] = self.expression(item)
                    elif isinstance(item, ast.stmt):
                        value[i] = self.statement(item)
                    elif isinstance(item, ast.AST):
                        self.children(item)
            elif isinstance(value, ast.AST):
                self.children(value)

    def expression(self, node: ast.expr) -> ast.expr:
        handler = _HANDLERS.get(type(node))
        if handler is not None:
            return handler(self, node)
        self.children(node)
        return node

    def _name(self, node: ast.Name) -> ast.expr:
        if not isinstance(node.ctx, ast.Load):
            return node
        if self.depth and node.id in self.unbound:
            make = Maker(self.ag, node)
            return make.call("read", make.call("peek", make.thunk(node)))
        return Maker(self.ag, node).call("read", node) if node.id in self.undefined else node

    def _place(self, node: ast.Attribute | ast.Subscript) -> ast.expr:
        self.children(node)
        if isinstance(node.ctx, ast.Load):
            if isinstance(node, ast.Subscript) and self._may_be_of_list(node):
                node.value = Maker(self.ag, node.value).call("items", node.value)
            elif isinstance(node, ast.Attribute) and self._may_be_of_run(node):
                return Maker(self.ag, node).call("class_of", node.value)
        else:
            node.value = Maker(self.ag, node.value).call("changing", node.value)
        return node

    def _may_be_of_list(self, node: ast.Subscript) -> bool:
        """False where surely no list is indexed."""
        match node.value:
            case ast.Attribute(attr="shape"):
                return False
            case ast.Call(func=ast.Attribute(attr="items")):
                return False
            case ast.Call(func=func):
                return not self.resolver.leaves_alone(func)
            case _:
                return True

    def _may_be_of_run(self, node: ast.Attribute) -> bool:
        """True for `x.__class__`, unless `x` is `self`."""
        owner = node.value
        own = isinstance(owner, ast.Name) and owner.id == self.first
        return node.attr == "__class__" and not own

    def thunk_body(self, node: ast.expr) -> ast.expr:
        """An expression that becomes the body of a lambda."""
        self.depth += 1
        try:
            return self.expression(node)
        finally:
            self.depth -= 1

    def _call(self, node: ast.Call) -> ast.expr:
        func = node.func
        resolver = self.resolver
        if self.depth and self.first is not None and self._is_bare_super(node):
            # Without arguments it looks at the frame of the function that calls it.
            make = Maker(self.ag, node)
            node.args = [make.name("__class__"), make.name(self.first)]
            return node
        operator = self._operator(func)
        own = isinstance(func, ast.Attribute) and root_of(func) == self.ag
        alone = own or operator is not None or resolver.leaves_alone(func)
        if operator == "next_" and isinstance(node.args[0], (ast.Call, ast.GeneratorExp)):
            operator = "first"
        if operator is not None:
            self._consumed.update(a for a in node.args if isinstance(a, ast.GeneratorExp))
        self.children(node)
        node.args = [self._starred(a, "starred") for a in node.args]
        if operator is not None:
            node.func = Maker(self.ag, func).operator(operator)
        elif not alone:
            if isinstance(func, ast.Attribute) and func.attr == "index":
                func.value = Maker(self.ag, func.value).call("searched", func.value)
            node.func = Maker(self.ag, func).call("call", node.func)
        return node

    def _starred(self, node: ast.expr, how: str) -> ast.expr:
        """`*x` among arguments or items: Python must know how many there are."""
        if not isinstance(node, ast.Starred):
            return node
        value = node.value
        if not (isinstance(value, ast.Name) and value.id == self.variadic):
            node.value = Maker(self.ag, value).call(how, value)
        return node

    def _items(self, node: ast.List | ast.Tuple) -> ast.expr:
        self.children(node)
        if isinstance(node.ctx, ast.Load):
            how = "unpacked" if isinstance(node, ast.List) else "starred"
            node.elts = [self._starred(e, how) for e in node.elts]
        return node

    def _text(self, node: ast.JoinedStr) -> ast.expr:
        """An f-string: the run may have to make it."""
        make = Maker(self.ag, node)
        alone = binds(node) or any(isinstance(n, (ast.Yield, ast.Await)) for n in walk(node))
        self.depth += not alone
        for part in node.values:
            self._text_part(part)
        self.depth -= not alone
        return node if alone else make.call("text", make.thunk(node))

    def _text_part(self, part: ast.expr) -> None:
        if isinstance(part, ast.FormattedValue):
            part.value = self.expression(part.value)
            if part.conversion != -1 and part.format_spec is not None:
                make = Maker(self.ag, part)
                plain = ast.FormattedValue(part.value, part.conversion, None, **make.at)
                part.value = make.call("text", make.thunk(ast.JoinedStr([plain], **make.at)))
                part.conversion = -1
            for inner in getattr(part.format_spec, "values", ()):
                self._text_part(inner)

    def _bin_op(self, node: ast.BinOp) -> ast.expr:
        match node:
            case ast.BinOp(op=ast.Mod()) if not (_is_number(node.left) or _is_number(node.right)):
                self.children(node)
                return Maker(self.ag, node).call("percent", node.left, node.right)
        self.children(node)
        return node

    def _operator(self, func: ast.expr) -> str | None:
        if not isinstance(func, ast.Name):
            return None
        value = self.resolver.lookup(func.id)
        known = isinstance(value, (type, BuiltinFunctionType))
        return _OPERATORS.get(value) if known else None

    def _is_bare_super(self, node: ast.Call) -> bool:
        return not (node.args or node.keywords) and self.resolver.is_builtin(node.func, super)

    def _bool_op(self, node: ast.BoolOp) -> ast.expr:
        if self.resolver.is_python_truth(node) or binds_lazily(node):
            self.children(node)
            return node
        make = Maker(self.ag, node)
        operator = "and_" if isinstance(node.op, ast.And) else "or_"
        first = self.expression(node.values[0])
        rest = [make.thunk(self.thunk_body(v)) for v in node.values[1:]]
        return make.call(operator, first, *rest)

    def _not(self, node: ast.UnaryOp) -> ast.expr:
        operand = node.operand
        if not isinstance(node.op, ast.Not):
            node.operand = self.expression(operand)
            return node
        python = self.resolver.is_python_truth(operand)
        node.operand = self.expression(operand)
        return node if python else Maker(self.ag, node).call("not_", node.operand)

    def _compare(self, node: ast.Compare) -> ast.expr:
        if len(node.ops) == 1 and isinstance(node.ops[0], (ast.Is, ast.IsNot)):
            self.children(node)
            operator = "is_" if isinstance(node.ops[0], ast.Is) else "is_not"
            return Maker(self.ag, node).call(operator, node.left, node.comparators[0])
        sign = _SIGNS.get(type(node.ops[0]))
        if len(node.ops) == 1 and sign and _may_be_of_containers(node):
            self.children(node)
            make = Maker(self.ag, node)
            return make.call("compared", node.left, make.constant(sign), node.comparators[0])
        if len(node.ops) == 1 and _may_be_within_tensors(node):
            self._consumed.update(c for c in node.comparators if _is_constant_set(c))
            self.children(node)
            operator = "in_" if isinstance(node.ops[0], ast.In) else "not_in"
            return Maker(self.ag, node).call(operator, node.left, node.comparators[0])
        if len(node.ops) == 1 or binds_lazily(node) or not self._can_bind(node):
            self.children(node)
            return node
        return self._chain(
            self.expression(node.left), node.ops, node.comparators, Maker(self.ag, node)
        )

    def _can_bind(self, node: ast.Compare) -> bool:
        simple = all(isinstance(c, (ast.Name, ast.Constant)) for c in node.comparators[:-1])
        return simple or self._may_bind

    def _chain(
        self, left: ast.expr, ops: list[ast.cmpop], operands: list[ast.expr], make: Maker
    ) -> ast.expr:
        """`a < b < c` is `a < b and b < c`, with `b` evaluated once."""
        middle, *later = operands
        if not later:
            return self._link(left, ops[0], middle, self.expression(middle), make)
        first = again = self.expression(middle)
        if not isinstance(middle, (ast.Name, ast.Constant)):
            name = self.fresh("middle")
            target = ast.Name(name, ast.Store(), **make.at)
            first, again = ast.NamedExpr(target, first, **make.at), make.name(name)
        self.depth += 1
        rest = self._chain(again, ops[1:], later, make)
        self.depth -= 1
        link = self._link(left, ops[0], middle, first, make)
        return make.call("and_", link, make.thunk(rest))

    def _link(
        self, left: ast.expr, op: ast.cmpop, right: ast.expr, value: ast.expr, make: Maker
    ) -> ast.expr:
        """`left < right`; `value` is `right` converted."""
        node, sign = ast.Compare(left, [op], [right], **make.at), _SIGNS.get(type(op))
        if sign and _may_be_of_containers(node):
            return make.call("compared", left, make.constant(sign), value)
        return ast.Compare(left, [op], [value], **make.at)

    def _if_exp(self, node: ast.IfExp) -> ast.expr:
        if self.resolver.is_python_truth(node.test) or binds_lazily(node):
            self.children(node)
            return node
        make = Maker(self.ag, node)
        test = self.expression(node.test)
        body, orelse = self.thunk_body(node.body), self.thunk_body(node.orelse)
        return make.call("if_exp", test, make.thunk(body), make.thunk(orelse))

    def _lambda(self, node: ast.Lambda) -> ast.expr:
        args = node.args
        args.defaults = [self.expression(d) for d in args.defaults]
        args.kw_defaults = [d and self.expression(d) for d in args.kw_defaults]
        names = parameters(args)
        kept = self.first, self.depth, self._may_bind
        plain = args.posonlyargs + args.args
        self.first, self.depth = plain[0].arg if plain else None, 0
        self._may_bind = True
        undefined = self.undefined
        self.undefined = _Either(undefined, self.perhaps) if self.perhaps else undefined
        node.body = self._inside(names, node.body)
        self.undefined = undefined
        self.first, self.depth, self._may_bind = kept
        return node

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
    ) -> ast.expr:
        generators = node.generators
        if can_convert(node):
            make = Maker(self.ag, node)
            consumed = node in self._consumed
            generators[0].iter = self.expression(generators[0].iter)
            made = lowered(node, make, self._in_function)
            lazy = isinstance(node, ast.GeneratorExp) and not consumed
            return make.call("generator", made) if lazy else made
        kept, self._may_bind = self._may_bind, False  # `:=` is not allowed in an iterable
        generators[0].iter = self.expression(generators[0].iter)
        names = [n.id for g in generators for n in walk(g.target) if isinstance(n, ast.Name)]
        for i, g in enumerate(generators):
            if i:
                g.iter = self._inside(names, g.iter)
            if not (g.is_async or is_fixed(g.iter)):
                g.iter = python_items(g.target, g.iter, self.ag)
            self._may_bind = kept
            g.ifs = [self._inside(names, test) for test in g.ifs]
            self._may_bind = False
        self._may_bind = kept
        if isinstance(node, ast.DictComp):
            node.key = self._key(self._inside(names, node.key))
            node.value = self._inside(names, node.value)
        else:
            node.elt = self._inside(names, node.elt)
        if isinstance(node, ast.SetComp):
            node.elt = self._key(node.elt)
            return Maker(self.ag, node).call("set_", node)
        return node

    def _keys(self, node: ast.Set | ast.Dict) -> ast.expr:
        self.children(node)
        if isinstance(node, ast.Dict):
            node.keys = [k and self._key(k) for k in node.keys]
            return node
        make = Maker(self.ag, node)
        elts = [self._starred(elt, "unpacked") for elt in node.elts]
        items = ast.List(elts, ast.Load(), **make.at)
        return node if node in self._consumed else make.call("set_", items)

    def _key(self, node: ast.expr) -> ast.expr:
        """A key of a dict or an item of a set."""
        match node:
            case ast.Constant() | ast.Starred():
                return node
        return Maker(self.ag, node).call("key", node)

    def _in_function(self, names: Iterable[str], node: ast.expr) -> ast.expr:
        """Convert an expression that becomes the body of a lambda with parameters `names`."""
        self.depth += 1
        try:
            return self._inside(names, node)
        finally:
            self.depth -= 1

    def _inside(self, names: Iterable[str], node: ast.expr) -> ast.expr:
        """Convert in a scope of its own, whose `names` are always defined."""
        outer = self.undefined, self.unbound
        with self.resolver.scope(names) as own:
            self.undefined, self.unbound = _Without(self.undefined, own), ()
            node = self.expression(node)
        self.undefined, self.unbound = outer
        return node


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, (int, float))


def _has_values(error: ast.Call) -> bool:
    """True if the exception is made of values that may be tensors."""
    given = [*error.args, *[k.value for k in error.keywords]]
    return not all(isinstance(value, ast.Constant) for value in given)


_SIGNS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


def _may_be_of_containers(node: ast.Compare) -> bool:
    """True for a comparison of what may be tuples, lists, dicts or sets."""
    return all(isinstance(n, _OF_CONTAINERS) for n in (node.left, node.comparators[0]))


_OF_CONTAINERS = (
    *(ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.List, ast.Tuple, ast.Dict, ast.Set),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.BinOp),
)


def _is_constant_set(node: ast.expr) -> bool:
    return isinstance(node, ast.Set) and all(isinstance(e, ast.Constant) for e in node.elts)


def _may_be_within_tensors(node: ast.Compare) -> bool:
    """True for `v in x`, unless `v` is a text and `x` written out."""
    if not isinstance(node.ops[0], (ast.In, ast.NotIn)):
        return False
    text = isinstance(node.left, ast.Constant) and isinstance(node.left.value, (str, bytes))
    return not (text and isinstance(node.comparators[0], _WRITTEN_OUT))


_WRITTEN_OUT = (ast.Constant, ast.Tuple, ast.List, ast.Set, ast.Dict)


class _Without(Container[str]):
    """The names in `names` that are not in `hidden`."""

    def __init__(self, names: Container[str], hidden: Container[str]) -> None:
        self.names = names
        self.hidden = hidden

    def __contains__(self, name: object) -> bool:
        return name in self.names and name not in self.hidden


class _Either(_Without):
    """The names in either of two sets."""

    def __contains__(self, name: object) -> bool:
        return name in self.names or name in self.hidden


_HANDLERS: dict[type[ast.expr], Callable[[Expressions, Any], ast.expr]] = {
    ast.Constant: lambda _, node: node,
    ast.Name: Expressions._name,
    ast.Attribute: Expressions._place,
    ast.Subscript: Expressions._place,
    ast.Call: Expressions._call,
    ast.BinOp: Expressions._bin_op,
    ast.BoolOp: Expressions._bool_op,
    ast.UnaryOp: Expressions._not,
    ast.Compare: Expressions._compare,
    ast.IfExp: Expressions._if_exp,
    ast.JoinedStr: Expressions._text,
    ast.Lambda: Expressions._lambda,
    ast.ListComp: Expressions._comprehension,
    ast.SetComp: Expressions._comprehension,
    ast.Set: Expressions._keys,
    ast.List: Expressions._items,
    ast.Tuple: Expressions._items,
    ast.Dict: Expressions._keys,
    ast.DictComp: Expressions._comprehension,
    ast.GeneratorExp: Expressions._comprehension,
}
