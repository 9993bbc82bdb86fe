"""A Python function -> the same function with its control flow handed to operators.

The new code object is compiled under the user's own file name with the user's positions, so
tracebacks and breakpoints need no map. A converted function shares the cells of the original.
"""

from __future__ import annotations
import __future__

import ast
import inspect
import warnings
import weakref
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import CellType, CodeType, FunctionType
from typing import Any

from . import policy
from .syntax.activity import Names, parameters
from .syntax.analysis import analyse, perhaps_unset
from .syntax.augmented import tell
from .syntax.emit import Emitter
from .syntax.expressions import Expressions
from .syntax.generators import Use, turned
from .syntax.lower import Lowerer
from .syntax.managers import unstack
from .syntax.nesting import parted
from .syntax.nodes import FreshNames, walk
from .syntax.resolve import Resolver, still_holds
from .syntax.source import NoSourceError, function_ast, mangling_class, may_bind

_FUTURE = 0
for _feature in __future__.all_feature_names:
    _FUTURE |= getattr(__future__, _feature).compiler_flag

_FRAME_USERS = frozenset({"locals", "vars", "dir", "eval", "exec"})
NAMESPACE = CellType()  # holds the operators; filled by operators.py
RELAXED = CellType()  # those of relaxed functions; inner functions share it, calls hand it on


@dataclass(frozen=True, slots=True)
class Template:
    """The converted code of a function's code; functions are made from it at call time.

    It holds nothing of the function that it was made for, so it keeps nothing alive.
    """

    code: CodeType
    ag: str  # the name of the namespace of operators in the code
    globals: int
    asked: Mapping[str, object]  # what was assumed of the function's cells

    def serves(self, f: FunctionType) -> bool:
        same = self.globals == id(f.__globals__)
        return same and (not self.asked or still_holds(f, self.asked))

    def function(self, f: FunctionType, relaxed: bool = False) -> FunctionType:
        """The converted `f`."""
        cells = dict(zip(f.__code__.co_freevars, f.__closure__ or (), strict=True))
        cells[self.ag] = RELAXED if relaxed else NAMESPACE
        closure = tuple([cells[name] for name in self.code.co_freevars])
        made = FunctionType(self.code, f.__globals__, f.__name__, f.__defaults__, closure)
        made.__kwdefaults__ = f.__kwdefaults__
        made.__qualname__ = f.__qualname__
        if f.__dict__:
            made.__dict__.update(f.__dict__)
        return made

    def complete(self, f: FunctionType, relaxed: bool = False) -> FunctionType:
        """The converted `f` with all that a function has."""
        made = self.function(f, relaxed)
        made.__module__ = f.__module__
        made.__doc__ = f.__doc__
        made.__annotations__ = f.__annotations__
        return made


class _Known:
    """What is known of the functions of one code object, for as long as it lives."""

    __slots__ = ("code", "note", "reason", "templates", "turned")

    def __init__(self, code: CodeType, known: dict[int, _Known]) -> None:
        key = id(code)
        self.code = weakref.ref(code, lambda _: known.pop(key, None))
        self.templates: list[Template] = []
        self.turned: dict[Use, list[Template] | None] = {}  # of generators
        self.reason: str | None = None  # why none of them can be converted
        self.note: str | None = None  # why one of them was not


# By the id of the code: code objects of different files may be equal.
_known: dict[int, _Known] = {}
_converted: dict[int, weakref.ref[CodeType]] = {}
CONVERTED = "it is converted already"


def known_of(code: CodeType) -> _Known:
    found = _known.get(id(code))
    if found is None or found.code() is not code:
        found = _known[id(code)] = _Known(code, _known)
        if is_converted(code):
            found.reason = CONVERTED
    return found


def is_converted(code: CodeType) -> bool:
    """True for code that conversion has made."""
    ref = _converted.get(id(code))
    return ref is not None and ref() is code


