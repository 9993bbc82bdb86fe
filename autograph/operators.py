"""The namespace `ag` of converted code."""

from __future__ import annotations

import sys

from .calls import call, range_
from .conditionals import if_exp, if_stmt
from .convert import NAMESPACE
from .logic import and_, or_
from .loops import for_stmt, while_stmt
from .truth import assert_stmt, not_
from .undefined import peek, read, undefined, unused

__all__ = [
    "and_",
    "assert_stmt",
    "call",
    "for_stmt",
    "if_exp",
    "if_stmt",
    "not_",
    "or_",
    "peek",
    "range_",
    "read",
    "undefined",
    "unused",
    "while_stmt",
]

NAMESPACE.cell_contents = sys.modules[__name__]
