"""Connections that a cancel leaves half read, and connections that are then closed."""

from __future__ import annotations

import pytest

from carrel.audit.rules.connection_reused_after_cancel import ConnectionReusedAfterCancel
from tests.audit.checking import finds, quiet

RULE = ConnectionReusedAfterCancel()
POOL = """
from contextlib import asynccontextmanager
class Pool:
    def __init__(self):
        self._free = []
    @asynccontextmanager
    async def connection(self):
        conn = self._free.pop() if self._free else await connect()
        try:
            yield conn
        finally:
            self._free.append(conn)
"""
CHANNEL = """
import asyncio
class Channel:
    async def open(self):
        self._reader, self._writer = await asyncio.open_connection("db", 1)
        self._lock = asyncio.Lock()
    async def ask(self, line):
        async with self._lock:
            return await self._exchange(line)
    async def _exchange(self, line):
        self._writer.write(line)
        return await self._reader.readline()
"""
ON_KEPT = CHANNEL.replace("self._reader, self._writer =", "self._streams =").replace(
    "        self._writer.write(line)\n        return await self._reader.readline()",
    "        reader, writer = self._streams\n        writer.write(line)\n        return await reader.readline()",
)


def test_a_pool_that_takes_everything_back() -> None:
    finds(RULE, POOL, "error", on="self._free.append")


def test_what_is_only_called_a_connection_and_serves_no_request() -> None:
    route = "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\nasync def index():\n    return 1\n"
    finds(RULE, POOL + route, "info")
    finds(RULE, POOL.replace("self._free else await connect", "self._free else await asyncio.open_connection") + route,
          "warning")  # fmt: skip


def test_a_queue_of_connections() -> None:
    code = POOL.replace("self._free.pop() if self._free else await connect()", "await self._free.get()")
    finds(RULE, code.replace("self._free.append(conn)", "await self._free.put(conn)"), "error")


@pytest.mark.parametrize("code", [CHANNEL.replace("_reader", "_stream_in").replace("_writer", "_stream_out"), ON_KEPT])
def test_an_exchange_in_turns(code: str) -> None:
    finds(RULE, code, "error", on="readline")


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("finally:", "except BaseException:\n            conn.close()\n            raise\n        else:"),
        (
            "            self._free.append(conn)",
            "            if conn.broken: conn.close()\n            else: self._free.append(conn)",
        ),
        ("        finally:\n    ", "        finally:\n            await conn.reset()\n    "),
        ("conn = self._free.pop() if self._free else await connect()", "conn = await connect()"),
        ("conn", "page"),
        ("self._free", "free"),
        (
            "        finally:\n            self._free.append(conn)",
            "        finally:\n            conn.seen.append(conn)",
        ),
        ("    async def", "    def"),
    ],
)
def test_a_pool_that_looks_first(was: str, now: str) -> None:
    assert was in POOL
    quiet(RULE, POOL.replace(was, now).replace("await connect", "connect" if now == "    def" else "await connect"))


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("return await self._exchange(line)", "return await asyncio.shield(self._exchange(line))"),
        ("        return await reader.readline()", ("        try:\n            return await reader.readline()\n"
         "        except BaseException:\n            writer.close()\n            raise")),
        ("        return await reader.readline()", ("        try:\n            return await reader.readline()\n"
         "        except asyncio.CancelledError:\n            self._streams = None\n            raise")),
        ("        return await reader.readline()", ("        try:\n            return await reader.readline()\n"
         "        finally:\n            writer.close()")),
        ("async with self._lock:", "if True:"),
        ("reader, writer = self._streams", "reader, writer = await asyncio.open_connection('db', 1)"),
        ("        writer.write(line)\n", ""),
    ],
)  # fmt: skip
def test_an_exchange_that_cannot_be_left_half_done(was: str, now: str) -> None:
    assert was in ON_KEPT
    quiet(RULE, ON_KEPT.replace(was, now))


def test_what_a_loop_reads_from() -> None:
    code = ON_KEPT.replace("reader, writer = self._streams", "for reader, writer in self._pairs: pass")
    quiet(RULE, code)


def test_a_shield_two_calls_up() -> None:
    shield = "        return await asyncio.shield(self._turn(line))\n    async def _turn(self, line):"
    quiet(RULE, ON_KEPT.replace("async def ask(self, line):", f"async def ask(self, line):\n{shield}"))


