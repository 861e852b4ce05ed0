"""Lists the parts of this machine that a program sees: base interpreter, standard library, C libraries, and requested packages.

Works for venvs, pyenv, conda and system interpreters: the interpreter outside any virtual environment is run, with its own library folder
and the C libraries read-only at the same paths, and an empty folder over every site-packages.
"""

import os
import sys
import sysconfig
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from snowcoder.errors import SandboxError

LIBRARY_FOLDERS = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")
HIDDEN = ("site-packages", "dist-packages")
PACKAGES_FOLDER = "/packages"


@cache
def interpreter() -> str:
    """The real file of the interpreter outside any virtual environment."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    return os.path.realpath(base)


@cache
def links() -> dict[str, str]:
    """{path: target} of library folders that are symbolic links, as /lib is where /usr is merged."""
    return {folder: os.readlink(folder) for folder in LIBRARY_FOLDERS if os.path.islink(folder)}


@cache
def read_only_paths() -> tuple[str, ...]:
    """Folders and files that a program reads at their own paths; none is inside another."""
    mounted: list[str] = []
    for folder in (*LIBRARY_FOLDERS, *_python_folders()):
        if folder not in links() and os.path.isdir(folder) and not _is_inside(folder, mounted):
            mounted.append(folder)
    files = [file for file in (interpreter(), "/etc/ld.so.cache") if os.path.exists(file) and not _is_inside(file, mounted)]
    return (*mounted, *files)


@cache
def hidden_folders() -> tuple[str, ...]:
    """Folders of installed packages inside read_only_paths."""
    found: set[str] = set()
    for folder in {*_python_folders(), "/usr/lib", "/usr/lib64", "/usr/local/lib"}:
        for name in HIDDEN:
            found |= {str(path) for path in (*Path(folder).glob(name), *Path(folder).glob(f"python3*/{name}")) if path.is_dir()}
    return tuple(sorted({os.path.realpath(path) for path in found}))


@cache
def package_paths(package: str) -> dict[str, str]:
    """{path here: path in the sandbox} of what the distribution `package` has installed, its metadata included, its needs not.

    Folders are taken whole: of a namespace package, that includes what other distributions have put there.
    Raises SandboxError if it is not installed.
    """
    try:
        installed = distribution(package)
    except PackageNotFoundError as error:
        raise SandboxError(f"sandbox: packages: {package!r} is not installed here; run `pip install {package}`") from error
    tops = sorted({file.parts[0] for file in installed.files or () if file.parts[0] not in ("..", "__pycache__")})
    return {os.path.realpath(str(installed.locate_file(top))): f"{PACKAGES_FOLDER}/{top}" for top in tops}


def _is_inside(path: str, folders: list[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _python_folders() -> list[str]:
    """Library folders of the base interpreter; for a system interpreter they are inside /usr/lib, and stay unchanged."""
    base = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix, "installed_base": sys.base_prefix}
    folders = {sysconfig.get_path(name, vars=base) for name in ("stdlib", "platstdlib")}
    folders |= {os.path.join(sys.base_prefix, "lib")}
    return sorted(os.path.realpath(folder) for folder in folders if folder)
