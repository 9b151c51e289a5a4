"""Defaults that are changed, and those that only look like it."""

from __future__ import annotations

import pytest

from carrel.audit.rules.mutable_default import MutableDefault
from carrel.findings import Severity
from tests.audit.checking import finds, quiet

RULE = MutableDefault()


@pytest.mark.parametrize(
    "change",
    ["history.append(q)", "history += [q]", "history[0] = q", "h = history; h.extend([q])", "history.insert(0, q)"],
)
def test_a_default_that_is_changed(change: str) -> None:
    finds(RULE, f"def ask(q, history=[]):\n    {change}\n    return len(history)\n", "error", on="def ask")


def test_a_default_that_is_handed_out_is_only_mentioned() -> None:
    finds(RULE, "def ask(q, history=[]):\n    return history\n", "info")


def test_an_object_of_ours_that_its_method_changes() -> None:
    found = finds(
        RULE,
        {
            "memory.py": """
                class Memory:
                    def __init__(self):
                        self.lines = []
                    def add(self, line):
                        self.lines.append(line)
                """,
            "service.py": """
                from memory import Memory
                def ask(q, *, memory: Memory = Memory()):
                    memory.add(q)
                """,
        },
        "error",
    )
    assert [place.path for place in found[0].related] == ["service.py", "memory.py"]


def test_the_fix_makes_a_new_one_in_each_call() -> None:
    source = """
        class Desk:
            def ask(self, q: str, history: list[str] = [], *, deep=False) -> int:
                'Asks.'
                history.append(q)
                return len(history)
        """
    (found,) = finds(RULE, source, "error")
    assert [line for line in found.fix.diff.splitlines() if line[0] in "+-"] == [
        "--- a/app.py",
        "+++ b/app.py",
        "-    def ask(self, q: str, history: list[str] = [], *, deep=False) -> int:",
        "+    def ask(self, q: str, history: list[str] | None = None, *, deep=False) -> int:",
        "+        if history is None:",
        "+            history = []",
    ]


@pytest.mark.parametrize(
    "code", ["def ask(q, history=[]): history.append(q)\n", "def ask(q, h=[]):\n    'x'; h.append(q)\n"]
)
def test_a_body_on_the_line_of_its_head_is_not_edited(code: str) -> None:
    (found,) = finds(RULE, code, "error")
    assert found.fix.diff == ""


def test_a_dataclass_field() -> None:
    pad = (
        "class Pad:\n    def __init__(self):\n        self.notes = []\n    def write(self, note):\n"
        "        self.notes.append(note)\n"
    )
    tutor = (
        "from dataclasses import dataclass, field\n@dataclass\nclass Tutor:\n    pad: Pad = {}\n"
        "    def note(self, text):\n        self.pad.write(text)\n"
    )
    finds(RULE, pad + tutor.format("Pad()"), "error", on="pad: Pad")
    quiet(RULE, pad + tutor.format("field(default_factory=Pad)"))


@pytest.mark.parametrize(
    "code",
    [
        "def ask(q, options={}):\n    for key in options.items():\n        options[key] = q\n",
        "def ask(q, options={}):\n    for key in options:\n        options[key] = q\n",
        "def ask(q, options={}):\n    for key in list(options.keys()):\n        options[key] = q\n",
        "def ask(q, options={}):\n    if options:\n        options['q'] = q\n",
        "def ask(q, options={}):\n    if q and options.get('q', []):\n        options.update(q=[])\n",
    ],
)
def test_what_an_empty_default_never_sees(code: str) -> None:
    quiet(RULE, code)


@pytest.mark.parametrize(
    "code",
    [
        "def ask(q, history=()):\n    history += (q,)\n",
        "def ask(q, history=None):\n    history = history or []\n    history.append(q)\n",
        "def ask(q, history=[]):\n    return [*history, q]\n",
        "def ask(q, history=[]):\n    history = list(history)\n    history.append(q)\n    return len(history)\n",
        "def ask(q, o={}):\n    if o:\n        o = dict(o)\n    else:\n        o = {}\n    o['q'] = q\n",
        (
            "def ask(q, o={}):\n    if q == 1:\n        q, o = one(q)\n    elif q:\n        q, o = other(q)\n"
            "    else:\n        raise ValueError(q)\n    o['q'] = q\n"
        ),
        "def ask(q, options={}):\n    return options.get(q)\n",
        "def ask(q, rows=[]):\n    rows = parse(rows or '[]')\n    for one in q:\n        rows.append(one)\n",
        "def ask(q, history=[]):\n    history = history or []\n    history.append(q)\n",
        "def ask(q, history=[]):\n    history.sort()\n",
        "class M:\n    def window(self):\n        return 1\ndef ask(q, m=M()):\n    m.window()\n",
        "from fastapi import Depends\nclass M:\n    def add(self, x): self.x = x\ndef ask(q, m=Depends(M)): m.add(q)\n",
    ],
)
def test_what_only_looks_like_it(code: str) -> None:
    quiet(RULE, code)


MEMO = """
    def zone(key{more}, _known={{}}):
        found = _known.get(key)
        if found is None:
            {store}
        return found
    """


