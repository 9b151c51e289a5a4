"""What counts as given to nothing but a log."""

from __future__ import annotations

import pytest

from carrel.audit.logged import logged_getters
from tests.audit.checking import view

TRAIL = (
    "class Trail:\n    def note(self, x):\n        self.all.append(x)\n    def dump(self):\n        return self.all\n"
)


@pytest.mark.parametrize(
    ("use", "names"),
    [
        ("log.error('%s', trail.dump())", ["dump"]),
        ("self.logger.info(dumps(list(trail.dump())))", ["dump"]),
        ("found = trail.dump()\n    log.warning(found)\n    return len(found)", ["dump"]),
        ("found = trail.dump()\n    return lambda: found", []),
        ("screen.info(trail.dump())", []),
        ("return str(trail.dump())", []),
        ("log.error(trail.all)", []),
        ("pass", []),
    ],
)
def test_what_a_file_only_logs(use: str, names: list[str]) -> None:
    seen = view(f"{TRAIL}def end(trail, screen):\n    {use}\n")
    (note,) = (one for one in seen.functions if one.name == "note")
    assert [one.name for one in logged_getters(seen, note, "all")] == names
