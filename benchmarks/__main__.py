"""`python -m benchmarks [WORD ...]` measures the rows whose names hold one of the words."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Iterator

import benchmarks
from benchmarks.harness import Figure, Row, measure, table


def all_rows() -> Iterator[Row]:
    """What the `rows()` of each `benchmarks/rows_*.py` give."""
    for module in pkgutil.iter_modules(benchmarks.__path__, "benchmarks."):
        if module.name.startswith("benchmarks.rows_"):
            yield from importlib.import_module(module.name).rows()


def all_figures() -> Iterator[Figure]:
    """What the `figures()` of each `benchmarks/rows_*.py` give."""
    for module in pkgutil.iter_modules(benchmarks.__path__, "benchmarks."):
        found = getattr(importlib.import_module(module.name), "figures", None)
        if module.name.startswith("benchmarks.rows_") and found is not None:
            yield from found()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    results = []
    for row in all_rows():
        if not options.words or any(word in row.name for word in options.words):
            print(row.name, file=sys.stderr)
            results.append(measure(row, options.repeats))
    print(table(results))
    if not options.words or {"memory", "import"} & set(options.words):
        for figure in all_figures():
            print(figure)


if __name__ == "__main__":
    main()
