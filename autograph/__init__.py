"""Python rewritten so that branches and loops over tensors become graph nodes."""

from __future__ import annotations

from treadle.graph import location

location.register_internal(__file__)

from . import experimental  # noqa: E402
from .api import convert, do_not_convert, to_code, to_graph, why_unconverted  # noqa: E402

__all__ = ["convert", "do_not_convert", "experimental", "to_code", "to_graph", "why_unconverted"]
