"""The text form: a graph as the typed Python program that it stands for.

`str(graph)` prints it, `parse` reads it back. Where a node was written, its type, what it does
besides its result, and what it waits for are comments; all else is Python.
"""

from __future__ import annotations

import linecache
import os
from collections import Counter
from typing import Any

from .effects import node_effects
from .literals import Tables, is_small, write_constant, write_value
from .location import Loc
from .names import Namespace, Positions, assigned_name, readable
from .node import Graph, Node, Value
from .op import ANYTHING, CHECKS, IO, READ, WRITE
from .walk import functions_of

_INDENT = "    "
_WIDTH = 100  # longer calls are broken into several lines
_MARGIN = 20  # what is left on a line for the first argument behind long targets
_DEEPEST = 40 * len(_INDENT)  # Python reads 100 levels: a graph deeper in is a function by itself
_TYPES_AT = 56  # lines longer than this do not push the column of types to the right

_VERBS = {READ: "reads", WRITE: "writes", IO: "io", CHECKS: "checks", ANYTHING: "anything"}


def to_text(graph: Graph, tables: dict[str, Any] | None = None) -> str:
    """The program that `graph` begins, as text: the graph and all functions that it calls.

    Large arrays and Python objects are put into `tables` and named there, as `tables["t0"]`.
    """
    return Printer(graph, tables).text()


class _Function:
    """What the printer knows of the function that it prints, nested ones included."""

    def __init__(self) -> None:
        self.values = 0
        self.effects = 0
        self.branches: Counter[str] = Counter()


