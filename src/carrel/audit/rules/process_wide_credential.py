"""A credential of one user that is set for the whole process."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.chains import chain_root
from carrel.audit.conditions import AnyOf, HasEntryPoints, IdentityParameter, Not, Reachable, TaintedParameter
from carrel.audit.file_view import FileView
from carrel.audit.frameworks import REQUEST_CALLS, REQUEST_OBJECTS
from carrel.audit.held import given_value, is_in_finally
from carrel.audit.mutations import Mutation
from carrel.audit.origins import called_name, leaves, parameters_in
from carrel.audit.persons import person_in
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.run_conditions import NeedsPermission
from carrel.audit.sharing import is_done_once, is_guarded, where
from carrel.findings import RuleInfo

__all__ = ["ProcessWideCredential"]

_CREDENTIAL: Final = re.compile(
    r"(?:api_?key|access_?key|secret_?key|(?<!max_)token|secret|passw(?:or)?d|credentials?|organi[sz]ation|bearer)$",
    re.IGNORECASE,
)
_CONFIGURATION: Final = re.compile(r"(?:Config|Configuration|Settings)$")
_CONFIGURES: Final = frozenset(
    {"google.generativeai.configure", "huggingface_hub.login", "wandb.login", "boto3.setup_default_session",
     "vertexai.init", "dspy.configure", "agentops.init", "dashscope.configure", "cloudinary.config"}
)  # fmt: skip
"""Functions that set the credentials of a whole library."""
_RANDOM: Final = re.compile(r"(?i)random|uuid|token_(?:hex|urlsafe)|urandom|nanoid|ulid")
_SETTINGS_FILES: Final = frozenset({"dotenv.set_key", "dotenv.unset_key"})
"""What writes to the file that the process reads its settings from: whoever does that means everybody."""
_COMMAND_LINES: Final = frozenset({"argparse", "click", "typer", "fire", "optparse", "docopt"})


class ProcessWideCredential:
    """`os.environ["OPENAI_API_KEY"] = api_key`, `openai.api_key = api_key`."""

    info = RuleInfo(
        rule="process-wide-credential",
        code="CAR028",
        severity="error",
        title="One user's credential is set for the whole process",
        why="Environment variables and attributes of a library exist once. A request that runs at the same time calls "
        "the provider with this user's key, and what it asks is charged to, and seen by, this user.",
        fix="Pass the credential to the client that is made for the request: `Client(api_key=…)`.",
        page=rule_page("process-wide-credential"),
        leak_classes=(28,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        bound = {name.partition(".")[0] for name in _imported(view)}
        if not bound.isdisjoint(_COMMAND_LINES):
            return
        yield from self._library(view)
        if view.imports("streamlit"):
            yield from self._by_script(view)
        told: set[Block] = set()
        for mutation in view.mutations:
            place = _place(mutation)
            if place and not mutation.removes and not _is_own_name(view, mutation):
                # One key for each provider, in branches: they are set for the same reason.
                found = list(self._stored(view, mutation, place)) if mutation.block not in told else []
                told.update(mutation.block for _ in found)
                yield from found
            elif _sets_any(mutation):
                yield from self._configured(view, mutation)

    def _stored(self, view: FileView, mutation: Mutation, place: str) -> Iterator[Candidate]:
        function = mutation.block
        named = (name for value in mutation.values for name in parameters_in(view, value, function))
        used = tuple(name for name in dict.fromkeys(named) if not _is_configuration(view, function, name))
        taint = view.best_taint(mutation.values, function)
        if taint is None:
            # What was fetched for somebody: `stripe.api_key = decrypt(merchant_of(merchant_id).key)`.
            used = tuple(name for name in used if person_in(name)) if _names_credential(mutation) else ()
        if not used and (taint is None or taint.by != "request"):
            return
        if _writes_settings(view, function):
            return
        entry = view.entry_point(function)
        if _is_handed(mutation) and entry is not None and entry.kind == "task":
            return  # what a job is handed was said by who set it up
        reached = Reachable(function.symbol)
        told = taint is not None and taint.by == "request"
        if _is_wrapper(mutation) and not any(_CREDENTIAL.search(name) for name in used):
            message = f"`{function.name}` sets whichever variable its object is about for the whole process"
            yield view.candidate(self.info, mutation.node, message, block=function, severity="info")
            return
        grades = [Grade("error")] if told else [Grade("error", (TaintedParameter(function.symbol, name), reached))
                                                for name in used]  # fmt: skip
        # Another request runs while this one waits for what it needs the credential for.
        races = function.is_async and view.suspends(function)
        if races and _names_credential(mutation):
            grades.append(Grade("warning", (AnyOf((reached, Not(HasEntryPoints()))),)))
        grades = list(where(grades, (Not(NeedsPermission(function.symbol)),)))
        if is_done_once(mutation) or _is_lent(view, mutation):
            grades = []
        message = f"`{function.name}` sets `{place}` for the whole process"
        yield view.candidate(self.info, mutation.node, message, block=function,
                             grades=tuple(grades) if _is_handed(mutation) or _is_inner(mutation)
                             else (*grades, Grade("info")))  # fmt: skip

    def _library(self, view: FileView) -> Iterator[Candidate]:
        """`genai.configure(api_key=api_key)`: there is one configuration of a library."""
        for function in view.functions:
            for call in function.nodes(ast.Call):
                if view.dotted(call.func) not in _CONFIGURES:
                    continue
                for keyword in call.keywords:
                    taint = view.taint(keyword.value, function) if _CREDENTIAL.search(keyword.arg or "") else None
                    if taint is None or not (taint.by == "request" or parameters_in(view, keyword.value, function)):
                        continue
                    reached = Reachable(function.symbol)
                    passed = (IdentityParameter(function.symbol, taint.parameter),) if taint.parameter else ()
                    grades = [Grade("error", (*passed, reached))]
                    if taint.parameter:
                        # A key of the operator's, one for each model, is no user's, but two requests differ in it.
                        grades.append(Grade("warning", (TaintedParameter(function.symbol, taint.parameter), reached)))
                    message = f"`{function.name}` sets `{keyword.arg}` for the whole process"
                    sure = where(grades, (Not(NeedsPermission(function.symbol)),))
                    yield view.candidate(self.info, call, message, block=function, grades=(*sure, Grade("info")))

    def _by_script(self, view: FileView) -> Iterator[Candidate]:
        """`os.environ["OPENAI_API_KEY"] = st.text_input("Key")` in a script that runs for each visitor."""
        for assign in view.top.nodes(ast.Assign):
            for target in assign.targets:
                is_variable = isinstance(target, ast.Subscript) and view.dotted(target.value) == "os.environ"
                where = _variable(target.slice) if is_variable and isinstance(target, ast.Subscript) else ""
                given = given_value(view, assign.value)
                if where and isinstance(given, ast.Call) and view.dotted(given.func) in REQUEST_CALLS:
                    message = f"the script sets `{where}` for the whole process, whoever runs it"
                    yield view.candidate(self.info, assign, message)

    def _configured(self, view: FileView, mutation: Mutation) -> Iterator[Candidate]:
        """`setattr(library, name, value)` for everything that a caller in this file hands over."""
        for caller in view.functions:
            for call in caller.nodes(ast.Call):
                if view.dotted(call.func) != mutation.block.symbol:
                    continue
                for keyword in call.keywords:
                    named = keyword.arg is not None and mutation.block.parameter(keyword.arg) is None
                    if named and _CREDENTIAL.search(keyword.arg or "") and parameters_in(view, keyword.value, caller):
                        message = f"`{caller.name}` has `{keyword.arg}` set for the whole process"
                        yield view.candidate(
                            self.info, mutation.node, message, block=caller, severity="warning",
                            related=(view.location(call, "handed over here"),),
                        )  # fmt: skip


def _writes_settings(view: FileView, function: Block) -> bool:
    """Whether the function has to do with the file that the process reads its settings from, `folder / ".env"`."""
    calls = any(view.dotted(call.func) in _SETTINGS_FILES for call in function.nodes(ast.Call))
    return calls or any(
        isinstance(one.value, str) and one.value.rpartition("/")[2] == ".env" for one in function.nodes(ast.Constant)
    )


def _is_lent(view: FileView, mutation: Mutation) -> bool:
    """Whether one at a time sets it, for what is done in a lock, and a `finally` puts back what was there."""
    place = {access.name for access in mutation.accesses}
    return is_guarded(view, mutation) and any(
        one.block is mutation.block and is_in_finally(view, one.node) and any(a.name in place for a in one.accesses)
        for one in view.mutations
    )


def _is_configuration(view: FileView, function: Block, name: str) -> bool:
    """Whether the parameter is a configuration by its type: the application's, whoever asks."""
    parameter = function.parameter(name)
    return parameter is not None and _CONFIGURATION.search(view.annotation_name(parameter.annotation)) is not None


