"""Which module a file is."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

__all__ = ["ModuleName", "module_names", "source_roots"]


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
    """The directories that modules are imported from, deepest first: `.`, those `given`, and where packages begin.

    A package begins at an `__init__.py` with none in any directory above: `services/api/app/__init__.py` makes
    `services/api` a root. From `.` the same file is `services.api.app`, and both names are good.
    """
    packages = {str(PurePosixPath(path).parent) for path in paths if path.endswith(("/__init__.py", "/__init__.pyi"))}
    roots = {".", *(_clean(root) for root in given)}
    for package in packages:
        above = [str(parent) for parent in PurePosixPath(package).parents]
        if packages.isdisjoint(above):
            roots.add(above[0])
    return tuple(sorted(roots, key=lambda root: (-root.count("/"), root == ".", root)))


def module_names(path: str, roots: Iterable[str]) -> tuple[ModuleName, ...]:
    """The names that the file at the relative `path` can be imported by, the one from its nearest root first."""
    names = []
    for root in roots:
        prefix = "" if root == "." else f"{root}/"
        if path.startswith(prefix):
            name = _named(path[len(prefix) :])
            if name is not None and name not in names:
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
