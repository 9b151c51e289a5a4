"""Kept buffers that are read beyond what was written, and those that are cut."""

from __future__ import annotations

import pytest

from carrel.audit.rules.reused_buffer import ReusedBuffer
from tests.audit.checking import finds, quiet

RULE = ReusedBuffer()


def reader(use: str, after: str = "reader = Reader()") -> str:
    return (
        "class Reader:\n    def __init__(self):\n        self._buffer = bytearray(4096)\n    def read(self, stream):\n"
        f"        count = stream.readinto(self._buffer)\n        {use}\n{after}\n"
    )


@pytest.mark.parametrize("use", ["return bytes(self._buffer)", "return self._buffer.decode()", "return self._buffer"])
def test_all_of_a_buffer_that_is_kept(use: str) -> None:
    finds(RULE, reader(use), "error")


@pytest.mark.parametrize("use", ["return bytes(self._buffer[:count])", "return len(self._buffer)", "return count"])
def test_only_what_was_written(use: str) -> None:
    quiet(RULE, reader(use))


def test_a_reader_for_each_connection_is_quiet() -> None:
    quiet(RULE, reader("return bytes(self._buffer)", "def serve(stream):\n    return Reader().read(stream)"))


def test_a_buffer_of_the_call_is_quiet() -> None:
    quiet(
        RULE, "def read(stream):\n    buffer = bytearray(10)\n    stream.readinto(buffer)\n    return bytes(buffer)\n"
    )


def test_a_buffer_of_the_module() -> None:
    finds(
        RULE,
        "BUFFER = bytearray(10)\ndef read(stream):\n    stream.recv_into(BUFFER)\n    return bytes(BUFFER)\n",
        "error",
    )


def scratch(start: str, rest: str = "return self._text.getvalue()") -> str:
    return (
        "import io\nclass Scratch:\n    def __init__(self):\n        self._text = io.StringIO()\n"
        "    def write(self, text):\n"
        f"        {start}\n        self._text.write(text)\n    def value(self):\n        {rest}\nscratch = Scratch()\n"
    )


def test_a_text_that_is_only_rewound() -> None:
    (found,) = finds(RULE, scratch("self._text.seek(0)"), "error", on="seek(0)")
    assert found.related[0].note == "the buffer is made once"


def test_a_text_that_is_read_beyond_what_was_written() -> None:
    finds(RULE, scratch("self._text.seek(0)", "return self._text.read(100)"), "error")
    finds(RULE, scratch("self._text.seek(0)", "return self._text.getvalue()[2:]"), "error")
    finds(RULE, scratch("self._text.seek(0)", "return self._text.read(size)").replace("value(self", "value(self, size"))


def test_a_text_of_the_module_and_of_a_closure() -> None:
    body = "    TEXT.seek(0)\n    TEXT.write(text)\n    return TEXT.getvalue()\n"
    finds(RULE, f"import io\nTEXT = io.StringIO()\ndef show(text):\n{body}", "error")
    inner = body.replace("    TEXT", "        TEXT").replace("    return", "        return")
    finds(
        RULE,
        f"import io\ndef make():\n    TEXT = io.StringIO()\n    def show(text):\n{inner}    return show\n",
        "error",
    )


@pytest.mark.parametrize(
    "code",
    [
        scratch("self._text.seek(0)\n        self._text.truncate()"),
        scratch("self._text.seek(0)\n        self._text.truncate(0)"),
        scratch("self._text = io.StringIO()\n        self._text.seek(0)"),
        scratch("self._text.seek(5)"),
        scratch("self._text.seek(0, 2)"),
        scratch("self._text.flush()"),
        scratch("self._text.seek(0)", "size = self._text.tell()\n        return self._text.read(size)"),
        scratch("self._text.seek(0)", "return self._text.getvalue()[: self._text.tell()]"),
        scratch("self._text.seek(0)").replace("io.StringIO()", "open('log')"),
        "import io\nDATA = io.BytesIO(b'logo')\ndef logo():\n    DATA.seek(0)\n    return DATA.read()\n",
        (
            "import io\ndef show(text):\n    out = io.StringIO()\n    out.write(text)\n    out.seek(0)\n"
            "    return out.getvalue()\n"
        ),
    ],
)
def test_what_is_cut_made_anew_or_only_read(code: str) -> None:
    quiet(RULE, code)