def test_a_default_with_something_in_it_is_changed_where_one_is_asked_for() -> None:
    text = "def ask(q, turns=%s):\n    if turns:\n        turns.append(q)\n"
    finds(RULE, text % "['hello']", "error")
    quiet(RULE, text % "[]")


def test_a_memo_by_what_the_function_was_asked() -> None:
    quiet(RULE, MEMO.format(more="", store="found = _known.setdefault(key, read(key))"))
    finds(RULE, MEMO.format(more=", who", store="found = _known[key] = read(key, who)"), "error")
    finds(RULE, MEMO.format(more="", store="_known.update(latest=key)"), "error")


def test_a_memo_of_a_method_is_not_made_of_the_object() -> None:
    text = (
        "class Page:\n    def name(self, key, _known={}):\n        if key not in _known and len(_known) < 64:\n"
        "            _known[key] = %s\n        return self.names[_known[key]]\n"
    )
    quiet(RULE, text % "key.lower()")
    finds(RULE, text % "self.read(key)", "error")


def test_what_is_the_same_whoever_calls_is_only_mentioned() -> None:
    text = (
        "def days(user, each, _known={}):\n    if not _known:\n        _known.update({'week': %s})\n    return each\n"
    )
    finds(RULE, text % "read('weekly')", "info")
    finds(RULE, text % "read(user)", "error")
    finds(RULE, text % "current_user()", "error")
    finds(RULE, (text % "read('weekly')").replace("_known", "known"), "info")
    finds(RULE, "def days(known=[]):\n    known.append(read('weekly'))\n    return known\n", "error")


def test_the_default_of_a_function_that_each_call_makes() -> None:
    inner = "def watch(widget):\n    {head}def changed(event, current=[]):\n        current.append(event)\n    {tail}\n"
    quiet(RULE, inner.format(head="", tail="widget.observe(changed)"))
    finds(RULE, inner.format(head="", tail="return changed"), "error")
    finds(RULE, inner.format(head="@widget.get('/')\n    ", tail="widget.start()"), "error")


def test_a_constant_under_a_constant_key_is_only_mentioned() -> None:
    text = "CDN = 'https://x'\ndef page(title, variables={}):\n    variables['dist'] = %s\n    return variables\n"
    finds(RULE, text % "CDN", "info")
    finds(RULE, text % "title", "error")
    finds(RULE, "def page(title, variables={}):\n    variables.setdefault('schema', 'public')\n", "info")


def test_a_setting_of_the_object_under_a_constant_key_is_only_mentioned() -> None:
    text = "class Page:\n    def show(self, variables={}):\n        variables['it'] = self.%s\n"
    finds(RULE, text % "extensions", "info")
    finds(RULE, text % "user", "error")


def test_where_all_calls_pass_the_argument_it_is_only_mentioned() -> None:
    text = "def ask(q, turns=[]):\n    turns.append(q)\n%sdef talk(q):\n    ask(q%s)\n"
    route = "@app.post('/talk')\n"
    finds(RULE, text % ("", ", []"), "info")
    finds(RULE, text % (route, ""), "error")
    finds(RULE, text % (route, "") + "def other(): ...\n", "error")


def test_where_no_request_gets_it_is_only_mentioned() -> None:
    text = "@app.post('/')\ndef home(): ...\ndef ask(q, turns=[]):\n    turns.append(q)\n"
    finds(RULE, text, "info")
    finds(RULE, text + "def talk(q):\n    ask(q)\n", "warning")


ENVELOPE = {
    "envelope.py": "class Envelope:\n    def __init__(self, to, rows=[]):\n        self.rows = rows\n",
    "tasks.py": """
        from envelope import Envelope
        @celery.task
        def export(customer_id):
            envelope = Envelope(customer_id)
            envelope.rows.append(load(customer_id))
        """,
}


def test_a_default_that_is_kept_and_changed_in_another_file() -> None:
    found = finds(RULE, ENVELOPE, "error", on="rows=[]")
    assert ("tasks.py", 6) in [(place.path, place.line) for place in found[0].related]


@pytest.mark.parametrize(
    ("old", "new"),
    [("Envelope(customer_id)", "Envelope(customer_id, [])"), ("envelope.rows.append", "other.rows.append")],
)
def test_a_default_that_is_kept_and_not_changed(old: str, new: str) -> None:
    finds(RULE, {**ENVELOPE, "tasks.py": ENVELOPE["tasks.py"].replace(old, new)}, "info")


@pytest.mark.parametrize("rows", ["rows or []", "rows if rows else []"])
def test_a_default_in_whose_place_another_is_kept(rows: str) -> None:
    envelope = ENVELOPE["envelope.py"].replace("self.rows = rows", f"self.rows = {rows}")
    quiet(RULE, {**ENVELOPE, "envelope.py": envelope})


def test_a_default_that_is_kept_where_others_pass_their_own() -> None:
    finds(RULE, {**ENVELOPE, "lists.py": "from envelope import Envelope\nEMPTY = Envelope('me')\n"}, "error")
    own = "from envelope import Envelope\ndef send(rows):\n    return Envelope('me', rows)\n"
    finds(RULE, {**ENVELOPE, "lists.py": own}, "info")


