"""The shape of the house: what stands where, and what may not stand anywhere."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = ["graph", "runtime", "autograph", "tracer"]
MOST_LINES = 600

pytestmark = pytest.mark.skipif(
    not (ROOT / "graph").exists(), reason="the sources are not beside the tests"
)


def listing(wrong: list[str]) -> str:
    return "\n".join(["", *wrong])


def product_files() -> list[Path]:
    return sorted(path for top in ["treadle", *FLOORS] for path in (ROOT / top).rglob("*.py"))


@cache
def our_files() -> dict[str, str]:
    """The text files that are, or are about to be, under version control."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a checkout")
    texts = {}
    for name in filter(None, done.stdout.decode().split("\0")):
        try:
            texts[name] = (ROOT / name).read_text(encoding="utf-8")
        except (FileNotFoundError, UnicodeDecodeError):
            continue  # deleted but not yet staged, or binary
    return texts


def test_the_floors_are_folders_at_the_root() -> None:
    for top in ["treadle", *FLOORS]:
        assert (ROOT / top / "__init__.py").exists()
        assert (ROOT / top / "py.typed").exists()
    for top in ["docs/decisions", "tests", "benchmarks", "examples"]:
        assert (ROOT / top).is_dir()


def test_every_package_is_named_in_the_project_file() -> None:
    """The list is explicit, so a folder that it lacks would be missing from the wheel."""
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packages = {path.parent.relative_to(ROOT).parts for path in product_files()}
    names = {parts if parts[0] == "treadle" else ("treadle", *parts) for parts in packages}
    assert {".".join(name) for name in names} == set(setup["packages"])


def test_no_file_grew_too_long() -> None:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in product_files()}
    wrong = [f"{path}: {lines}" for path, lines in lengths.items() if lines > MOST_LINES]
    assert not wrong, listing(wrong)


def imports(name: str) -> Iterator[str]:
    """The absolute names of what the file imports, relative ones taken as those of a floor."""
    package = ["treadle", *Path(name).parent.parts]
    for node in ast.walk(ast.parse(our_files()[name])):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            source = [*above, *([node.module] if node.module else [])]
            yield from (".".join([*source, alias.name]) for alias in node.names)


def test_no_floor_imports_the_face() -> None:
    """import-linter holds the floors apart; it has no way to say "all of treadle but these"."""
    floors = tuple(f"treadle.{floor}" for floor in FLOORS)
    wrong = [
        f"{name} imports {target}"
        for name in our_files()
        if name.endswith(".py") and Path(name).parts[0] in FLOORS
        for target in imports(name)
        if target.split(".")[0] == "treadle" and not target.startswith(floors)
    ]
    assert not wrong, listing(wrong)


def test_no_floor_is_imported_by_the_bare_name_of_its_folder() -> None:
    """`python -m pytest` at the root would let that pass, and hold every class twice."""
    wrong = [
        f"{name} imports {target}"
        for name in our_files()
        if name.endswith(".py")
        for target in imports(name)
        if target.split(".")[0] in FLOORS
    ]
    assert not wrong, listing(wrong)


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"(?<![\w.~-])/(?:home|root|work|Users|mnt)/\w+", id="a path of one machine"),
        pytest.param(r"pypi[.]org|pythonhosted[.]org|registry[.]npmjs", id="a registry's host"),
    ],
)
def test_no_file_names(pattern: str) -> None:
    found = [
        f"{name}:{number} {match.group()}"
        for name, text in our_files().items()
        for number, line in enumerate(text.splitlines(), 1)
        for match in re.finditer(pattern, line)
    ]
    assert not found, listing(found)


def test_links_lead_somewhere() -> None:
    code = re.compile(r"^```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
    wrong = [
        f"{name} links to {target}"
        for name, text in our_files().items()
        if name.endswith(".md")
        for target in re.findall(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)", code.sub("", text))
        if not (ROOT / name).parent.joinpath(target).exists()
    ]
    assert not wrong, listing(wrong)


def test_every_environment_variable_is_documented() -> None:
    page = (ROOT / "docs/environment.md").read_text(encoding="utf-8")
    used = {
        variable
        for name, text in our_files().items()
        if not name.endswith((".md", ".txt"))
        for variable in re.findall(r"\bTREADLE_[A-Z][A-Z_]*\b", text)
    }
    wrong = sorted(variable for variable in used if f"`{variable}" not in page)
    assert not wrong, listing(wrong)
