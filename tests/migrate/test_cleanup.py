"""What nothing refers to goes; what something refers to stays, and it is said by whom."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from carrel.migrate.cleanup import Absent, CleanupOutcome, Needed, Removal, clean_up
from carrel.migrate.recipe import Recipe, parse_recipe
from carrel.migrate.shim import make_shims
from tests.migrate.project import write
from tests.migrate.shimmed import MAPPED, make
from tests.migrate.shimmed import recipe as shim_recipe

PACKAGE: Mapping[str, str] = {
    "pkg/__init__.py": "",
    "pkg/old.py": 'import json\n\n__all__ = ["Old", "Other"]\n\n\nclass Old:\n    x = 1\n\n\nclass Other: ...\n',
    "pkg/new.py": "class New: ...\n",
}


def recipe(*remove: str) -> Recipe:
    return parse_recipe(
        'schema_version = 1\nname = "m"\n[[symbols]]\nold = "pkg.old.Old"\nnew = "pkg.new.New"\n'
        f"[cleanup]\nremove = {list(remove)!r}\n"
    )


def cleaned(root: Path, files: Mapping[str, str], *remove: str) -> tuple[CleanupOutcome, ...]:
    write(root, {**PACKAGE, **files})
    return clean_up(root, recipe(*remove), jobs=1, cache=False)


def test_a_module_that_nothing_refers_to_goes(tmp_path: Path) -> None:
    (outcome,) = cleaned(tmp_path, {"app.py": "from pkg.new import New\n"}, "pkg.old")
    assert isinstance(outcome, Removal)
    assert (outcome.path, outcome.after, outcome.names) == ("pkg/old.py", None, ("pkg.old",))


def test_a_symbol_goes_with_its_place_in_all(tmp_path: Path) -> None:
    (outcome,) = cleaned(tmp_path, {}, "pkg.old.Old")
    assert isinstance(outcome, Removal)
    assert outcome.after == b'import json\n\n__all__ = ["Other"]\n\n\nclass Other: ...\n'


def test_two_symbols_of_a_file_go_together(tmp_path: Path) -> None:
    (outcome,) = cleaned(tmp_path, {}, "pkg.old.Old", "pkg.old.Other")
    assert isinstance(outcome, Removal)
    assert outcome.after == b"import json\n\n__all__ = []\n\n\n"


USERS = {
    "an import": ({"app.py": "from pkg.old import Old\n"}, "app.py:1: import Old"),
    "an import in a function": ({"app.py": "def f():\n    from pkg.old import Old\n"}, "app.py:2: import Old"),
    "a module import": ({"app.py": "import pkg.old\npkg.old.Old\n"}, "app.py:2: name pkg.old.Old"),
    "a re-export": ({"pkg/__init__.py": "from .old import Old\n"}, "pkg/__init__.py:1: import Old"),
    "a star": ({"app.py": "from pkg.old import *\nOld\n"}, "app.py:1: import *"),
    "a patch": (
        {"app.py": 'from unittest.mock import patch\npatch("pkg.old.Old")\n'},
        "app.py:2: patch_target pkg.old.Old",
    ),
    "a string": ({"app.py": 'x = "pkg.old.Old"\n'}, "app.py:1: patch_target pkg.old.Old"),
    "an entry point": ({"pyproject.toml": '[project.scripts]\nx = "pkg.old:Old"\n'}, "pyproject.toml:2: pkg.old:Old"),
    "a logging configuration": ({"log.yaml": "class: pkg.old.Old\n"}, "log.yaml:1: pkg.old.Old"),
    "a pickle": ({"state.pkl": "cpkg.old\nOld\np0\n."}, "state.pkl:1: pickle pkg.old.Old"),
    "the rest of its file": (
        {"pkg/old.py": "class Old: ...\nclass Other(Old): ...\n"},
        "pkg/old.py:2: the rest of the file uses `Old`",
    ),
    "two definitions": ({"pkg/old.py": "class Old: ...\nclass Old: ...\n"}, "has no single definition"),
}


@pytest.mark.parametrize("case", USERS)
def test_a_symbol_that_something_refers_to_stays(tmp_path: Path, case: str) -> None:
    files, user = USERS[case]
    (outcome,) = cleaned(tmp_path, files, "pkg.old.Old")
    assert isinstance(outcome, Needed), outcome
    assert any(user in one for one in outcome.users), outcome.users


@pytest.mark.parametrize(
    ("files", "user"),
    [
        ({"app.py": "import pkg.old\n"}, "app.py:1: import pkg.old"),
        ({"app.py": "from pkg.old import Other\n"}, "app.py:1: import "),
        ({"Dockerfile": "CMD python -m pkg.old\n"}, "Dockerfile:1: pkg.old"),
        ({"Makefile": "x:\n\tpython pkg/old.py\n"}, "Makefile:2: pkg/old.py"),
    ],
)
def test_a_module_that_something_refers_to_stays(tmp_path: Path, files: dict[str, str], user: str) -> None:
    (outcome,) = cleaned(tmp_path, files, "pkg.old")
    assert isinstance(outcome, Needed), outcome
    assert any(one.startswith(user) for one in outcome.users), outcome.users


@pytest.mark.parametrize(
    "files",
    [
        {"README.md": "`pkg.old.Old` was here\n"},
        {"app.py": "from pkg.older import Old\n", "pkg/older.py": "class Old: ...\n"},
        {"app.py": "# pkg.old.Old is gone\n"},
        {"setup.cfg": "x = my.pkg.old.Old\ny = pkg.old.Older\n"},
    ],
)
def test_what_only_looks_like_a_reference_keeps_nothing(tmp_path: Path, files: dict[str, str]) -> None:
    (outcome,) = cleaned(tmp_path, files, "pkg.old.Old")
    assert isinstance(outcome, Removal), outcome


def test_a_user_in_a_data_file_is_told_once(tmp_path: Path) -> None:
    (outcome,) = cleaned(tmp_path, {"log.yaml": "class: pkg.old.Old\n"}, "pkg.old.Old")
    assert isinstance(outcome, Needed)
    assert outcome.users == ("log.yaml:1: pkg.old.Old",)


def test_what_goes_too_keeps_nothing(tmp_path: Path) -> None:
    files = {"pkg/friend.py": "from pkg.old import Old\n"}
    outcomes = cleaned(tmp_path, files, "pkg.old", "pkg.friend")
    assert [type(one) for one in outcomes] == [Removal, Removal]


def test_what_a_needed_module_needs_is_needed(tmp_path: Path) -> None:
    files = {"pkg/friend.py": "from pkg.old import Old\n", "app.py": "import pkg.friend\n"}
    outcomes = cleaned(tmp_path, files, "pkg.old", "pkg.friend")
    assert {one.name for one in outcomes if isinstance(one, Needed)} == {"pkg.old", "pkg.friend"}


def test_a_package_goes_only_with_all_its_modules(tmp_path: Path) -> None:
    files = {"gone/__init__.py": "", "gone/inner.py": ""}
    (outcome,) = cleaned(tmp_path, files, "gone")
    assert isinstance(outcome, Needed)
    assert outcome.users == ("gone/inner.py: a module of the package",)
    outcomes = cleaned(tmp_path, files, "gone", "gone.inner")
    assert all(isinstance(one, Removal) for one in outcomes)


def test_what_is_not_there_is_absent(tmp_path: Path) -> None:
    outcomes = cleaned(tmp_path, {}, "pkg.nothing", "pkg.old.Nothing", "away.module")
    assert all(isinstance(one, Absent) for one in outcomes)
    assert len(outcomes) == 3


def shimmed(root: Path, *remove: str) -> Recipe:
    both = (
        '[[symbols]]\nold = "shop.old.Older"\nnew = "shop.new.New"\n'
        '[[shims]]\nold = "shop.old.Older"\nnew = "shop.new.New"\n'
        f"[cleanup]\nremove = {list(remove)!r}\n"
    )
    return shim_recipe(MAPPED + both)


OLD = 'import json\n\n__all__ = ["Old", "Older", "f"]\n\n\nclass Old: ...\n\n\nclass Older: ...\n\n\ndef f(): ...\n'


def test_a_shim_goes_and_leaves_no_trace(tmp_path: Path) -> None:
    used = shimmed(tmp_path, "shop.old.Old", "shop.old.Older")
    make(tmp_path, used, {"shop/old.py": OLD})
    (outcome,) = clean_up(tmp_path, used, jobs=1, cache=False)
    assert isinstance(outcome, Removal), outcome
    assert outcome.after == b'import json\n\n__all__ = ["f"]\n\n\ndef f(): ...\n'


def test_one_shim_goes_and_the_other_stays(tmp_path: Path) -> None:
    used = shimmed(tmp_path, "shop.old.Old")
    make(tmp_path, used, {"shop/old.py": OLD.replace('__all__ = ["Old", "Older", "f"]\n', "")})
    (outcome,) = clean_up(tmp_path, used, jobs=1, cache=False)
    assert isinstance(outcome, Removal), outcome
    assert outcome.after is not None
    write(tmp_path, {"shop/old.py": outcome.after})
    code = "from shop.old import *\nassert 'Old' not in dir() and Older and f\nimport shop.old\nshop.old.Old"
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert "has no attribute 'Old'" in ended.stderr
    assert "_moved_Old(" not in outcome.after.decode()


def test_a_shim_that_the_rest_of_its_module_uses_stays(tmp_path: Path) -> None:
    used = shimmed(tmp_path, "shop.old.Old")
    make(tmp_path, used, {"shop/old.py": f"{OLD}\n\nclass Special(Old): ...\n"})
    (outcome,) = clean_up(tmp_path, used, jobs=1, cache=False)
    assert isinstance(outcome, Needed)
    assert "the rest of the file uses `Old`" in outcome.users[0]


def test_a_shim_that_is_still_used_stays(tmp_path: Path) -> None:
    used = shimmed(tmp_path, "shop.old.Old")
    make(tmp_path, used, {"shop/old.py": OLD, "app.py": "from shop.old import Old\n"})
    (outcome,) = clean_up(tmp_path, used, jobs=1, cache=False)
    assert isinstance(outcome, Needed)
    assert outcome.users == ("app.py:1: import Old",)
    assert all(one.path == "shop/old.py" for one in make_shims(tmp_path, used, jobs=1, cache=False))