FILTERS = {
    "build.py": "def make(base={'state': 'open'}):\n    return base\n",
    "api.py": """
        from build import make
        @app.get("/tickets")
        def tickets(user):
            filters = make()
            filters["owner"] = user.id
            return search(filters)
        """,
}


def test_a_default_that_is_returned_and_changed_in_another_file() -> None:
    found = finds(RULE, FILTERS, "error", on="base=")
    assert ("api.py", 6) in [(place.path, place.line) for place in found[0].related]


@pytest.mark.parametrize(
    ("old", "new"), [("make()", "make({})"), ("make()", "dict(make())"), ('filters["owner"] = ', "")]
)
def test_a_default_that_is_returned_and_not_changed(old: str, new: str) -> None:
    finds(RULE, {**FILTERS, "api.py": FILTERS["api.py"].replace(old, new)}, "info")


@pytest.mark.parametrize(
    ("step", "severity"),
    [
        ("cache[-1] * RATIO", "info"),
        ("cache[-1] * weight", "error"),
        ("cache[-1] * read()", "error"),
    ],
)
def test_a_table_that_goes_on_from_itself_is_only_mentioned(step: str, severity: str) -> None:
    text = f"""
        RATIO = 2.5
        def factor(n, weight, cache=[1.0]):
            while n >= len(cache):
                following = 1 / ({step})
                cache.append(following)
            return cache[n]
        """
    finds(RULE, text, severity)


@pytest.mark.parametrize(
    ("given", "severity"), [("page", "info"), ("page + offset", "error"), ("rows", "error"), ("latest()", "error")]
)
def test_the_number_of_a_page_is_nobodys(given: str, severity: str) -> None:
    text = f"""
        def fetch(offset, query={{}}):
            page = 1
            while page < 9:
                query["page"] = {given}
                rows = read(query)
                page += 1
        """
    finds(RULE, text, severity)


@pytest.mark.parametrize(
    ("made", "is_found"),
    [("NAMES[code]", False), ("self.NAMES[code]", False), ("self.names[code]", True), ("read(code, who)", True)],
)
def test_a_memo_whatever_it_is_called(made: str, *, is_found: bool) -> None:
    source = f"""
        class Roles:
            def name(self, code, who, memo={{}}):
                try:
                    found = memo[code]
                except KeyError:
                    found = {made}
                    memo[code] = found
                return found
        """
    if is_found:
        finds(RULE, source, "error")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("value", "severity"),
    [("bits[1:]", "info"), ("os.urandom(16)", "info"), ("read(16)", "error"), ("os.environ[user]", "error"),
     ("os.path.join(user)", "error")],
)  # fmt: skip
def test_what_is_of_the_process_and_of_no_call(value: str, severity: Severity) -> None:
    text = (
        f"import os\ndef draw(user, pool=[]):\n    bits = os.urandom(99)\n    pool.append({value})\n    return pool\n"
    )
    finds(RULE, text + "def use(user):\n    return draw(user)\n", severity)


@pytest.mark.parametrize(("name", "severity"), [("cached_engines", "info"), ("engines", "error")])
def test_a_cache_is_another_rules(name: str, severity: Severity) -> None:
    text = "class Store:\n    def take(self, key):\n        self.last = key\n"
    text += (
        f"def render(path, {name}=Store()):\n    return {name}.take(path)\ndef use(path):\n    return render(path)\n"
    )
    finds(RULE, text, severity)


SEEN = """
def scan(path, seen=set()):
    if path in seen:
        return []
    seen.add(path)
    return [scan(each, seen) for each in inside(path)]{0}
def start(path):
    return scan(path)
"""


@pytest.mark.parametrize(("more", "severity"), [("", "info"), (" + list(seen)", "error")])
def test_what_is_only_asked_whether_something_is_in_it(more: str, severity: Severity) -> None:
    finds(RULE, SEEN.format(more), severity)


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ("options['env'] = env\n    run(**options)", "info"),
        ("if env:\n        options['env'] = env\n    run(**options)", "warning"),
        ("run(**options)\n    options['env'] = env", "warning"),
        ("options[env] = env\n    run(**options)", "warning"),
    ],
)
def test_what_each_call_writes_anew(body: str, severity: Severity) -> None:
    text = f"import argparse\ndef start(env, options={{}}):\n    {body}\ndef main():\n    start('x')\n"
    finds(RULE, text, severity)


@pytest.mark.parametrize(("more", "severity"), [("", "error"), ("self.rows = []", "info"), ("self.row = []", "error")])
def test_what_is_replaced_before_anybody_has_it(more: str, severity: Severity) -> None:
    text = f"class Chunk:\n    def __init__(self, rows=[]):\n        self.rows = rows\n        {more or 'pass'}\n"
    text += "    def add(self, row):\n        self.rows.append(row)\n"
    finds(RULE, text + "def make():\n    return Chunk()\n", severity)
