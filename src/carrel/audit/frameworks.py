"""What frameworks call: the decorators, registrations and base classes that make a function an entry point."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

__all__ = [
    "COPYING_BASES",
    "DECLARING_BASES",
    "DECORATED",
    "HANDLER_BASES",
    "HOOKS",
    "HTTP_METHODS",
    "PAGE_EVENTS",
    "READ_BY_BASES",
    "RECEIVES",
    "REGISTERED",
    "REQUEST_CALLS",
    "REQUEST_METHODS",
    "REQUEST_OBJECTS",
    "REQUEST_TYPES",
    "ROW_BASES",
    "ROW_MAKERS",
    "SENDS",
    "SERVERS",
    "EntryKind",
    "Registration",
    "handling", "is_made_for_request", "is_servicer",
]  # fmt: skip

EntryKind = Literal["route", "websocket", "tool", "task", "consumer", "callback", "middleware"]

HTTP_METHODS: Final = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
_VIEW_METHODS: Final = (*HTTP_METHODS, "dispatch", "initial", "setup", "get_queryset", "get_object", "get_context_data",
                        "form_valid", "perform_create", "perform_update", "perform_destroy",
                        "get_serializer_context")  # fmt: skip
_SET_METHODS: Final = (*_VIEW_METHODS, "list", "create", "retrieve", "update", "partial_update", "destroy")


@dataclass(frozen=True, slots=True)
class Registration:
    """A call that is handed the function to call: `add_url_rule(rule, endpoint, view_func)`."""

    kind: EntryKind
    position: int
    """Where the function stands among the arguments; -1 when only by keyword."""
    keywords: tuple[str, ...] = ()
    label: str = ""
    """The method in front of the path, where the call's name says it."""
    may_be_alone: bool = False
    """It may be all that is handed over, and is called by its own name."""


# A decorator by its last part. Those with `path` count only with a first argument that looks like one (`/chat`) or
# none; the others stand for themselves or are checked for the object that they are called on.
DECORATED: Final[Mapping[str, tuple[EntryKind, str]]] = MappingProxyType(
    {
        **{method: ("route", method.upper()) for method in HTTP_METHODS},
        "route": ("route", ""),
        "api_route": ("route", ""),
        "websocket": ("websocket", "WebSocket"),
        "websocket_route": ("websocket", "WebSocket"),
        "api_view": ("route", "api_view"),
        "action": ("route", "action"),
        "field": ("route", "field"),
        "mutation": ("route", "mutation"),
        "scheduled_job": ("task", "scheduled_job"),
        "middleware": ("middleware", "middleware"),
        "before_request": ("middleware", "before_request"),
        "on_request": ("middleware", "on_request"),
        "after_request": ("middleware", "after_request"),
        "before_app_request": ("middleware", "before_app_request"),
        "after_app_request": ("middleware", "after_app_request"),
        "exception_handler": ("middleware", "exception_handler"),
        "errorhandler": ("middleware", "errorhandler"),
        "app_errorhandler": ("middleware", "app_errorhandler"),
        "tool": ("tool", "tool"),
        "tool_plain": ("tool", "tool"),
        "call_tool": ("tool", "tool"),
        "function_tool": ("tool", "tool"),
        "resource": ("tool", "resource"),
        "prompt": ("tool", "prompt"),
        "task": ("task", "task"),
        "shared_task": ("task", "task"),
        "actor": ("task", "task"),
        "db_task": ("task", "task"),
        "subscriber": ("consumer", "subscriber"),
        "consumer": ("consumer", "consumer"),
        "on_message": ("callback", "on_message"),
        "on_chat_start": ("callback", "on_chat_start"),
        "on_chat_resume": ("callback", "on_chat_resume"),
        "on_chat_end": ("callback", "on_chat_end"),
        "on_settings_update": ("callback", "on_settings_update"),
        "on_audio_chunk": ("callback", "on_audio_chunk"),
        "action_callback": ("callback", "action_callback"),
        "set_starters": ("callback", "set_starters"),
        "event": ("callback", "event"),
        "command": ("callback", "command"),
        "message": ("callback", "message"),
        "hybrid_command": ("callback", "command"),
        "slash_command": ("callback", "command"),
        "callback_query": ("callback", "callback_query"),
        "on": ("callback", "on"),
        "entrypoint": ("task", "entrypoint"),
    }
)
"""The kind and label of the entry point that a decorator makes, by the decorator's last part."""

