"""Texts that a tensor's loop builds: what is done with them is what Python does with its own."""

from __future__ import annotations

import json

import treadle as tl

from .harness import Collection

program = Collection()
NOT_IN_A_TRACE = tl.errors.OperatorNotAllowedInGraphError


def marks(n):
    """The empty text, then `ab`, `ab-`, `ab-ab`."""
    s = ""
    for i in tl.range(n):
        s += "ab" if i % 2 == 0 else "-"
    return s


@program(0, 1, 4)
def formatted_texts():
    def f(n):
        s = marks(n)
        return [
            *(f"<{s}>", f"{s:>9}|{s:<7}|{s!r:^11}", "<{}>".format(s), str(s), repr(s)),  # noqa: UP032
            *("%s!" % s, "%5s|%-9s|%.1s|%r" % (s, s, s, s), "%(a)s-%(a)7s" % {"a": s}),  # noqa: UP031
        ]

    return f


@program(0, 3, 1234)
def formatted_numbers():
    def f(n):
        k, template = int(n), "%d of %5d|%-6d|%06d|%+d %s %%"
        unit = "cm" if n > 2 else "inch"
        found = "%(unit)6s %(k)d %%" % {"unit": unit, "k": k}, "%x %#o" % (k, k)  # noqa: UP031
        held = "%12s|%r" % ([k, unit], (k,)), "%5s" % (k > 2)  # noqa: UP031
        return template % (k, k, k, k, k, k), "%.2f|%8.1f" % (k / 4, k / 4), found, held  # noqa: UP031

    return f


@program(1, 4)
def questions():
    def f(n):
        s = marks(n)
        return [
            *("-" in s, "q" not in s, s in "ab-ab-ab", "<" in f"{s}<", "A" in s.upper()),
            *(s.startswith("ab-"), s.startswith(("x", "ab-")), s.endswith("-"), s.isalpha()),
            *(s == "ab", s != "ab", "ab" == s, s == 5, s == b"ab", s is None),
            *(s > "abc", s < "abc", "ab" <= s, s >= s, isinstance(s, str), isinstance(s, int)),
            *(bool(s), not s, type(s) is str, s in ("ab", "c"), s in {"ab": 1}, s in {"x", "ab"}),
        ]

    return f


