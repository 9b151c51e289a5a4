"""How a call of an old constructor is written in the new way."""

from __future__ import annotations

import ast
import string
from dataclasses import dataclass, field
from inspect import Parameter, Signature

from carrel.migrate.recipe import Constructor, ConstructorCall
from carrel.migrate.splices import Splices
from carrel.source import Module
from carrel.source.comments import comment_ranges

__all__ = ["CallPlan", "plan_call", "write_call"]


@dataclass(frozen=True, slots=True)
class CallPlan:
    """What becomes of one call. Without a `way` it keeps its arguments: in a call of the new symbol, with a `maker` of
    that, and with `stays` of the old constructor."""

    node: ast.Call
    way: ConstructorCall | None = None
    arguments: dict[str, ast.expr | str] = field(default_factory=dict)
    """Old parameter -> the argument, or the default as text."""
    given: frozenset[str] = frozenset()
    """The old parameters that the call gives."""
    reason: str = ""
    """Why a person must look at it."""
    stays: bool = False
    maker: str = ""
    """The dotted name of the function that takes the old arguments as they are."""


def plan_call(constructor: Constructor, node: ast.Call, *, in_async: bool) -> CallPlan:
    """Bind a call to the old signature and choose the first way of the recipe that fits."""
    if any(isinstance(one, ast.Starred) for one in node.args) or any(one.arg is None for one in node.keywords):
        return _as_it_is(constructor, node, "passes * or **, so which parameters it gives is not known")
    signature = constructor.old_signature
    try:
        bound = signature.bind(*node.args, **{one.arg: one.value for one in node.keywords if one.arg is not None})
    except TypeError as error:
        return _unfit(constructor, node, str(error))
    given = frozenset(bound.arguments)
    arguments: dict[str, ast.expr | str] = {}
    for name, parameter in signature.parameters.items():
        if name in bound.arguments:
            arguments[name] = bound.arguments[name]
        elif parameter.default is not Parameter.empty:
            arguments[name] = str(parameter.default)
    if any(one.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD) and given.intersection([name])
           for name, one in signature.parameters.items()):  # fmt: skip
        return _as_it_is(constructor, node, "gives more than the named parameters of the old signature")
    obstacles: list[str] = []
    for way in constructor.calls:
        obstacle = _obstacle(way, arguments, given, in_async=in_async)
        if not obstacle:
            return CallPlan(node, way, arguments, given)
        obstacles.append(obstacle)
    return _as_it_is(constructor, node, f"no new form fits it: {'; '.join(dict.fromkeys(obstacles))}")


def write_call(module: Module, plan: CallPlan, splices: Splices, new: str) -> str:
    """The text of the new call; `new` is what the new symbol is called in the file."""
    if plan.way is None:
        raise ValueError("the call has no new form")
    way = plan.way
    texts = {name: _text(module, splices, argument) for name, argument in plan.arguments.items()}
    written = []
    for name, template in way.parameters.items():
        needed = _placeholders(template) - {"new"}
        if name in way.optional and needed and not needed & plan.given:
            continue
        expression = template.format_map({**texts, "new": new})
        written.append(expression if name in way.positional else f"{name}={expression}")
    called = way.call.format_map({"new": new})
    comments = _comments(module, plan)
    if comments:
        indent = " " * _indent(module, plan.node)
        lines = [*comments, *(f"{one}," for one in written)]
        inner = "".join(f"\n{indent}    {line}" for line in lines)
        text = f"{called}({inner}\n{indent})"
    else:
        text = f"{called}({', '.join(written)})"
    return f"({text})" if called.startswith("await ") and _binds_closer(module, plan.node) else text


def _obstacle(
    way: ConstructorCall, arguments: dict[str, ast.expr | str], given: frozenset[str], *, in_async: bool
) -> str:
    """Why a call cannot be written in one way of the recipe; empty when it can."""
    if way.where != "anywhere" and (way.where == "async") != in_async:
        return "it stands in an `async def`" if in_async else "it stands in no `async def`"
    for name in way.requires:
        if name not in given or _is_none(arguments[name]):
            return f"it gives no `{name}`"
    for name, template in way.parameters.items():
        needed = _placeholders(template) - {"new"}
        if (name not in way.optional or needed & given) and not needed <= arguments.keys():
            return f"it gives no `{min(needed - arguments.keys())}`"
    return ""


def _as_it_is(constructor: Constructor, node: ast.Call, reason: str) -> CallPlan:
    """A call that only the old constructor can serve, or the recipe's function that takes its arguments."""
    return CallPlan(node, reason=reason, maker=constructor.maker, stays=not constructor.maker)


def _unfit(constructor: Constructor, node: ast.Call, problem: str) -> CallPlan:
    """A call that the old constructor refuses: it fails before and after, unless it was written for a new one."""
    reason = f"does not fit the old signature: {problem}"
    for way in constructor.calls:
        signature = way.new_signature
        if signature is not None and way.call == "{new}" and node.keywords and _binds(signature, node):
            return CallPlan(node, reason=f"{reason}; it fits the new signature, and keeps its arguments")
    return CallPlan(node, reason=f"{reason}; it keeps its arguments, and needs a person")


def _binds(signature: Signature, node: ast.Call) -> bool:
    try:
        signature.bind(*node.args, **{one.arg: one.value for one in node.keywords if one.arg is not None})
    except TypeError:
        return False
    return True


def _text(module: Module, splices: Splices, argument: ast.expr | str) -> str:
    """The text of an argument as it will be, in parentheses where its place would change what it means."""
    if isinstance(argument, str):
        return argument
    text = splices.text(*module.text.span(argument))
    bare = isinstance(argument, ast.GeneratorExp | ast.NamedExpr | ast.Yield | ast.YieldFrom | ast.Lambda | ast.IfExp)
    return f"({text})" if bare and not text.startswith("(") else text


def _is_none(argument: ast.expr | str) -> bool:
    if isinstance(argument, str):
        return argument == "None"
    return isinstance(argument, ast.Constant) and argument.value is None


def _placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def _comments(module: Module, plan: CallPlan) -> list[str]:
    """The comments in a call that stand in none of the arguments which are kept whole."""
    start, end = module.text.span(plan.node)
    if b"#" not in module.text.utf8[start:end]:
        return []
    spans = [module.text.span(one) for one in plan.arguments.values() if isinstance(one, ast.expr)]
    return [
        module.text.utf8[first:last].decode()
        for first, last in comment_ranges(module.text.utf8)
        if start <= first < end and not any(left <= first < right for left, right in spans)
    ]


def _indent(module: Module, node: ast.Call) -> int:
    line = module.text.line(node.lineno)
    return len(line) - len(line.lstrip())


def _binds_closer(module: Module, node: ast.Call) -> bool:
    """Whether something around the call would take the `await` apart: an attribute, a call, an index, an operator."""
    parent = module.parent(node)
    if isinstance(parent, ast.Call):
        return parent.func is node
    return isinstance(parent, ast.Attribute | ast.Await | ast.BinOp | ast.UnaryOp | ast.Compare) or (
        isinstance(parent, ast.Subscript) and parent.value is node
    )
