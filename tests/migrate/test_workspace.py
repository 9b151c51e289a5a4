"""What both places for phases promise: one suite for the worktree and the checkout."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from carrel.migrate.fingerprint import content_digest
from carrel.migrate.git import Git
from carrel.migrate.in_place import InPlace
from carrel.migrate.outcome import Edited
from carrel.migrate.workspace import Mark, Proof, Workspace
from carrel.migrate.worktree import Worktree
from tests.migrate.project import content, git, moved, repository, write


@pytest.fixture(params=["worktree", "in place"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    root = repository(tmp_path / "code")
    if request.param == "in place":
        return InPlace(root, tmp_path / "state", Git(root))
    made = Worktree(Git(root), tmp_path / "tree", "carrel/x", "", tmp_path / "state")
    made.make(git(root, "rev-parse", "HEAD"), root)
    return made


def edited(workspace: Workspace, path: str) -> Edited:
    before = (workspace.root / path).read_bytes()
    return Edited(path=path, before=before, after=moved(before), edits=1)


def phase(workspace: Workspace, path: str) -> Mark:
    files = [edited(workspace, path)]
    workspace.check_clean()
    workspace.check_writable(files)
    workspace.write(files)
    return workspace.record("Move", 1_700_000_000, files)


def test_a_mark_names_the_content(workspace: Workspace) -> None:
    begin = workspace.mark()
    assert workspace.mark() == begin
    assert phase(workspace, "pkg/a.py") != begin
    assert workspace.mark().fingerprint != begin.fingerprint


def test_each_state_can_be_brought_back(workspace: Workspace) -> None:
    states = [(workspace.mark(), content(workspace.root))]
    for path in ("pkg/a.py", "pkg/b.py"):
        states.append((phase(workspace, path), content(workspace.root)))
    workspace.check_reversible([mark for mark, _ in states[1:]])
    for mark, files in reversed(states):
        workspace.check_untouched(mark)
        proof = workspace.restore(mark)
        assert content(workspace.root) == files
        assert proof.fingerprint == mark.fingerprint
        workspace.check_clean()


def test_restoring_what_is_there_already_puts_nothing_back(workspace: Workspace) -> None:
    mark = phase(workspace, "pkg/a.py")
    assert workspace.restore(mark).restored == ()
    assert workspace.restore(mark).restored == ()


def test_half_a_phase_is_taken_back(workspace: Workspace) -> None:
    mark, before = workspace.mark(), content(workspace.root)
    files = [edited(workspace, path) for path in ("pkg/a.py", "pkg/b.py")]
    workspace.write(files)
    (workspace.root / "pkg" / "b.py").write_bytes(files[1].before)
    (workspace.root / "pkg" / ".b.py.carrel").write_bytes(b"half")
    proof = workspace.restore(mark, ours={file.path: content_digest(file.after) for file in files})
    assert content(workspace.root) == before
    assert (proof.restored, proof.saved) == (("pkg/a.py",), "")


def test_somebodys_change_is_set_aside_by_restore_and_refused_by_the_check(workspace: Workspace) -> None:
    begin, before = workspace.mark(), content(workspace.root)
    phase(workspace, "pkg/a.py")
    write(workspace.root, {"pkg/a.py": "mine = 1\n"})
    with pytest.raises(Exception, match="pkg/a.py"):
        workspace.check_untouched(begin)
    proof = workspace.restore(begin)
    assert content(workspace.root) == before
    assert (Path(proof.saved) / "pkg" / "a.py").read_bytes() == b"mine = 1\n"


def test_discarding_may_be_done_again(workspace: Workspace) -> None:
    workspace.restore(workspace.mark())
    workspace.discard()
    workspace.discard()


def test_marks_and_proofs_survive_the_journal():
    proof = Proof(files=1, fingerprint="f", restored=("a",), foreign=("b",))
    for one in (Mark("1", "f"), proof):
        assert msgspec.json.decode(msgspec.json.encode(one), type=type(one)) == one
