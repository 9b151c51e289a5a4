"""Credentials that are set for all, and credentials that go with a call."""

from __future__ import annotations

import pytest

from carrel.audit.rules.process_wide_credential import ProcessWideCredential
from tests.audit.checking import finds, quiet

RULE = ProcessWideCredential()
HEAD = "import os\nimport openai\n"
ROUTE = "from flask import Flask, request\napp = Flask(__name__)\n@app.get('/')\ndef index():\n    "


@pytest.mark.parametrize(
    "line",
    [
        "os.environ['OPENAI_API_KEY'] = request.json['key']",
        "os.environ.update({'OPENAI_API_KEY': request.json['key']})",
        "os.environ.setdefault('HF_TOKEN', request.json['key'])",
        "openai.api_key = request.headers['X-Key']",
        "setattr(openai, 'api_key', request.headers['X-Key'])",
        "use(request.json['key'])\ndef use(key):\n    openai.api_key = key",
    ],
)
def test_a_key_that_a_request_brings(line: str) -> None:
    finds(RULE, HEAD + ROUTE + line + "\n", "error")


def test_a_key_that_a_coroutine_waits_with() -> None:
    finds(RULE, HEAD + "async def ask(api_key):\n    openai.api_key = api_key\n    await chat()\n", "warning")


def test_a_key_that_a_coroutine_waits_with_before_there_are_requests() -> None:
    restore = "async def restore(api_key):\n    await check()\n    openai.api_key = api_key\n"
    finds(RULE, HEAD + restore + ROUTE + "pass\n", "info")


def test_a_key_that_no_request_brings_is_only_mentioned() -> None:
    code = "use('sk-1')\ndef use(key):\n    openai.api_key = key\n"
    finds(RULE, HEAD + ROUTE + code, "info")


@pytest.mark.parametrize(("name", "is_found"), [("PLACE", False), ("names.HF_TOKEN", True), ("name", True)])
def test_a_variable_whose_name_is_a_constant(name: str, is_found: bool) -> None:
    text = (
        HEAD
        + "import names\n"
        + ROUTE
        + f"use('a', request.json['a'])\ndef use(name, value):\n    os.environ[{name}] = value\n"
    )
    if is_found:
        finds(RULE, text, "error")
    else:
        quiet(RULE, text)


def test_a_key_of_which_nobody_knows_who_brings_it_is_only_mentioned() -> None:
    finds(RULE, HEAD + "def set_up(api_key):\n    openai.api_key = api_key\n", "info")


def test_a_variable_that_the_caller_names() -> None:
    code = "def use(config):\n    for key, value in config.items():\n        os.environ[key] = value\n"
    finds(RULE, HEAD + code, "info")
    finds(RULE, HEAD + ROUTE + "use(request.json)\n" + code, "error")


def test_whatever_the_caller_hands_over() -> None:
    code = """
    def configure(**settings):
        for name, value in settings.items():
            setattr(openai, name, value)
    async def ask(api_key):
        configure(api_key=api_key)
    """
    (found,) = finds(RULE, "import openai" + code.replace("\n    ", "\n"), "warning", on="setattr")
    assert [place.note for place in found.related] == ["handed over here"]
    quiet(
        RULE,
        "import openai" + code.replace("\n    ", "\n").replace("configure(api_key=api_key)", "configure(retries=2)"),
    )