def reason_of(code: CodeType) -> str | None:
    """Why functions of this code run as they are; None if they don't, or it was never asked."""
    found = _known.get(id(code))
    if found is None or found.code() is not code or found.reason == CONVERTED:
        return None
    return found.reason or found.note


def known_template(f: FunctionType) -> Template | None:
    """How `f` was converted before."""
    known = _known.get(id(f.__code__))
    if known is not None and known.code() is f.__code__:
        for template in known.templates:
            if template.serves(f):
                return template
    return None


def template_of(f: FunctionType) -> Template | None:
    """How to convert `f`; None if it can't be converted, for a reason that is kept."""
    template = known_template(f)
    if template is not None:
        return template
    known = known_of(f.__code__)
    if known.reason is not None:
        return None
    known.reason = policy.why_not(f.__code__)
    if known.reason is None:
        try:
            template = converted_anew(f)
        except NoSourceError as error:
            known.reason = str(error)
        else:
            known.templates.append(template)
            return template
    return None


def turned_template(f: FunctionType, use: Use) -> Template | None:
    """How to convert a generator function turned inside out; None if that can't be."""
    known = known_of(f.__code__)
    templates = known.turned.setdefault(use, [])
    for template in templates or ():
        if template.serves(f):
            return template
    if templates is None:
        return None
    try:
        template = converted_anew(f, use)
    except NoSourceError:
        known.turned[use] = None
        return None
    templates.append(template)
    return template


def converted_anew(f: FunctionType, use: Use | None = None) -> Template:
    """How to convert `f`, worked out anew; NoSourceError where that can't be."""
    try:
        return Conversion(f, use).template()
    except SyntaxError:  # "too many statically nested blocks"
        pass
    try:
        return Conversion(f, use, parts=True).template()
    except SyntaxError as error:
        raise NoSourceError(f"its converted form can't be compiled: {error.msg}") from None


