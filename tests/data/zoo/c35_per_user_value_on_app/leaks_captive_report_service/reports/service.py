class Scope:
    """What one user may see."""

    def __init__(self, user_id: str, rows: dict[str, list[str]]):
        self.user_id = user_id
        self._rows = rows

    def rows(self) -> list[str]:
        return self._rows.get(self.user_id, [])


class ReportService:
    def __init__(self, scope: Scope):
        self.scope = scope

    def report(self) -> str:
        return "\n".join(self.scope.rows())
