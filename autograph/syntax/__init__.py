"""Python's syntax trees rewritten: control flow becomes calls of operators."""
