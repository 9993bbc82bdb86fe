"""Finds the facts of a function in its text, once for each code object."""

from __future__ import annotations

import ast
import weakref
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from types import CodeType, FunctionType
from typing import Any

from ...autograph.syntax.source import NoSourceError, function_ast, mangling_class
from .bytecode import from_bytecode
from .facts import Each, Facts, Inner, Part, Read, Scope, Site, Some, Source

CHANGING = frozenset(
    {
        *("append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse"),
        *("update", "setdefault", "add", "discard", "popitem", "subtract", "rotate"),
        *("appendleft", "extendleft", "popleft", "move_to_end", "__setitem__", "__delitem__"),
        *("difference_update", "intersection_update", "symmetric_difference_update"),
    }
)
# Of some builtins' arguments only some of each is read; of these, of the first one.
_UNREAD = frozenset({"len", "hasattr", "getattr", "setattr", "isinstance", "enumerate", "zip"})
_FIRST = frozenset({"hasattr", "getattr", "setattr", "isinstance"})
_GIVING = (
    *(ast.Call, ast.BoolOp, ast.IfExp, ast.NamedExpr, ast.BinOp, ast.List, ast.Tuple, ast.Dict),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)
_known: dict[int, tuple[weakref.ref[CodeType], Facts]] = {}


def facts_of(f: FunctionType) -> Facts:
    """What the code of `f` does."""
    code = f.__code__
    key = id(code)
    known = _known.get(key)
    if known is not None and known[0]() is code:
        return known[1]
    try:
        node = function_ast(f)
    except NoSourceError:
        facts = from_bytecode(code)
    else:
        facts = _Finder(code).function(node)
    facts.codes.update(map(id, _codes_in(code)))
    _known[key] = (weakref.ref(code, lambda _: _known.pop(key, None)), facts)
    return facts


def _codes_in(code: CodeType) -> Iterable[CodeType]:
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield const
            yield from _codes_in(const)


