"""Sessions of a tutor; each has a scratch pad."""

from dataclasses import dataclass


class ScratchPad:
    def __init__(self):
        self.notes = []

    def write(self, note: str) -> str:
        self.notes.append(note)
        return " / ".join(self.notes)


@dataclass
class TutorSession:
    pupil: str
    level: int = 1
    pad: ScratchPad = ScratchPad()

    def note(self, text: str) -> str:
        return self.pad.write(f"{self.pupil}: {text}")