ARRAY = """
import numpy as np
class Encoder:
    def __init__(self, width):
        self._ids = {0}
    def encode(self, ids):
        {1}
        return {2}
encoder = Encoder(512)
"""


@pytest.mark.parametrize("array", ["np.zeros(width)", "bytearray(width)", "torch.empty(width)"])
def test_an_array_that_is_set_in_part_and_returned_whole(array: str) -> None:
    finds(RULE, ARRAY.format(array, "self._ids[:len(ids)] = ids", "self._ids"), "error", on="return self._ids")


@pytest.mark.parametrize(
    "parts",
    [
        ("np.zeros(width)", "self._ids[:len(ids)] = ids", "self._ids[:len(ids)]"),
        ("np.zeros(width)", "self._ids[:] = ids", "self._ids"),
        ("np.zeros(width)", "self._ids[:3] = ids", "self._ids"),
        ("np.zeros(width)", "self._ids.fill(0)\n        self._ids[:len(ids)] = ids", "self._ids"),
        ("np.zeros(width)", "self._ids[:len(ids)] = ids\n        self._ids[len(ids):] = 0", "self._ids"),
        ("np.zeros(width)", "self._ids = np.zeros(5)\n        self._ids[:len(ids)] = ids", "self._ids"),
        ("list(width)", "self._ids[:len(ids)] = ids", "self._ids"),
    ],
)
def test_an_array_of_which_nothing_old_is_seen(parts: tuple[str, ...]) -> None:
    quiet(RULE, ARRAY.format(*parts))


def test_an_array_of_an_object_for_each_request() -> None:
    quiet(RULE, ARRAY.format("np.zeros(width)", "self._ids[:len(ids)] = ids", "self._ids").rpartition("encoder =")[0])


PROTOCOL = """
import asyncio
BUFFER = bytearray(65536)
VIEW = memoryview(BUFFER)
class Framer(asyncio.BufferedProtocol):
    def __init__(self):
        self.own = bytearray(65536)
    def get_buffer(self, sizehint):
        return {0}
    def buffer_updated(self, nbytes):
        self.feed(bytes({1}))
"""


@pytest.mark.parametrize("given", ["VIEW", "BUFFER", "memoryview(BUFFER)"])
def test_a_protocols_buffer_that_is_read_beyond_what_arrived(given: str) -> None:
    finds(RULE, PROTOCOL.format(given, "BUFFER"), "error", on="bytes(BUFFER)")


@pytest.mark.parametrize(
    "parts", [("VIEW", "BUFFER[:nbytes]"), ("self.own", "self.own"), ("memoryview(self.own)", "b''")]
)
def test_a_protocols_buffer_of_one_connection_or_read_in_part(parts: tuple[str, ...]) -> None:
    quiet(RULE, PROTOCOL.format(*parts))


