"""One role in several classes."""

from __future__ import annotations

import pytest

from carrel.audit.rules.duplicate_implementation import DuplicateImplementation
from tests.audit.checking import finds, quiet

RULE = DuplicateImplementation()
MANAGER = """class {name}{bases}:
    def connect(self, socket):
        self.sockets.append(socket)
        socket.accept()
        self.log.info("connected")

    def send(self, text, user):
        for socket in self.sockets:
            if socket.user == user:
                socket.send(text)
                self.log.info("sent")

    def close(self, socket):
        self.sockets.remove(socket)
        socket.close(reason="over")
        self.log.info("closed")
"""
OTHER = "class SocketManager{bases}:\n    def spin(self): ...\n    def stop(self): ...\n"


def manager(bases: str = "", name: str = "SocketManager") -> str:
    return MANAGER.replace("{bases}", bases).replace("{name}", name)


def test_a_class_that_was_copied() -> None:
    (found,) = finds(RULE, {"a.py": manager(), "b.py": manager()}, "warning", on="class SocketManager")
    assert found.message == "`SocketManager` is defined 2 times, with mostly the same lines"
    assert [place.path for place in found.related] == ["b.py"]


def test_a_file_that_was_copied_is_one_finding() -> None:
    text = "".join(manager(name=f"Manager{letter}") for letter in "ABCDEF")
    (found,) = finds(RULE, {"a.py": text, "b.py": text}, "warning")
    assert found.message == (
        "`ManagerA`, `ManagerB`, `ManagerC`, `ManagerD` and 2 more are defined 2 times, with mostly the same lines"
    )


def work(name: str) -> str:
    lines = "".join(f"    if rows[{number}] is None:\n        rows.drop({number})\n" for number in range(6))
    return f"def {name}(rows):\n{lines}    return rows\n"


def test_a_function_that_was_copied() -> None:
    sources = {"p/__init__.py": "", "p/a.py": work("trim"), "p/b.py": "import os\n" + work("trim")}
    (found,) = finds(RULE, sources, "warning", on="def trim")
    assert found.message == "`trim` is defined 2 times, with mostly the same lines"
    assert [(place.path, place.line) for place in found.related] == [("p/b.py", 2)]


def test_functions_and_classes_of_one_file_are_one_finding() -> None:
    text = manager() + work("trim") + work("_cut")
    (found,) = finds(RULE, {"p/__init__.py": "", "p/a.py": text, "p/b.py": text}, "warning")
    assert found.message == "`SocketManager`, `trim`, `_cut` are defined 2 times, with mostly the same lines"


def test_functions_copied_from_directory_to_directory_are_one_finding() -> None:
    sources = {"p/__init__.py": "", "p/a/__init__.py": "", "p/b/__init__.py": ""}
    sources |= {f"p/{part}/{name}.py": work(name) for part in "ab" for name in ("trim", "cut")}
    (found,) = finds(RULE, sources, "warning", on="def cut")
    assert found.message == "`cut`, `trim` are defined 2 times, with mostly the same lines"
    assert [place.path for place in found.related] == ["p/b/cut.py", "p/a/trim.py", "p/b/trim.py"]
    (found,) = finds(RULE, sources | {"p/a/again.py": work("cut")}, "warning", on="def cut")
    assert "several times" in found.message


def test_directories_that_copies_lead_to_from_each_other_are_one_finding() -> None:
    sources = {f"p/{part}__init__.py": "" for part in ("", "a/", "b/", "c/", "d/", "e/")}
    sources |= {f"p/{part}/x.py": work("trim") for part in "ab"} | {f"p/{part}/y.py": work("cut") for part in "bc"}
    (found,) = finds(RULE, sources, "warning")
    assert found.message == "`trim`, `cut` are defined 2 times, with mostly the same lines"
    finds(RULE, sources | {f"p/{part}/z.py": work("turn") for part in "de"}, "warning", "warning")


