"""Every block of the page about library use runs, and prints what the page says."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

import carrel.migrate
from tests.migrate.project import repository

PAGE = (Path(__file__).parents[2] / "docs/how-to/migrate-as-a-library.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```\n+```text\n(.*?)```", PAGE, re.DOTALL)
FILES = {
    "README.md": "A shop.\n",
    "shop/__init__.py": "",
    "shop/cart.py": "class Cart: ...\n",
    "shop/basket.py": "class Basket: ...\n",
    "shop/pages.py": "from shop.cart import Cart\ncart = Cart()\n",
    "tests/test_shop.py": "from shop.cart import Cart\n\n\ndef test_cart():\n    assert Cart()\n",
}


def test_every_block_prints_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository(tmp_path / "code", FILES))
    assert len(BLOCKS) == PAGE.count("```python") == 9
    names: dict[str, Any] = {}
    for code, printed in BLOCKS:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(compile(code, "migrate-as-a-library.md", "exec"), names)
        assert said.getvalue() == printed, code


def test_every_public_name_can_be_had() -> None:
    assert [name for name in carrel.migrate.__all__ if getattr(carrel.migrate, name).__name__ == ""] == []
    assert set(carrel.migrate.__all__) <= set(dir(carrel.migrate))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = carrel.migrate.nothing  # type: ignore[attr-defined]
