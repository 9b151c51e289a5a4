"""Stands in for Flask: routes, hooks and the two context-bound proxies, without WSGI."""

import json
import re
from contextvars import ContextVar

_request = ContextVar("request")
_g = ContextVar("g")


class _Proxy:
    def __init__(self, variable):
        object.__setattr__(self, "_variable", variable)

    def __getattr__(self, name):
        return getattr(self._variable.get(), name)

    def __setattr__(self, name, value):
        setattr(self._variable.get(), name, value)

    def __contains__(self, name):
        return name in self._variable.get()


class _Globals:
    def get(self, name, default=None):
        return self.__dict__.get(name, default)

    def __contains__(self, name):
        return name in self.__dict__


g = _Proxy(_g)
request = _Proxy(_request)


class Request:
    def __init__(self, method, path, headers, cookies, body, args):
        self.method, self.path, self.headers, self.cookies = method, path, headers, cookies
        self.data, self.args = body, args

    def get_json(self):
        return json.loads(self.data)

    json = property(get_json)


class Response:
    def __init__(self, data="", status=200, headers=None, mimetype="text/html"):
        self.data, self.status_code = data, status
        self.headers = {"Content-Type": mimetype, **(headers or {})}

    @property
    def text(self):
        return self.data if isinstance(self.data, str) else "".join(self.data)


def jsonify(*args, **kwargs):
    return Response(json.dumps(args[0] if args else kwargs), mimetype="application/json")


def make_response(*args):
    return _response(args[0] if len(args) == 1 else args)


def abort(status):
    raise HTTPException(status)


class HTTPException(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


def _response(value):
    if isinstance(value, Response):
        return value
    if isinstance(value, tuple):
        response = _response(value[0])
        response.status_code = value[1]
        return response
    return jsonify(value) if isinstance(value, (dict, list)) else Response(value)


class Flask:
    def __init__(self, name):
        self.name, self.config, self.extensions = name, {}, {}
        self._routes, self._before, self._after, self._teardown, self._errors = [], [], [], [], {}

    def route(self, rule, methods=("GET",)):
        pattern = re.compile(re.sub(r"<(?:\w+:)?(\w+)>", r"(?P<\1>[^/]+)", rule))

        def register(view):
            self._routes.append((pattern, methods, view))
            return view

        return register

    def get(self, rule):
        return self.route(rule, ("GET",))

    def post(self, rule):
        return self.route(rule, ("POST",))

    def put(self, rule):
        return self.route(rule, ("PUT",))

    def before_request(self, function):
        self._before.append(function)
        return function

    def after_request(self, function):
        self._after.append(function)
        return function

    def teardown_request(self, function):
        self._teardown.append(function)
        return function

    def errorhandler(self, kind):
        def register(function):
            self._errors[kind] = function
            return function

        return register

    def open(self, method, path, headers=None, cookies=None, json_body=None, args=None):
        """One request, as the test client makes it."""
        body = json.dumps(json_body) if json_body is not None else ""
        _request.set(Request(method, path, headers or {}, cookies or {}, body, args or {}))
        _g.set(_Globals())
        try:
            response = self._dispatch(method, path)
            for function in self._after:
                response = function(response)
            return response
        finally:
            for function in self._teardown:
                function(None)

    def _dispatch(self, method, path):
        try:
            for function in self._before:
                early = function()
                if early is not None:
                    return _response(early)
            for pattern, methods, view in self._routes:
                match = pattern.fullmatch(path)
                if match and method in methods:
                    return _response(view(**match.groupdict()))
            return Response("not found", 404)
        except Exception as error:
            for kind, function in self._errors.items():
                if isinstance(kind, type) and isinstance(error, kind):
                    return _response(function(error))
            if isinstance(error, HTTPException):
                return Response("", error.code)
            raise
