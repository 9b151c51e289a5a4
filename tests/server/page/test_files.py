"""What can be said of the page's files without a browser: nothing inline, nothing foreign, nothing too large."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import carrel.server

PAGE = Path(carrel.server.__file__).parent / "page"
MODULES = sorted(PAGE.glob("*.js"))
STYLES = sorted(PAGE.glob("*.css"))


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture
def tags() -> list[tuple[str, dict[str, str | None]]]:
    return Tags((PAGE / "index.html").read_text()).found


def test_the_document_has_no_inline_script_and_no_inline_style(tags):
    assert [tag for tag, attributes in tags if tag == "script" and not attributes.get("src")] == []
    assert [tag for tag, _ in tags if tag == "style"] == []
    assert [name for _, attributes in tags for name in attributes if name == "style" or name.startswith("on")] == []


def test_the_document_loads_only_files_that_are_here(tags):
    loaded = [
        attributes.get("src") or attributes.get("href") for tag, attributes in tags if tag in ("script", "link", "img")
    ]
    assert loaded
    for path in loaded:
        assert path is not None
        assert (PAGE / path.removeprefix("static/")).is_file()


def test_each_stylesheet_is_linked(tags):
    linked = {attributes.get("href") for tag, attributes in tags if tag == "link"}
    assert {f"static/{path.name}" for path in STYLES} <= linked


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_says_what_it_is_and_is_read_in_one_sitting(path):
    text = path.read_text()
    assert text.startswith("/**")
    assert len(text.splitlines()) <= 400


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_parses_no_text_as_markup_or_code(path):
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", path.read_text()
    )


@pytest.mark.parametrize("path", [*MODULES, *STYLES], ids=lambda path: path.name)
def test_a_file_names_no_foreign_address(path):
    addresses = set(re.findall(r"https?://[^\s\"'`)]+", path.read_text()))
    assert addresses <= {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_imports_only_files_that_are_here(path):
    for name in re.findall(r'^import .* from "(.*)";$', path.read_text(), re.MULTILINE):
        assert name.startswith("./")
        assert (PAGE / name).is_file()


def test_no_module_is_left_unused():
    imported = {
        name for path in MODULES for name in re.findall(r'from "\./([\w./]+)"', path.read_text()) if "/" not in name
    }
    assert {path.name for path in MODULES} - imported == {"app.js", "theme.js"}