# Objects whose `.get`, `.event`, `.command` and so on take a function, by how they are usually called or made.
RECEIVERS: Final = frozenset(
    {"app", "api", "router", "blueprint", "bp", "server", "mcp", "bot", "client", "dp", "sio", "socketio", "celery",
     "agent", "cl", "queue", "huey", "broker", "worker", "dispatcher", "slack", "application", "routes", "graph",
     "commands", "tree"}
)  # fmt: skip

# These names mean too many things: they count only on a receiver from the list above, or with a path.
AMBIGUOUS: Final = frozenset(
    {*HTTP_METHODS, "on", "event", "command", "message", "resource", "prompt", "task", "consumer", "actor",
     "middleware", "callback_query", "action", "field", "mutation"}
)  # fmt: skip

REGISTERED: Final[Mapping[str, Registration]] = MappingProxyType(
    {
        "Route": Registration("route", 1, ("endpoint",)),
        "WebSocketRoute": Registration("websocket", 1, ("endpoint",), "WebSocket"),
        "APIRoute": Registration("route", 1, ("endpoint",)),
        "add_api_route": Registration("route", 1, ("endpoint",)),
        "add_api_websocket_route": Registration("websocket", 1, ("endpoint",), "WebSocket"),
        "add_websocket_route": Registration("websocket", 1, ("route",), "WebSocket"),
        "add_url_rule": Registration("route", 2, ("view_func",)),
        "add_route": Registration("route", 1, ("endpoint", "handler", "route")),
        **{f"add_{method}": Registration("route", 1, ("handler",), method.upper()) for method in HTTP_METHODS},
        **{method: Registration("route", 1, ("handler",), method.upper()) for method in HTTP_METHODS},
        "path": Registration("route", 1, ("view",)),
        "re_path": Registration("route", 1, ("view",)),
        "click": Registration("callback", 0, ("fn",)),
        "submit": Registration("callback", 0, ("fn",)),
        "change": Registration("callback", 0, ("fn",)),
        "then": Registration("callback", 0, ("fn",)),
        "ChatInterface": Registration("callback", 0, ("fn",)),
        "Interface": Registration("callback", 0, ("fn",)),
        "from_function": Registration("tool", 0, ("func", "coroutine")),
        "Tool": Registration("tool", -1, ("func", "function", "coroutine")),
        "FunctionTool": Registration("tool", 0, ("func",)),
        "StructuredTool": Registration("tool", -1, ("func", "coroutine")),
        "add_tool": Registration("tool", 0, ("fn",)),
        "add_node": Registration("task", 1, ("action",), may_be_alone=True),
        "MessageHandler": Registration("callback", 1, ("callback",)),
        "CommandHandler": Registration("callback", 1, ("callback",)),
        "add_task": Registration("task", 0, ("func",)),
        "add_job": Registration("task", 0, ("func",)),
        "serve": Registration("websocket", 0, ("handler",), "WebSocket"),
        "basic_consume": Registration("consumer", 1, ("on_message_callback", "consumer_callback")),
        "start_server": Registration("consumer", 0, ("client_connected_cb",)),
        "start_unix_server": Registration("consumer", 0, ("client_connected_cb",)),
        "consume": Registration("consumer", -1, ("callback",)),
        "CallbackQueryHandler": Registration("callback", 0, ("callback",)),
        **{
            hook: Registration("middleware", 0, ("f",))
            for hook in ("before_request", "after_request", "before_app_request", "after_app_request")
        },
        "Provide": Registration("middleware", 0, ("dependency",)),
        **dict.fromkeys(("Middleware", "add_middleware"), Registration("middleware", -1, ("dispatch",))),
        "subscribe": Registration("consumer", -1, ("cb", "callback")),
    }
)
"""By the last part of the name that is called."""

HOOKS: Final = frozenset({"guards", "middlewares", "before_request", "after_request", "before_send",
                          "on_response_prepare"})  # fmt: skip
