"""`match` statements -> branches on what `ag.match_case` finds."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from .hoisting import binds, perhaps
from .nodes import FreshNames, Maker, walk


def as_branches(stmt: ast.Match, fresh: FreshNames, ag: str) -> list[ast.stmt]:
    """The statements that do what `stmt` does."""
    make = Maker(ag, stmt.subject)
    subject = fresh("subject")
    return [make.assign([subject], stmt.subject), *_cases(stmt.cases, subject, fresh, ag)]


def _cases(
    cases: Sequence[ast.match_case], subject: str, fresh: FreshNames, ag: str
) -> list[ast.stmt]:
    after: list[ast.stmt] = []
    matches = [fresh("case") for _ in cases]
    for case, found in zip(reversed(cases), reversed(matches), strict=True):
        names = list(dict.fromkeys(_names(case.pattern)))
        make = Maker(ag, case.pattern)
        if _irrefutable(case.pattern) and case.guard is None:
            bind: list[ast.stmt] = [make.assign([n], make.name(subject)) for n in names]
            after = [*(bind or [make.pass_()]), *case.body]  # the line is counted
            continue
        arguments = [make.name(subject), _pattern(case.pattern, make)]
        test = ast.Attribute(make.name(found), "truth", ast.Load(), **make.at)
        if case.guard is not None and binds(case.guard):
            value, at = fresh("value"), Maker(ag, case.guard)
            asked = [*_bind(found, names, make), at.assign([value], case.guard)]
            after = [
                make.assign([found], make.call("match_case", *arguments)),
                make.assign([value], make.constant(False)),
                perhaps(test, asked, [], make),
                ast.If(at.name(value), case.body, after, **make.at),
            ]
            continue
        if case.guard is not None:
            arguments.append(_guard(names, case.guard, make))
        after = [ast.If(test, [*_bind(found, names, make), *case.body], after, **make.at)]
        if case.guard is not None and names:
            # Python binds them before it asks the guard.
            surely = ast.Attribute(make.name(found), "binds", ast.Load(), **make.at)
            after.insert(0, ast.If(surely, _bind(found, names, make), [], **make.at))
        after.insert(0, make.assign([found], make.call("match_case", *arguments)))
    return after


def _bind(found: str, names: Sequence[str], make: Maker) -> list[ast.stmt]:
    """The names that a pattern binds, as assignments."""
    bound = ast.Attribute(make.name(found), "names", ast.Load(), **make.at)
    return [
        make.assign([n], ast.Subscript(bound, make.constant(n), ast.Load(), **make.at))
        for n in names
    ]


def _guard(names: Sequence[str], guard: ast.expr, make: Maker) -> ast.expr:
    at = Maker(make.ag, guard)
    parameters = [ast.arg(n, None, **at.at) for n in names]
    return ast.Lambda(ast.arguments([], parameters, None, [], [], None, []), guard, **at.at)


def _names(pattern: ast.pattern) -> list[str]:
    found = []
    for node in walk(pattern):
        match node:
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                found.append(name)
            case ast.MatchMapping(rest=str(name)):
                found.append(name)
            case _:
                pass
    return found


def _irrefutable(pattern: ast.pattern) -> bool:
    return isinstance(pattern, ast.MatchAs) and pattern.pattern is None


def _pattern(pattern: ast.pattern, make: Maker) -> ast.expr:
    """The expression that makes a pattern of `matching.py`."""

    def call(
        name: str, args: Sequence[ast.expr], keywords: dict[str, ast.expr] | None = None
    ) -> ast.expr:
        given = [ast.keyword(k, v, **make.at) for k, v in (keywords or {}).items()]
        kind = ast.Attribute(make.operator("pattern"), name, ast.Load(), **make.at)
        return ast.Call(kind, list(args), given, **make.at)

    def inner(patterns: Sequence[ast.pattern]) -> list[ast.expr]:
        return [_pattern(p, make) for p in patterns]

    match pattern:
        case ast.MatchValue(value=ast.Attribute() as value):
            return call("Equal", [make.thunk(value)])
        case ast.MatchValue(value=value):
            return call("Equal", [value])
        case ast.MatchSingleton(value=value):
            return call("Is", [make.constant(value)])
        case ast.MatchSequence(patterns=patterns):
            return call("Items", inner(patterns))
        case ast.MatchMapping(keys=keys, patterns=patterns, rest=rest):
            given = make.thunk(ast.Tuple(keys, ast.Load(), **make.at))
            named: dict[str, ast.expr] = {"rest": make.constant(rest)} if rest else {}
            return call("Mapping", [given, *inner(patterns)], named)
        case ast.MatchClass(cls=cls, patterns=patterns, kwd_attrs=names, kwd_patterns=values):
            named = dict(zip(names, inner(values), strict=True))
            return call("Instance", [make.thunk(cls), *inner(patterns)], named)
        case ast.MatchStar(name=name):
            return call("Star", [make.constant(name)] if name else [])
        case ast.MatchOr(patterns=patterns):
            return call("Either", inner(patterns))
        case ast.MatchAs(pattern=None, name=None):
            return call("Any_", [])
        case ast.MatchAs(pattern=None, name=str(name)):
            return call("As", [make.constant(name)])
        case ast.MatchAs(pattern=ast.pattern() as held, name=name):
            return call("As", [make.constant(name), _pattern(held, make)])
    raise AssertionError(pattern)
