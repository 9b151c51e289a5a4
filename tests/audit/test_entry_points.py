"""Where requests enter."""

from __future__ import annotations

import pytest

from tests.audit.checking import view


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("@router.post('/chat')\ndef f(): ...", "POST /chat app.f"),
        ("@app.route('/x', methods=['PUT', 'POST'])\ndef f(): ...", "PUT,POST /x app.f"),
        ("@app.websocket('/ws')\nasync def f(ws): ...", "WebSocket /ws app.f"),
        ("@mcp.tool()\ndef f(q): ...", "tool f app.f"),
        ("@queue.task(name='reports.build')\ndef f(): ...", "task reports.build app.f"),
        ("from celery import shared_task\n@shared_task\ndef f(): ...", "task f app.f"),
        ("import chainlit as cl\n@cl.on_message\nasync def f(m): ...", "on_message f app.f"),
        ("@bot.command('go')\ndef f(): ...", "command go app.f"),
        ("def f(r): ...\nroutes = [Route('/d', f, methods=['GET'])]", "GET /d app.f"),
        ("class D:\n  def post(self, r): ...\nRoute('/d', D().post)", "GET /d app.D.post"),
        ("def f(): ...\napp.add_url_rule('/d', view_func=f)", "GET /d app.f"),
        ("def f(): ...\nurlpatterns = [path('', f)]", "GET / app.f"),
        ("def f(m, h): ...\ngr.ChatInterface(fn=f)", "callback ChatInterface app.f"),
        ("import gradio as gr\ndef f(m): ...\nbutton.click(f)", "callback click app.f"),
        ("def make():\n  def f(r): ...\n  app.add_route('/x', f)", "GET /x app.make.f"),
        ("class V(View):\n  def get(self, r): ...", "GET V app.V.get"),
        ("class C(AsyncWebsocketConsumer):\n  async def receive(self): ...", "RECEIVE C app.C.receive"),
        ("class B(View): ...\nclass V(B):\n  def get(self, r): ...", "GET V app.V.get"),
        (
            "from rest_framework.generics import ListAPIView\nclass V(ListAPIView):\n  def get_queryset(self): ...",
            "GET_QUERYSET V app.V.get_queryset",
        ),
        (
            "from rest_framework import viewsets as v\nclass V(v.ReadOnlyModelViewSet):\n  def list(self, r): ...",
            "LIST V app.V.list",
        ),
        (
            "from rest_framework.decorators import action\nclass V:\n  @action(detail=True)\n  def send(self, r): ...",
            "action / app.V.send",
        ),
        ("from django.http import HttpResponse\ndef f(request, pk): return HttpResponse(pk)", "view f app.f"),
        (
            "import socketio\nclass N(socketio.AsyncNamespace):\n  async def on_ask(self, sid, data): ...",
            "callback N app.N.on_ask",
        ),
        (
            "from . import s_pb2_grpc\nclass S(s_pb2_grpc.SServicer):\n  def Hear(self, request, context): ...",
            "HEAR S app.S.Hear",
        ),
        ("async def f(): ...\nscheduler.add_job(f, 'cron')", "task add_job app.f"),
        ("def f(state): ...\nbuilder.add_node(f)", "task add_node app.f"),
        ("def f(state): ...\nbuilder.add_node('find', f)", "task add_node app.f"),
        ("class T(BaseTool):\n  def _run(self, q): ...", "tool T app.T._run"),
        ("from discord.ext import commands\n@commands.command()\nasync def f(ctx): ...", "command f app.f"),
        ("def f(r): ...\napp.add_route(f, '/x')", "GET /x app.f"),
        ("from sanic.views import HTTPMethodView as V\nclass D(V):\n  def post(self, r): ...", "POST D app.D.post"),
        ("def f(c, h): ...\nLitestar([], guards=[f])", "middleware guards app.f"),
        ("def f(r, a): ...\napp.on_response_prepare.append(f)", "middleware on_response_prepare app.f"),
        ("def f(r, h): ...\ndef g(app):\n  app.middlewares.extend([f])", "middleware middlewares app.f"),
        ("class M:\n  async def __call__(self, scope, receive, send): ...", "middleware M app.M.__call__"),
        ("async def pipe(scope, receive, send): ...", "middleware pipe app.pipe"),
        ("def f(): ...\nLitestar([], before_request=f)", "middleware before_request app.f"),
        ("def f(): ...\nLitestar(dependencies={'desk': Provide(f)})", "middleware Provide app.f"),
        ("def f(): ...\napp.before_request(f)", "middleware before_request app.f"),
        ("import grpc\nclass S:\n  def Hear(self, request, context): ...", "Hear S app.S.Hear"),
        (
            "import grpc\nclass I(grpc.aio.ServerInterceptor):\n  async def intercept_service(self, go, d): ...",
            "middleware I app.I.intercept_service",
        ),
        ("from aiohttp import web\nasync def f(request): return web.json_response({})", "view f app.f"),
        (
            "import asyncio\nclass P(asyncio.Protocol):\n  def data_received(self, data): ...",
            "consumer P app.P.data_received",
        ),
    ],
)
def test_an_entry_point(source: str, text: str) -> None:
    assert [entry.text for entry in view(source).entry_points] == [text]


@pytest.mark.parametrize(
    "source",
    [
        "@cache.get\ndef f(): ...",
        "@property\ndef f(self): ...",
        "@mock.patch('x')\ndef f(): ...",
        "x.get('/path', handler)",
        "d.get('key', default)",
        "def default(): ...\nd.get('key', default)",
        "os.path.path('x', f)",
        "class V(Base):\n  def get(self): ...",
        "button.click(None)",
        "def action(name): ...\n@action('x')\ndef f(request): ...",
        "def f(request): return HttpResponse(request)",
        "from django.http import HttpResponse\ndef f(pk): return HttpResponse(pk)",
        "from argparse import Namespace\nclass N(Namespace):\n  def on_ask(self, sid): ...",
        "from PyQt6.QtWidgets import QTableView\nclass V(QTableView):\n  def get(self): ...",
        "def f(job): ...\nexecutor.submit(f, job)",
        "class S:\n  def Hear(self, request, context): ...",
        "import grpc\nclass S:\n  def hear(self, request, context): ...",
        "def f(): ...\nd.get(f, 'x')",
        "from invoke import task\n@task\ndef f(c): ...",
        "import typer\napp = typer.Typer()\n@app.command()\ndef f(user): ...",
    ],
)
def test_what_only_looks_like_one(source: str) -> None:
    assert view(source).entry_points == ()
