"""Tests of carrel.migrate.site."""

from __future__ import annotations

import msgspec

from carrel.migrate.site import FileSites, Site, make_site
from tests.migrate.reading import module


def test_a_site_knows_its_text_and_whether_it_can_await():
    read = module("async def f():\n    é, Engine\n")
    inside = make_site(read, (2, 8, 2, 14), "name", ("a.Engine",), read.opened_by(read.tree.body[0]))
    assert (inside.text, inside.start, inside.end, inside.in_async) == ("Engine", 23, 29, True)
    assert not make_site(read, (2, 8, 2, 14), "name", (), read.scope).in_async


def test_sites_can_be_kept():
    sites = FileSites(2, None, (Site(1, 0, 1, 6, 0, 6, "name", ("a.B",), "B"),))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(sites), type=FileSites) == sites
