"""Tests of carrel.source.import_graph."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from carrel.source.import_graph import ImportGraph
from tests.source.code import project


def graph(files: dict[str, str]) -> ImportGraph:
    return ImportGraph.of(project(files))


def test_an_import_is_an_edge_to_the_file():
    found = graph({
        "p/__init__.py": "", "p/a.py": "from . import b\nfrom p.c import X\nimport os", "p/b.py": "", "p/c.py": "X = 1",
    })  # fmt: skip
    assert found.imports["p/a.py"] == {"p/__init__.py", "p/b.py", "p/c.py"}


def test_imports_that_run_later_are_apart():
    found = graph({"a.py": "def f():\n    import b\nif TYPE_CHECKING:\n    import c", "b.py": "", "c.py": ""})
    assert found.imports["a.py"] == frozenset()
    assert found.every["a.py"] == {"b.py", "c.py"}


def test_distances_count_imports_from_the_nearest_start():
    found = graph({"a.py": "", "b.py": "import a", "c.py": "import b", "d.py": "import c, a", "e.py": ""})
    assert found.distances(["a.py"]) == {"a.py": 0, "b.py": 1, "c.py": 2, "d.py": 1}


def test_cycles_are_found_and_late_imports_make_none():
    found = graph({
        "a.py": "import b", "b.py": "import c", "c.py": "import a", "d.py": "import a",
        "e.py": "import f", "f.py": "def f():\n    import e",
    })  # fmt: skip
    assert found.cycles() == [("a.py", "b.py", "c.py")]


@given(st.dictionaries(st.integers(0, 7), st.frozensets(st.integers(0, 7), max_size=4), max_size=8))
def test_cycles_are_the_files_that_reach_themselves(edges):
    named = {str(node): frozenset(str(target) for target in targets) for node, targets in edges.items()}

    def reach(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            for target in named.get(waiting.pop(), ()):
                if target not in seen:
                    seen.add(target)
                    waiting.append(target)
        return seen

    nodes = {*named, *(target for targets in named.values() for target in targets)}
    groups = {tuple(sorted(b for b in nodes if b == a or (b in reach(a) and a in reach(b)))) for a in nodes}
    assert ImportGraph(named, named).cycles() == sorted(group for group in groups if len(group) > 1)