class Conversion:
    """The conversion of one function and the functions in it; `node` becomes the new tree.

    `use`: how a generator is consumed; None for other functions.
    `parts`: statements that are nested deeply become functions.
    """

    def __init__(self, f: FunctionType, use: Use | None = None, parts: bool = False) -> None:
        self.f = f
        self.code = f.__code__
        self.parts = parts
        self.node = function_ast(f)
        self.binds = may_bind(f)
        self.resolver = Resolver(f)
        self.written = set(_identifiers(self.code))  # by the user
        self.fresh = FreshNames(self.written)
        self.ag = self.fresh("ag")
        self._codes: dict[tuple[str, int], CodeType] = {}
        self._perhaps: set[str] = set()  # names of the functions around that may have no value
        self._left: set[int] = set()  # lines of inner functions that are left as they are
        if not _FRAME_USERS.isdisjoint(self.code.co_names) and self._uses_frame(self.node):
            raise NoSourceError("it calls a builtin that sees its local names, such as locals()")
        node = self.node
        own: list[str] = []
        if use is not None:
            assert isinstance(node, ast.FunctionDef)
            found = turned(node, self.fresh, self.ag, use)
            if found is None:
                raise NoSourceError("it has a yield in an expression, a `with` or a `try`")
            own = found
        if isinstance(node, ast.Lambda):
            with self.resolver.scope(_locals(self.code)):
                node.body = self._expressions(node.args).expression(node.body)
        else:
            node.decorator_list = []
            self._convert(node, self.code, own)

    def template(self) -> Template:
        code = self._compile()
        return Template(code, self.ag, id(self.f.__globals__), self.resolver.asked)

    def _uses_frame(self, node: ast.AST) -> bool:
        calls = (n for n in walk(node) if isinstance(n, ast.Call))
        return any(self.resolver.uses_frame(call) for call in calls)

    def _expressions(self, args: ast.arguments) -> Expressions:
        plain = args.posonlyargs + args.args
        first = plain[0].arg if plain else None
        return Expressions(self.ag, self.resolver, self.fresh, first, self._inner)

    def _convert(self, node: ast.FunctionDef, code: CodeType, more: Iterable[str] = ()) -> None:
        """Convert the body of `node`, whose original code is `code`, in place.

        `more` are local names besides those of the code.
        """
        local = frozenset([*_locals(code), *more])
        names = Names()
        resolver = self.resolver
        inner = _functions_in(code)
        self._codes |= inner
        with resolver.scope(local):
            tell(node.body, parameters(node.args), self.ag, resolver.is_ours)
            plain = {name for (name, _), code in inner.items() if policy.why_not(code) is None}
            for name in _inner_functions(node, plain):
                resolver.converts_inner(name)
            lowerer = Lowerer(
                names,
                self.fresh,
                self.ag,
                resolver.is_python_truth,
                resolver.suppresses,
                resolver.is_builtin,
                local,
                self.binds,
            )
            if "enter_context" in code.co_names:
                unstack(node.body, resolver.is_stack)
            if self.parts:
                parted(node.body)
            lowered = lowerer.function(node.body, parameters(node.args))
            around = self._perhaps
            lowered.perhaps = names.mask(around - local)
            analyse(lowered, names)
            expressions = self._expressions(node.args)
            expressions.perhaps = self._perhaps = {*names.of(perhaps_unset(lowered))}
            expressions.variadic = node.args.vararg.arg if node.args.vararg else None
            node.body = Emitter(lowered, names, self.ag, self.fresh, expressions).body()
            self._perhaps = around

    def _inner(self, node: ast.FunctionDef) -> ast.stmt:
        """Convert a function that is defined inside."""
        line = (node.decorator_list[0] if node.decorator_list else node).lineno
        code = self._codes.get((node.name, line))
        sees_locals = code is not None and not _FRAME_USERS.isdisjoint(code.co_names)
        kept = code is None or policy.why_not(code) or self._keeps_source(node)
        if kept or (sees_locals and self._uses_frame(node)):
            self._left.add(line)
        else:
            assert code is not None
            self._convert(node, code)
        return node

    def _keeps_source(self, node: ast.FunctionDef) -> bool:
        """True if a decorator wants the function as it is written."""
        return any(
            self.resolver.wants_source(d.func if isinstance(d, ast.Call) else d)
            for d in node.decorator_list
        )

    def _compile(self) -> CodeType:
        """The code object of the function, compiled where its names mean what they meant."""
        node = self.node
        at = _position(node)
        holder: ast.stmt
        if isinstance(node, ast.Lambda):
            holder = ast.Expr(ast.Lambda(_bare(node.args), node.body, **at), **at)
        else:
            holder = _definition(node.name, _bare(node.args), node.body, at)
        path = ["factory", self.code.co_name]
        mangle = mangling_class(self.code)
        if mangle is not None:
            holder = ast.ClassDef(mangle, [], [], [holder], [], **at)
            holder.type_params = []  # type: ignore[attr-defined,unused-ignore]
            path.insert(1, mangle)
        cells = (*self.code.co_freevars, self.ag)
        args = ast.arguments([], [ast.arg(c, **at) for c in cells], None, [], [], None, [])
        body: list[ast.stmt] = [holder]
        name = getattr(holder, "name", None)
        if name is not None and name not in cells:
            body.insert(0, ast.Global([name], **at))  # what it stands for is found where it was
        factory = _definition("factory", args, body, at)
        module = ast.Module([factory], [])
        flags = self.code.co_flags & _FUTURE
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(module, self.code.co_filename, "exec", flags, dont_inherit=True)
        for step in path:
            code = next(c for c in _inner_codes(code) if c.co_name == step)
        return self._named(code, code.co_qualname)

    def _named(self, code: CodeType, compiled: str, left: bool = False) -> CodeType:
        """`code` and what is in it with the qualified names of the user's code.

        `compiled` is the qualified name that the function was compiled under, `left` says that
        the code is part of an inner function or class that is not converted.
        """
        function = bool(code.co_flags & inspect.CO_OPTIMIZED)
        left = left or not function or code.co_firstlineno in self._left
        qualname = self._qualname(code.co_qualname, compiled)
        consts: list[Any] = []
        for const in code.co_consts:
            if isinstance(const, CodeType):
                consts.append(self._named(const, compiled, left))
            else:
                # A class body has its qualified name among its constants.
                own = not function and const == code.co_qualname
                consts.append(qualname if own else const)
        made = code.replace(co_consts=tuple(consts), co_qualname=qualname)
        if not left:
            _mark_converted(made)
        return made

    def _qualname(self, name: str, compiled: str) -> str:
        if not name.startswith(compiled):
            return name  # declared global
        inner = name[len(compiled) :].split(".<locals>.")
        inner = [n for n in inner if n in self.written or n not in self.fresh.taken]
        return self.code.co_qualname + ".<locals>.".join(inner)


