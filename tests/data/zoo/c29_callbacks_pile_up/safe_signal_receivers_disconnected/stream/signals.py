"""Lets parts of the program hear of each other's doings."""

import contextlib


class Signal:
    def __init__(self):
        self._receivers = []

    def connect(self, receiver):
        self._receivers.append(receiver)
        return receiver

    def disconnect(self, receiver) -> None:
        self._receivers.remove(receiver)

    @contextlib.contextmanager
    def connected_to(self, receiver, sender):
        def only_from_sender(source, value):
            if source is sender:
                receiver(source, value)

        self.connect(only_from_sender)
        try:
            yield
        finally:
            self.disconnect(only_from_sender)

    def send(self, sender, value) -> None:
        for receiver in list(self._receivers):
            receiver(sender, value)


token_made = Signal()
