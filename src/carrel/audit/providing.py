"""Where frameworks get the values of parameters from."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING

from carrel.audit.blocks import Parameter, chain

if TYPE_CHECKING:
    from carrel.audit.file_view import FileView

__all__ = ["Providing"]


class Providing:
    """The dependencies of one file's functions."""

    def __init__(self, view: FileView) -> None:
        self._view = view

    def dependency(self, parameter: Parameter) -> str | None:
        """The dotted name of what `Depends(…)` or `Security(…)` gets a parameter's value from.

        Also of what the application says by the parameter's name: `dependencies={"user": Provide(current_user)}`.
        """
        for place in self._markers(parameter):
            if chain(place.func).rpartition(".")[2] in ("Depends", "Security"):
                given = place.args[0] if place.args else parameter.annotation
                if isinstance(given, ast.Call) and (made := self._view.dotted(given.func)):
                    return f"{made}()"  # `Depends(Editor(Note))`
                return self._view.dotted(given) or chain(given) if given is not None else ""
        return self._provided.get(parameter.name) if self._provided and self._is_provided_for(parameter) else None

    @cached_property
    def _provided(self) -> dict[str, str]:
        """By name, what Litestar calls for the parameters that have the name."""
        if not self._view.imports("litestar", "starlite"):
            return {}
        return {
            key.value: self._view.dotted(value.args[0]) or chain(value.args[0])
            for block in self._view.blocks
            for given in block.nodes(ast.Dict)
            for key, value in zip(given.keys, given.values, strict=True)
            if isinstance(key, ast.Constant) and isinstance(key.value, str)
            and isinstance(value, ast.Call) and value.args and chain(value.func).rpartition(".")[2] == "Provide"
        }  # fmt: skip

    def _is_provided_for(self, parameter: Parameter) -> bool:
        """Whether Litestar calls the function that has the parameter: a handler, or what another one depends on."""
        around = next((one for one in self._view.functions if parameter in one.parameters), None)
        if around is None:
            return False
        return self._view.entry_point(around) is not None or around.symbol in self._provided.values()

    def marker(self, parameter: Parameter) -> str:
        """The dotted name of what says where a parameter's value comes from: `fastapi.Cookie`."""
        return next((found for place in self._markers(parameter) if (found := self._view.dotted(place.func))), "")

    def _markers(self, parameter: Parameter) -> list[ast.Call]:
        """The calls that describe a parameter: its default, and what its `Annotated` adds to the type.

        Also where the file has a name for that: `Me = Annotated[User, Depends(current_user)]`.
        """
        places: list[ast.expr] = [parameter.default] if parameter.default is not None else []
        annotation = parameter.annotation
        if isinstance(annotation, ast.Name):
            bound = self._view.module.scope.bindings.get(annotation.id, ())
            annotation = bound[0].value if len(bound) == 1 else None
        if isinstance(annotation, ast.Subscript) and isinstance(annotation.slice, ast.Tuple):
            places += annotation.slice.elts[1:]
        return [one for one in places if isinstance(one, ast.Call)]
