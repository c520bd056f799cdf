"""An overlay in the making: a folder of the script's own.

`seed` puts in the names and versions of the runtime's packages, so that the installer takes them for installed there.
`python -I -m tradewind_airflow.overlays.making FOLDER` takes them out again when the script has ended, and compiles
what is left: nobody can write to the finished overlay.
"""

import compileall
import py_compile
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

_MARK = "tradewind\n"  # the installer of a seed
_SEEDED = ".seeded"
_LOCK = ".lock"  # the installer's own


def seed(folder: Path) -> None:
    """Have the installer take the runtime's packages for installed there."""
    folder.mkdir(exist_ok=True)
    if (folder / _SEEDED).exists():
        return
    for place in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for found in Path(place).glob("*.dist-info"):
            if (found / "METADATA").is_file() and not (folder / found.name).exists():
                (folder / found.name).mkdir()
                shutil.copyfile(found / "METADATA", folder / found.name / "METADATA")
                (folder / found.name / "INSTALLER").write_text(_MARK)
    (folder / _SEEDED).touch()


def seeds(folder: Path) -> Iterator[Path]:
    """What stands there for packages of the runtime."""
    for found in folder.glob("*.dist-info"):
        try:
            if (found / "INSTALLER").read_text() == _MARK:
                yield found
        except (OSError, UnicodeDecodeError):
            continue


def finish(folder: Path) -> None:
    """Leave only what was installed, compiled for whatever modification times it will have."""
    for found in list(seeds(folder)):
        shutil.rmtree(found)
    for name in (_SEEDED, _LOCK):
        (folder / name).unlink(missing_ok=True)
    for found in list(folder.rglob("__pycache__")):
        if found.is_dir() and not found.is_symlink():
            shutil.rmtree(found)
    compileall.compile_dir(
        folder, quiet=2, stripdir=str(folder), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )


if __name__ == "__main__":
    finish(Path(sys.argv[1]))
