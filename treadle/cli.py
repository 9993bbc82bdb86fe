"""The command line: `treadle demo`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from . import __version__, demo


class _Parser(argparse.ArgumentParser):
    """A parser that complains in one line."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(2)


def _count(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return value


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status: 0, 1 for a failure, 2 for bad arguments."""
    parser = _Parser(prog="treadle", description="Python functions as dataflow graphs.")
    parser.add_argument("--version", action="version", version=f"treadle {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    shown = commands.add_parser(
        "demo",
        help="train a network on handwritten digits and show what its training loop became",
        description="Trains a two-layer network on 1,797 scanned digits. The whole training loop "
        "is one traced function; what it became is printed.",
    )
    shown.add_argument(
        "--steps", type=_count, default=1500, metavar="N", help="most steps to train (1500)"
    )
    shown.add_argument(
        "--seed", type=int, default=0, metavar="S", help="seed of weights and order (0)"
    )
    options = parser.parse_args(arguments)
    return demo.main(options.steps, options.seed)
