"""Stands in for psycopg2, over a Unix socket: a parameter out, a value back, and replies carry no id."""

import socket

import outside


class _Cursor:
    def __init__(self, connected):
        self._socket = connected

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def execute(self, query, parameters):
        self._socket.sendall(f"{parameters[0]}\n".encode())
        outside.call_blocking()
        line = b""
        while not line.endswith(b"\n"):
            line += self._socket.recv(1)
        self._row = (line.decode().strip(),)

    def fetchone(self):
        return self._row


class _Connection:
    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)

    def cursor(self):
        return _Cursor(self._socket)


def connect(dsn):
    return _Connection(dsn)
