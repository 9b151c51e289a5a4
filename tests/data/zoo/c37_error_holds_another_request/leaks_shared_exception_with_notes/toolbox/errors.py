class ToolError(Exception):
    """A tool could not do what it was asked."""


NOT_ALLOWED = ToolError("this tool is not allowed")
