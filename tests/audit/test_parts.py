"""What of a repository is one program."""

from __future__ import annotations

import pytest

from carrel.audit.parts import Parts
from tests.audit.checking import program


def are_one(sources: dict[str, str], path: str, other: str, *manifests: str) -> bool:
    return Parts(program(sources).imports, manifests).are_one(path, other)


LOOSE = {"mail.py": "", "search.py": "", "both.py": "import mail\nimport search\n"}


def test_what_imports_connect() -> None:
    assert are_one(LOOSE, "mail.py", "search.py")
    assert are_one(LOOSE | {"both.py": "def run():\n    import mail, search\n"}, "mail.py", "search.py")
    assert are_one({"mail.py": "import log", "search.py": "import log", "log.py": ""}, "mail.py", "search.py")


def test_scripts_that_nothing_leads_to() -> None:
    assert not are_one({"mail.py": "", "search.py": ""}, "mail.py", "search.py")


def test_a_test_connects_nothing() -> None:
    sources = {"mail.py": "", "search.py": "", "tests/test_both.py": "import mail\nimport search\n"}
    assert not are_one(sources, "mail.py", "search.py")


def test_a_package_is_one() -> None:
    sources = {"app/__init__.py": "", "app/mail.py": "", "app/find/__init__.py": "", "app/find/search.py": ""}
    assert are_one(sources, "app/mail.py", "app/find/search.py")


@pytest.mark.parametrize(
    ("manifests", "expected"),
    [
        ((), True),
        (("pyproject.toml",), True),
        (("mail/requirements.txt", "search/requirements.txt"), False),
        (("mail/requirements/base.txt", "search/requirements/base.txt"), False),
        (("requirements.txt", "search/pyproject.toml"), False),
        (("requirements.txt", "search/tests/requirements.txt"), True),
    ],
)
def test_services_that_are_built_apart(manifests: tuple[str, ...], expected: bool) -> None:
    sources = {"mail/a.py": "import search.b\n", "search/b.py": ""}
    assert are_one(sources, "mail/a.py", "search/b.py", *manifests) is expected


def test_a_set_up_of_its_own() -> None:
    sources = {"mail/a.py": "import search.b\n", "search/b.py": "", "search/setup.py": ""}
    assert not are_one(sources, "mail/a.py", "search/b.py")
