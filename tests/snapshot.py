"""Text in, text out: what a pass or AutoGraph makes, kept in a file beside the tests.

Run the tests with `UPDATE=1` to rewrite the files, then read the diff before you commit it.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest

SNAPSHOTS = Path(__file__).parent / "snapshots"


def check_snapshot(name: str, text: str) -> None:
    """Compare `text` with `tests/snapshots/<name>.txt`."""
    __tracebackhide__ = True
    path = SNAPSHOTS / f"{name}.txt"
    text = text.rstrip("\n") + "\n"
    kept = path.read_text(encoding="utf-8") if path.exists() else ""
    if text == kept:
        return
    if os.environ.get("UPDATE") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return
    diff = difflib.unified_diff(kept.splitlines(), text.splitlines(), "kept", "now", lineterm="")
    pytest.fail(f"snapshot {name} differs; UPDATE=1 rewrites it\n" + "\n".join(diff), pytrace=False)