LINKS = """
import asyncio
class Link:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
    async def ask(self, line):
        self.writer.write(line)
        return await self.reader.readline()
class Links:
    async def open(self):
        self.idle = asyncio.Queue()
        self.idle.put_nowait(Link(*await asyncio.open_connection("bank", 1)))
    async def borrow(self):
        link = await self.idle.get()
        try:
            yield link
        finally:
            self.idle.put_nowait(link)
"""


def test_what_a_pool_holds_says_that_it_is_one() -> None:
    finds(RULE, LINKS, "error", on="self.idle.put_nowait(link)")


def test_a_pool_of_something_else() -> None:
    quiet(RULE, LINKS.replace("self.writer.write(line)", "pass"))


def test_a_pool_of_what_another_file_defines() -> None:
    link, _, pool = LINKS.partition("class Links:")
    files = {"link.py": link, "pool.py": f"import asyncio\nfrom link import Link\nclass Links:{pool}"}
    finds(RULE, files, "error", on="self.idle.put_nowait(link)")
    quiet(RULE, {**files, "link.py": link.replace("self.writer.write(line)", "pass")})


STREAMS = """
import asyncio
class Links:
    def __init__(self):
        self._idle = asyncio.Queue()
    async def ask(self, command):
        link = await self._idle.get()
        reader, writer = link
        try:
            writer.write(command)
            return await asyncio.wait_for(reader.readline(), 1.5)
        finally:
            self._idle.put_nowait(link)
"""


def test_a_pair_of_streams_under_a_name_of_its_own() -> None:
    finds(RULE, STREAMS, "error", on="put_nowait(link)")
    quiet(
        RULE,
        STREAMS.replace(
            "finally:", "except BaseException:\n            writer.close()\n            raise\n        else:"
        ),
    )
    quiet(RULE, STREAMS.replace("reader, writer = link", "reader, writer = await connect()"))


SOCKETS = """
import queue, socket
class Pool:
    def __init__(self):
        self._free = queue.LifoQueue()
        self._free.put(socket.create_connection(("points", 1), timeout=2))
    def call(self, data):
        sock = self._free.get()
        try:
            sock.sendall(data)
            return sock.recv(4096)
        finally:
            self._free.put(sock)
"""


def test_a_socket_that_is_given_back_after_a_timeout() -> None:
    finds(RULE, SOCKETS, "error", on="self._free.put(sock)")
    quiet(RULE, SOCKETS.replace(", timeout=2", ""))
    quiet(
        RULE, SOCKETS.replace("finally:", "except OSError:\n            sock.close()\n            raise\n        else:")
    )
    quiet(RULE, SOCKETS.replace("sock.sendall(data)", "pass"))


def test_what_is_connected_where_the_pool_has_none() -> None:
    text = (
        "import asyncio\nfrom contextlib import asynccontextmanager\nclass Backends:\n    def __init__(self):\n"
        "        self._free = []\n    @asynccontextmanager\n    async def borrow(self):\n"
        "        one = self._free.pop() if self._free else await asyncio.open_connection('h', 1)\n"
        "        try:\n            yield one\n        finally:\n            self._free.append(one)\n"
    )
    finds(RULE, text, on="self._free.append")
    quiet(RULE, text.replace("asyncio.open_connection", "make_buffer"))


PAIRS = """
import asyncio
idle = asyncio.Queue()
async def exchange(message):
    reader, writer = await idle.get()
    try:
        writer.write(message)
        return await reader.readline()
    finally:
        idle.put_nowait((reader, writer))
"""


def test_a_queue_of_the_module_with_pairs_of_streams() -> None:
    finds(RULE, PAIRS, "error", on="put_nowait")
    finds(RULE, {"pool.py": "import asyncio\nidle = asyncio.Queue()", "app.py": PAIRS.replace(
        "import asyncio\nidle = asyncio.Queue()", "from pool import idle")}, "error", on="put_nowait")  # fmt: skip


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("finally:", "except BaseException:\n        writer.close()\n        raise\n    else:"),
        ("finally:\n", "finally:\n        if not done: writer.close()\n        else:\n    "),
        ("reader, writer = await idle.get()", "reader, writer = await connect()"),
        ("async def exchange(message):", "async def exchange(message, idle):"),
        ("        writer.write(message)\n", ""),
        ("await reader.readline()", "message"),
        ("(reader, writer)", "(message, 1)"),
    ],
)
def test_a_queue_of_the_module_that_takes_only_what_is_done(was: str, now: str) -> None:
    assert was in PAIRS
    quiet(RULE, PAIRS.replace(was, now))