def _mark_converted(code: CodeType) -> None:
    key = id(code)
    _converted[key] = weakref.ref(code, lambda _: _converted.pop(key, None))


def _position(node: ast.AST) -> dict[str, Any]:
    return {a: getattr(node, a) for a in ("lineno", "col_offset", "end_lineno", "end_col_offset")}


def _bare(args: ast.arguments) -> ast.arguments:
    """Parameters without defaults and annotations: these have been evaluated already."""

    def plain(a: ast.arg) -> ast.arg:
        return ast.arg(a.arg, None, **_position(a))

    return ast.arguments(
        posonlyargs=[plain(a) for a in args.posonlyargs],
        args=[plain(a) for a in args.args],
        vararg=plain(args.vararg) if args.vararg else None,
        kwonlyargs=[plain(a) for a in args.kwonlyargs],
        kw_defaults=[ast.Constant(None, **_position(a)) for a in args.kwonlyargs],
        kwarg=plain(args.kwarg) if args.kwarg else None,
        defaults=[],
    )


def _definition(
    name: str, args: ast.arguments, body: list[ast.stmt], at: dict[str, Any]
) -> ast.FunctionDef:
    made = ast.FunctionDef(name, args, body, [], None, None, **at)
    made.type_params = []  # type: ignore[attr-defined,unused-ignore]
    return made


def _inner_codes(code: CodeType) -> Iterator[CodeType]:
    return (c for c in code.co_consts if isinstance(c, CodeType))


def _identifiers(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    yield from code.co_varnames
    yield from code.co_cellvars
    yield from code.co_freevars
    for inner in _inner_codes(code):
        yield from _identifiers(inner)


def _locals(code: CodeType) -> Iterable[str]:
    return (*code.co_varnames, *code.co_cellvars)


def _functions_in(code: CodeType) -> dict[tuple[str, int], CodeType]:
    """The codes of functions defined directly in `code`, by name and first line."""
    return {(c.co_name, c.co_firstlineno): c for c in _inner_codes(code)}


def _inner_functions(node: ast.FunctionDef, candidates: set[str]) -> list[str]:
    """Names that stand for an inner function without decorators, and for nothing else."""
    if all(name.startswith("<") for name in candidates):
        return []
    found = [
        s.name
        for s in walk(node)
        if isinstance(s, ast.FunctionDef) and s.name in candidates and not s.decorator_list
    ]
    counts: Counter[str] = Counter()
    for n in walk(node):
        match n:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                counts[name] += 1
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                counts[name] += 1
            case ast.alias(name=name, asname=asname):
                counts[asname or name.partition(".")[0]] += 1
            case ast.AsyncFunctionDef(name=name):
                counts[name] += 2
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                counts[name] += 1
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                counts[name] += 1
    return [name for name in found if counts[name] == 1]