@pytest.mark.parametrize(
    ("body", "is_found"),
    [
        ("np.divide(pcm, 32768, out=self.samples[:pcm.size])\n        return self.samples", True),
        ("np.copyto(self.samples[:pcm.size], pcm)\n        return self.samples", True),
        ("np.divide(pcm, 32768, out=self.samples[:pcm.size])\n        return self.samples[:pcm.size]", False),
        ("np.divide(pcm, 32768, out=self.samples)\n        return self.samples", False),
        ("self.samples.fill(0)\n        np.copyto(self.samples[:pcm.size], pcm)\n        return self.samples", False),
    ],
)
def test_what_is_computed_into_the_beginning(body: str, *, is_found: bool) -> None:
    source = (
        "import numpy as np\nclass Frames:\n    def __init__(self):\n        self.samples = np.zeros(480000)\n"
        f"    def fill(self, pcm):\n        {body}\nframes = Frames()\n"
    )
    if is_found:
        finds(RULE, source, on="return")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("read", "is_found"),
    [
        ("bytes(block)", True),
        ("block.decode()", True),
        ("block.tobytes()", True),
        ("bytes(block[:count])", False),
        ("count", False),
    ],
)
def test_a_buffer_that_is_borrowed_from_a_pool(read: str, *, is_found: bool) -> None:
    source = (
        "from pool import POOL, SEEN\ndef first(path):\n    block = {0}\n    try:\n"
        "        with open(path, 'rb') as file:\n"
        f"            count = file.readinto(block)\n        return {read}\n    finally:\n        {{1}}\n"
    )
    shared = source.replace("{0}", "POOL.take()").replace("{1}", "POOL.give(block)")
    if is_found:
        finds(RULE, shared, "error", on="return")
    else:
        quiet(RULE, shared)
    quiet(RULE, source.replace("{0}", "bytearray(64)").replace("{1}", "SEEN.append(block)"))
    quiet(RULE, source.replace("{0}", "POOL.take()").replace("{1}", "done()"))


@pytest.mark.parametrize(
    ("ends", "read", "is_found"),
    [
        ("break", "bytes(frame)", True),
        ("break", "frame.decode()", True),
        ("break", "bytes(frame[:got])", False),
        ("raise EOFError", "bytes(frame)", False),  # it is full when the loop ends
    ],
)
def test_a_view_of_a_buffer_that_is_filled_bit_by_bit(ends: str, read: str, *, is_found: bool) -> None:
    source = (
        "{0}\ndef note(conn):\n    {1}\n    view, got = memoryview(frame), 0\n    while got < 64:\n"
        f"        n = conn.recv_into(view[got:])\n        if not n:\n            {ends}\n"
        f"        got += n\n    return {read}\n"
    )
    kept = source.replace("{0}", "frame = bytearray(64)")
    if is_found:
        finds(RULE, kept.replace("{1}", "pass"), "error", on="return")
        once = "def note(conn):\n    got = conn.recv_into(memoryview(frame)[0:])\n"
        finds(RULE, f"frame = bytearray(64)\n{once}    return {read}\n", "error", on="return")
    else:
        quiet(RULE, kept.replace("{1}", "pass"))
    quiet(RULE, kept.replace("{1}", "frame[:] = bytes(64)"))
    quiet(RULE, source.replace("{0}", "").replace("{1}", "frame = bytearray(64)"))


@pytest.mark.parametrize(
    ("body", "is_found"),
    [
        ("self.block[:n] = rows\nreturn self.net.predict(self.block, verbose=0)", True),
        ("self.block[:n] = rows\nscores = self.net.predict(self.block)\nreturn scores.tolist()", True),
        ("self.block[:n] = rows\nreturn self.net.predict(self.block)[:n]", False),
        ("self.block[:n] = rows\nscores = self.net.predict(self.block)\nreturn scores[:n]", False),
        ("self.block[:n] = rows\nreturn self.net.predict(self.block, n)", False),
        ("self.block[:n] = rows\nself.block[n:] = 0\nreturn self.net.predict(self.block)", False),
        ("self.block[:n] = rows\nreturn len(self.block)", False),
        ("at = 0\nfor row in rows:\n    self.block[at:at + n] = row\n    at += n\nreturn digest(self.block)", True),
        (
            "at = self.at\nfor row in rows:\n    self.block[at:at + n] = row\n    at += n\nreturn digest(self.block)",
            False,
        ),
    ],
)
def test_an_array_that_is_filled_in_part_and_worked_on_as_a_whole(body: str, *, is_found: bool) -> None:
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    source = (
        "import numpy as np\nclass Check:\n    def __init__(self, net):\n        self.net = net\n"
        f"        self.block = np.zeros((8, 4))\n    def run(self, rows):\n        n = len(rows)\n{lines}"
        "check = Check(1)\n"
    )
    (finds if is_found else quiet)(RULE, source)