def _imported(view: FileView) -> Iterator[str]:
    for bindings in view.module.scope.bindings.values():
        for binding in bindings:
            if binding.kind in ("import", "from_import"):
                yield view.module.imported(binding) or ""


def _place(mutation: Mutation) -> str:
    """The process-wide name that is set: an environment variable, an attribute of a library."""
    for access in mutation.accesses:
        if access.kind == "global" and access.name == "os.environ":
            if mutation.keys:
                return _variable(mutation.keys[-1])
            return _of_mappings(mutation) or ("os.environ" if _is_handed(mutation) else "")
    if mutation.kind == "attribute" and _CREDENTIAL.search(mutation.name) and _is_library(mutation):
        return f"{ast.unparse(mutation.target)}.{mutation.name}"
    return ""


def _variable(key: ast.expr) -> str:
    """The environment variable; empty for one that is known, by its text or a constant's name, and no credential."""
    known = str(key.value) if isinstance(key, ast.Constant) else ast.unparse(key).rpartition(".")[2]
    is_known = isinstance(key, ast.Constant) or known.isupper()
    if is_known and not _CREDENTIAL.search(known):
        return ""
    return f"os.environ[{ast.unparse(key)}]"


def _names_credential(mutation: Mutation) -> bool:
    """Whether the name itself says so; a name that only the caller knows does not."""
    return not _is_handed(mutation) and (not mutation.keys or isinstance(mutation.keys[-1], ast.Constant))


