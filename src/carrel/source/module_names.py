"""Which module a file is."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

__all__ = ["ModuleName", "module_names", "outer_root", "source_roots"]

_OUTER: Final = "../"
_IMPORT: Final = re.compile(rb"(?m)^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+\(?\s*(\w+)|import[ \t]+([\w.]+))")
_NO_WORD: Final = re.compile(r"\W")


@dataclass(frozen=True, slots=True)
class ModuleName:
    """The dotted name of a module, and whether it is a package's `__init__`."""

    dotted: str
    is_package: bool

    @property
    def package(self) -> str:
        """The package that relative imports start from."""
        return self.dotted if self.is_package else self.dotted.rpartition(".")[0]

    def absolute(self, level: int, module: str | None) -> str | None:
        """What `from <level dots><module> import …` names here; `None` when it leaves the top package."""
        if level == 0:
            return module or None
        parts = self.package.split(".") if self.package else []
        if level - 1 >= len(parts):
            return None
        kept = ".".join(parts[: len(parts) - level + 1])
        return f"{kept}.{module}" if module else kept


def source_roots(paths: Collection[str], given: Iterable[str] = ()) -> tuple[str, ...]:
    """The directories that modules are imported from, deepest first: `.`, `src`, those `given`, where packages begin.

    A package begins at an `__init__.py` with none in any directory above: `services/api/app/__init__.py` makes
    `services/api` a root. From `.` the same file is `services.api.app`, and both names are good. `../app` among those
    given says that the code base is itself the package `app`, see `outer_root`.
    """
    packages = {str(PurePosixPath(path).parent) for path in paths if path.endswith(("/__init__.py", "/__init__.pyi"))}
    roots = {".", *(_clean(root) for root in given)}
    if "src" not in packages and any(path.startswith("src/") for path in paths):
        roots.add("src")  # also of packages without `__init__.py`
    for package in packages:
        above = [str(parent) for parent in PurePosixPath(package).parents]
        if packages.isdisjoint(above):
            roots.add(above[0])
    return tuple(sorted(roots, key=lambda root: (root == ".", root.startswith(_OUTER), -root.count("/"), root)))


def outer_root(directory: Path, paths: Collection[str], read: Callable[[str], bytes]) -> tuple[str, ...]:
    """The root `../app` when a code base is itself the package `app`; nothing when it only holds packages.

    It is one when it has an `__init__.py`, or when a file at its top imports another relatively or by the package's
    name, as in a package without `__init__.py`.
    """
    parts = [_identifier(directory.name)]
    while (directory.parent / "__init__.py").is_file() and directory.parent.name:
        directory = directory.parent
        parts.insert(0, _identifier(directory.name))
    top = [path for path in paths if "/" not in path and path.endswith(".py")]
    inside = {path.partition("/")[0].removesuffix(".py") for path in paths}
    if any(path.startswith(f"{parts[0]}/") for path in paths):
        return ()
    own = ".".join(parts)
    if "__init__.py" in top or any(_imports_own(own, inside, read(path)) for path in top):
        return (_OUTER + "/".join(parts),)
    return ()


def _imports_own(own: str, inside: Collection[str], text: bytes) -> bool:
    """Whether the text has `from .store import x`, `from . import store` or `from app.store import x`."""
    for module, first, plain in _IMPORT.findall(text):
        named = (plain or module + (b"" if module.endswith(b".") else b".") + first).decode(errors="replace")
        above = "" if named.startswith(".") else own
        if named.startswith(f"{above}.") and named[len(above) + 1 :].partition(".")[0] in inside:
            return True
    return False


def _identifier(name: str) -> str:
    plain = _NO_WORD.sub("_", name)
    return plain if plain.isidentifier() else f"_{plain}"


def module_names(path: str, roots: Iterable[str]) -> tuple[ModuleName, ...]:
    """The names that the file at the relative `path` can be imported by, the one from its nearest root first.

    Never one of the standard library, which Python finds before what is installed: `app/types.py` is no `types`.
    """
    names = []
    for root in roots:
        prefix = "" if root == "." else f"{root}/"
        if root.startswith(_OUTER) or path.startswith(prefix):
            name = _named(prefix[len(_OUTER) :] + path if root.startswith(_OUTER) else path[len(prefix) :])
            is_standard = root != "." and name is not None and name.dotted.partition(".")[0] in sys.stdlib_module_names
            if name is not None and name not in names and not is_standard:
                names.append(name)
    return tuple(names)


def _named(path: str) -> ModuleName | None:
    stem = path.removesuffix(".pyi").removesuffix(".py")
    parts = stem.split("/")
    is_package = parts[-1] == "__init__"
    if is_package:
        parts.pop()
    if not parts or not all(part.isidentifier() for part in parts):
        return None
    return ModuleName(".".join(parts), is_package)


def _clean(root: str) -> str:
    return str(PurePosixPath(root)) if root else "."
