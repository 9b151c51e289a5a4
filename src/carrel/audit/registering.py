"""Imports that are there for what they do: `import app.routes` below `app = Flask(__name__)`."""

from __future__ import annotations

import ast
from itertools import dropwhile

from carrel.audit.file_view import FileView

__all__ = ["registering_imports"]


def registering_imports(view: FileView) -> tuple[int, ...]:
    """The lines of the imports below the first thing that a file makes itself, of names that it does not use.

    What the imported file takes from here is there by then, so whoever is imported first finds all that it needs. A
    name in an annotation is not used while the file is loaded; one that a package takes from its modules is for others.
    """
    below = dropwhile(
        lambda one: not isinstance(one, ast.Assign | ast.FunctionDef | ast.ClassDef), view.module.tree.body
    )
    late = [one for one in below if isinstance(one, ast.Import | ast.ImportFrom)]
    if view.module.name.is_package:
        late = [one for one in late if isinstance(one, ast.Import)]
    if not late:
        return ()
    used = {use.name for use in view.module.scopes.uses if not use.in_annotation}
    return tuple(
        alias.lineno
        for one in late
        for alias in one.names
        if (alias.asname or alias.name.partition(".")[0]) not in used
    )
