"""The facts of code without a source."""

from __future__ import annotations

import ast
import dis
from types import CodeType

from .facts import Facts, Read, Scope, Site


def from_bytecode(code: CodeType) -> Facts:
    """Names and attributes that code without a source reads, assigns and calls."""
    count = code.co_argcount + code.co_kwonlyargcount
    scope = Scope(None, code.co_varnames[:count], {n: [] for n in code.co_varnames})
    facts = Facts(scope)
    chain: ast.expr | None = None
    line = code.co_firstlineno
    for instruction in dis.get_instructions(code):
        line = instruction.starts_line or line if instruction.starts_line is not True else line
        name, what = instruction.opname, instruction.argval
        if name in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_FAST", "LOAD_CLASSDEREF"):
            _add_chain(facts, chain)
            chain = ast.Name(what, ast.Load())
        elif name in ("LOAD_ATTR", "LOAD_METHOD") and chain is not None:
            chain = ast.Attribute(chain, what, ast.Load())
        elif name == "STORE_ATTR" and chain is not None:
            target = ast.Attribute(chain, what, ast.Store())
            facts.assigned.append(Site(target, scope, line, ()))
            chain = None
        elif name in ("STORE_GLOBAL", "STORE_DEREF"):
            facts.assigned.append(Site(ast.Name(what, ast.Store()), scope, line, ()))
        elif name not in ("PUSH_NULL", "CACHE", "PRECALL", "COPY_FREE_VARS", "RESUME"):
            _add_chain(facts, chain)
            chain = None
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            found = from_bytecode(inner)
            found.scope.parent = scope
            facts.reads += found.reads
            facts.assigned += found.assigned
    return facts


def _add_chain(facts: Facts, chain: ast.expr | None) -> None:
    if chain is not None:
        facts.reads.append(Read(chain, facts.scope))
        call = ast.Call(chain, [], [])
        facts.calls.append(Site(call, facts.scope, 0, ()))


__all__ = ["from_bytecode"]