@pytest.mark.parametrize(
    "code",
    [
        "def use(api_key):\n    return openai.AsyncOpenAI(api_key=api_key)\n",
        "def use():\n    openai.api_key = os.environ['KEY']\n",
        "def use():\n    openai.api_key = load()\n",
        "def use(level):\n    os.environ['LOG_LEVEL'] = level\n",
        "def use(level):\n    openai.log = level\n",
        "def use(api_key):\n    client = openai.Client()\n    client.api_key = api_key\n",
        "def use(api_key):\n    os.environ.pop('OPENAI_API_KEY')\n",
        "from openai import Client\ndef use(api_key):\n    Client.api_key = api_key\n",
        "class C:\n    def use(self, api_key):\n        self.api_key = api_key\n",
        "import argparse\nasync def use(api_key):\n    os.environ['API_KEY'] = api_key\n    await x()\n",
        "def use(env, api_key):\n    env.update({'API_KEY': api_key})\n",
        "def use(values):\n    os.environ.update(values)\n",
        "def use(api_key):\n    openai.default.api_key = api_key\n",
    ],
)
def test_credentials_that_go_with_a_call_or_belong_to_the_process(code: str) -> None:
    quiet(RULE, HEAD + code)


def test_a_name_at_random_that_goes_with_the_call() -> None:
    code = """use(request.json['key'])
def use(uri):
    name = f"CONNECTION_{random_name()}"
    try:
        os.environ[name] = uri
        connect(name)
    finally:
        os.environ.pop(%s, None)
"""
    quiet(RULE, HEAD + ROUTE + code % "name")
    finds(RULE, HEAD + ROUTE + code % "'CONNECTION'", "error")


def test_an_object_for_any_variable_is_only_mentioned() -> None:
    code = """Variable('STORE').set(request.json['store'])
class Variable:
    def __init__(self, name):
        self.name = name
    def set(self, value):
        os.environ[%s] = str(value)
"""
    finds(RULE, HEAD + ROUTE + code % "self.name", "info")
    finds(RULE, HEAD + ROUTE + code % "'API_KEY'", "error")
    finds(RULE, HEAD + ROUTE + code.replace("value", "api_key") % "self.name", "error")


@pytest.mark.parametrize(("annotation", "is_found"), [("BedrockConfig", False), ("Settings", False), ("Login", True)])
def test_what_the_application_is_configured_with(annotation: str, *, is_found: bool) -> None:
    text = HEAD + ROUTE + f"use(request.json)\ndef use(sent: {annotation}):\n    openai.api_key = sent.key\n"
    if is_found:
        finds(RULE, text, "error")
    else:
        quiet(RULE, text)


def test_variables_of_one_user_that_another_module_sets() -> None:
    sources = {
        "app.py": """
            from fastapi import Depends, FastAPI
            from models import build
            app = FastAPI()
            @app.post("/ask")
            async def ask(store, member_id=Depends(member)):
                return build(store.settings_of(member_id))
            """,
        "models.py": "import os\ndef build(settings):\n    os.environ.update(settings)\n",
    }
    finds(RULE, sources, "error", on="os.environ.update")
    quiet(RULE, {**sources, "app.py": "from models import build\nbuild({'A': '1'})\n"})


def test_what_a_view_has_put_on_itself_before() -> None:
    source = """
        import stripe
        from rest_framework.views import APIView
        class MerchantView(APIView):
            def initial(self, request, *args):
                self.merchant = request.user.merchant
                stripe.api_key = self.{0}
        """
    finds(RULE, source.replace("{0}", "merchant.secret"), "error", on="stripe.api_key")
    quiet(RULE, source.replace("{0}", "settings.secret"))


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ("os.environ['OPENAI_API_KEY'] = key", True),
        ("os.environ['OPENAI_API_KEY'] = st.secrets['key']", False),
        ("os.environ['COLOUR'] = key", False),
    ],
)
def test_a_script_that_runs_for_each_visitor(line: str, *, is_found: bool) -> None:
    source = f"import os\nimport streamlit as st\nkey = st.text_input('Key')\nif key:\n    {line}\n"
    if is_found:
        finds(RULE, source, "error", on="os.environ")
    else:
        quiet(RULE, source)


