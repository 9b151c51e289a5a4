"""Which files are imported together."""

from __future__ import annotations

from pathlib import Path

from carrel.migrate.loading import loaded_with
from carrel.source import Project, SourceTree, read_outline
from tests.migrate.project import write

FILES = {
    "pkg/__init__.py": "import other\n",
    "pkg/a.py": "from pkg import b\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import typed\n",
    "pkg/b.py": "import pkg.a\ndef f():\n    import late\n",
    "other.py": "", "late.py": "", "typed.py": "", "app.py": "import pkg.a\n",
}  # fmt: skip


def test_what_is_imported_at_the_top_is_loaded(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    tree = SourceTree(tmp_path)
    project = Project([file.path for file in tree.files()], lambda path: read_outline(tree.read(path)))
    assert loaded_with(project, "other.py", packages=True) == {"other.py"}
    assert loaded_with(project, "pkg/b.py") == {"pkg/a.py", "pkg/b.py", "pkg/__init__.py", "other.py"}
    write(tmp_path, {"pkg/a.py": "", "pkg/b.py": ""})
    project = Project([file.path for file in tree.files()], lambda path: read_outline(tree.read(path)))
    assert loaded_with(project, "pkg/a.py") == {"pkg/a.py"}
    assert loaded_with(project, "pkg/a.py", packages=True) == {"pkg/a.py", "pkg/__init__.py", "other.py"}
