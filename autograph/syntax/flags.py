"""The names of the flags that say which jumps have been made."""

from __future__ import annotations

from .activity import Names
from .ir import Loop
from .nodes import BREAK, CONTINUE, RETURN, FreshNames


class Flags:
    """The flags of one function; `bits` are their names."""

    def __init__(self, names: Names, fresh: FreshNames) -> None:
        self.names = names
        self.fresh = fresh
        self.bits = 0
        self._of_return: tuple[str, str] | None = None

    def new(self, base: str) -> str:
        flag = self.fresh(base)
        self.bits |= self.names.bit(flag)
        return flag

    def of_break(self, loop: Loop) -> str:
        loop.break_flag = loop.break_flag or self.new("break_")
        return loop.break_flag

    def of_continue(self, loop: Loop) -> str:
        loop.continue_flag = loop.continue_flag or self.new("continue_")
        return loop.continue_flag

    def of_return(self) -> tuple[str, str]:
        """The flag, and the name of what is returned."""
        if self._of_return is None:
            self._of_return = self.new("do_return"), self.new("return_value")
        return self._of_return

    def of(self, jumps: int, loop: Loop | None) -> dict[int, str]:
        """The flag of each kind of jump."""
        flags: dict[int, str] = {}
        if jumps & BREAK and loop is not None:
            flags[BREAK] = self.of_break(loop)
        if jumps & CONTINUE and loop is not None:
            flags[CONTINUE] = self.of_continue(loop)
        if jumps & RETURN:
            flags[RETURN] = self.of_return()[0]
        return flags
