"""Tests of carrel.delivery.actions."""

from __future__ import annotations

from typing import get_args

from carrel.delivery.actions import Acknowledge, Action, Close, Command, ReadLog, ReadState, Request, Verify
from carrel.delivery.frames import ServerFrame


def test_a_shell_can_tell_all_requests_apart():
    assert set(get_args(Request)) == {Verify, Acknowledge, *get_args(Command)}


def test_a_writer_can_tell_all_actions_apart():
    assert set(get_args(Action)) == {*get_args(ServerFrame), ReadLog, ReadState, Close}
