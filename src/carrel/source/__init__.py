"""Reads Python source code: files, names and what they are bound to, and who imports whom."""

from carrel.source.bindings import Project, Resolved
from carrel.source.files import SourceFile, SourceTree
from carrel.source.import_graph import ImportGraph
from carrel.source.index import Index
from carrel.source.module import Module, read_module
from carrel.source.module_names import ModuleName, module_names
from carrel.source.outline import Outline, outline_of, read_outline
from carrel.source.scopes import Binding, Scope, Use
from carrel.source.text import SourceText

__all__ = [
    "Binding",
    "ImportGraph",
    "Index",
    "Module",
    "ModuleName",
    "Outline",
    "Project",
    "Resolved",
    "Scope",
    "SourceFile",
    "SourceText",
    "SourceTree",
    "Use",
    "module_names",
    "outline_of",
    "read_module",
    "read_outline",
]
