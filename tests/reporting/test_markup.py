"""Tests of carrel.reporting.markup."""

from __future__ import annotations

from hypothesis import given

from carrel.reporting.markup import Markup, element, joined
from carrel.reporting.prose import visible
from tests.reporting.page import Reader
from tests.reporting.strategies import texts


def test_elements_nest_and_texts_are_escaped():
    made = element("p", "a < b & ", element("b", '"c"'), class_="x", data_path="<y>")
    assert made == '<p class="x" data-path="&lt;y&gt;">a &lt; b &amp; <b>&quot;c&quot;</b></p>'


def test_attributes_are_texts_numbers_or_bare():
    assert element("input", type="checkbox", checked=True, hidden=False) == '<input type="checkbox" checked>'
    assert element("rect", x=1.0, y=2.25) == '<rect x="1" y="2.2"></rect>'


def test_only_markup_is_taken_as_markup():
    assert joined(Markup("<b>"), "<b>") == "<b>&lt;b&gt;"
    assert isinstance(joined("a"), Markup)


@given(texts, texts)
def test_no_text_becomes_markup(text: str, attribute: str):
    reader = Reader(element("p", text, title=attribute))
    assert [tag for tag, _ in reader.tags] == ["p"]
    assert reader.tags[0][1] == {"title": visible(attribute, "\n\t")}
    assert reader.text == visible(text, "\n\t")
