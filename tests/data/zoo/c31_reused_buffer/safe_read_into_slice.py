"""Reads a client's frame into a buffer that is kept, because allocating one for each frame is slow."""

import io


class FrameReader:
    def __init__(self, size: int = 4096):
        self._buffer = bytearray(size)

    def read(self, stream: io.RawIOBase) -> str:
        count = stream.readinto(self._buffer)
        if not count:
            return ""
        return bytes(self._buffer[:count]).decode()


reader = FrameReader()


def echo(stream: io.RawIOBase) -> str:
    return f"received {reader.read(stream)}"
