"""Tests of carrel.migrate.sites."""

from __future__ import annotations

from carrel.migrate.sites import read_sites
from carrel.migrate.wanted import Wanted

ENGINE = Wanted(("Engine",))


def test_a_file_without_the_name_has_nothing_to_keep():
    assert read_sites(ENGINE, (".",), "a.py", b"x = 1\n") is None


def test_a_file_that_only_mentions_it_is_not_parsed():
    found = read_sites(ENGINE, (".",), "a.py", b"# Engine, UserEngine\n")
    assert found is not None
    assert (found.mentions, found.outline) == (2, None)
    text = read_sites(ENGINE, (".",), "a.md", b"from a import Engine\n")
    assert text is not None
    assert text.outline is None


def test_a_file_that_refers_is_read_with_its_outline():
    found = read_sites(ENGINE, (".",), "pkg/a.py", b"from .b import Engine\nEngine()\n")
    assert found is not None
    assert found.outline is not None
    assert [(one.kind, one.targets) for one in found.sites] == [
        ("import", ("pkg.b.Engine",)),
        ("call", ("pkg.b.Engine",)),
    ]


def test_a_file_that_cannot_be_parsed_says_why():
    found = read_sites(ENGINE, (".",), "a.py", b"from .b import Engine\ndef (\n")
    assert found is not None
    assert found.outline is not None
    assert (found.outline.error_line, found.sites) == (2, ())


def test_a_path_that_is_no_module_name_is_read_all_the_same():
    found = read_sites(ENGINE, (".",), "my-scripts/a.py", b"from b import Engine\n")
    assert found is not None
    assert found.sites[0].targets == ("b.Engine",)


def test_mentions_are_counted_once():
    hinted = Wanted(("Engine",), ("b",))
    assert read_sites(hinted, (".",), "a.py", b"# Engine\n") is None
    found = read_sites(hinted, (".",), "a.py", b"from b import Engine\n")
    assert found is not None
    assert found.mentions == 0


def test_data_files_and_pickles_are_read_by_what_they_are():
    data = read_sites(ENGINE, (".",), "a.yaml", b"class: pkg.engine.Engine\n")
    assert data is not None
    assert [(one.kind, one.targets) for one in data.sites] == [("data", ("pkg.engine.Engine",))]
    assert data.outline is None
    text = read_sites(ENGINE, (".",), "a.txt", b"class: pkg.engine.Engine\n")
    assert text is not None
    assert text.sites == ()


def test_a_pickle_is_looked_into_where_the_module_is_named_too():
    pickled = b"\x80\x02cpkg.engine\nEngine\nq\x00."
    here = read_sites(Wanted(("Engine",), modules=("engine",)), (".",), "a.yaml", pickled)
    assert here is not None
    assert [(one.kind, one.targets) for one in here.sites] == [("pickle", ("pkg.engine.Engine",))]
    elsewhere = read_sites(Wanted(("Engine",), modules=("motor",)), (".",), "a.pkl", pickled)
    assert elsewhere is not None
    assert elsewhere.sites == ()
