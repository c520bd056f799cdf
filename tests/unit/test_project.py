"""The repository itself: what its files promise each other, and what must never be in them."""

import ast
import importlib.util
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SOURCES = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "airflow" / "src").rglob("*.py")])
BUILD_TOOLS = {"editables", "hatchling"}
# Places of one machine: whatever is below them is nobody else's.
MACHINE = re.compile(r"/wor[k]/[a-z]|/roo[t]/[a-z.]{2}|/tmp/la[b]")


def name_of(requirement):
    return re.split(r"[\s\[<>=!~;]", requirement.strip(), maxsplit=1)[0].lower()


def requirements(name):
    lines = (ROOT / "requirements" / name).read_text().splitlines()
    return [line.split(" #")[0].strip() for line in lines if line.strip() and not line.startswith("#")]


def tracked():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def text_of(path):
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""


def relative(path):
    return str(path.relative_to(ROOT))


# -- locks -----------------------------------------------------------------------------------------------------


def test_what_is_locked_is_what_is_declared():
    """`make venv` installs from the lock with --no-deps for ourselves: a dependency that is not in it is not there."""
    asked = {requirement for requirement in requirements("tradewind.in") if name_of(requirement) not in BUILD_TOOLS}
    assert asked == set(PROJECT["project"]["dependencies"])


@pytest.mark.parametrize("name", ["bootstrap", "tradewind", "dev", "awscli"])
def test_a_lock_pins_what_was_asked_with_hashes(name):
    lock = (ROOT / "requirements" / f"{name}.txt").read_text()
    locked = {name_of(line) for line in lock.splitlines() if line and not line.startswith((" ", "#", "-"))}
    asked = {name_of(line) for line in requirements(f"{name}.in") if not line.startswith("-")}
    assert asked
    assert asked <= locked
    assert lock.count("--hash=sha256:") >= len(locked)


def locks():
    return [path for path in tracked() if path.suffix == ".txt" and path.parent.name in {"requirements", "locks"}]


def test_no_lock_names_a_place_on_the_network():
    assert locks()
    for path in locks():
        found = re.findall(r"https?://\S+|--(?:extra-)?index-url|--find-links", path.read_text())
        assert not found, f"{relative(path)}: {found[:3]}"


def test_what_make_installs_is_compiled():
    """One package for all, with modules that nothing of ours imports: no command compiles them on its way."""
    package = Path(importlib.util.find_spec("alembic").origin).parent
    found = {path.stem for path in package.rglob("*.py")} - {path.name.split(".")[0] for path in package.rglob("*.pyc")}
    assert not found


def test_no_uv_lock_is_kept():
    assert not [path for path in tracked() if path.name == "uv.lock"]


# -- documents -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "LICENSE", "docs/architecture.md", "docs/coverage.md"])
def test_the_documents_are_there(name):
    assert len((ROOT / name).read_text().splitlines()) > 10


def test_the_licence_is_the_one_that_is_declared():
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()


def layers():
    (contract,) = [c for c in PROJECT["tool"]["importlinter"]["contracts"] if c["type"] == "layers"]
    return [room.strip().removeprefix("tradewind.") for layer in contract["layers"] for room in layer.split("|")]


@pytest.mark.parametrize("room", layers())
def test_the_architecture_names_each_room(room):
    assert re.search(rf"`{room}[/`.]", (ROOT / "docs" / "architecture.md").read_text())


def test_every_room_is_in_the_layers():
    package = ROOT / "src" / "tradewind"
    rooms = {path.parent.name for path in package.glob("*/__init__.py")}
    assert rooms == set(layers()) - {path.stem for path in package.glob("*.py")}


def test_links_inside_the_documents_lead_somewhere():
    for path in (path for path in tracked() if path.suffix == ".md"):
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text()):
            if not re.match(r"[a-z]+:", target):
                assert (path.parent / target).exists(), f"{relative(path)} links to {target}"


# -- code -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_module_says_what_it_is_for(path):
    """A first line that stands alone, and at most twenty."""
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring, "no docstring"
    lines = docstring.splitlines()
    assert len(lines) <= 20
    assert len(lines) == 1 or lines[1] == ""


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_file_is_one_thing_and_small(path):
    assert len(path.read_text().splitlines()) <= 400
    assert not {"utils", "helpers", "common", "base", "manager", "misc"} & set(path.with_suffix("").parts[-2:])


def test_no_file_names_a_place_of_one_machine():
    own = Path(__file__)
    found = {relative(path): match[0] for path in tracked() if path != own and (match := MACHINE.search(text_of(path)))}
    assert not found
