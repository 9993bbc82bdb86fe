"""`PYTHONPATH=tests python -m gradients.programs 5000` compares as many programs by all oracles."""

from __future__ import annotations

import argparse
import time
import traceback

from .oracles import Case, differences
from .writer import program


def failure(text: str, seed: int) -> str | None:
    """What is wrong with the derivatives of a program; None if nothing; '' if it has a kink."""
    try:
        case = Case(text, seed)
        if not case.is_smooth:
            return ""
        return next(differences(case, seed), None)
    except Exception as error:
        return "".join(traceback.format_exception(error)[-6:])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m gradients.programs", description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    compared = kinks = failed = 0
    begin = time.perf_counter()
    for seed in range(options.first, options.first + options.count):
        found = failure(program(seed), seed)
        compared += found is None
        kinks += found == ""
        if found:
            failed += 1
            print(f"--- seed {seed}: {found}", flush=True)
        if (seed - options.first) % 100 == 99:
            taken = time.perf_counter() - begin
            print(f"{compared} agree, {failed} fail, {kinks} at kinks; {taken:.0f} s", flush=True)


if __name__ == "__main__":
    main()
