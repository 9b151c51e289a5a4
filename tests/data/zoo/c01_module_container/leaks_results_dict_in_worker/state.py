"""What the report tasks share."""

LATEST: dict[str, object] = {}
