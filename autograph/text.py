"""Converted code as text."""

from __future__ import annotations

import ast

from .source import FunctionNode


def formatted(node: FunctionNode) -> str:
    """The text of a converted function."""
    return ast.unparse(ast.fix_missing_locations(node)) + "\n"
