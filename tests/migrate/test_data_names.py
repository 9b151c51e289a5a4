"""Tests of carrel.migrate.data_names."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrel.migrate.data_names import data_sites, is_data

NAMES = frozenset({"Engine"})


def found(text: str) -> list[tuple[int, str]]:
    return [(one.line, one.text) for one in data_sites(dedent(text).encode(), NAMES)]


FOUND = {
    "yaml value": "a: 1\nclass: pkg.engine.Engine\n",
    "yaml value with a comment": "a: 1\nclass: pkg.engine.Engine  # the old one\n",
    "yaml item": "all:\n  - pkg.engine.Engine\n",
    "yaml key": "all:\n  pkg.engine.Engine: 3\n",
    "yaml key with blanks": "a: 1\nold class: pkg.engine.Engine\n",
    "yaml flow mapping": "a: 1\nb: {size: 3, class: pkg.engine.Engine, name: x}\n",
    "yaml flow list": "a: 1\nb: [pkg.other.Thing, pkg.engine.Engine]\n",
    "toml": 'a = 1\nclass = "pkg.engine.Engine"\n',
    "toml key": '["a"]\n"pkg.engine.Engine" = 1\n',
    "toml array": "a = 1\nb = ['x', 'pkg.engine.Engine']\n",
    "json": '{"a": 1,\n"class": "pkg.engine.Engine"}',
    "json key": '{"a": 1,\n"pkg.engine.Engine": null}',
    "ini": "[a]\nclass=pkg.engine.Engine\n",
    "ini section": "a=1\n[pkg.engine.Engine]\n",
    "ini list on one line": "[a]\nplugins = pkg.other.Thing, pkg.engine.Engine\n",
    "ini list by blanks": "[a]\nplugins = pkg.other.Thing pkg.engine.Engine\n",
    "ini list on several lines": "plugins =\n    pkg.engine.Engine\n",
    "environment": "A=1\nENGINE_CLASS=pkg.engine.Engine\n",
    "option of a command": "run:\n  python -m pkg.engine.Engine --fast\n",
}


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_a_value_that_is_a_dotted_name_is_found(text: str):
    assert found(text) == [(2, "pkg.engine.Engine")]


ENTRY_POINTS = {
    "setup.cfg": ("console_scripts =\n    run = pkg.engine:Engine\n", "pkg.engine:Engine"),
    "pyproject": ('[project.scripts]\nrun = "pkg.engine:Engine.main"\n', "pkg.engine:Engine.main"),
    "with extras": ('[project.scripts]\nrun = "pkg.engine:Engine [fast]"\n', "pkg.engine:Engine"),
    "in a command": ("web:\n  command: uvicorn pkg.engine:Engine --port 80\n", "pkg.engine:Engine"),
}


@pytest.mark.parametrize(("text", "name"), ENTRY_POINTS.values(), ids=ENTRY_POINTS)
def test_an_entry_point_is_found_wherever_it_stands(text: str, name: str):
    assert found(text) == [(2, name)]


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("a: pkg.engine:Engine", ("pkg.engine.Engine",)),
        ("a: !!python/object:pkg.engine.Engine {}", ("object.pkg.engine.Engine", "pkg.engine.Engine")),
        ("a: !!python/name:pkg.engine.Engine", ("name.pkg.engine.Engine", "pkg.engine.Engine")),
        ("class:pkg.engine.Engine", ("class.pkg.engine.Engine", "pkg.engine.Engine")),
        ("task: pkg.engine.Engine.run", ("pkg.engine.Engine.run",)),
    ],
)
def test_what_it_may_stand_for(text: str, targets: tuple[str, ...]):
    assert [one.targets for one in data_sites(text.encode(), NAMES)] == [targets]


NOTHING = {
    "prose": "description: The class pkg.engine.Engine is old.\n",
    "prose in quotes": 'description = "see pkg.engine.Engine"\n',
    "prose behind the name": '{"note": "pkg.engine.Engine is old"}',
    "prose behind a comma": "note: pkg.engine.Engine, the old one\n",
    "an arrow": 'note: "pkg.engine.Engine -> pkg.user_engine.UserEngine"\n',
    "a comment": "# class: pkg.engine.Engine\n",
    "a comment behind a value": "a: 1  # pkg.engine.Engine\n",
    "a comment of ini": "; class = pkg.engine.Engine\n",
    "a comment of json": '// "class": "pkg.engine.Engine"\n',
    "the name alone": "class: Engine\n",
    "a longer name": "class: pkg.engine.EngineFactory\nother: pkg.engine.UserEngine\n",
    "a file": "file: pkg/engine.Engine\n",
    "a version": "image: pkg.engine.Engine-2\n",
    "an address": "who: ann@pkg.engine.Engine\n",
    "no identifier": "a: 3.Engine\n",
    "a time": "at: 10:Engine\n",
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_a_mention_is_not(text: str):
    assert found(text) == []


def test_a_recipe_and_the_result_of_a_scan_name_what_moves_and_do_not_need_it():
    recipe = 'schema_version = 1\nname = "n"\n[[symbols]]\nold = "pkg.engine.Engine"\nnew = "pkg.user.New"\n'
    assert found(recipe) == []
    assert found(recipe.replace("[[symbols]]", "[[other]]")) == [(4, "pkg.engine.Engine")]
    scan = '{"summary": {"by_certainty": {"certain": 1}}, "references": [{"symbol": "pkg.engine.Engine"}]}'
    assert found(scan) == []


def test_places_count_bytes():
    (site,) = data_sites("é: 1\né: 'pkg.engine.Engine'\n".encode(), NAMES)
    assert (site.line, site.column, site.end_column, site.start, site.end) == (2, 5, 22, 11, 28)


def test_one_long_line_is_read_name_by_name():
    text = "{" + ", ".join(f'"k{n}": "pkg.engine.Engine"' for n in range(500)) + "}"
    assert found(text) == [(1, "pkg.engine.Engine")] * 500


def test_data_files_are_known_by_their_names():
    assert is_data("pyproject.toml")
    assert is_data("conf/Logging.YAML")
    assert not is_data("README.md")
    assert not is_data("a.py")


@given(st.text(alphabet="ab.:é \n\"'#=[{,-", max_size=20), st.text(alphabet="ab.:é \n\"'#=[{,-", max_size=20))
def test_the_range_of_a_site_is_its_text_whatever_stands_around(before: str, after: str):
    data = f"{before}pkg.engine.Engine{after}".encode()
    for site in data_sites(data, NAMES):
        assert data[site.start : site.end].decode() == site.text
        lines = data[: site.start].split(b"\n")
        assert (site.line, site.column) == (len(lines), len(lines[-1]))
