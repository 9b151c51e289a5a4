"""New text for ranges of a file; every byte outside them stays as it was."""

from __future__ import annotations

from carrel.source import SourceText

__all__ = ["Splices"]


class Splices:
    """Replacements of byte ranges in `SourceText.utf8`. A range that is put around others takes their place."""

    def __init__(self, text: SourceText) -> None:
        self._utf8 = text.utf8
        self._ranges: list[tuple[int, int, bytes]] = []

    def put(self, start: int, end: int, text: str) -> None:
        """Replace a range. Raises `ValueError` when it overlaps another one without holding it whole."""
        kept = []
        for known in self._ranges:
            if start <= known[0] and known[1] <= end and start < end:
                continue
            if known[0] < end and start < known[1]:
                raise ValueError(f"two edits overlap at byte {start}")
            kept.append(known)
        self._ranges = [*kept, (start, end, text.encode())]

    def insert(self, at: int, text: str) -> None:
        """Put text before a byte, after what was inserted there already."""
        self._ranges.append((at, at, text.encode()))

    def touches(self, start: int, end: int) -> bool:
        """Whether a replacement shares bytes with a range."""
        return any(first < end and start < last for first, last, _ in self._ranges)

    def text(self, start: int, end: int) -> str:
        """The text of a range as it will be."""
        return self._applied(start, end).decode()

    @property
    def ranges(self) -> list[tuple[int, int, bytes]]:
        """Start, end and new bytes of every replacement that changes something, in the order of the text."""
        # The sort keeps the order of what was inserted at one place.
        return sorted((one for one in self._ranges if self._utf8[one[0] : one[1]] != one[2]), key=lambda one: one[:2])

    def apply(self) -> bytes:
        """The whole text with every range replaced, as UTF-8."""
        return self._applied(0, len(self._utf8))

    def _applied(self, start: int, end: int) -> bytes:
        parts = []
        at = start
        for first, last, new in self.ranges:
            if start <= first and last <= end:
                parts += [self._utf8[at:first], new]
                at = last
        return b"".join((*parts, self._utf8[at:end]))
