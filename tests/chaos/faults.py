"""What can go wrong around a server, one function for each; all of them in one tuple, drawn from by a seed."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.chaos.clients import Client
from tests.chaos.victim import Victim

__all__ = ["DEADLY", "FAULTS", "SURVIVED", "Fault", "Scene", "mount_small_disk", "unmount"]

DISK_MIB: Final = 64


@dataclass
class Scene:
    """What faults have at hand."""

    victim: Victim
    chance: random.Random
    clients: Sequence[Client]
    stalled: Sequence[asyncio.subprocess.Process] = ()
    longest: float = 3.0
    """Seconds that a fault may hold."""
    notes: list[str] = field(default_factory=list)
    own_disk: bool = False
    """Whether the data directory is a small file system of its own."""

    async def hold(self, longest: float | None = None) -> None:
        await asyncio.sleep(0.3 + self.chance.random() * (longest or self.longest))


Fault = Callable[[Scene], Awaitable[None]]


async def kill(scene: Scene) -> None:
    """kill -9, and start again."""
    scene.victim.kill()
    await asyncio.sleep(scene.chance.random() * 0.5)
    await scene.victim.ready()


async def kill_twice(scene: Scene) -> None:
    """kill -9, and again while it starts or recovers."""
    scene.victim.kill()
    scene.victim.start()
    await asyncio.sleep(scene.chance.random() * 4)
    await kill(scene)


async def fill_the_disk(scene: Scene) -> None:
    """No byte is left, for a while."""
    if scene.own_disk:
        ballast = scene.victim.data / "ballast"
        await asyncio.to_thread(_fill, ballast)
        try:
            await scene.hold()
        finally:
            ballast.unlink()
    else:
        await limit_file_size(scene)


async def limit_file_size(scene: Scene) -> None:
    """The operating system lets no file grow, as with a quota."""
    sizes = [path.stat().st_size for path in scene.victim.data.iterdir() if path.is_file()]
    before = resource.prlimit(scene.victim.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(scene.victim.pid, resource.RLIMIT_FSIZE, (max(sizes) // 2, before[1]))
    try:
        await scene.hold()
    finally:
        resource.prlimit(scene.victim.pid, resource.RLIMIT_FSIZE, before)


async def lock_the_database(scene: Scene) -> None:
    """Another process writes, and takes its time."""
    await _locked(scene, scene.chance.choice((1.0, 3.0, 5.0 * scene.longest)))


async def kill_while_locked(scene: Scene) -> None:
    """It is killed, and the next one finds the database locked."""
    locked = asyncio.create_task(_locked(scene, 2.0))
    await asyncio.sleep(0.3)
    scene.victim.kill()
    scene.victim.start()
    await locked
    await scene.victim.ready()


async def kill_while_full(scene: Scene) -> None:
    """It is killed, and the next one finds the disk full."""
    filled = asyncio.create_task(fill_the_disk(scene))
    await asyncio.sleep(0.2)
    scene.victim.kill()
    scene.victim.start()
    await filled
    await scene.victim.ready()


async def move_the_clock(scene: Scene) -> None:
    """Time jumps, there and back."""
    clock = scene.victim.clock
    assert clock is not None, "the scene needs a server whose clock can be moved"
    for seconds in (scene.chance.choice((-7200, -90, 3600, 40_000)), 0):
        clock.write_text(f"{seconds:+d}\n")
        await scene.hold()


async def exhaust_descriptors(scene: Scene) -> None:
    """No file, no socket can be opened any more."""
    pid = scene.victim.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    few = len(os.listdir(f"/proc/{pid}/fd")) + scene.chance.randrange(-3, 3)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (max(few, 8), before[1]))
    try:
        for client in scene.clients[::2]:
            client.vanish()
        await scene.hold()
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


async def stall_clients(scene: Scene) -> None:
    """Processes of clients are stopped, and go on later."""
    for process in scene.stalled:
        process.send_signal(signal.SIGSTOP)
    await scene.hold()
    for process in scene.stalled:
        process.send_signal(signal.SIGCONT)


async def stop_the_server_for_a_while(scene: Scene) -> None:
    """SIGSTOP: as a virtual machine that is moved."""
    os.kill(scene.victim.pid, signal.SIGSTOP)
    await scene.hold()
    os.kill(scene.victim.pid, signal.SIGCONT)


async def half_close_clients(scene: Scene) -> None:
    """Clients say no more, and go on listening."""
    for client in scene.clients:
        if scene.chance.random() < 0.4:
            client.close_half()
    await scene.hold(1.0)


async def lose_clients(scene: Scene) -> None:
    """Clients vanish."""
    for client in scene.clients:
        if scene.chance.random() < 0.6:
            client.vanish()
    await scene.hold(0.5)


DEADLY: Final[tuple[Fault, ...]] = (kill, kill_twice, kill_while_locked, kill_while_full)
SURVIVED: Final[tuple[Fault, ...]] = (
    fill_the_disk,
    limit_file_size,
    lock_the_database,
    exhaust_descriptors,
    stall_clients,
    stop_the_server_for_a_while,
    half_close_clients,
    lose_clients,
)
FAULTS: Final = (*DEADLY, *SURVIVED)


async def _locked(scene: Scene, seconds: float) -> None:
    script = (
        "import sqlite3, sys, time\n"
        "c = sqlite3.connect(sys.argv[1], timeout=20, isolation_level=None)\n"
        "c.execute('BEGIN IMMEDIATE')\n"
        "time.sleep(float(sys.argv[2]))\n"
        "c.execute('ROLLBACK')\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(scene.victim.database), str(seconds), stderr=subprocess.DEVNULL
    )
    await process.wait()


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            if file.write(bytes(1 << 16)) < 1 << 16:
                break
    with path.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(512))


def mount_small_disk(directory: Path) -> bool:
    """A tmpfs at `directory`; False where that is not allowed."""
    directory.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(directory)]
    try:
        return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0
    except OSError:
        return False


def unmount(directory: Path) -> None:
    subprocess.run(["umount", "--lazy", str(directory)], capture_output=True, timeout=10, check=False)