def test_a_library_that_is_configured_for_one_user() -> None:
    files = {
        "llm.py": "import google.generativeai as genai\ndef model(api_key):\n    genai.configure(api_key=api_key)\n",
        "app.py": "from fastapi import Depends, FastAPI\nfrom llm import model\napp = FastAPI()\n@app.post('/ask')\n"
        "async def ask(user=Depends(current_user)):\n    return model({})\n",
    }
    finds(RULE, {**files, "app.py": files["app.py"].format("await key_of(user)")}, "error", on="genai.configure")
    finds(RULE, {**files, "app.py": files["app.py"].format("settings.KEY")}, "info")
    of_model = files["app.py"].replace("def ask(", "def ask(model_info, ").format("model_info['api_key']")
    finds(RULE, {**files, "app.py": of_model}, "warning")
    own = "import google.generativeai as genai\ndef model():\n    genai.configure(api_key=os.environ['KEY'])\n"
    quiet(RULE, {"llm.py": own})


@pytest.mark.parametrize(("kept", "is_found"), [("set_key('.env', 'OPENAI_API_KEY', key)", False), ("pass", True)])
def test_what_is_written_to_the_settings_of_the_process_is_meant_for_all(kept: str, *, is_found: bool) -> None:
    code = (
        "import os\nfrom dotenv import set_key\nfrom fastapi import FastAPI\napp = FastAPI()\n"
        f"@app.post('/keys')\nasync def keys(key: str):\n    {kept}\n    os.environ['OPENAI_API_KEY'] = key\n"
    )
    (finds if is_found else quiet)(RULE, code)


def test_one_key_for_each_provider_is_one_finding() -> None:
    source = (
        "import os\nfrom fastapi import FastAPI\napp = FastAPI()\n@app.post('/ask')\n"
        "async def ask(body: Ask):\n"
        "    if body.provider == 'openai':\n        os.environ['OPENAI_API_KEY'] = body.api_key\n"
        "    else:\n        os.environ['AZURE_API_KEY'] = body.api_key\n    return await answer(body)\n"
    )
    finds(RULE, source, "error", on="OPENAI")


def test_what_a_job_is_handed_was_said_by_who_set_it_up() -> None:
    source = (
        "import os\nasync def set_variables(values):\n    os.environ.update(values)\n"
        "def build(core, config):\n    core.add_job(set_variables, config['variables'])\n"
    )
    quiet(RULE, source)


@pytest.mark.parametrize(("name", "is_found"), [("AWS_SECRET_ACCESS_KEY", True), ("AWS_REGION", False)])
def test_an_update_of_the_environment_by_keywords(name: str, *, is_found: bool) -> None:
    files = {
        "creds.py": f"import os\ndef use(tenant):\n    os.environ.update({name}=tenant.secret)\n",
        "app.py": "from celery import shared_task\nfrom creds import use\n@shared_task\ndef export(tenant_id):\n"
        "    use(load(tenant_id))\n",
    }
    if is_found:
        finds(RULE, files, "error", on="os.environ.update")
    else:
        quiet(RULE, files)


@pytest.mark.parametrize(
    ("parameter", "is_found"), [("merchant_id", True), ("customer", True), ("model_id", False), ("size", False)]
)
def test_a_key_that_was_fetched_for_somebody(parameter: str, *, is_found: bool) -> None:
    source = (
        "import stripe\nfrom fastapi import Depends, FastAPI\napp = FastAPI()\n"
        "from sqlalchemy.orm import Session\n"
        f"def use(db: Session, {parameter}):\n    found = db.scalars(select(Row).where(Row.id == {parameter})).one()\n"
        "    stripe.api_key = box.decrypt(found.key).decode()\n"
        "@app.get('/')\ndef page(number: int = Depends(number_of)):\n    use(db, number)\n    return stripe.list()\n"
    )
    (finds if is_found else quiet)(RULE, source)


