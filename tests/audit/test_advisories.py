"""The advisories that come with carrel, and which versions they are about."""

from __future__ import annotations

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from carrel.audit.advisories import advisories, advisories_for


def test_every_advisory_says_where_it_is_written_and_what_repairs_it() -> None:
    for one in advisories():
        assert one.package == canonicalize_name(one.package)
        assert all(source.startswith("https://github.com/") for source in one.sources), one.package
        assert one.sources
        assert one.leaks
        assert not one.affects(Version(one.fixed)), one.package
        assert all(1 <= number <= 38 for number in one.classes)


@pytest.mark.parametrize(
    ("package", "version"),
    [
        ("redis", "4.5.1"), ("redis", "4.5.3"), ("redis", "4.4.3"), ("sqlalchemy", "1.4.3"), ("flask", "2.2.4"),
        ("flask", "2.3.1"), ("asgiref", "3.8.1"), ("asgiref", "3.9.0"), ("fastmcp", "2.13.0"), ("mcp", "1.27.1"),
        ("gradio", "6.14.0"), ("open-webui", "0.8.12"), ("asyncmy", "0.2.10"),
        ("langflow", "1.8.0"), ("litellm", "1.82.0"),
    ],
)  # fmt: skip
def test_a_version_that_leaks(package: str, version: str) -> None:
    assert advisories_for(package, Version(version))


@pytest.mark.parametrize(
    ("package", "version"),
    [
        ("redis", "4.1.4"), ("redis", "4.4.4"), ("redis", "4.5.4"), ("redis", "5.0.0"), ("sqlalchemy", "1.4.4"),
        ("flask", "2.2.5"), ("flask", "2.3.2"), ("asgiref", "3.7.2"), ("asgiref", "3.9.1"), ("mcp", "1.27.2"),
        ("gradio", "6.15.0"), ("open-webui", "0.9.0"), ("asyncmy", "0.2.13"), ("numpy", "1.0"),
    ],
)  # fmt: skip
def test_a_version_that_does_not(package: str, version: str) -> None:
    assert advisories_for(package, Version(version)) == ()
