"""Functions of `dataclasses` on what a tensor chose."""

from __future__ import annotations

from dataclasses import asdict, astuple, dataclass, field, fields, is_dataclass, replace

import treadle as tl

from .harness import Collection

program = Collection()


@dataclass
class Rate:
    lr: int = 1
    d: int = 2


@dataclass(frozen=True)
class Fixed:
    lr: int = 1
    d: int = 2
    tags: tuple = ()


@dataclass
class Outer:
    rate: Rate
    items: list = field(default_factory=list)


@program(3, 7)
def as_dict():
    def f(x):
        c = Rate()
        if x > 5:
            c = Rate(3)
        return asdict(c)["lr"], asdict(c), astuple(c), replace(c, d=x), len(fields(c))

    return f


@program(3, 7)
def as_dict_of_outer():
    a, b = Rate(), Rate(3, 4)

    def f(x):
        c = a if x > 5 else b
        made = asdict(c)
        made["lr"] += 1
        n = replace(c, lr=9)
        n.d += 1
        return made, astuple(c), n, is_dataclass(c), ["lr", "d"] == [f.name for f in fields(c)]

    return f, lambda: (a, b)


@program(3, 7)
def as_dict_of_frozen():
    def f(x):
        c = Fixed()
        if x > 5:
            c = replace(c, tags=(*c.tags, "s"), lr=x)
        else:
            c = replace(c, tags=(*c.tags, "d"))
        made = asdict(c)
        return made["lr"], made["tags"] == ("s",), astuple(c)[2] == ("d",), len(made)

    return f


@program(3, 7)
def as_dict_of_parts():
    def f(x):
        r = Rate(x)
        if x > 5:
            r = Rate(8)
        o = Outer(r, [r, x])
        made = asdict(o)
        made["rate"]["lr"] += 1
        return made, r.lr, astuple(o)

    return f


@program(7, refused=(tl.errors.BranchError, r"'c\.tags' is a tuple of 1 .* but a tuple of 0"))
def field_that_grows():
    def f(x):
        c = Fixed()
        if x > 5:
            c = replace(c, tags=(*c.tags, "s"))
        return c.lr

    return f
