"""A package whose old class has become a shim, imported as its callers would."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from types import ModuleType

from carrel.migrate.outcome import Edited, FileOutcome
from carrel.migrate.recipe import Recipe, parse_recipe
from carrel.migrate.shim import make_shims
from tests.migrate.project import write

NEW = """
class New:
    LIMIT = 1
    def __init__(self, context, emitter, note="-"):
        self.context, self.emitter, self.note = context, emitter, note
    def close(self): return f"closed {self.context}"
    @classmethod
    def named(cls, name): return cls(name, name)
    @classmethod
    async def create(cls, registry, bridge): return cls(registry, bridge, "created")
    @classmethod
    async def wait(cls, registry, bridge):
        import asyncio
        await asyncio.sleep(0)
        return cls(registry, bridge, "waited")
"""
OLD = '''
"""What was there before."""
import json

REST = json.dumps(1)


class Old:
    def __init__(self, registry, bridge, context=None): ...


def other():
    return 2
'''
MAPPED = """
[[constructors]]
symbol = "shop.old.Old"
signature = "(registry, bridge, context=None)"
[[constructors.calls]]
call = "{new}"
requires = ["context"]
optional = ["note"]
parameters = { context = "{context}", emitter = "({registry}, {bridge})", note = "{context}" }
"""
CREATED = """
[[constructors]]
symbol = "shop.old.Old"
signature = "(registry, bridge, context=None)"
[[constructors.calls]]
call = "await {new}.create"
parameters = { registry = "{registry}", bridge = "{bridge}" }
"""
RENAMED = '[[attributes]]\nsymbol = "shop.old.Old"\nrename = { shut = "close", UPPER = "LIMIT" }\n'


def recipe(more: str = "", *, shim: str = "", symbol: str = "") -> Recipe:
    return parse_recipe(
        f"""
        schema_version = 1
        name = "shop"
        [[symbols]]
        old = "shop.old.Old"
        new = "shop.new.New"
        {symbol}
        [[shims]]
        old = "shop.old.Old"
        new = "shop.new.New"
        {shim}
        """
        + dedent(more)
    )


def outcomes(root: Path, used: Recipe, files: Mapping[str, str | bytes] = {}) -> list[FileOutcome]:
    package = {"shop/__init__.py": "", "shop/old.py": OLD, "shop/new.py": NEW}
    write(root, {**package, **files})
    return list(make_shims(root, used, jobs=1, cache=False))


def make(root: Path, used: Recipe, files: Mapping[str, str | bytes] = {}) -> str:
    """Write the shim, and give the new text of the old module."""
    (outcome,) = outcomes(root, used, files)
    assert isinstance(outcome, Edited), outcome
    write(root, {outcome.path: outcome.after})
    return outcome.after.decode()


@contextmanager
def importable(root: Path) -> Iterator[None]:
    """Import from a directory, and forget its modules afterwards."""
    known = set(sys.modules)
    sys.path.insert(0, str(root))
    try:
        yield
    finally:
        sys.path.remove(str(root))
        for name in set(sys.modules) - known:
            if name.partition(".")[0] in {"shop", "caller"}:
                del sys.modules[name]


def run(root: Path, code: str) -> ModuleType:
    """Run a caller as the file `caller.py` beside the package."""
    path = root / "caller.py"
    path.write_text(dedent(code), encoding="utf-8")
    module = ModuleType("caller")
    module.__file__ = str(path)
    sys.modules["caller"] = module
    exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
    return module
