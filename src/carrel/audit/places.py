"""What the path of a file says of what is in it: whose code it is, and when it runs."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["is_example", "is_foreign", "is_start_up", "is_test_path", "is_test_plumbing"]

_FOREIGN: Final = re.compile(
    r"(?:^|/)(?:dist|vendor|_vendor|vendored|_vendored|third_party|thirdparty|extern|_extern|externals|bundled|"
    r"site-packages|dist-packages|node_modules)/"
)
_EXAMPLE: Final = re.compile(
    r"(?:^|/)(?:docs?(?:_src)?|examples?|samples?|demos?|tutorials?|cookbooks?|snippets|notebooks?)/"
)
_PLUMBING: Final = re.compile(
    r"(?:^|/)(?:pytest|testing|_testing|test_utils|e2e|mocks?)/|(?:^|/)(?:(?:pytest|mock)_[^/]*|conftest)\.py$"
)
_START_UP: Final = re.compile(
    r"(?:^|/)(?:commands?|cli|_cli|websetup|bootstrap|seeds?)(?:/|\.py$)|(?:^|/)(?:__main__|setup|manage)\.py$"
)

_TEST: Final = re.compile(
    r"(?:^|/)(?:tests?\d*|testing|tests?_[^/]*|[^/]*_tests?|conftest\.py|docs?|examples?|example_[^/]*|backups?|"
    r"benchmarks?|cookbook|fixtures|mocks?|scripts|(?:south_)?migrations|alembic|vendor|_vendor|vendored|third_?party|"
    r"dist|extern|\.[^/]*)(?:/|$|\.py$)|_test\.py$|_pb2(?:_grpc)?\.py$"
    # What a tool copies into a new project, or shows to newcomers.
    r"|(?:^|/)(?:[a-z]+_)?(?:templates?|cookiecutter|skeletons?|boilerplate|scaffold(?:ing)?|tutorials?|quickstarts?)/"
)


def is_example(path: str) -> bool:
    """Whether the file shows how something is used: nobody serves users with it as it is."""
    return _EXAMPLE.search(path) is not None


def is_foreign(path: str) -> bool:
    """Whether the file is a copy of another project's, which that project would have to change."""
    return _FOREIGN.search(path) is not None


def is_test_plumbing(path: str) -> bool:
    """Whether the file helps tests: one session of tests has a process of its own."""
    return _PLUMBING.search(path) is not None


def is_start_up(path: str) -> bool:
    """Whether the file is run from a command line, by one person and before there are requests."""
    return _START_UP.search(path) is not None


def is_test_path(path: str) -> bool:
    """Whether a file is a test, an example or generated: what is defined there has no role in the product."""
    return _TEST.search(path) is not None
