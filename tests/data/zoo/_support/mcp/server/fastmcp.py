"""Stands in for the MCP SDK's FastMCP: tools, and a context that knows who called."""

import inspect
from dataclasses import dataclass


@dataclass
class AccessToken:
    subject: str


class RequestContext:
    def __init__(self, subject, session):
        self.access_token = AccessToken(subject)
        self.session = session


class Context:
    def __init__(self, subject, session=None):
        self.request_context = RequestContext(subject, session)
        self.session = session


class FastMCP:
    def __init__(self, name):
        self.name = name
        self._tools = {}

    def tool(self, name=None):
        def register(function):
            self._tools[name or function.__name__] = function
            return function

        return register

    async def call_tool(self, subject, name, session=None, **arguments):
        """A call that the transport has authenticated as `subject`'s."""
        function = self._tools[name]
        if "ctx" in inspect.signature(function).parameters:
            arguments["ctx"] = Context(subject, session)
        return await function(**arguments)
