class Memory:
    def __init__(self):
        self.lines = []

    def add(self, line: str) -> None:
        self.lines.append(line)

    def window(self, size: int = 10) -> list[str]:
        return self.lines[-size:]
