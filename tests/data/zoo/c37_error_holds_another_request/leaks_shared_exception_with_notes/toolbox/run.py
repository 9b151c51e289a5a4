import traceback

from .errors import NOT_ALLOWED, ToolError


def call_tool(name: str, argument: str) -> str:
    if name != "search":
        error = NOT_ALLOWED
        error.add_note(f"while calling {name}({argument!r})")
        raise error
    return argument


def run(name: str, argument: str) -> dict[str, str]:
    try:
        return {"result": call_tool(name, argument)}
    except ToolError as error:
        return {"error": "".join(traceback.format_exception_only(error))}