def test_a_function_of_two_programs_is_only_mentioned() -> None:
    finds(RULE, {"a.py": work("trim"), "b.py": work("trim")}, "info")


def test_one_name_and_one_interface_are_only_mentioned() -> None:
    bare = "class SocketManager:\n    def connect(self): ...\n    def send(self): ...\n    def close(self): ...\n"
    (found,) = finds(RULE, {"a.py": manager(), "b.py": bare}, "info")
    assert "the same interface" in found.message
    (found,) = finds(
        RULE, {"a.py": manager(), "b.py": bare + "    def ping(self): ...\n    def o(self): ...\n"}, "info"
    )
    assert "a similar interface" in found.message


def test_one_name_for_two_things_that_were_both_copied() -> None:
    other = manager().replace("socket", "pipe").replace('"', "'").replace("log", "journal").replace("close", "shut")
    assert manager() != other
    first, second = finds(
        RULE, {"a.py": manager(), "b.py": other, "c.py": manager(), "d.py": other}, "warning", "warning"
    )
    assert [first.location.path, *(place.path for place in first.related)] == ["a.py", "c.py"]
    assert [second.location.path, *(place.path for place in second.related)] == ["b.py", "d.py"]


def test_a_row_of_copies_is_one_finding() -> None:
    def part(start: int) -> str:
        return "class SocketManager:\n" + "".join(
            f"    def do_{number}(self):\n" + "".join(f"        self.{name}({number})\n" for name in "abc")
            for number in range(start, start + 12)
        )

    (found,) = finds(RULE, {"a.py": part(0), "b.py": part(3), "c.py": part(6)}, "warning")
    assert [place.path for place in found.related] == ["b.py", "c.py"]


def test_the_copies_are_told_and_the_namesake_is_not() -> None:
    (found,) = finds(RULE, {"a.py": OTHER.replace("{bases}", ""), "b.py": manager(), "c.py": manager()}, "warning")
    assert [found.location.path, *(place.path for place in found.related)] == ["b.py", "c.py"]


def test_three_of_one_name_that_share_a_method() -> None:
    thin = "class SocketManager:\n    def connect(self): ...\n    def x(self): ...\n    def y(self): ...\n"
    (found,) = finds(RULE, {"a.py": manager(), "b.py": thin, "x/c.py": thin.replace("x(", "w(")}, "warning")
    assert "3 times" in found.message


def test_one_name_for_different_things_is_only_mentioned() -> None:
    finds(RULE, {"a.py": manager(), "b.py": OTHER.replace("{bases}", "")}, "info")


def test_the_same_methods_under_different_names_are_only_mentioned() -> None:
    more = manager() + "    def ping(self): ...\n"
    finds(RULE, {"a.py": more, "b.py": more.replace("SocketManager", "Hub")}, "info")


def test_one_in_each_of_several_plug_ins_is_only_mentioned() -> None:
    finds(RULE, {f"plugins/{name}/client.py": manager() for name in ("a", "b", "c")}, "info")


def test_one_in_each_of_several_that_was_copied() -> None:
    sources = {f"p/{name}/client.py": manager() for name in ("a", "b")} | {"p/__init__.py": "", "p/main.py": ""}
    sources |= {"p/a/__init__.py": "", "p/b/__init__.py": ""}
    finds(RULE, sources, "warning")
    finds(RULE, sources | {"p/b/client.py": manager().replace("self.sockets", "self.others")}, "info")
    finds(RULE, sources | {"p/b/setup.py": ""}, "info")


def test_a_row_and_the_message_about_it() -> None:
    quiet(RULE, {"orm.py": manager("(Base)"), "schema.py": manager("(BaseModel)")})


def test_a_class_and_one_below_it() -> None:
    quiet(RULE, {"a.py": manager(), "b.py": "import a\n" + manager("(a.SocketManager)")})