"""Arguments, and lists, of applications, routers and routes that name functions to call for each of their requests."""

PAGE_EVENTS: Final = frozenset({"click", "submit", "change", "then"})
"""Registrations of what happens on a page; elsewhere these names mean other things."""

HANDLER_BASES: Final[Mapping[str, tuple[EntryKind, tuple[str, ...]]]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("HTTPEndpoint", "MethodView", "View", "APIView", "RequestHandler", "TemplateView", "GenericAPIView",
             "FormView", "ListView", "DetailView", "Resource", "HomeAssistantView", "HTTPMethodView"),
            ("route", (*HTTP_METHODS, "dispatch", "dispatch_request", "prepare")),
        ),
        **dict.fromkeys(("ViewSet", "ModelViewSet", "GenericViewSet"), ("route", _SET_METHODS)),
        **dict.fromkeys(
            ("WebSocketEndpoint", "WebsocketConsumer", "AsyncWebsocketConsumer", "AsyncJsonWebsocketConsumer",
             "JsonWebsocketConsumer", "WebSocketHandler"),
            ("websocket", ("on_connect", "on_receive", "on_disconnect", "connect", "receive", "receive_json",
                           "disconnect", "open", "on_message", "on_close")),
        ),
        **dict.fromkeys(
            ("socketio.AsyncNamespace", "socketio.Namespace", "flask_socketio.Namespace"), ("callback", ("on_*",))
        ),
        "BaseHTTPMiddleware": ("middleware", ("dispatch",)),
        "AbstractAuthenticationMiddleware": ("middleware", ("authenticate_request",)),
        "AuthenticationBackend": ("middleware", ("authenticate",)),
        "BaseHTTPRequestHandler": ("route", ("do_GET", "do_POST", "do_PUT", "do_DELETE", "do_PATCH")),
        "BaseRequestHandler": ("consumer", ("handle",)),
        "StreamRequestHandler": ("consumer", ("handle",)),
        **dict.fromkeys(
            ("asyncio.Protocol", "asyncio.BufferedProtocol", "asyncio.DatagramProtocol"),
            ("consumer", ("connection_made", "data*_received", "buffer_updated")),
        ),
        **dict.fromkeys(
            ("grpc.ServerInterceptor", "grpc.aio.ServerInterceptor"), ("middleware", ("intercept_service",))
        ),
        "BaseTool": ("tool", ("_run", "_arun", "run", "arun", "forward")),
        "Task": ("task", ("run",)),
    }
)  # fmt: skip
"""Classes whose subclasses are handlers: the kind, and the methods that are called, `*` for any ending.

By the last part of their names, or by the whole where that part says too little.
"""


_ONE_FOR_ALL: Final = ("HomeAssistantView", "twisted.web.resource.Resource")
"""Those of which one object, that the application is handed, answers all requests."""


@dataclass(frozen=True, slots=True)
class _Family:
    """Classes whose subclasses are handlers, too many to name: `ListAPIView`, `ReadOnlyModelViewSet`."""

    ending: str
    """Of the base's name."""
    home: str
    """What is in the dotted name of the base's module."""
    kind: EntryKind
    methods: tuple[str, ...]


_FAMILIES: Final = (
    _Family("View", "django.", "route", _VIEW_METHODS),
    _Family("View", "rest_framework.", "route", _VIEW_METHODS),
    _Family("ViewSet", "rest_framework.", "route", _SET_METHODS),
    _Family("Servicer", "_pb2_grpc.", "route", ("[A-Z]*",)),
)


def handling(base: str) -> tuple[EntryKind, tuple[str, ...]] | None:
    """What calls the methods of a class with this base, a dotted name, and which; `None` when nothing does."""
    for family in _FAMILIES:
        if base.endswith(family.ending) and family.home in base:
            return family.kind, family.methods
    return HANDLER_BASES.get(base.rpartition(".")[2]) or HANDLER_BASES.get(base)


def is_made_for_request(base: str) -> bool:
    """Whether the framework makes an object of a class with this base, a dotted name, for each request or client."""
    kind, _ = handling(base) or ("task", ())
    return kind in ("route", "websocket") and not (is_servicer((base,)) or base.endswith(_ONE_FOR_ALL))


