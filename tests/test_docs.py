"""Everything shown is executed: the README, docs/, docstrings and examples/."""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import os
import pkgutil
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import treadle as tl

ROOT = Path(__file__).parent.parent
PAGES = sorted(path for path in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")] if path.exists())
EXAMPLES = sorted(ROOT.glob("examples/*.py"))
# Named one by one: from a checkout the floors do not lie inside the folder treadle/.
PACKAGES = ["treadle", "treadle.graph", "treadle.runtime", "treadle.autograph", "treadle.tracer"]


class Block(NamedTuple):
    language: str
    line: int  # of its first line of text, from 0
    text: str
    after: str  # what stands between the block before it and this one


def blocks(markdown: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    lines = markdown.splitlines(keepends=True)
    between, start, language = "", None, ""
    for number, line in enumerate(lines):
        if not line.startswith("```"):
            between += line if start is None else ""
        elif start is None:
            start, language = number + 1, line[3:].strip()
        else:
            yield Block(language, start, "".join(lines[start:number]), between)
            between, start = "", None


def run_page(page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the Python blocks of `page` as one program and compare what it shows with its ```text.

    The program is a file in which the prose is blank, so line numbers are those of the page and
    its functions have a source that AutoGraph can read.
    """
    found = list(blocks(page.read_text(encoding="utf-8")))
    python = [block for block in found if block.language == "python"]
    if not python:
        return
    lines: list[str] = []
    for block in python:
        lines += ["\n"] * (block.line - len(lines)) + block.text.splitlines(keepends=True)
    program = folder / f"{page.stem}.py"
    program.write_text("".join(lines), encoding="utf-8")

    name = f"page_{page.stem}"
    module = types.ModuleType(name)
    module.__file__ = str(program)
    monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.chdir(folder)
    checker = doctest.OutputChecker()
    printed = ""
    for block, before in zip(found, [None, *found], strict=False):
        if block.language == "python":
            code = compile("\n" * block.line + block.text, program, "exec", dont_inherit=True)
            out = io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                exec(code, module.__dict__)
            printed = out.getvalue()
        elif block.language == "text" and before is not None:
            answers = before.language == "python" and not block.after.strip()
            if answers and not checker.check_output(
                block.text, printed.rstrip() + "\n", doctest.ELLIPSIS
            ):
                pytest.fail(
                    f"{page.name}:{block.line + 1} shows\n{block.text}\nbut the block before it "
                    f"prints\n{printed}",
                    pytrace=False,
                )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_code_of_a_page_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_page(page, tmp_path, monkeypatch)


def test_a_page_is_one_program_whose_output_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    shown = "```python\ndef f():\n    return 7\n```\nand\n```python\nprint('a')\nprint(f())\n```"
    page.write_text(f"Prose.\n{shown}\n\n```text\n...\n7\n```\n")
    run_page(page, tmp_path, monkeypatch)
    assert (tmp_path / "page.py").read_text().splitlines()[2] == "def f():"
    page.write_text(f"{shown}\n```text\n8\n```\n")
    with pytest.raises(pytest.fail.Exception, match=r"page\.md:11 shows\n8"):
        run_page(page, tmp_path, monkeypatch)


def public_modules() -> Iterator[str]:
    for package in PACKAGES:
        yield package
        folders = importlib.import_module(package).__path__
        for found in pkgutil.walk_packages(folders, f"{package}."):
            if not found.name.rpartition(".")[2].startswith("_"):
                yield found.name


@pytest.mark.parametrize("name", sorted(set(public_modules())))
def test_the_examples_in_docstrings_hold(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each sees `tl` and `np` besides the names of its own module."""
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    report = io.StringIO()
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(verbose=False, optionflags=flags)
    for example in doctest.DocTestFinder().find(module, name, extraglobs={"tl": tl, "np": np}):
        runner.run(example, out=report.write)
    assert runner.failures == 0, report.getvalue()


@pytest.mark.parametrize(
    "name", sorted({getattr(tl.errors, n).__name__ for n in tl.errors.__all__})
)
def test_an_error_shows_failing_code_and_its_cure(name: str) -> None:
    text = getattr(tl.errors, name).__doc__
    failing, cure = text.split("The cure")
    assert name in failing or name == "OpError"
    assert ">>>" in failing
    assert ">>>" in cure


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_runs(example: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", example],
        cwd=tmp_path,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