def test_a_base_in_a_file_that_cannot_be_read() -> None:
    sources = {"p/__init__.py": "", "p/a.py": "from p.base import Base\n" + manager("(Base)"),
               "p/b.py": "from p.base import Base\n" + manager("(Base)")}  # fmt: skip
    finds(RULE, sources, "warning")
    quiet(RULE, sources | {"p/base.py": "import os\n"})


def test_files_that_no_import_leads_to() -> None:
    sources = {"p/__init__.py": "", "p/a.py": manager(), "p/11/b.py": manager(), "p/11/c/d.py": manager()}
    quiet(RULE, sources)
    finds(RULE, sources | {"p/b/c.py": manager()}, "warning")
    quiet(RULE, {"x/p/__init__.py": "", "x/p/a.py": manager(), "x/p/11/b.py": manager()})
    finds(RULE, {"my-tool/a.py": manager(), "my-tool/all-parts/of/b.py": manager()}, "warning")


def test_two_below_one_protocol() -> None:
    base = "class Sends:\n    def send(self): ...\n"
    quiet(RULE, {"base.py": base, "a.py": "from base import Sends\n" + manager("(Sends)"),
                 "b.py": "from base import Sends\n" + manager("(Sends)")})  # fmt: skip


def test_tests_and_fakes_and_private_classes() -> None:
    quiet(RULE, {"a.py": manager(), "tests/a.py": manager()})
    quiet(RULE, {"a.py": manager(), "test_a.py": manager()})
    quiet(RULE, {"a.py": manager(name="_Manager"), "b.py": manager(name="_Manager")})
    quiet(RULE, {"a.py": manager(name="MockHub"), "b.py": manager(name="MockHub")})
    quiet(RULE, {"a.py": manager(), "thirdparty/sockets/a.py": manager()})


def test_an_import_is_no_second_definition() -> None:
    quiet(RULE, {"a.py": manager(), "b.py": "from a import SocketManager\n"})


def test_classes_that_keep_one_protocol() -> None:
    more = manager() + "    def ping(self): ...\n"
    protocol = "class Sends(Protocol):\n    def send(self): ...\n    def close(self): ...\n"
    quiet(RULE, {"a.py": more, "b.py": more.replace("SocketManager", "Hub"), "c.py": protocol})


def test_what_a_tool_wrote_is_no_copy() -> None:
    quiet(RULE, {"a.py": manager(), "b.py": "# AUTOGENERATED, DO NOT EDIT\n" + manager()})


@pytest.mark.parametrize(
    ("count", "name", "bases", "severity"),
    [
        (11, "Module", "", "warning"),
        (12, "Module", "", "info"),
        (2, "Command", "(BaseCommand)", "info"),
        (2, "Command", "", "warning"),
    ],
)
def test_a_name_that_a_loader_asks_for(count: int, name: str, bases: str, severity: str) -> None:
    text = manager(name=name, bases=bases)
    head = "from django.core.management.base import BaseCommand\n" if bases else ""
    finds(RULE, {f"{letter}.py": head + text for letter in "abcdefghijkl"[:count]}, severity)


def test_a_plug_in_that_was_copied() -> None:
    def plug_in(start: int) -> str:
        work = "".join(f"        self.take({number})\n" for number in range(start, start + 26))
        return "class Module:\n    def generate(self):\n        self.begin(params)\n" + work

    every = {f"m{number}.py": plug_in(100 * number) for number in range(12)}
    finds(RULE, every, "info")
    (found,) = finds(RULE, every | {"n.py": plug_in(0).replace("take(3)", "take(-3)")}, "warning", on="class Module")
    assert [found.location.path, *(place.path for place in found.related)] == ["m0.py", "n.py"]


def test_a_command_that_was_copied() -> None:
    head = "from django.core.management.base import BaseCommand\n"
    text = manager(name="Command", bases="(BaseCommand)") + "".join(f"        self.x{n}()\n" for n in range(10, 30))
    finds(RULE, {"a.py": head + text, "b.py": head + text}, "warning")
