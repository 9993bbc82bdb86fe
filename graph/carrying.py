"""Calls of ops that hold graphs, changed before they are made so that they give tangents, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .op import Attrs, Op


class Carried:
    """A call as it is made, and the carriers that its further results are for.

    A carrier is a recorder with a method `widen`: it gives the inputs and attributes of a wider
    call, or None. The innermost one comes first, the others widen what it has made.
    """

    __slots__ = ("_found", "attrs", "inputs")

    def __init__(self, active: Sequence[Any], op: Op, inputs: Sequence[Any], attrs: Attrs) -> None:
        self.inputs, self.attrs = inputs, attrs
        self._found: list[tuple[Any, Any]] = []
        for carrier in reversed(active):
            widen = getattr(carrier, "widen", None)
            found = None if widen is None else widen(op, self.inputs, self.attrs)
            if found is not None:
                self.inputs, self.attrs = found.inputs, found.attrs
                self._found.append((carrier, found))

    def results(self, outputs: Any) -> Any:
        """The results that the call itself has; the tangents go to the carriers."""
        own = count = len(outputs) - sum([len(found.places) for _, found in self._found])
        for carrier, found in self._found:
            carrier.take(outputs, found, count)
            count += len(found.places)
        return outputs[:own] if self._found else outputs


__all__ = ["Carried"]
