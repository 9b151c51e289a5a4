"""Whatever is done to a generated code base can be undone, byte for byte."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carrel.migrate.diff import unified_diff
from carrel.migrate.outcome import Edited
from carrel.migrate.references import find_references
from carrel.migrate.rewrite import Rewriter
from carrel.migrate.runner import Migration
from tests.migrate.edits.changing import recipe
from tests.migrate.project import content, write
from tests.migrate.test_rewrite import CODE, programs

BEGINNINGS = {
    "plain": ("", "utf-8"),
    "with a byte order mark": ("# é\n", "utf-8-sig"),
    "in Latin 1": ("# coding: latin-1\nnote = 'é'\n", "latin-1"),
    "with characters of several bytes": ("note = '€ 😀'\n", "utf-8"),
}


@st.composite
def files(draw: st.DrawFn) -> dict[str, bytes]:
    """Two programs, each with an encoding and line ends of its own, with and without a last line end."""
    found = {}
    for name in ("app.py", "pkg/user.py"):
        head, encoding = draw(st.sampled_from(list(BEGINNINGS.values())))
        end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
        text = (head + draw(programs())).replace("\n", end)
        found[name] = (text if draw(st.booleans()) else text.removesuffix(end)).encode(encoding)
    return found


generated = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@generated
@given(files())
def test_what_was_applied_is_taken_back(tmp_path_factory: pytest.TempPathFactory, found: dict[str, bytes]):
    root = tmp_path_factory.mktemp("code")
    write(root, {**CODE, **found})
    before = content(root)
    used = recipe()
    migration = Migration(
        used, root, find=lambda place: find_references(place, used, jobs=1, cache=False).references,
        rewrite=Rewriter(used, jobs=1), in_place=True,
    )  # fmt: skip
    list(migration.apply())
    assert content(root) != before  # the package itself has references in any case
    migration.roll_back()
    assert content(root) == before


@generated
@given(files())
def test_the_difference_of_each_edited_file_leads_there_and_back(
    tmp_path_factory: pytest.TempPathFactory, found: dict[str, bytes]
):
    root = tmp_path_factory.mktemp("code")
    write(root, {**CODE, **found})
    used = recipe()
    references = find_references(root, used, jobs=1, cache=False).references
    edited = [one for one in Rewriter(used, jobs=1)(root, references) if isinstance(one, Edited)]
    patch = b"".join(unified_diff(one.path, one.before, one.after) for one in edited)
    for options, wanted in (((), "after"), (("-R",), "before")):
        subprocess.run(("git", "apply", *options), cwd=root, input=patch, check=True)
        assert [(root / one.path).read_bytes() for one in edited] == [getattr(one, wanted) for one in edited]
