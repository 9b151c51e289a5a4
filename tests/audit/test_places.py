"""What the path of a file says."""

from __future__ import annotations

import pytest

from carrel.audit.places import is_example, is_foreign, is_start_up, is_test_path, is_test_plumbing


@pytest.mark.parametrize(
    "path", ["app/dist/pytz/x.py", "vendor/six.py", "pip/_vendor/idna/core.py", "third_party/a.py"]
)
def test_a_copy_of_another_project_is_foreign(path: str) -> None:
    assert is_foreign(path)


def test_what_shows_how_something_is_used() -> None:
    assert is_example("docs/hooks/app.py")
    assert is_example("chat/examples/bot.py")
    assert is_example("notebooks/evaluate.py")
    assert not is_example("chat/example.py")
    assert not is_example("documents/app.py")


@pytest.mark.parametrize(
    "path",
    [
        "mlflow/pytest/session.py",
        "app/testing/client.py",
        "app/conftest.py",
        "scripts/e2e/sign_in.py",
        "mock_sign_in.py",
    ],
)
def test_what_helps_tests_is_plumbing(path: str) -> None:
    assert is_test_plumbing(path)


@pytest.mark.parametrize(
    "path",
    [
        "panel/command/serve.py",
        "app/cli/run.py",
        "app/cli.py",
        "app/__main__.py",
        "app/websetup/users.py",
        "app/bootstrap.py",
        "app/seed.py",
    ],
)
def test_what_a_command_line_runs_is_start_up(path: str) -> None:
    assert is_start_up(path)


@pytest.mark.parametrize("path", ["app/vendors/api.py", "app/distance.py", "app/client.py", "app/tests/test_a.py"])
def test_any_other_file_is_of_the_product(path: str) -> None:
    assert not is_foreign(path)
    assert not is_test_plumbing(path)
    assert not is_start_up(path)


@pytest.mark.parametrize(
    "path",
    [
        "tests/a.py",
        "tests_of_pages/a.py",
        "a/test_b.py",
        "a/test2.py",
        "a/b_test.py",
        "conftest.py",
        "examples/a.py",
        "desk/south_migrations/0001_initial.py",
        "example_x/a.py",
        "backup/a.py",
        "a_pb2.py",
        "a/thirdparty/b.py",
        "data/templates/server.py",
        "x/project_template/a.py",
        "tutorial/chat/a.py",
    ],
)
def test_paths_of_tests(path: str) -> None:
    assert is_test_path(path)


@pytest.mark.parametrize("path", ["a/testimony.py", "contest.py", "src/latest/a.py", "a/templates.py"])
def test_paths_of_the_product(path: str) -> None:
    assert not is_test_path(path)