def _is_handed(mutation: Mutation) -> bool:
    """Whether it is `os.environ.update(settings)`, with whatever a caller hands over."""
    return mutation.name == "update" and all(
        isinstance(value, ast.Name) and mutation.block.parameter(value.id) is not None for value in mutation.values
    )


def _is_wrapper(mutation: Mutation) -> bool:
    """Whether the object says which variable it is: `os.environ[self.name] = value`, of whatever it may be."""
    key = mutation.keys[-1] if mutation.keys else None
    receiver = mutation.block.receiver
    return bool(receiver) and isinstance(key, ast.Attribute) and ast.unparse(key.value) == receiver


def _is_own_name(view: FileView, mutation: Mutation) -> bool:
    """Whether the variable has a name that only this call knows, made at random, and goes with it in a `finally`."""
    if not mutation.keys or isinstance(mutation.keys[-1], ast.Constant):
        return False
    key = mutation.keys[-1]
    made = (leaf for leaf, _ in leaves(view, key, mutation.block) if isinstance(leaf, ast.Call))
    return any(_RANDOM.search(called_name(call)) for call in made) and any(
        other.block is mutation.block and other.removes and is_in_finally(view, other.node)
        and [ast.unparse(one) for one in other.keys[-1:]] == [ast.unparse(key)]
        for other in view.mutations
    )  # fmt: skip


def _of_mappings(mutation: Mutation) -> str:
    """The variable of `os.environ.update({"API_KEY": key})`, `os.environ.update(API_KEY=key)`."""
    keys = [key for one in mutation.values if isinstance(one, ast.Dict) for key in one.keys if key is not None]
    if isinstance(mutation.node, ast.Call):
        keys += [ast.Constant(one.arg) for one in mutation.node.keywords if one.arg is not None]
    return next((name for key in keys if (name := _variable(key))), "")


def _is_library(mutation: Mutation) -> bool:
    # `replicate.default_client.api_token = token`
    root = chain_root(mutation.target)
    if not isinstance(root, ast.Name) or any(access.name in REQUEST_OBJECTS for access in mutation.accesses):
        return False
    found = mutation.block.scope.lookup(root.id)
    return found is not None and bool(found[1]) and all(binding.kind == "import" for binding in found[1])


def _is_inner(mutation: Mutation) -> bool:
    """Whether it is set on an object that a library holds, `replicate.default_client`, perhaps one of many."""
    return mutation.kind == "attribute" and isinstance(mutation.target, ast.Attribute)


def _sets_any(mutation: Mutation) -> bool:
    """Whether it is `setattr(library, name, value)` with a name that only the caller knows."""
    return mutation.kind == "attribute" and not mutation.name and _is_library(mutation)
