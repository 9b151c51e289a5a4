"""What a client asks for when it starts a run, and what it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from carrel.context import RunId, ThreadId
from carrel.errors import InputError

__all__ = ["MAX_INPUT_CHARACTERS", "Accepted", "IfBusy", "RunRequest", "title_of"]

IfBusy = Literal["reject", "enqueue", "interrupt", "rollback"]

MAX_INPUT_CHARACTERS: Final = 32_768
MAX_KEY_CHARACTERS: Final = 128
TITLE_CHARACTERS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """A run that a user wants. Raises `InputError` naming the field when a value is not accepted."""

    input: str
    """What the user asks: not blank, at most 32,768 characters, no NUL."""
    thread_id: ThreadId | None = None
    """The conversation; None for a new one."""
    agent: str = "supervisor"
    if_busy: IfBusy = "enqueue"
    """What to do when another run of the thread is not over: refuse this one, run it after, cancel the others first, or
    cancel them and take them out of the conversation."""
    idempotency_key: str | None = None
    """The client's own name for this request: asked again within 24 hours, the answer is the first one's."""

    def __post_init__(self) -> None:
        if not isinstance(self.input, str) or not self.input.strip():
            raise InputError("input", "is empty; ask something")
        if len(self.input) > MAX_INPUT_CHARACTERS:
            raise InputError("input", f"is longer than {MAX_INPUT_CHARACTERS} characters; shorten it")
        if "\0" in self.input or not _is_unicode(self.input):
            raise InputError("input", "contains a NUL character or half of a surrogate pair; send plain text")
        if self.if_busy not in ("reject", "enqueue", "interrupt", "rollback"):
            raise InputError("if_busy", "must be reject, enqueue, interrupt or rollback")
        key = self.idempotency_key
        if key is not None and not (isinstance(key, str) and key.isprintable() and 0 < len(key) <= MAX_KEY_CHARACTERS):
            raise InputError("idempotency_key", f"must be 1 to {MAX_KEY_CHARACTERS} printable characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What became of a request about a run."""

    thread_id: ThreadId
    run_id: RunId
    created: bool
    """Whether the run was started by this request, and not by an earlier one with the same key."""


def title_of(input: str) -> str:
    """A title for the thread that begins with `input`: its beginning, on one line, cut between words."""
    line = " ".join(input.split())
    if len(line) <= TITLE_CHARACTERS:
        return line
    head = line[: TITLE_CHARACTERS - 1]
    words = head.rsplit(" ", 1)[0] if line[TITLE_CHARACTERS - 1] != " " else head
    return (words if len(words) > TITLE_CHARACTERS // 2 else head) + "…"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
