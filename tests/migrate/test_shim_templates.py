"""Every template is Python once its names are filled in."""

from __future__ import annotations

import ast
import string
from collections import defaultdict

import pytest

from carrel.migrate import shim_templates


@pytest.mark.parametrize("name", shim_templates.__all__)
def test_a_filled_template_parses(name: str) -> None:
    template = string.Template(getattr(shim_templates, name))
    words = dict.fromkeys(template.get_identifiers(), "word")
    # What stands for whole lines.
    given = defaultdict(str, words) | {
        "ways": "    pass",
        "imports": "    pass" if name == "NAMES" else "",
        "signature": "()",
    }
    given |= dict.fromkeys(("heading", "other_names", "public", "checking", "unless", "old_names"), "")
    given["unknown"] = "return"
    text = template.substitute(given)
    # The parts of one definition are put into its function.
    ast.parse(
        text if name in ("IDENTITY", "OBJECT", "OPENING", "NAMES", "MODULE") else f"def f():\n  if 1:\n{indented(text)}"
    )


def indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())
