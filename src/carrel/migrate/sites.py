"""Reads the places of a file that may be references."""

from __future__ import annotations

from carrel.errors import SourceError
from carrel.migrate.data_names import data_sites, is_data
from carrel.migrate.instances import attribute_sites
from carrel.migrate.leads import Leads
from carrel.migrate.nodes import sort_nodes
from carrel.migrate.pickled_names import is_pickle, pickle_sites
from carrel.migrate.site import FileSites, Site
from carrel.migrate.strings import string_sites
from carrel.migrate.uses import import_sites, use_sites
from carrel.migrate.wanted import Wanted, may_refer
from carrel.source import ModuleName, Outline, module_names, outline_of, read_module

__all__ = ["read_sites"]


def read_sites(wanted: Wanted, roots: tuple[str, ...], path: str, data: bytes) -> FileSites | None:
    """The sites of one file; `None` when it does not even mention what is looked for.

    `roots` are the directories that modules are imported from, as `Project` has them.
    """
    mentions = 0 if wanted.hints else sum(data.count(name.encode()) for name in wanted.names)
    if not mentions and not wanted.hints:
        return None
    if not path.endswith((".py", ".pyi")):
        beside = _beside_code(wanted, path, data)
        return FileSites(mentions, sites=beside) if mentions or beside else None
    if not may_refer(data, wanted):
        return FileSites(mentions) if mentions else None
    names = module_names(path, roots)
    name = names[0] if names else ModuleName(path.removesuffix(".py").replace("/", "."), is_package=False)
    try:
        module = read_module(path, name, data)
    except SourceError as error:
        return FileSites(mentions, Outline(error_line=error.line, error=error.problem))
    wanted_names = frozenset(wanted.names)
    leads = Leads(module)
    nodes = sort_nodes(module)
    sites = [
        *import_sites(module, nodes, wanted_names),
        *use_sites(module, nodes, wanted_names, leads),
        *string_sites(module, nodes, wanted_names, leads),
    ]
    if wanted.attributes:
        sites += attribute_sites(module, nodes, wanted_names, frozenset(wanted.attributes), leads)
    sites.sort(key=lambda site: (site.start, site.end))
    module.release()
    return FileSites(mentions, outline_of(module.tree, data.count(b"\n")), tuple(sites))


def _beside_code(wanted: Wanted, path: str, data: bytes) -> tuple[Site, ...]:
    names = frozenset(wanted.names)
    if is_pickle(path, data):
        # Reading opcodes takes long; a pickle has the module's name beside the class's.
        near = any(module.encode() in data for module in wanted.modules)
        return tuple(pickle_sites(data, names)) if near else ()
    return data_sites(data, names) if is_data(path) else ()
