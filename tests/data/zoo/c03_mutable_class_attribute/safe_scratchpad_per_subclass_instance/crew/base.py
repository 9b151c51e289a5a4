class BaseAgent:
    """What every agent of the crew has."""

    tools: tuple[str, ...] = ()
    scratchpad: dict[str, str]

    def __init__(self, owner: str):
        self.owner = owner
        self.scratchpad = {}

    def note(self, key: str, value: str) -> None:
        self.scratchpad[key] = value

    def notes(self) -> str:
        return "; ".join(f"{key}={value}" for key, value in self.scratchpad.items())
