import traceback

from .errors import ToolError, not_allowed


def call_tool(name: str, argument: str) -> str:
    if name != "search":
        error = not_allowed()
        error.add_note(f"while calling {name}({argument!r})")
        raise error
    return argument


def run(name: str, argument: str) -> dict[str, str]:
    try:
        return {"result": call_tool(name, argument)}
    except ToolError as error:
        return {"error": "".join(traceback.format_exception_only(error))}
