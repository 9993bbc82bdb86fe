"""Branches, loops, `try`, `with` and `match` at run time: Python's own, or nodes of a graph."""
