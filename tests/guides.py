"""Run the guides' suite and hold its failures against the list of what is not due yet.

    TREADLE_GUIDES=<folder> python tests/guides.py [--update | --init]

The list, `guides_not_due.txt`, only shrinks: a failure that is not on it fails, and so does an
entry that has come to pass, until `--update` drops it. `--init` writes the list anew.
An entry that names just a file stands for one that cannot be collected; once it can be,
`--update` puts the tests in it that fail in its place.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

LIST = Path(__file__).parent / "guides_not_due.txt"
HEADER = "# Tests of the guides that are not due yet; this list only shrinks (tests/guides.py).\n"


def run(folder: Path) -> tuple[dict[str, str], str]:
    """Each test's outcome by its id, and what pytest printed."""
    with tempfile.TemporaryDirectory() as temporary:
        report = Path(temporary) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += ["--continue-on-collection-errors", "--timeout=120", f"--junitxml={report}"]
        environment = {**os.environ, "SEED_MODULE": "treadle", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return (outcomes(report) if report.exists() else {}), done.stdout


def outcomes(report: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for case in ET.parse(report).iter("testcase"):
        name = "::".join(filter(None, [case.get("classname"), case.get("name")]))
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            found[name] = "failed"
        else:  # a teardown's error comes as a second entry of the same test
            found.setdefault(name, "skipped" if "skipped" in kinds else "passed")
    return found


def read() -> set[str]:
    lines = LIST.read_text(encoding="utf-8").splitlines() if LIST.exists() else []
    return {line for line in lines if line and not line.startswith("#")}


def still_listed(listed: set[str], found: dict[str, str]) -> set[str]:
    """The entries that keep their place: what fails or is skipped, or lies in a broken file."""
    broken = {name for name, outcome in found.items() if outcome == "failed" and "::" not in name}
    kept = {
        name
        for name in listed
        if found.get(name) in {"failed", "skipped"} or name.split("::")[0] in broken
    }
    opened = {name for name in listed - broken if "::" not in name}
    return kept | {
        name
        for name, outcome in found.items()
        if outcome == "failed" and name.split("::")[0] in opened
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--update", action="store_true", help="drop what has come to pass")
    parser.add_argument("--init", action="store_true", help="list every failure anew")
    options = parser.parse_args()
    folder = Path(os.environ.get("TREADLE_GUIDES", ""))
    if "TREADLE_GUIDES" not in os.environ or not folder.is_dir():
        parser.error("TREADLE_GUIDES names no folder")

    found, printed = run(folder)
    if not found:
        print(printed[-4000:], "guides: pytest could not run", sep="\n")
        return 1
    failed = {name for name, outcome in found.items() if outcome == "failed"}
    passed = sum(outcome == "passed" for outcome in found.values())
    listed = read()
    kept = failed if options.init else still_listed(listed, found)
    if options.init or options.update:
        LIST.write_text(HEADER + "".join(f"{name}\n" for name in sorted(kept)), encoding="utf-8")
        listed = kept

    unexpected, done = sorted(failed - listed), sorted(listed - kept)
    if unexpected:
        print(printed)
    for name in unexpected:
        print(f"fails and is not on the list: {name}")
    for name in done:
        print(f"no longer fails, so take it off the list (--update): {name}")
    print(f"guides: {passed} passed, {len(failed & listed)} not due yet, {len(unexpected)} failed")
    return 1 if unexpected or done else 0


if __name__ == "__main__":
    sys.exit(main())