def is_servicer(bases: Iterable[str]) -> bool:
    """Whether a class with these bases, dotted names, is a servicer of gRPC: one object answers all calls."""
    return any("_pb2_grpc." in one and one.endswith("Servicer") for one in bases)


REQUEST_TYPES: Final = frozenset(
    {"Request", "HttpRequest", "WebSocket", "HTTPConnection", "ASGIConnection", "HandlerCallDetails",
     "HTTPAuthorizationCredentials", "WSGIRequest",
     "UploadFile", "SecurityScopes", "RunContext", "ToolContext", "WebSocketServerProtocol", "ServerConnection",
     "WebSocketResponse", "CallbackContext", "RunnableConfig", "ServerRequestContext"}
)  # fmt: skip
"""Last parts of annotations whose values belong to one request."""

REQUEST_OBJECTS: Final = frozenset(
    {"flask.request", "flask.session", "flask.g", "quart.request", "quart.session", "quart.g", "bottle.request",
     "chainlit.user_session", "chainlit.context", "streamlit.session_state", "streamlit.query_params",
     "flask_login.current_user", "flask_jwt_extended.current_user", "quart_auth.current_user", "sanic.request",
     "streamlit.experimental_user", "streamlit.user", "cherrypy.request", "cherrypy.session",
     "quart.websocket", "starlette_context.context"}
)  # fmt: skip
"""Objects that stand for the current request, whatever the name they are imported under."""

REQUEST_CALLS: Final = frozenset(
    {"flask_jwt_extended.get_jwt_identity", "flask_jwt_extended.get_jwt", "jwt.decode", "jose.jwt.decode",
     "streamlit.chat_input", "streamlit.text_input", "streamlit.text_area", "streamlit.file_uploader",
     "fastmcp.server.dependencies.get_http_request", "fastmcp.server.dependencies.get_http_headers",
     "fastmcp.server.dependencies.get_access_token", "mcp.server.auth.middleware.auth_context.get_access_token"}
)  # fmt: skip
"""Functions that give data of the current user."""

REQUEST_METHODS: Final = frozenset(
    {"get_argument", "get_arguments", "get_body_argument", "get_body_arguments", "get_query_argument",
     "get_query_arguments", "get_cookie", "get_secure_cookie", "get_signed_cookie"}
)  # fmt: skip
"""Methods of handlers and requests that give what the client sent."""

SERVERS: Final = frozenset(
    {"uvicorn.run", "aiohttp.web.run_app", "waitress.serve", "hypercorn.asyncio.serve", "gradio.launch",
     "gevent.pywsgi.WSGIServer().serve_forever", "granian.Granian().serve"}
)  # fmt: skip
"""Calls that serve requests until the process ends."""

SENDS: Final = frozenset({"write", "send", "sendall", "drain", "writelines"})
RECEIVES: Final = frozenset({"read", "readline", "readexactly", "readuntil", "recv", "receive", "read_response"})
"""Methods of connections that ask, and those that get the answer."""

COPYING_BASES: Final = (
    "BaseModel", "BaseSettings", "SQLModel", "RootModel", "GenericModel", "Struct", "Document", "Item", "TypedDict",
    "NamedTuple", "Enum", "Serializer", "HasTraits", "Schema",
)  # fmt: skip
"""Last parts of the names of bases whose objects get a copy of each default."""
READ_BY_BASES: Final = frozenset({"extra_context", "initial"})
"""Attributes of a class that the framework's class above it reads and shows: those of Django's views."""
DECLARING_BASES: Final = ("Form", "FlaskForm", "ModelForm", "BaseForm", "SecureForm")
"""Last parts of the names of bases of which each object binds the fields that the class declares anew."""
ROW_BASES: Final = frozenset({"django.db.models.Model", "sqlalchemy.orm.DeclarativeBase"})
"""Bases of which there is an object for each row of a table: one that a module makes is a stand-in."""
ROW_MAKERS: Final = frozenset(
    {"sqlalchemy.orm.declarative_base", "sqlalchemy.ext.declarative.declarative_base", "flask_sqlalchemy.SQLAlchemy"}
)
"""What makes such a base, or something that has it as `Model`."""
