"""Reads the text form of a graph: `parse(str(graph))` is `graph` again.

The text is parsed as Python and never executed. Types and edges `after` come from the comments; a
node without a type comment gets the type that its op infers.
"""

from __future__ import annotations

import ast
import re
from functools import partial
from typing import Any

from .control import UnknownResultError
from .effects import settle_effects
from .errors import OpError, ParseError
from .literals import Unreadable, read_constant, read_spec, read_value, split_types
from .location import Loc
from .names import AUTOMATIC
from .node import FunctionRef, Graph, Node, Value
from .op import OPS, Op, infer_specs
from .settings import collector_paused
from .spec import Spec

_SOURCE = re.compile(r"#\s(?P<file>\S.*?):(?P<line>\d+)(?:\s{3}(?P<source>.*))?$")
_TYPES = re.compile(r"\w+[\[<]")
_EMPTY = compile("", "<text>", "exec")


class TextLoc(Loc):
    """A place in the user's code as the text form tells it: file, line and what it says."""

    text: str

    @classmethod
    def of(cls, file: str, line: int, text: str, function: str) -> TextLoc:
        code = _EMPTY.replace(co_filename=file, co_firstlineno=line, co_name=function)
        loc = cls(code, -1)
        loc.text = text
        return loc

    @property
    def source(self) -> str:
        return self.text


def parse(text: str, tables: dict[str, Any] | None = None) -> Graph:
    """The graph that `text` shows; `tables` holds what the text refers to beside it.

    ParseError names line and column of what is wrong.
    """
    with collector_paused():
        try:
            tree = ast.parse(text)
        except SyntaxError as error:
            place = f"line {error.lineno}, column {error.offset}"
            raise ParseError(f"{place}: {error.msg}; a graph is written as Python") from error
        return _Parser(text, tables or {}).program(tree)


