"""Reads the arguments of a tool call: JSON Schema and validation from a function's parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError
from pydantic_core import PydanticSerializationError, to_json

from carrel.context import UserExecutionContext
from carrel.errors import SettingsError, ToolFailedError

__all__ = ["ArgumentReader", "parameters_of"]

SHOWN_PROBLEMS: Final = 5


class ArgumentReader:
    """Knows the arguments of one tool: their JSON Schema, and how to check and convert what a caller gave.

    Strict, in the way of JSON: `"5"` is no integer and `1` is no boolean, while a string in RFC 3339 form is a date and
    an array a tuple. Names that the tool does not have are refused.
    """

    __slots__ = ("_fields", "_model", "_tool")

    def __init__(self, tool: str, arguments: Mapping[str, tuple[Any, Any]]) -> None:
        self._tool = tool
        # Aliases: a parameter may be called `schema` or `_x`, which a model's own field must not be.
        self._fields = {f"argument_{number}": name for number, name in enumerate(arguments)}
        fields: dict[str, Any] = {}
        for field, name in self._fields.items():
            annotation, default = arguments[name]
            given = Field(alias=name) if default is inspect.Parameter.empty else Field(default, alias=name)
            fields[field] = (annotation, given)
        try:
            self._model: type[BaseModel] = create_model(
                "arguments", __config__=ConfigDict(extra="forbid", arbitrary_types_allowed=False), **fields
            )
            self._model.model_json_schema()
        except (PydanticSchemaGenerationError, PydanticUserError) as error:
            problem = str(error).splitlines()[0]
            raise SettingsError(
                "tools", f"tool {tool!r}: a parameter has a type without JSON form: {problem}"
            ) from error

    def schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of the arguments, an object."""
        schema = self._model.model_json_schema()
        schema.pop("title", None)
        schema.setdefault("properties", {})
        return schema

    def read(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments by parameter name, converted; omitted ones are left to the function's defaults.

        Raises `ToolFailedError` (`invalid_arguments`) that names what is wrong.
        """
        try:
            # By way of JSON, so that a call from Python and a model's call are checked alike.
            read = self._model.model_validate_json(to_json(dict(given)), strict=True)
        except ValidationError as error:
            raise self._refusal(_problems(error)) from None
        except (PydanticSerializationError, ValueError) as error:
            raise self._refusal(f"the arguments are not JSON: {error}") from error
        return {self._fields[field]: getattr(read, field) for field in read.model_fields_set}

    def _refusal(self, problem: str) -> ToolFailedError:
        return ToolFailedError(self._tool, "invalid_arguments", problem)


def parameters_of(name: str, fn: Callable[..., Any]) -> tuple[tuple[str, ...], dict[str, tuple[Any, Any]]]:
    """Names that get the context; and name to (annotation, default or `Parameter.empty`) of the arguments."""
    try:
        hints = get_type_hints(fn, include_extras=True)
    except (NameError, TypeError) as error:
        raise SettingsError(
            "tools", f"tool {name!r}: an annotation cannot be read ({error}); define its types at module level"
        ) from error
    injected: list[str] = []
    arguments: dict[str, tuple[Any, Any]] = {}
    for parameter in inspect.signature(fn).parameters.values():
        where = f"tool {name!r}, parameter {parameter.name!r}"
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise SettingsError("tools", f"{where}: every parameter must have a name that callers can give")
        if parameter.name not in hints:
            raise SettingsError("tools", f"{where} has no type annotation; models need to know what to pass")
        if hints[parameter.name] is UserExecutionContext:
            injected.append(parameter.name)
        else:
            arguments[parameter.name] = (hints[parameter.name], parameter.default)
    return tuple(injected), arguments


def _problems(error: ValidationError) -> str:
    """`rows: Input should be a valid integer; colour: there is no such argument`."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    texts = []
    for problem in problems[:SHOWN_PROBLEMS]:
        where = ".".join(str(part) for part in problem["loc"])
        text = {"missing": "is required", "extra_forbidden": "there is no such argument"}.get(
            problem["type"], problem["msg"]
        )
        texts.append(f"{where}: {text}" if where else text)
    if len(problems) > SHOWN_PROBLEMS:
        texts.append(f"and {len(problems) - SHOWN_PROBLEMS} more")
    return "; ".join(texts)