@program(1, 4)
def made_texts():
    def f(n):
        s, k = marks(n), int(n)
        return [
            *(s.upper(), s.title(), s.capitalize(), s.swapcase(), s.strip("a"), s.rstrip("-")),
            *(s.replace("ab", "é"), s.replace("b", s), s.zfill(9), s.center(9, "*"), s.ljust(k)),
            *(s[0], s[-1], s[1:], s[:-1], s[::-1], s[::2], s[k // 3], s[k - 1 :], s[10:]),
            *(s * 2, 2 * s, s * k, k * s, "-" * k, s + s, f"{s}" + s, s + f"{k}", "x" + s),
            *(max(s, "b"), min(s, "b"), max("abc", s, "abb"), max(s), min(s)),
            *(s.removeprefix("ab"), str.upper(s), f"<{s}>".upper(), f"<{s}>"[1], s or "none"),
        ]

    return f


@program(1, 4)
def numbers_of_texts():
    def f(n):
        s = marks(n)
        found = s.find("-"), s.rfind("b"), s.find("-", 3), s.index("b"), s.count("ab"), len(s)
        return [*found, len(s + "é"), ord(s[0]), len(f"<{s}>"), sum(c == "-" for c in s)]

    return f


@program(1, 4)
def lists_of_texts():
    def f(n):
        s = marks(n)
        a, _, b = s.partition("-")
        return [
            *(s.split("-"), s.split(), s.rsplit(sep="-", maxsplit=1), [a, b], "ab-ab-".split(s)),
            *([c for c in s], list(s), sorted(s), list(reversed(s)), sorted([s, "ac", "aa"])),
            *([c + d for c, d in zip(s, s, strict=True)], [p.upper() for p in s.split("-")]),
            *(list(map(str.upper, s)), [c for c in f"<{s}>"]),
        ]

    return f


@program(1, 4)
def joined_texts():
    def f(n):
        s = marks(n)
        words = []
        for i in tl.range(n):
            words.append(f"w{int(i)}")
        return [
            *("-".join(s), ", ".join([s, "x"]), s.join(["1", "2", "3"]), str.join("+", s)),  # noqa: FLY002
            *("".join(c.upper() for c in s), " ".join(s.split("-")), ", ".join(words)),
            *([w[1:] for w in words], max(words), len(", ".join(words))),
        ]

    return f


@program(1, 4)
def texts_as_keys():
    def f(n):
        s = marks(n)
        known = {"ab": 1, "ab-ab-": 2}
        counts = {}
        for c in s:
            counts[c] = counts.get(c, 0) + 1
        return known.get(s, 0), known[s], {"x": 1}.get(s, 7), counts

    return f


@program((2, 5), (5, 2), (1, 1))
def keys_that_the_run_chooses():
    def f(x, y):
        big = {k: v for k, v in {"a": x, "bcd": y}.items() if v > 3}
        total = 0
        for k, v in big.items():
            total += v * len(k)
        return total, [k.upper() for k in big], sorted(big), "bcd" in big

    return f


@program(0, 3, 6)
def runs_of_characters():
    def f(n):
        s = "aab"
        for i in tl.range(n):
            s += "b" if i < 4 else "c"
        out, last, k = "", "", 0
        for c in s:
            if c == last:
                k += 1
            else:
                if last:
                    out += last + str(k)
                last, k = c, 1
        return out + last + str(k)

    return f


@program(0, 5, 6)
def binary_digits():
    def f(n):
        n, out = int(n), ""
        while n > 0:
            out = str(n % 2) + out
            n //= 2
        return out or "0", int(out or "0"), int(out or "0", 2), float("1" + out)

    return f


@program(0, 3, 6)
def texts_shortened_in_a_loop():
    def f(n):
        s, k = "k", 0
        for _ in tl.range(n):
            s += "-"
        while s.endswith("-"):
            s, k = s[:-1], k + 1
        return s, k

    return f


@program(0, 3, 6)
def left_at_a_character():
    def f(n):
        s = "ab"
        for _ in tl.range(n):
            s += "k"
        for i, c in enumerate(s):
            if c == "k":
                return i
        return -1

    return f


@program(0, 3, 30)
def caesar():
    def f(n):
        out = ""
        for c in "hello":
            out += chr((ord(c) - 97 + int(n)) % 26 + 97)
        return out

    return f


@program(0, 3, 6)
def matched_texts():
    def f(n):
        match marks(n):
            case "":
                return 0
            case "ab-ab":
                return 3
            case str(s):
                return len(s)

    return f


@program(0, 3, 6)
def texts_of_branches():
    def f(n):
        s, unit = marks(n), "cm" if n > 2 else "inch"
        t = s.upper() if n > 2 else "short"
        u = s if n > 4 else "zz"
        found = unit in s, s.startswith(unit), s == unit, s > unit, s.replace("ab", unit)
        mixed = sorted([unit, s, "b"]), max(unit, s), "a".join(unit), [s, unit].index(unit)
        return len(t), t[0], u[-1], t < u, *found, unit + s, mixed

    return f


@program(0, 3, 6)
def texts_handed_on():
    def shout(s, k):
        return s.upper() + "!" * k if len(s) > 2 else s

    def f(n):
        s = marks(n)
        held = {"t": s}
        items = [s, "b"]
        return shout(s, 2), shout(s, int(n)), held["t"] + "!", items[0].upper(), "ab-ab" in items

    return f


@program(1, 4)
def texts_that_are_no_numbers():
    def f(n):
        s = "0"
        for i in tl.range(n):
            s += "a" if i == 3 else "1"
        try:
            return int(s)
        except ValueError:
            return -1

    return f


@program(1, 4)
def errors_of_texts():
    def f(n):
        s, found = marks(n), []
        try:
            found.append(s.index("ab-"))
        except ValueError:
            found.append(-1)
        return found, s[2]

    return f


@program(1, 4)
def text_that_may_be_none():
    def f(n):
        best, seen = None, 0
        for i in tl.range(n):
            w = "ab" * int(i)
            if best is None or len(w) > len(best):
                best = w
        if best is not None:
            for c in best:
                seen += c == "b"
        return best.upper() if best is not None else "none", seen

    return f


@program(1, 5, 30)
def texts_that_outlive_the_call():
    class Log:
        text = ""

    log, held = Log(), {"t": "x", "l": []}

    def f(n):
        if n > 2:
            log.text += f"{int(n)},"
            held["t"] = held["t"] + marks(n)[0]
            held["l"].append(marks(n)[1:4])
        return len(log.text), f"<{log.text}>", held["t"].upper()

    return f, lambda: (log.text, held)


@program(1, 4)
def texts_as_arguments():
    @tl.function
    def shown(s):
        return f"<{s}>", len(s), s.upper(), isinstance(s, str), s + "x"

    def f(n):
        unit = "cm" if n > 2 else "inch"
        return shown(marks(n)), shown(f"{int(n)}!"), shown(unit), shown(marks(n)[1:])

    return f


@program(0, 1, 4)
def recursion_over_a_text():
    def turned(s):
        if len(s) <= 1:
            return s
        return turned(s[1:]) + s[0]

    def f(n):
        return turned(marks(n))

    return f


@program(4, refused=(NOT_IN_A_TRACE, "'encode' of a text is asked for at built_texts.py:.*encode"))
def bytes_of_a_text():
    def f(n):
        return marks(n).encode()

    return f


@program(4, refused=(NOT_IN_A_TRACE, "the text that '%' fills in at built_texts.py.* join texts"))
def template_of_the_run():
    def f(n):
        return marks(n) % 3

    return f


@program(4.5, refused=(NOT_IN_A_TRACE, "'%d' in the text .* built_texts.py:.* or '%d' of an int"))
def whole_part_of_a_float():
    def f(x):
        return "%d" % (x / 2)  # noqa: UP031

    return f


@program(4, refused=(tl.errors.OpError, "mixed|string"))
def text_less_a_number():
    def f(n):
        return marks(n) - 3

    return f


@program("warp", refused=(AttributeError, "no attribute 'upper'; use tl.strings.upper"))
def method_of_a_string_tensor():
    def f(s):
        return s.upper()

    return f


@program(0, 2)
def classes_of_what_only_the_run_knows():
    def f(n):
        s, k, items = marks(n), 0, []
        for i in tl.range(n):
            k += 1
            items.append(i)
        c = "a" if n > 1 else "b"
        kinds = s.__class__ is str, k.__class__ is int, items.__class__ is list
        return *kinds, c.__class__.__name__, bytes("a" if n > 1 else "bc", "ascii")

    return f


def _refused(name, value, use):
    """A program that gives Python's own code a `value` that stands for one of the run's."""

    def make():
        def f(n):
            try:
                return use(value(n))
            except TypeError:
                return -1

        return f

    make.__name__ = name
    words = "can't work with what only the run knows, at .*built_texts.py:"
    program(2, refused=(tl.errors.ConversionError, words))(make)


def _grown(n):
    return [1 for _ in tl.range(n)]


def _nothing_or_one(n):
    v = None
    if n > 2:
        v = 1
    return v


def _chosen(n):
    return ["a" if n > 2 else "b"]


_refused("json_of_a_grown_list", _grown, json.dumps)
_refused("json_of_what_may_be_none", _nothing_or_one, json.dumps)
_refused("json_of_a_chosen_text", _chosen, json.dumps)


@program(0, 3)
def own_error_that_speaks_like_one_of_ours():
    def f(n):
        try:
            if n > 2:
                raise TypeError("one of several objects is a symbolic tensor")
        except TypeError:
            return -1
        return n

    return f


class Place:
    def __init__(self, x):
        self.x = x

    def __str__(self):
        return "far" if self.x > 4 else "near"

    def __repr__(self):
        return f"Place({int(self.x)})"

    def __format__(self, width):
        return f"{int(self.x):{width}}" if width else str(self)


@program(1, 4, 5)
def texts_of_what_may_be_none():
    def f(x):
        number = text = items = place = None
        if x > 3:
            number, text, items, place = int(x), "abc", [1, int(x)], Place(x)
        texts = [str(number), f"{number}|{text!r}", "%s" % text, repr(items), "{}".format(items)]  # noqa: UP031, UP032
        known = "" if number is None else f"{number:4d}"
        return *texts, known, str({"a": number}), str(place), f"{[place]}"

    return f


@program(1, 4, 5)
def texts_by_methods_with_branches():
    def f(x):
        place = Place(x)
        one = place if x > 4 else Place(x + 9)
        texts = [str(place), repr(place), f"{place}", f"{place!r}", "%s" % place, f"{place:4}"]  # noqa: UP031
        return *texts, str(one), f"{one} {one!r}", str([place]), "near" in str(place)

    return f