class Printer:
    """Prints one program; `line_of` tells on which line a node stands."""

    def __init__(self, graph: Graph, tables: dict[str, Any] | None = None) -> None:
        self.line_of: dict[Node, int] = {}
        self._tables = Tables(tables)
        self._positions = Positions()
        self._sources: dict[tuple[str, int], str] = {}
        self._lines: list[str] = []
        self._names: dict[Value, str] = {}
        self._labels: dict[Node, str] = {}  # of nodes without results that others wait for
        self._functions: dict[int, str] = {}  # by id of a graph or FunctionRef
        self._graphs: list[tuple[str, Graph, dict[Value, str]]] = []
        names = self._top = Namespace()
        self._define(graph, names.unique(readable(graph.name) or "graph"))
        for ref in functions_of(graph):
            if ref.graph is not None and id(ref.graph) in self._functions:
                self._functions[id(ref)] = self._functions[id(ref.graph)]
                continue
            name = names.unique(readable(ref.name) or "function")
            self._functions[id(ref)] = name
            if ref.graph is not None:
                self._define(ref.graph, name)

    def _define(self, graph: Graph, name: str) -> None:
        self._functions[id(graph)] = name
        self._graphs.append((name, graph, {}))

    def text(self) -> str:
        for i, (name, graph, outer) in enumerate(self._graphs):
            if i:
                self._lines += ["", ""]
            self._def(graph, name, "", _Function(), outer)
        return "\n".join(self._lines) + "\n"

    # --- one function --------------------------------------------------------------

    def _def(
        self, graph: Graph, name: str, indent: str, function: _Function, outer: dict[Value, str]
    ) -> None:
        space = Namespace(self._functions.values())
        for value in graph.inputs:
            wanted = readable(value.name) or outer.get(value) or self._fresh(function)
            self._names[value] = space.unique(wanted)
        self._lines += self._header(graph, name, indent)
        body = indent + _INDENT
        rows: list[tuple[int, str, str]] = []  # index in _lines, code, comment
        waited = {before for node in graph.nodes for before in node.after}
        last_of_place = {node.loc: node for node in graph.nodes if node.loc is not None}
        shown = ""
        for node in graph.nodes:
            if node.op.name == "const" and is_small(node.attrs["value"]):
                self._names[node.outputs[0]] = write_constant(node.attrs["value"])
                continue
            if node.loc is not None:
                here = self._source(node.loc)
                if here != shown:
                    shown = here
                    self._lines.append(body + here)
            graphs = self._branches(node, body, function, space)
            targets = self._targets(node, function, space, last_of_place, node in waited)
            code = self._call(node, targets, graphs, body)
            self._lines += code[:-1]
            self.line_of[node] = len(self._lines)
            rows.append((len(self._lines), code[-1], self._comment(node)))
            self._lines.append("")
        results = [self._name(v) for v in graph.outputs]
        self._align(rows)
        line = f"{body}return {', '.join(results)}".rstrip()
        broken = len(line) > _WIDTH and len(results) > 1
        self._lines += (
            _broken(f"{body}return (", results, ")", body + _INDENT) if broken else [line]
        )

    def _source(self, loc: Loc) -> str:
        """The comment that says where the user wrote what follows."""
        line = self._positions(loc)[0]
        if loc.lasti < 0:  # read from a text, which tells what the line says
            return f"# {os.path.basename(loc.file)}:{line}   {loc.source}".rstrip()
        found = self._sources.get((loc.file, line))
        if found is None:
            text = linecache.getline(loc.file, line).strip()
            found = f"# {os.path.basename(loc.file)}:{line}   {text}".rstrip()
            self._sources[loc.file, line] = found
        return found

    def _header(self, graph: Graph, name: str, indent: str) -> list[str]:
        first = len(graph.inputs) - graph.captured
        names = [self._names[v] for v in graph.inputs]
        typed = [f"{n}: {v.spec}" for n, v in zip(names, graph.inputs, strict=True)]
        if graph.captured:
            names.insert(first, "*")
            typed.insert(first, "*")
        results = [f"{v.spec}" for v in graph.outputs] or ["()"]
        more = f"{indent}#     "
        lines = _broken(f"{indent}# {name}(", typed, f") -> {', '.join(results)}", more)
        if len(lines[-1]) > _WIDTH:
            lines = _broken(f"{indent}# {name}(", typed, ")", more, always=True)
            lines[-1:] = _broken(f"{indent}# ) -> (", results, ")", more)
        return lines + _broken(f"{indent}def {name}(", names, "):", indent + _INDENT * 2)

    def _fresh(self, function: _Function) -> str:
        function.values += 1
        return f"v{function.values - 1}"

    def _branches(
        self, node: Node, indent: str, function: _Function, space: Namespace
    ) -> dict[int, str]:
        """Print the graphs that `node` holds; their names by id."""
        names: dict[int, str] = {}
        if not node.op.structured:
            return names
        for role, value in node.attrs.items():
            for graph in value if isinstance(value, tuple) else (value,):
                if not isinstance(graph, Graph) or id(graph) in names:
                    continue
                stem = "branch" if role == "branches" else role
                number = function.branches[stem]
                function.branches[stem] += 1
                outer = self._captured(node, graph)
                if len(indent) < _DEEPEST:
                    name = names[id(graph)] = space.unique(f"{stem}_{number}")
                    self._def(graph, name, indent, function, outer)
                else:
                    name = names[id(graph)] = self._top.unique(f"{stem}_{number}")
                    self._graphs.append((name, graph, outer))
        return names

    def _captured(self, node: Node, graph: Graph) -> dict[Value, str]:
        """What a branch captures keeps its name from outside."""
        count = graph.captured
        pairs = zip(graph.inputs[-count:], node.inputs[-count:], strict=False) if count else ()
        names = [(inside, self._names.get(outside, "")) for inside, outside in pairs]
        return {inside: name for inside, name in names if name.isidentifier()}

    def _targets(
        self,
        node: Node,
        function: _Function,
        space: Namespace,
        last_of_place: dict[Any, Node],
        waited: bool,
    ) -> str:
        single = len(node.outputs) == 1
        body = node.attrs.get("body") if node.op.name == "while" else None
        for i, value in enumerate(node.outputs):
            wanted = readable(value.name)
            if wanted:
                pass
            elif isinstance(body, Graph) and i < len(body.inputs):
                wanted = readable(body.inputs[i].name)  # the loop variable after the loop
            elif single and node.loc is not None and last_of_place[node.loc] is node:
                wanted = readable(assigned_name(node.loc, self._positions(node.loc)))
            self._names[value] = space.unique(wanted or self._fresh(function))
        if node.outputs:
            return ", ".join([self._names[v] for v in node.outputs])
        if waited:
            self._labels[node] = f"e{function.effects}"
            function.effects += 1
            return self._labels[node]
        return ""

    def _call(self, node: Node, targets: str, graphs: dict[int, str], indent: str) -> list[str]:
        arguments = [self._name(v) for v in node.inputs]
        name = node.op.name
        for key, value in node.attrs.items():
            if node.op.name == "call" and id(value) in self._functions:
                name = self._functions[id(value)]
                continue
            text = write_value(value, self._tables, lambda v: self._name_of_graph(v, graphs))
            arguments.append(f"{key}={text}")
        if name in ("while", "try"):
            name += "_"
        start = f"{indent}{targets} = {name}(" if targets else f"{indent}{name}("
        if len(start) <= _WIDTH - _MARGIN or len(node.outputs) < 2:
            return _broken(start, arguments, ")", indent + _INDENT)
        more = indent + _INDENT
        lines = _broken(f"{indent}(", targets.split(", "), f") = {name}(", more, always=True)
        return lines[:-1] + _broken(lines[-1], arguments, ")", more)

    def _name_of_graph(self, thing: Any, graphs: dict[int, str]) -> str | None:
        return graphs.get(id(thing)) or self._functions.get(id(thing))

    def _comment(self, node: Node) -> str:
        parts = [", ".join([f"{v.spec}" for v in node.outputs])] if node.outputs else []
        parts += self._effects(node)
        if node.after:
            parts.append(f"after {', '.join([self._label(n) for n in node.after])}")
        return "; ".join(parts)

    def _effects(self, node: Node) -> list[str]:
        try:
            effects = node_effects(node)
        except Exception:  # a broken graph: `check` prints it to tell what is wrong
            return []
        found: dict[str, list[str]] = {}
        for effect, index in sorted(effects, key=lambda e: e[1] or 0):
            on = "" if index is None else self._name(node.inputs[index])
            found.setdefault(effect, []).append(on)
        return [
            f"{_VERBS.get(effect, effect)} {', '.join(on)}".rstrip(", ")
            for effect, on in sorted(found.items(), key=_place_of_effect)
        ]

    def _label(self, node: Node) -> str:
        return self._name(node.outputs[0]) if node.outputs else self._labels.get(node, "undefined")

    def _name(self, value: Value) -> str:
        return self._names.get(value, "undefined")

    def name_of(self, thing: Value | Node) -> str:
        """What a value, or a node that has no results, is called in the text; '' if nothing."""
        return (
            self._names.get(thing, "") if isinstance(thing, Value) else self._labels.get(thing, "")
        )

    def _align(self, rows: list[tuple[int, str, str]]) -> None:
        """Put the comments of a function's rows into one column."""
        column = max([len(code) for _, code, _ in rows if len(code) <= _TYPES_AT], default=0)
        for index, code, comment in rows:
            self._lines[index] = f"{code:<{column}}  # {comment}" if comment else code


def _place_of_effect(item: tuple[str, list[str]]) -> int:
    return list(_VERBS).index(item[0]) if item[0] in _VERBS else len(_VERBS)


def _broken(start: str, items: list[str], end: str, indent: str, always: bool = False) -> list[str]:
    """`start`, the items and `end` on one line, or on several where that is too long."""
    line = f"{start}{', '.join(items)}{end}"
    if not always and (len(line) <= _WIDTH or len(items) < 2):
        return [line]
    lines, row = [start], ""
    for i, item in enumerate(items):
        piece = item if i == len(items) - 1 else f"{item},"
        if row and len(indent) + len(row) + 1 + len(piece) > _WIDTH:
            lines.append(indent + row)
            row = piece
        else:
            row = f"{row} {piece}" if row else piece
    lines += [indent + row] if row else []
    return [*lines, _closing(start) + end]


def _closing(start: str) -> str:
    """The indentation of a broken call's last line; a comment goes on as a comment."""
    indent = start[: len(start) - len(start.lstrip())]
    return f"{indent}# " if start.lstrip().startswith("#") else indent
