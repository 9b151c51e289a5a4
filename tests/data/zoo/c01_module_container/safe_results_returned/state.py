"""What the report tasks share."""

LIMITS: dict[str, int] = {"rows": 50}
