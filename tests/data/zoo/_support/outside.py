"""Everything a sample waits for. The next call can be held until whoever drives the sample lets it go."""

import asyncio
import os
import threading


class Held:
    def __init__(self, event):
        self.arrived = event()
        self.released = event()


class _Outside:
    def __init__(self):
        self.held = None
        self.held_thread = None


_state = _Outside()


def hold():
    _state.held = Held(asyncio.Event)
    return _state.held


def hold_thread():
    _state.held_thread = Held(threading.Event)
    return _state.held_thread


async def call():
    held, _state.held = _state.held, None
    if held:
        held.arrived.set()
        await held.released.wait()


def call_blocking():
    held, _state.held_thread = _state.held_thread, None
    if held:
        held.arrived.set()
        held.released.wait()


def hold_process():
    """The same across a fork."""
    _state.held_thread = Held(_PipeEvent)
    return _state.held_thread


def let_go():
    """From here on no one is held who was not held before."""
    _state.held = _state.held_thread = None


class _PipeEvent:
    """An event that one process sets and another waits for."""

    def __init__(self):
        self._read, self._write = os.pipe()

    def set(self):
        os.write(self._write, b"!")

    def wait(self):
        os.read(self._read, 1)