WIRE = {
    "wire.py": """
        import asyncio
        class Wire:
            def __init__(self):
                self.spare = []
            async def acquire(self):
                return self.spare.pop() if self.spare else await asyncio.open_connection("core", 70)
            def release(self, pair):
                self.spare.append(pair)
        """,
    "service.py": """
        from wire import Wire
        wire = Wire()
        async def balance(account):
            pair = await wire.acquire()
            reader, writer = pair
            try:
                writer.write(account)
                return await reader.readline()
            finally:
                wire.release(pair)
        """,
}


def test_a_pool_that_is_told_what_comes_back() -> None:
    finds(RULE, WIRE, "error", on="wire.release(pair)")
    quiet(RULE, {**WIRE, "wire.py": WIRE["wire.py"].replace("self.spare.append(pair)", "...")})
    quiet(
        RULE,
        {**WIRE, "service.py": WIRE["service.py"].replace("            finally:", "            except Exception:")},
    )


BORROWED = """
class Borrowed:
    def __init__(self, owner):
        self.owner = owner
    async def __aenter__(self):
        self.stream = await self.owner.idle.get()
        return self.stream
    async def __aexit__(self, kind, error, trace):
        await self.owner.idle.put(self.stream)
"""


def test_leaving_gives_back_whatever_has_happened() -> None:
    finds(RULE, BORROWED, "error", on="idle.put")
    quiet(RULE, BORROWED.replace("trace):", "trace):\n        if kind: return"))
    quiet(RULE, BORROWED.replace("self.stream", "self.ticket"))


LENT = """
import asyncio
class Link:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
    async def ask(self, prompt):
        self.writer.write(prompt)
        await self.writer.drain()
        yield await self.reader.readline()
class Workers:
    def __init__(self):
        self.free = asyncio.Queue()
    async def acquire(self) -> Link:
        return self.free.get_nowait() if self.free.qsize() else Link(*await connect())
    def release(self, link):
        self.free.put_nowait(link)
workers = Workers()
async def relay(prompt):
    link = await workers.acquire()
    try:
        async for line in link.ask(prompt):
            yield line
    finally:
        workers.release(link)
"""


def test_a_connection_whose_own_method_asks_and_reads() -> None:
    finds(RULE, LENT, "error", on="workers.release(link)")
    quiet(RULE, LENT.replace("self.free.put_nowait(link)", "link.close() if link.busy else self.free.put_nowait(link)"))
    quiet(RULE, LENT.replace("self.reader.readline()", "self.wait()"))


LEASE = """
from contextlib import asynccontextmanager
class Lines:
    @asynccontextmanager
    async def lease(self):
        line = self.idle.popleft() if self.idle else await dial(self.url)
        try:
            yield line
        finally:
            self.idle.append(line)
    async def call(self, method):
        async with self.lease() as line:
            await line.send(method)
            return await line.recv()
"""


def test_a_connection_that_is_lent_to_who_asks_and_reads() -> None:
    finds(RULE, LEASE, "error", on="self.idle.append(line)")
    quiet(RULE, LEASE.replace("return await line.recv()", "pass"))


def test_an_exchange_on_the_parts_of_what_the_object_keeps() -> None:
    code = """
    class Scale:
        async def weigh(self, pen):
            async with self.lock:
                reader, writer = self.link
                writer.write(pen)
                return await reader.readline()
    """
    finds(RULE, code, "error", on="readline")
    quiet(RULE, code.replace("reader, writer = self.link", "reader, writer = pen"))


DESK = """
import asyncio
class Desk:
    def __init__(self):
        self._spare = []
        self._guard = asyncio.Semaphore(3)
    def _next(self):
        return self._spare.pop()
    async def weigh(self, item):
        async with self._guard:
            scale = self._next()
            try:
                incoming, outgoing = scale
                outgoing.write(item)
                return await incoming.readline()
            except OSError:
                scale[1].close()
                raise
            finally:
                self._spare.append(scale)
    async def price(self, item):
        return await self.weigh(item)
"""


def test_what_a_helper_takes_from_the_pool_and_only_errors_close() -> None:
    finds(RULE, DESK, "error", on="self._spare.append")


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("except OSError:", "except BaseException:"),
        ("return await self.weigh(item)", "job = asyncio.ensure_future(self.weigh(item)); await asyncio.shield(job)"),
        ("return self._spare.pop()", "return self._made.pop()"),
    ],
)  # fmt: skip
def test_what_a_helper_takes_and_a_cancel_does_not_leave_half_read(was: str, now: str) -> None:
    quiet(RULE, DESK.replace(was, now))
