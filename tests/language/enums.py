"""Members of enums that are numbers or texts as well."""

from __future__ import annotations

from enum import Enum, IntEnum, IntFlag

import treadle as tl

from .harness import Collection

program = Collection()


class Level(IntEnum):
    LOW = 1
    HIGH = 3


class Suit(str, Enum):  # noqa: UP042 - not StrEnum, which shows its members otherwise
    A = "a"
    B = "b"


class Flags(IntFlag):
    A = 1
    B = 2


class Holder:
    level = Level.LOW
    suit = Suit.A
    flags = Flags.A


@program(2, 5)
def members_keep_what_they_are():
    def f(x):
        level = Level.LOW
        if x > 4:
            level = Level.HIGH
        suit = Suit.A if x > 4 else Suit.B
        flags = Flags.A
        if x > 4:
            flags |= Flags.B
        name = "high" if level is Level.HIGH else "low"
        kinds = isinstance(level, Level), isinstance(suit, Suit), suit is Suit.A
        match level:
            case Level.LOW:
                way = 10
            case Level.HIGH:
                way = 20
        return name == "high", level.value, kinds, way, len(suit.name), Flags.B in flags

    return f


@program(2, 5)
def members_as_numbers_and_texts():
    def f(x):
        level = Level.HIGH if x > 4 else Level.LOW
        suit = Suit.A if x > 4 else Suit.B
        row = tl.constant([1, 2, 3, 4])
        sums = x + level, row[level], row * level, -level, level > 2, [5, 6, 7, 8][level]
        table = {Level.LOW: 10, Level.HIGH: 20}
        return sums, table[level], suit == "a", {"a": 1, "b": 2}[suit], tl.constant(Level.LOW) + x

    return f


@program(2, 5)
def members_in_loops():
    def f(x):
        level, total, flags = Level.LOW, Level.LOW, Flags(0)
        for i in tl.range(x):
            if i > 2:
                level = Level.HIGH
            total = total + i
            flags = flags | Flags.A if i < 1 else flags | Flags.B
        number = 0
        if x > 3:
            number = Level.HIGH
        return level.value, level is Level.HIGH, total + 0, flags == Flags.A | Flags.B, number + 1

    return f


@program(1, 5, 2)
def members_in_outer_objects():
    held = Holder()

    def f(x):
        if x > 4:
            held.level, held.suit = Level.HIGH, Suit.B
            held.flags |= Flags.B
        return x

    return f, lambda: (held.level, held.suit, held.flags, type(held.suit) is Suit)