class _Scope:
    """The names of one function while its body is read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.values: dict[str, Value] = {}
        self.nodes: dict[str, Node] = {}  # by the names that `after` uses
        self.graphs: dict[str, Graph] = {}
        self.constants: dict[tuple[str, tuple[int, ...], bytes], Value] = {}
        self.body: list[Node] = []
        self.loc: Loc | None = None


class _Parser:
    def __init__(self, text: str, tables: dict[str, Any]) -> None:
        self._lines = text.split("\n")
        self._tables = tables
        self._functions: dict[str, FunctionRef] = {}
        self._unread: dict[str, tuple[ast.FunctionDef, int]] = {}  # with the line above each
        self._specs: dict[str, Spec] = {}  # those read so far, by their text
        self._function = ""  # the name of the outermost def at work

    # --- errors --------------------------------------------------------------------

    def _error(self, place: ast.AST | int, message: str) -> ParseError:
        line = place if isinstance(place, int) else getattr(place, "lineno", 1)
        column = 1 if isinstance(place, int) else getattr(place, "col_offset", 0) + 1
        shown = self._lines[line - 1] if line <= len(self._lines) else ""
        return ParseError(
            f"line {line}, column {column}: {message}\n    {shown}\n    {' ' * (column - 1)}^"
        )

    # --- program and functions -----------------------------------------------------

    def program(self, tree: ast.Module) -> Graph:
        above = 0
        for statement in tree.body:
            if not isinstance(statement, ast.FunctionDef):
                raise self._error(statement, "a program consists of functions only")
            if statement.name in self._functions:
                raise self._error(statement, f"the function {statement.name!r} is defined twice")
            ref = FunctionRef(statement.name)
            _, ref.specs = self._signature(statement, above)
            self._functions[statement.name] = ref
            self._unread[statement.name] = statement, above
            above = statement.end_lineno or 0
        if not self._functions:
            raise self._error(1, "there is no function here; a graph begins with `def`")
        for name in self._functions:
            self._function = name
            self._read(name)
        graphs = [ref.graph for ref in self._functions.values() if ref.graph is not None]
        settle_effects(graphs)
        return graphs[0]

    def _read(self, name: str) -> None:
        statement, above = self._unread.pop(name, (None, 0))
        if statement is not None:
            self._functions[name].graph = self._graph(statement, above)

    def _named(self, scope: _Scope, name: str) -> Graph | None:
        """A graph that a node holds: a `def` within the function, or a function if it is deep."""
        found = scope.graphs.get(name)
        if found is None and name in self._functions:
            self._read(name)
            found = self._functions[name].graph
        return found

    def _signature(
        self, tree: ast.FunctionDef, above: int
    ) -> tuple[dict[str, Spec], tuple[Spec, ...]]:
        """The types of arguments and results, from the comment above the def."""
        comments = [s.strip() for s in self._lines[above : tree.lineno - 1] if "#" in s]
        starts = [i for i, s in enumerate(comments) if s.startswith(f"# {tree.name}(")]
        if not starts:
            raise self._error(
                tree, f"the types are missing; write `# {tree.name}(x: f32[2]) -> f32[]` above it"
            )
        line = " ".join([s.lstrip("# ") for s in comments[starts[-1] :]])
        arguments, arrow, results = line[len(tree.name) + 1 :].rpartition(") -> ")
        if not arrow:
            raise self._error(tree, "the comment above it must end with `-> ` and result types")
        types: dict[str, Spec] = {}
        for argument in split_types(arguments):
            name, _, spec = argument.partition(":")
            if name.strip() != "*":
                types[name.strip()] = self._spec(tree, spec)
        specs = [self._spec(tree, s) for s in split_types(results.strip(" ()"))]
        return types, tuple(specs)

    def _spec(self, place: ast.AST, text: str) -> Spec:
        found = self._specs.get(text)
        if found is None:
            try:
                found = self._specs[text] = read_spec(text)
            except Unreadable as error:
                raise self._error(place, str(error)) from error
        return found

    def _graph(self, tree: ast.FunctionDef, above: int) -> Graph:
        types, results = self._signature(tree, above)
        arguments = tree.args
        if arguments.vararg or arguments.kwarg or arguments.posonlyargs or arguments.defaults:
            raise self._error(tree, "a graph takes plain arguments, without defaults or stars")
        scope = _Scope(tree.name)
        inputs = []
        for i, argument in enumerate([*arguments.args, *arguments.kwonlyargs]):
            if argument.arg not in types:
                raise self._error(argument, f"the comment above gives no type of {argument.arg!r}")
            name = _kept(argument.arg)
            inputs.append(Value(None, i, types[argument.arg], None, name))
            scope.values[argument.arg] = inputs[-1]
        outputs: tuple[Value, ...] | None = None
        line = self._end_of_head(tree)
        for statement in tree.body:
            if outputs is not None:
                raise self._error(statement, "nothing may follow the `return`")
            self._note_source(scope, line, statement.lineno)
            if isinstance(statement, ast.Return):
                outputs = self._results(scope, statement)
            elif isinstance(statement, ast.FunctionDef):
                self._check_new(scope, statement, statement.name)
                scope.graphs[statement.name] = self._graph(statement, line)
            else:
                self._node(scope, statement)
            line = statement.end_lineno or 0
        if outputs is None:
            raise self._error(tree, f"{tree.name!r} has no `return`")
        if tuple([v.spec for v in outputs]) != results:
            raise self._error(tree, "the result types above it are not those of what it returns")
        captured = len(arguments.kwonlyargs)
        return Graph(tree.name, tuple(inputs), tuple(scope.body), outputs, captured)

    def _end_of_head(self, tree: ast.FunctionDef) -> int:
        line = max([tree.lineno, *[a.end_lineno or 0 for a in tree.args.args]])
        line = max([line, *[a.end_lineno or 0 for a in tree.args.kwonlyargs]])
        while line < tree.body[0].lineno and not self._lines[line - 1].rstrip().endswith(":"):
            line += 1
        return line

    def _note_source(self, scope: _Scope, above: int, line: int) -> None:
        for comment in self._lines[above : line - 1]:
            found = _SOURCE.match(comment.strip())
            if found:
                scope.loc = TextLoc.of(
                    found["file"], int(found["line"]), found["source"] or "", self._function
                )

    def _results(self, scope: _Scope, tree: ast.Return) -> tuple[Value, ...]:
        match tree.value:
            case None:
                return ()
            case ast.Tuple(elts=items):
                return tuple([self._input(scope, v) for v in items])
            case value:
                return (self._input(scope, value),)

    # --- nodes ---------------------------------------------------------------------

    def _node(self, scope: _Scope, tree: ast.stmt) -> None:
        match tree:
            case ast.Expr(value=ast.Call(func=ast.Name(id=name)) as call):
                targets: list[ast.expr] = []
            case ast.Assign(
                targets=[ast.Tuple(elts=targets)], value=ast.Call(func=ast.Name(id=name)) as call
            ):
                pass
            case ast.Assign(
                targets=[ast.Name() as target], value=ast.Call(func=ast.Name(id=name)) as call
            ):
                targets = [target]
            case _:
                raise self._error(tree, "expected a call of an op, such as `y = add(x, x)`")
        op, attrs = self._op(call, name)
        inputs = tuple([self._input(scope, v) for v in call.args])
        for keyword in call.keywords:
            if keyword.arg is None:
                raise self._error(call, "attributes are written as name=value")
            name = keyword.value.id if isinstance(keyword.value, ast.Name) else ""
            if keyword.arg == "callee" and name in self._functions:
                self._read(name)
                attrs["callee"] = self._functions[name]
                continue
            try:
                attrs[keyword.arg] = read_value(
                    keyword.value, self._tables, partial(self._named, scope)
                )
            except Unreadable as error:
                raise self._error(keyword.value, str(error)) from error
        types, after = self._trailing(scope, tree)
        if types is None:
            types = self._inferred(call, op, inputs, attrs)
        node = Node(op, inputs, attrs, types, after, scope.loc)
        self._bind(scope, tree, node, targets)
        scope.body.append(node)

    def _op(self, call: ast.Call, name: str) -> tuple[Op, dict[str, Any]]:
        callee = self._functions.get(name)
        if callee is not None:
            return OPS["call"], {"callee": callee}
        op = OPS.get(name[:-1] if name.endswith("_") and name not in OPS else name)
        if op is None:
            raise self._error(call, f"there is no op {name!r}, nor a function of this name")
        return op, {}

    def _bind(self, scope: _Scope, tree: ast.stmt, node: Node, targets: list[ast.expr]) -> None:
        names = []
        for target in targets:
            if not isinstance(target, ast.Name):
                raise self._error(target, "only names can be assigned to")
            self._check_new(scope, target, target.id)
            names.append(target.id)
            scope.nodes[target.id] = node
        label_only = not node.outputs and len(names) == 1  # it is there to be waited for
        if len(names) != len(node.outputs) and not label_only:
            raise self._error(
                tree, f"{node.op.name} has {len(node.outputs)} results here, not {len(names)}"
            )
        for name, value in zip(names, node.outputs, strict=False):
            value.name = _kept(name)
            scope.values[name] = value

    def _check_new(self, scope: _Scope, place: ast.AST, name: str) -> None:
        if name in scope.values or name in scope.nodes or name in scope.graphs:
            raise self._error(place, f"{name!r} is defined twice; each name is given once")

    def _inferred(
        self, call: ast.Call, op: Op, inputs: tuple[Value, ...], attrs: dict[str, Any]
    ) -> tuple[Spec, ...]:
        try:
            return infer_specs(op, tuple([v.spec for v in inputs]), attrs)
        except (OpError, TypeError, ValueError, UnknownResultError) as error:
            raise self._error(call, f"{op.name}: {error}") from error

    def _input(self, scope: _Scope, tree: ast.expr) -> Value:
        if isinstance(tree, ast.Name):
            value = scope.values.get(tree.id)
            if value is None:
                raise self._error(tree, f"{tree.id!r} is not defined above in {scope.name!r}")
            return value
        try:
            array = read_constant(tree)
        except Unreadable as error:
            raise self._error(tree, str(error)) from error
        content = repr(array.tolist()).encode() if array.dtype.hasobject else array.tobytes()
        key = (array.dtype.char, array.shape, content)
        if key not in scope.constants:
            attrs = {"value": array}
            node = Node(OPS["const"], (), attrs, infer_specs(OPS["const"], (), attrs))
            node.loc = scope.loc
            scope.body.append(node)
            scope.constants[key] = node.outputs[0]
        return scope.constants[key]

    def _trailing(
        self, scope: _Scope, tree: ast.stmt
    ) -> tuple[tuple[Spec, ...] | None, tuple[Node, ...]]:
        """The types and the nodes to wait for, from the comment behind a statement."""
        line = self._lines[(tree.end_lineno or 1) - 1]
        comment = line.encode()[tree.end_col_offset or 0 :].decode().strip()
        if not comment:
            return None, ()
        types: tuple[Spec, ...] | None = None
        after: list[Node] = []
        for part in comment.lstrip("# ").split("; "):
            if part.startswith("after "):
                for name in part[len("after ") :].split(", "):
                    if name not in scope.nodes:
                        raise self._error(tree, f"after {name}: no node above is called so")
                    after.append(scope.nodes[name])
            elif _TYPES.match(part):  # effects follow from the op
                types = tuple([self._spec(tree, s) for s in split_types(part)])
        return types, tuple(dict.fromkeys(after))


def _kept(name: str) -> str:
    """A name that the user gave; those that the printer made up are made anew."""
    return "" if AUTOMATIC.fullmatch(name) else name


__all__ = ["TextLoc", "parse"]
