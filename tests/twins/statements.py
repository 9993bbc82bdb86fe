"""Draws the statements of a program."""

from __future__ import annotations

import random

from .expressions import FLOATS, Expressions

# None can't leave a function where a tensor decides whether it does.
RESULT = (
    "return f, g, n, m, k, t, flag, word, -7.5 if best is None else best, xs, d, o.v, o.n, "
    "-7.5 if o.best is None else o.best"
)


class Statements(Expressions):
    """Writes lines. `staged`: under a condition or in a loop that is a tensor's, for sure."""

    def __init__(self, seed: random.Random, longest: int) -> None:
        super().__init__(seed)
        self.longest = longest
        self.lines: list[str] = []
        self.count = 0
        self.result = RESULT
        self.outer = True  # may what outlives the call be changed?
        self.loops = 0

    def add(self, depth: int, text: str) -> None:
        self.lines += ["    " * depth + line for line in text.split("\n")]

    def number_of_its_own(self) -> int:
        self.count += 1
        return self.count

    def block(self, depth: int, loop: bool, staged: bool, size: int = 3) -> None:
        for _ in range(self.random.randint(1, size)):
            self.statement(depth, loop, staged)

    def statement(self, depth: int, loop: bool, staged: bool) -> None:
        kinds = [self.assign] * 5 + [self.contents] * 3 + [self.object] * 2 + [self.fail]
        if staged and self.outer:
            kinds += [self.outside] * 2
        if loop:
            kinds += [self.leave] * 2
        if depth < 5 and len(self.lines) < self.longest:
            kinds += [self.branch] * 3 + [self.loop] * 4 + [self.attempt, self.within, self.choice]
            if depth == 1:
                kinds.append(self.function)
        self.pick(*kinds)(depth, loop, staged)

    # --- one line --------------------------------------------------------------------

    def assign(self, depth: int, loop: bool, staged: bool) -> None:
        name = self.pick("f", "g", "n", "m", "k", "k", "t", "flag", "word", "best", "two", "aug")
        if name in ("f", "g"):
            text = f"{name} = {self.float()}"
        elif name in ("n", "m"):
            text = f"{name} = {self.int()}"
        elif name == "k":
            text = f"k = {self.number()}"
        elif name == "t":
            text = f"t = {self.real()}"
        elif name == "flag":
            text = f"flag = {self.pick('True', 'False', 'not flag', self.tensor_test())}"
        elif name == "word":
            letters = [self.key("a", "b", "c") for _ in range(2)]
            text = self.pick(
                f"word = {letters[0]}", f"word = {letters[0]} if {self.test()} else {letters[1]}"
            )
        elif name == "best":
            text = self.pick("best = None", f"best = {self.float()}", f"best = {self.float()}")
        elif name == "two":
            text = self.pick("f, g = g, f", "n, m = m, (n + m) % 97", "f, k = f * 0.5, k + 1")
        else:
            text = self.pick(f"k += {self.pick(1, 2, -1)}", "t += 0.5", "n += 1", "f *= 0.5")
        self.add(depth, text)

    def contents(self, depth: int, loop: bool, staged: bool) -> None:
        if self.nested and self.chance(4):
            self.add(depth, f"{self.pick(*self.nested)}({self.float()})")
            return
        value = self.int()
        key = self.key("a", "b")
        self.add(
            depth,
            self.pick(
                f"xs.append({value})",
                f"xs.append({value})",
                f"xs[{self.pick(0, -1)}] = {value}",
                f"xs[{self.pick(0, -1)}] {self.pick('+=', '-=')} {self.pick(1, 'm')}",
                "xs = [q + 1 for q in xs]",
                f"xs = [q for q in xs if q {self.pick('<', '>')} {self.pick(3, 'n')}] + [n]",
                "xs = xs[:2] + [m]",
                "xs = sorted(xs)",
                "xs.insert(0, m)",
                "m = xs.pop()\nxs.append(n)",
                f"xs = [{value}, m]",
                f"d[{key}] = {value}",
                f"d[{key}] += {self.pick(1, 'n')}",
                f"d.update(a={value})",
                "d = {**d, 'b': m}",
                "for key, value in d.items(): m = (m + value) % 97",
            ),
        )

    def object(self, depth: int, loop: bool, staged: bool) -> None:
        value = self.float()
        self.add(
            depth,
            self.pick(
                f"o.add({value})",
                f"o.top({value})",
                f"o.v = {value}",
                "o.n += 1",
                f"o.double = {value}",
                "o.best = None",
                f"f = o.add({value}).double * 0.5",
                f"o = Box({value})",
            ),
        )

    def outside(self, depth: int, loop: bool, staged: bool) -> None:
        """A change of what outlives the call."""
        value = self.float()
        self.add(
            depth,
            self.pick(
                f"box.add({value})",
                f"box.top({value})",
                "box.n += 1",
                f"table['hits'] += {self.pick(1, 2)}",
                f"table['last'] = {value}",
                f"log.append({self.int()})",
                f"v.assign({value})",
                f"v.assign_add({value} * 0.25)",
                f"show({self.pick('n', 'm', 'k', self.int())})",
            ),
        )

    def fail(self, depth: int, loop: bool, staged: bool) -> None:
        options = ["n = n // m", "f = b[n % 4]", "assert n < 90, 'large'", "n = xs[n % 5]"]
        if staged:
            options += ['raise Bad("stop")', 'raise ValueError("value")', "raise Bad(k)"]
        self.add(depth, self.pick(*options))

    def leave(self, depth: int, loop: bool, staged: bool) -> None:
        self.add(depth, f"if {self.test()}:")
        self.add(depth + 1, self.pick("break", "continue", self.result))

    # --- blocks ----------------------------------------------------------------------

    def branch(self, depth: int, loop: bool, staged: bool) -> None:
        surely = self.chance(2)
        inside = staged or surely
        self.add(depth, f"if {self.tensor_test() if surely else self.test()}:")
        self.block(depth + 1, loop, inside)
        if self.chance(6):
            self.add(depth + 1, self.result)
        if self.chance(3):
            self.add(depth, f"elif {self.test()}:")
            self.block(depth + 1, loop, inside)
        if self.chance(2):
            self.add(depth, "else:")
            self.block(depth + 1, loop, inside)

    def loop(self, depth: int, loop: bool, staged: bool) -> None:
        own = self.number_of_its_own()
        indexes, items = list(self.indexes), list(self.items)
        inside = True
        kind = self.pick("while", "range", "tensors", "items", "enumerate", "zip", "generator")
        if kind == "while":
            self.add(depth, f"c{own} = n * 0")
            extra = f" and {self.test(1)}" if self.chance(2) else ""
            if self.chance(3):
                self.add(depth, f"while (c{own} := c{own} + 1) < {self.pick(2, 4)}{extra}:")
            else:
                self.add(depth, f"while c{own} < {self.pick(1, 3)}{extra}:")
                self.add(depth + 1, f"c{own} += 1")
        elif kind == "range":
            self.add(depth, f"for i{own} in range({self.int(2)} % 4):")
            self.indexes.append(f"i{own}")
        elif kind == "tensors":
            self.add(depth, f"for i{own} in tl.range({self.pick('n % 4', 3)}):")
        elif kind == "items":
            self.add(depth, f"for w{own} in {self.pick('b', 'reversed(b)')}:")
            self.items.append(f"w{own}")
        elif kind == "enumerate":
            self.add(depth, f"for i{own}, w{own} in enumerate(b):")
            self.indexes.append(f"i{own}")
            self.items.append(f"w{own}")
        elif kind == "zip":
            self.add(depth, f"for w{own}, y{own} in zip(b, b * 2.0):")
            self.items += [f"w{own}", f"y{own}"]
        elif self.generators:
            self.add(depth, f"for w{own} in {self.pick(*self.generators)}(b, {self.int(2)}):")
            self.items.append(f"w{own}")
        else:
            self.add(depth, f"for q{own} in list(xs):")
            inside = staged
        self.block(depth + 1, True, inside)
        self.indexes, self.items = indexes, items
        if self.chance(6):
            self.add(depth, "else:")
            self.block(depth + 1, loop, staged, 2)

    def attempt(self, depth: int, loop: bool, staged: bool) -> None:
        self.add(depth, "try:")
        self.block(depth + 1, loop, staged)
        if self.chance(2):
            self.fail(depth + 1, loop, staged)
        handled = not self.chance(4)
        if handled:
            error = self.pick("Bad", "ZeroDivisionError", "(Bad, LookupError)", "Exception")
            self.add(depth, f"except {error}{self.pick('', ' as error')}:")
            self.block(depth + 1, loop, staged, 2)
            if self.chance(6) and staged:
                self.add(depth + 1, "raise")
            if self.chance(4):
                self.add(depth, "else:")
                self.block(depth + 1, loop, staged, 2)
        if not handled or self.chance(4):
            self.add(depth, "finally:")
            self.assign(depth + 1, False, staged)

    def within(self, depth: int, loop: bool, staged: bool) -> None:
        self.add(depth, self.pick("with scope(o):", "with scope(o) as o:", "with suppress(Bad):"))
        self.block(depth + 1, loop, staged)

    def choice(self, depth: int, loop: bool, staged: bool) -> None:
        if self.chance(2):
            self.add(depth, f"match {self.int(1)} % 4:")
            cases = ["case 0:", "case 1 | 2:", f"case q if q > {self.pick(1, 'm')}:"]
        else:
            self.add(depth, f"match ({self.int(1)} % 3, word):")
            cases = ['case (0, "a"):', "case (0 | 1, q):", f"case (_, q) if {self.test(1)}:"]
        for case in self.random.sample(cases, 2):
            self.add(depth + 1, case)
            self.block(depth + 2, loop, staged, 2)
        if self.chance(2):
            self.add(depth + 1, "case _:")
            self.block(depth + 2, loop, staged, 2)

    def function(self, depth: int, loop: bool, staged: bool) -> None:
        """A function within, which changes names of the program."""
        name = f"step{self.number_of_its_own()}"
        self.add(depth, f"def {name}(w):")
        self.add(depth + 1, "nonlocal f, k, n")
        self.add(depth + 1, f"if w {self.pick('<', '>')} {self.pick(*FLOATS)}:")
        self.add(depth + 2, self.pick("k += 1", f"f = {self.float(2)}", "n = (n + k) % 97"))
        if self.chance(2):
            self.add(depth + 2, "return")
        self.add(depth + 1, self.pick("k = k + 2", "f = f * 0.5 + w * 0.25", f"n = {self.int(2)}"))
        self.add(depth, f"{name}({self.float(2)})")
        self.nested.append(name)