@pytest.mark.parametrize(("sent", "is_found"), [("packet", True), ("packet[:2 + len(name)]", False)])
def test_a_part_in_the_middle_that_ends_where_the_new_values_do(sent: str, *, is_found: bool) -> None:
    source = (
        f"packet = bytearray(256)\ndef answer(name, out):\n    packet[2:2 + len(name)] = name\n    out.write({sent})\n"
    )
    if is_found:
        finds(RULE, source, "error", on="out.write")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("end", "made", "is_found"),
    [
        ("return ''.join(self.parts)", "letter = Letter()", True),
        ("text = ''.join(self.parts)\n        self.parts.clear()\n        return text", "letter = Letter()", False),
        ("return ''.join(self.parts)\n    def reset(self):\n        self.parts = []", "letter = Letter()", False),
        ("return ''.join(self.parts)", "letter = None", False),
        ("return len(self.parts)", "letter = Letter()", False),
    ],
)
def test_parts_that_nothing_takes_out_again(end: str, made: str, *, is_found: bool) -> None:
    source = (
        "from fastapi import FastAPI\napp = FastAPI()\nclass Letter:\n    def __init__(self):\n"
        "        self.parts = []\n"
        f"    def add(self, line):\n        self.parts.append(line)\n    def render(self):\n        {end}\n{made}\n"
        "@app.post('/x')\nasync def write(name: str):\n    letter.add(name)\n    return letter.render()\n"
    )
    if is_found:
        finds(RULE, source, "error", on="return ''.join")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("use", "is_found"),
    [
        ("return bytes(memoryview(self._buffer)[2:count])", False),
        ("return bytes(self._buffer[2:])", True),
        ("return bytes(memoryview(self._buffer)[2:])", True),
        ("self._buffer[count:] = bytes(4096 - count)", False),
        ("return HEAD.unpack_from(self._buffer)", True),
        ("if count < HEAD.size:\n            return None\n        return HEAD.unpack_from(self._buffer)", False),
    ],
)
def test_from_somewhere_to_the_end_and_a_head_that_is_there(use: str, *, is_found: bool) -> None:
    source = reader(use)
    if is_found:
        finds(RULE, source, "error", on="return")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("end", "is_found"), [("length", True), ("size", False), ("len(chunk)", False), ("2", False)])
def test_a_view_that_is_read_further_than_it_was_written(end: str, *, is_found: bool) -> None:
    source = (
        "class Line:\n    def __init__(self):\n        self.view = memoryview(bytearray(2048))\n"
        "    async def read(self, reader, head):\n        (length,) = unpack(head)\n"
        "        chunk = await reader.read(length)\n        size = len(chunk)\n"
        f"        self.view[: len(chunk)] = chunk\n        return bytes(self.view[:{end}])\nline = Line()\n"
    )
    if is_found:
        finds(RULE, source, "error", on="bytes")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("before", "made", "leaks"),
    [
        ("sheet.seek(0)", "io.BytesIO()", True),
        ("sheet.seek(0); sheet.truncate()", "io.BytesIO()", False),
        ("sheet.seek(0)", "socket()", False),
    ],
)
def test_files_that_go_round(before: str, made: str, *, leaks: bool) -> None:
    text = f"""
import io, queue
SHEETS = queue.SimpleQueue()
for _ in range(4):
    SHEETS.put({made})
def start():
    SHEETS.put({made})
def printed(rows):
    sheet = SHEETS.get()
    {before}
    sheet.writelines(rows)
    text = sheet.getvalue()
    SHEETS.put(sheet)
    return text
"""
    (finds if leaks else quiet)(RULE, text)
