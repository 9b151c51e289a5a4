class ToolError(Exception):
    """A tool could not do what it was asked."""


def not_allowed() -> ToolError:
    return ToolError("this tool is not allowed")