class _Finder(ast.NodeVisitor):
    def __init__(self, code: CodeType) -> None:
        self._class = mangling_class(code)
        self.facts = Facts(Scope())
        self.scope = self.facts.scope
        self._inside: tuple[ast.AST, ...] = ()
        self._returns = self.facts.returns  # of the function that is looked at

    def function(self, node: ast.FunctionDef | ast.Lambda) -> Facts:
        self._enter(node.args)
        if isinstance(node, ast.Lambda):
            self.facts.returns.append(Read(node.body, self.scope))
            self.visit(node.body)
        else:
            self._body(node.body)
        known = [r for r in self.facts.reads if self._may_be_known(r)]
        self.facts.reads = list({_same_read(r): r for r in known}.values())
        return self.facts

    def _may_be_known(self, read: Read) -> bool:
        """False for what starts with a local name of which nothing will ever be known."""
        node = read.expr
        while isinstance(node, (ast.Attribute, ast.Subscript)):
            node = node.value
        if not isinstance(node, ast.Name):
            return isinstance(node, _GIVING)
        scope: Scope | None = read.scope
        while scope is not None and node.id not in scope.local:
            scope = scope.parent
        if scope is None or node.id in scope.parameters:
            return True
        return any(source is not None for source in scope.local[node.id])

    # --- scopes --------------------------------------------------------------

    def _enter(self, args: ast.arguments) -> None:
        listed = [*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg]
        self.scope.parameters = tuple(self._mangled(a.arg) for a in listed if a)
        for name in self.scope.parameters:
            self.scope.local[name] = []

    def _body(self, body: Sequence[ast.stmt]) -> None:
        for s in _own_statements(body):
            if isinstance(s, (ast.Global, ast.Nonlocal)):
                self.scope.outer.update(map(self._mangled, s.names))
        for name in map(self._mangled, _stored_names(body)):
            if name not in self.scope.outer:
                self.scope.local.setdefault(name, [])
        for statement in body:
            self.visit(statement)

    @contextmanager
    def _inner(self, node: ast.AST) -> Any:
        outer, returns = self.scope, self._returns
        self.scope = Scope(outer)
        inner = self.facts.inner[id(node)] = Inner(node, self.scope)
        self._returns = inner.returns
        try:
            yield inner
        finally:
            self.scope, self._returns = outer, returns

    def _parameters(self, inner: Inner, args: ast.arguments) -> None:
        """Those of a function in the function, with what their defaults stand for outside."""
        self._enter(args)
        outer = inner.scope.parent
        assert outer is not None
        named = [self._mangled(a.arg) for a in (*args.posonlyargs, *args.args)]
        inner.positional = tuple(named)
        inner.rest = self._mangled(args.vararg.arg) if args.vararg else None
        inner.named = self._mangled(args.kwarg.arg) if args.kwarg else None
        given = [*zip(named[len(named) - len(args.defaults) :], args.defaults, strict=True)]
        only = zip(args.kwonlyargs, args.kw_defaults, strict=True)
        given += [(self._mangled(a.arg), e) for a, e in only if e is not None]
        for name, default in given:
            inner.scope.local[name].append(Read(default, outer))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for e in (*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.visit(e)
        name = self._mangled(node.name)
        if name not in self.scope.outer:
            self.scope.local.setdefault(name, []).append(node)
        with self._inner(node) as inner:
            self._parameters(inner, node.args)
            self._body(node.body)

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for e in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.visit(e)
        with self._inner(node) as inner:
            self._parameters(inner, node.args)
            inner.returns.append(Read(node.body, self.scope))
            self.visit(node.body)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        with self._inner(node):
            self._body(node.body)

    def _comprehension(self, node: Any) -> None:
        with self._inner(node) as inner:
            for generator in node.generators:
                self._visit_whole(generator.iter)
                self._bind(generator.target, Each(generator.iter))
                for test in generator.ifs:
                    self.visit(test)
            for name in ("key", "value", "elt"):
                if hasattr(node, name):
                    self.visit(getattr(node, name))
            item = node.value if isinstance(node, ast.DictComp) else node.elt
            inner.returns.append(Read(item, self.scope))

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815

    # --- statements ----------------------------------------------------------

    @contextmanager
    def _within(self, node: ast.AST) -> Any:
        before, self._inside = self._inside, (*self._inside, node)
        try:
            yield
        finally:
            self._inside = before

    def visit_If(self, node: Any) -> None:
        self.visit(node.test)
        with self._within(node):
            for s in (*node.body, *node.orelse):
                self.visit(s)

    visit_While = visit_If  # noqa: N815

    def visit_For(self, node: ast.For) -> None:
        self._visit_whole(node.iter)
        with self._within(node):
            self._bind(node.target, Each(node.iter))
            for s in (*node.body, *node.orelse):
                self.visit(s)

    def visit_Try(self, node: ast.Try) -> None:
        with self._within(node):
            self.generic_visit(node)

    def visit_Match(self, node: ast.AST) -> None:
        with self._within(node):
            self.generic_visit(node)

    def visit_With(self, node: ast.With) -> None:
        for item in node.items:
            self.visit(item.context_expr)
            if item.optional_vars:
                self._bind(item.optional_vars, None)
        for s in node.body:
            self.visit(s)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None:
            self._returns.append(Read(node.value, self.scope))
            self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self._bind(target, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self._bind(node.target, node.value)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        name = self._mangled(node.target.id)
        scope = self.scope
        while name not in scope.local and name not in scope.outer and scope.parent is not None:
            scope = scope.parent
        before, self.scope = self.scope, scope  # a comprehension's belongs to the function
        self._bind(node.target, node.value)
        self.scope = before

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        match node.target:
            case ast.Name(id=name) if self._mangled(name) not in self.scope.outer:
                self.scope.local.setdefault(self._mangled(name), []).append(None)
                # A list or array that the name stands for may grow.
                self.facts.changed.append(self._site(node.target))
            case target:
                self._bind(target, None)

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if not isinstance(target, ast.Name) or target.id in self.scope.outer:
                self._bind(target, None)

    def _bind(self, target: ast.expr, source: Source) -> None:
        match target:
            case ast.Name(id=name):
                name = self._mangled(name)
                if name in self.scope.outer:
                    self.facts.assigned.append(self._site(target))
                else:
                    self.scope.local.setdefault(name, []).append(source)
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                starred = False
                for i, t in enumerate(targets):
                    if isinstance(t, ast.Starred):
                        starred = True
                        self._bind(t.value, Some(source))
                    else:
                        self._bind(t, Each(source) if starred else Part(source, i))
            case ast.Attribute(value=base, attr=attr):
                target.attr = self._mangled(attr)
                self.facts.assigned.append(self._site(target))
                self._read(base)
                self._inside_chain(base)
            case ast.Subscript(value=base, slice=index):
                self.facts.assigned.append(self._site(target))
                self._inside_chain(base)
                self.visit(index)

    def _site(self, node: ast.AST) -> Site:
        return Site(node, self.scope, getattr(node, "lineno", 0), self._inside)

    # --- expressions ---------------------------------------------------------

    def visit_Name(self, node: ast.Name) -> None:
        node.id = self._mangled(node.id)
        self._read(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._read(node)
        self._inside_chain(node)

    visit_Subscript = visit_Attribute  # type: ignore[assignment]  # noqa: N815

    def _read(self, node: ast.expr) -> None:
        self.facts.reads.append(Read(node, self.scope))

    def _inside_chain(self, node: ast.expr) -> None:
        """What is read on the way along `a.b[i].c`: the indices, and calls that it starts with."""
        match node:
            case ast.Attribute(value=base, attr=attr):
                node.attr = self._mangled(attr)
                self._inside_chain(base)
            case ast.Subscript(value=base, slice=index):
                self.visit(index)
                self._inside_chain(base)
            case ast.Name(id=name):
                node.id = self._mangled(name)
            case _:
                self.visit(node)

    def _visit_whole(self, node: ast.expr) -> None:
        """What is gone over: `for k in vars(x)`, `list(vars(x))`."""
        inner = node.value if isinstance(node, ast.Starred) else node
        if isinstance(inner, ast.Call) and getattr(inner.func, "id", "") == "vars":
            self._read(inner)
        self.visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        self.generic_visit(node)
        for op, x in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, (ast.In, ast.NotIn)) and isinstance(x, ast.Call):
                self._read(x)  # `"k" in vars(x)`

    def visit_Call(self, node: ast.Call) -> None:
        self._inside_chain(node.func)
        unread = isinstance(node.func, ast.Name) and node.func.id in _UNREAD
        for i, a in enumerate(node.args):
            if i and unread and node.func.id in _FIRST:  # type: ignore[attr-defined]
                unread = False
            if unread and isinstance(a, (ast.Name, ast.Attribute, ast.Subscript)):
                self._inside_chain(a)
            elif unread:
                self.visit(a)
            else:
                self._visit_whole(a)
        for k in node.keywords:
            self._visit_whole(k.value)
        self.facts.calls.append(self._site(node))
        if isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING:
            inside = self._inside
            if node.func.attr == "setdefault":
                inside = (*inside, node)  # only if the key is not there
            else:
                self._read(node.func.value)
            self.facts.changed.append(Site(node.func.value, self.scope, node.lineno, inside))

    def _mangled(self, name: str) -> str:
        if self._class and name.startswith("__") and not name.endswith("__"):
            stripped = self._class.lstrip("_")
            return f"_{stripped}{name}" if stripped else name
        return name


def _same_read(read: Read) -> Any:
    """Equal for reads of one name, or of one attribute of it, in one scope."""
    names, node = [], read.expr
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (id(read.scope), node.id, *names) if isinstance(node, ast.Name) else id(read)


def _own_statements(body: Sequence[ast.stmt]) -> Iterable[ast.AST]:
    """The nodes of a body, without those of functions and classes in it."""
    stack: list[ast.AST] = list(body)
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, ast.comprehension):
            stack += [node.iter, *node.ifs]  # its target is none of the function's names
        elif not isinstance(
            node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
        ):
            stack.extend(ast.iter_child_nodes(node))


def _stored_names(body: Sequence[ast.stmt]) -> Iterable[str]:
    for node in _own_statements(body):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name, asname=asname):
                yield asname or name.partition(".")[0]
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield name
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield name


__all__ = ["CHANGING", "facts_of"]