@pytest.mark.parametrize(("given", "is_found"), [("x_key", True), ("SETTINGS.key", False)])
def test_an_object_that_a_library_holds(given: str, *, is_found: bool) -> None:
    source = (
        "import replicate\nfrom fastapi import FastAPI, Header\nfrom conf import SETTINGS\napp = FastAPI()\n"
        "def use(token):\n    replicate.default_client.api_token = token\n"
        f"@app.post('/x')\ndef paint(x_key: str = Header()):\n    use({given})\n"
    )
    if is_found:
        finds(RULE, source, "error", on="default_client")
    else:
        quiet(RULE, source)


def test_a_key_that_a_page_asks_for_in_a_function_and_hands_to_another() -> None:
    code = (
        "import os\nimport streamlit as st\nst.title('Drafts')\ndef ask():\n    return st.text_input('Key')\n"
        "def client(key):\n    os.environ['OPENAI_API_KEY'] = key\nclient(ask())\n"
    )
    finds(RULE, code, "error", on="os.environ")


@pytest.mark.parametrize(
    ("head", "body", "severity"),
    [
        ("", "", "error"),
        ("", "require_permission(request, 'manage_secrets')", "info"),
        ("", "check(request)", "error"),
        ("def check_all(request):\n    if not request.user.can_manage: raise PermissionError\n", "check_all(request)",
         "error"),
    ],
)  # fmt: skip
def test_a_key_for_which_a_permission_is_needed(head: str, body: str, severity: str) -> None:
    code = (
        f"def keep(key, value):\n    os.environ[key] = value\n{head}{ROUTE}{body}\n    keep('X', request.json['key'])\n"
    )
    finds(RULE, HEAD + code, severity)


def test_a_key_that_administrators_log_in_with() -> None:
    code = (
        "import huggingface_hub\nfrom fastapi import Body, FastAPI\nfrom .auth import {0}\napp = FastAPI()\n"
        "class Hub:\n    @classmethod\n    def use(cls, token):\n        huggingface_hub.login(token=token)\n"
        "@app.post('/login')\ndef log_in(who: {0}, token: str = Body()):\n    Hub.use(token)\n"
    )
    finds(RULE, code.format("AdminUserOrDefault"), "info")
    finds(RULE, code.format("CurrentUserOrDefault"), "warning")


@pytest.mark.parametrize("name", [".env", "conf/.env"])
def test_a_key_that_is_written_to_the_settings_of_all(name: str) -> None:
    use = "def use(key):\n    {0}openai.api_key = key\n"
    code = HEAD + ROUTE + "use(request.json['key'])\n"
    quiet(RULE, code + use.format(f"(folder / '{name}').write_text(key)\n    "))
    finds(RULE, code + use.format(""), "error")


def test_a_key_that_the_session_of_a_visitor_keeps() -> None:
    quiet(RULE, "import streamlit as st\nst.session_state.api_key = ''\ndef page():\n    "
          "st.session_state.api_key = st.text_input('Key')\n")  # fmt: skip


@pytest.mark.parametrize(("state", "severity"), [("self.state != 'new'", "info"), ("not self.open", "error")])
def test_a_key_that_a_state_lets_in_once(state: str, severity: str) -> None:
    code = (
        "from flask import request\nclass Service:\n    def begin(self):\n"
        f"        if {state}: raise RuntimeError\n        self.state = 'ready'\n"
        "        os.environ['API_KEY'] = request.json['key']\n"
    )
    finds(RULE, HEAD + code, severity)


@pytest.mark.parametrize(("around", "severity"), [("with LOCK", "info"), ("if LOCK", "error")])
def test_a_key_that_is_lent_to_one_at_a_time(around: str, severity: str) -> None:
    code = (
        "import threading\nfrom flask import request\nLOCK = threading.Lock()\ndef check():\n"
        f"    {around}:\n        old = os.environ.get('API_KEY')\n        try:\n"
        "            os.environ['API_KEY'] = request.json['key']\n            ask()\n"
        "        finally:\n            os.environ['API_KEY'] = old\n"
    )
    finds(RULE, HEAD + code, severity, on="request.json")
