"""Who is let in."""

from __future__ import annotations

import pytest

from carrel.audit.admission import administrators_routers, admitted, is_restricted
from tests.audit.checking import program, view


def is_for(source: str) -> bool:
    file = view(source)
    return admitted(file, file.functions[-1]) == "administrators"


@pytest.mark.parametrize(
    "source",
    [
        "@admin_required\ndef f(): ...",
        "@auth.requires_admin()\ndef f(): ...",
        "@user_passes_test(lambda u: u.is_superuser)\ndef f(r): ...",
        "@user_passes_test(lambda u: u.is_superuser or u.is_staff)\ndef f(r): ...",
        "@staff_member_required\ndef f(r): ...",
        "@admin_required\nclass V:\n  def get(self, r): ...",
        "@method_decorator(user_passes_test(lambda u: u.is_superuser))\nclass V:\n  def get(self, r): ...",
        "@roles_required('admin', name='page')\ndef f(): ...",
        "@is_admin\ndef f(): ...",
        "class V:\n  decorators = [roles_required('admin')]\n  def get(self, r): ...",
        "class V(PermissionRequiredMixin, View):\n  def get(self, r): ...",
        "@method_decorator(staff_member_required, name='dispatch')\nclass V:\n  def get(self, r): ...",
        "from django.contrib.auth.decorators import permission_required\n@permission_required('a.b')\ndef f(r): ...",
        "@roles_required('admin')\ndef f(): ...",
        "@app.post('/x', dependencies=[Depends(require_admin)])\ndef f(): ...",
        "def f(user=Depends(get_current_admin)): ...",
        "def f(user: User = Depends(current_staff)): ...",
        "def f(staff: Staff = Depends(current_staff_admin)): ...",
        "def f(user: Annotated[User, Depends(current_superuser)]): ...",
        "def f(user=Depends(RoleChecker(['admin']))): ...",
        "def f(user=Security(current_user, scopes=['admin'])): ...",
        "from .deps import CurrentSuperuser\ndef f(user: CurrentSuperuser): ...",
        "def f(user):\n  if not user.is_admin:\n    raise HTTPException(403)",
        "def f(user):\n  if not user or not user.is_superuser:\n    raise Forbidden",
        "def f(user):\n  if user.role != 'admin':\n    return jsonify(error='no'), 403",
        "async def f(r):\n  await require_superuser(r)",
        "def f(r):\n  require_superuser(r)",
        "def f(self, r):\n  self.require_superuser(r)",
        "def f(user):\n  if not is_admin(user):\n    raise HTTPException(403)",
        "def f(user):\n  if user.role not in ('admin',):\n    raise HTTPException(403)",
        "class V:\n  permission_classes = [IsAuthenticated, IsAdminUser]\n  def get(self, r): ...",
        "class V(BaseView):\n  def is_accessible(self): return current_user.is_admin\n  def index(self): ...",
        "class V(AdminRequiredMixin, View):\n  def get(self, r): ...",
        "class V(UserPassesTestMixin):\n  def test_func(self): return self.user.is_staff\n  def get(self): ...",
    ],
)
def test_for_administrators(source: str) -> None:
    assert is_for(source)


@pytest.mark.parametrize(
    "source",
    [
        "@login_required\ndef f(): ...",
        "@admin.route('/admin/x')\ndef f(): ...",
        "@admin_or_owner_required\ndef f(): ...",
        "@roles_required('admin', 'member')\ndef f(): ...",
        "@cached('admin')\ndef f(): ...",
        "@require_not_admin\ndef f(): ...",
        "@permission_required('chat.use')\ndef f(): ...",
        "def f(user=Depends(get_current_user)): ...",
        # The staff of a school, who use it: a kind of user, not a rank.
        "def f(staff: Staff = Depends(current_staff)): ...",
        "def f(staff: Annotated[Staff, Depends(current_staff)]): ...",
        "def f(staff):\n  if not is_valid(staff.schema):\n    raise HTTPException(400)",
        "def f(admin: AdminUser): ...",
        "def f(user, owner):\n  if user != owner and not user.is_admin:\n    raise HTTPException(403)",
        "def f(user, owner):\n  if not (user == owner or user.is_admin):\n    raise HTTPException(403)",
        "def f(user):\n  if user.is_admin:\n    raise HTTPException(403)",
        "def f(key):\n  admin = find(key)\n  if not admin:\n    raise NotFound",
        "def f(user):\n  if not user.is_admin:\n    return mine(user)",
        "def f():\n  if not settings.admin_ui:\n    raise NotFound",
        "@app.post('/x', tags=['admin'])\ndef f(): ...",
        "@admin_log('x')\ndef f(): ...",
        "def f(r):\n  notify_superuser(r)",
        "def f(user):\n  if not check_user(user):\n    raise HTTPException(403)",
        "class V(UserPassesTestMixin):\n  def label(self): return self.user.is_staff\n  def get(self): ...",
        "class V(View):\n  def test_func(self): return self.user.is_staff\n  def get(self): ...",
        "from django.views.decorators.http import require_POST\n@require_POST\ndef f(r): ...",
        "@register(admin_required)\nclass V:\n  def get(self, r): ...",
        "@method_decorator\nclass V:\n  def get(self, r): ...",
        "def f(user):\n  if not user.is_admin:\n    status = 403",
        "class V(AdminBase):\n  def get(self, r): ...",
        "class V:\n  permission_classes: list\n  def get(self, r): ...",
        "class V:\n  def label(self): return self.user.is_staff\n  def get(self): ...",
        "class V(BaseView):\n  def is_accessible(self): return\n  def index(self): ...",
        "class V:\n  permission_classes = [IsAdminOrReadOnly]\n  def get(self, r): ...",
        "class V:\n  permission_classes = [IsAdminUser | IsMember]\n  def get(self, r): ...",
    ],
)
def test_for_others_too(source: str) -> None:
    assert not is_for(source)


@pytest.mark.parametrize(
    ("classes", "method", "expected"),
    [
        ("IsAuthenticated", "request", "users"),
        ("IsAuthenticated, AllowAny", "request", "anybody"),
        ("IsAuthenticated", "number", "anybody"),
        ("IsAuthenticated, IsOwner", "request", "permitted"),
        ("", "request", "anybody"),
    ],
)
def test_what_a_view_asks_of_who_calls(classes: str, method: str, expected: str) -> None:
    file = view(f"class V:\n  permission_classes = [{classes}]\n  def get(self, {method}): ...\n")
    assert admitted(file, file.functions[-1]) == expected


def test_a_route_says_by_what_runs_before_it_who_gets_there() -> None:
    file = view("@app.post('/x', summary='policy')\ndef f(): ...\n@app.post('/y', guards=[policy])\ndef g(): ...\n")
    assert [admitted(file, one) for one in file.functions] == ["anybody", "permitted"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("@app.get\ndef f(): ...", "anybody"),
        ("def f(db=Depends(get_db)): ...", "anybody"),
        ("def f(owner=Depends(project_owner)): ...", "permitted"),
        ("def f(user):\n  return pick(user.role)", "permitted"),
        ("def f(user):\n  return pick(user.name)", "anybody"),
        # Those of one kind, whatever it is: what they work on is seldom one's own.
        ("@worker_required\ndef f(): ...", "permitted"),
        ("@editors_only\ndef f(): ...", "permitted"),
        ("class V(EditorRequiredMixin, View):\n  def get(self, r): ...", "permitted"),
        ("class V(ProjectOwnerView):\n  def get(self, r): ...", "permitted"),
        ("class V(ProjectView):\n  def get(self, r): ...", "anybody"),
        ("@fresh_token_required\ndef f(): ...", "anybody"),
        ("@post_only\ndef f(): ...", "anybody"),
        ("@patient_required\ndef f(): ...", "anybody"),
        ("@team_required\ndef f(): ...", "anybody"),
        ("class V(LoginAndTeamRequiredMixin, View):\n  def get(self, r): ...", "anybody"),
    ],
)
def test_what_asks_for_more_than_having_signed_in(source: str, expected: str) -> None:
    file = view(source)
    assert admitted(file, file.functions[-1]) == expected


def test_a_page_whose_name_says_whose_it_is() -> None:
    file = view("def admin_page(r): ...\ndef page(r): ...\n")
    assert [admitted(file, one) for one in file.functions] == ["permitted", "anybody"]


def test_a_module_that_is_for_those_who_run_the_site() -> None:
    source = {f"shop/{one}.py": "def page(r): ...\n" for one in ("internal", "internals")}
    facts = program(source).resolution.functions
    assert [facts[f"shop.{one}.page"].admits for one in ("internal", "internals")] == ["permitted", "anybody"]


def test_routers_for_administrators() -> None:
    source = """
        router = APIRouter(prefix="/admin", dependencies=[Depends(require_admin)])
        other = APIRouter(dependencies=[Depends(signed_in)])
        app.include_router(pages.router, dependencies=[Depends(require_admin)])
        app.include_router(chat.router)
        app.add(late.router, dependencies=[Depends(require_admin)])
        app.include_router(router=late.router, dependencies=[Depends(require_admin)])
        pages_bp = Blueprint("pages", __name__)
        @pages_bp.before_request
        def count():
            seen.add(1)
        bp = Blueprint("admin", __name__)
        @bp.before_request
        def guard():
            if not current_user.is_admin:
                abort(403)
        """
    assert administrators_routers(view(f"import pages, chat, late\n{source.replace(chr(10) + ' ' * 8, chr(10))}")) == (
        "app.router", "pages.router", "app.bp"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("closed", "apart"),
    [("@admin_required\n", True), ("", False), ("@login_required\n", False)],
)
def test_what_only_administrators_get_to(closed: str, apart: bool) -> None:
    route = "@app.post('/set')\n{}def set_it(value): store(value)\ndef store(value): ...\n"
    everything = program({"app.py": route.format(closed)})
    calls = everything.calls
    assert calls.is_apart("app.store") is apart
    assert (everything.passing.tainted_parameter("app.store", "value") is None) is apart
    assert calls.way_to("app.store") == ("POST /set app.set_it", "app.store")


def test_what_others_get_to_as_well() -> None:
    source = """
        @app.post("/set")
        @admin_required
        def set_it(value): store(value)
        @app.post("/save")
        def save(first, second): keep(first)
        def keep(value): store(value)
        def store(value): ...
        """
    calls = program(source).calls
    assert not calls.is_apart("app.store")
    assert calls.way_to("app.store") == ("POST /save app.save", "app.keep", "app.store")


def test_a_way_ends_where_a_function_turns_others_away() -> None:
    source = """
        @app.post("/set")
        def set_it(value): change(value)
        def change(value):
            if not current_user.is_admin:
                raise Forbidden
            store(value)
        def store(value): ...
        """
    assert program(source).calls.is_apart("app.store")


def test_routers_that_another_file_closes() -> None:
    routes = "router = APIRouter()\n@router.post('/set')\ndef set_it(value): store(value)\ndef store(value): ...\n"
    main = "from routes import router\napp.include_router(router{})\n"
    for guard, apart in ((", dependencies=[Depends(require_admin)]", True), ("", False)):
        calls = program({"routes.py": routes, "main.py": main.format(guard)}).calls
        assert calls.is_apart("routes.store") is apart


@pytest.mark.parametrize(("starts", "apart"), [("Process(target=work).start()", True), ("work()", False)])
def test_what_has_a_process_of_its_own(starts: str, apart: bool) -> None:
    jobs = f"class Jobs:\n  def add_task(self, work, *args): {starts}\njobs = Jobs()\n"
    source = """
from jobs import jobs
@app.post("/run")
def run(symbol): jobs.add_task(work, symbol)
def work(symbol): store(symbol)
def store(symbol): ...
"""
    assert program({"jobs.py": jobs, "app.py": source}).calls.is_apart("app.store") is apart


@pytest.mark.parametrize(
    ("source", "who"),
    [
        ("def f(): ...", "anybody"),
        ("@login_required\ndef f(): ...", "users"),
        ("@tornado.web.authenticated\ndef get(self): ...", "users"),
        ("@signed_in_only\ndef f(): ...", "users"),
        ("@authenticated_cache\ndef f(): ...", "anybody"),
        ("class V:\n  permission_classes = [IsAuthenticated]\n  def get(self, request): ...", "users"),
        ("r = APIRouter(dependencies=[Depends(auth.get_current_user)])\n@r.get('/')\ndef f(): ...", "users"),
        ("r = APIRouter(dependencies=[Depends(verify_api_key)])\n@r.get('/')\ndef f(): ...", "anybody"),
        ("@roles_required('admin', 'member')\ndef f(): ...", "permitted"),
        ("def f(user=Depends(require_scope)): ...", "permitted"),
        ("def f(user):\n  check_permission(user)", "permitted"),
        ("def f(user):\n  return notes_of(user.role)", "permitted"),
        ("def f(user, role):\n  user.role = role", "anybody"),
        ("@admin_required\n@login_required\ndef f(): ...", "administrators"),
    ],
)
def test_who_is_let_in(source: str, who: str) -> None:
    file = view(source)
    assert admitted(file, file.functions[-1]) == who
    assert is_restricted(file, file.functions[-1]) == (who in ("permitted", "administrators"))


@pytest.mark.parametrize(
    ("source", "who"),
    [
        ("class V(MethodView):\n  decorators = [login_required]\n  def get(self, note_id): ...", "users"),
        ("class V(MethodView):\n  decorators = [allows.requires(CanEdit)]\n  def get(self, note_id): ...", "permitted"),
        ("class V(MethodView):\n  decorators = [admin_required]\n  def get(self): ...", "administrators"),
        ("@method_decorator(login_required, name='dispatch')\nclass V(View):\n  def get(self, request): ...", "users"),
        ("@method_decorator([login_required, can_edit])\nclass V(View):\n  def get(self, r): ...", "permitted"),
        ("class V:\n  permission_classes = [IsAuthenticated, IsOwner]\n  def get(self, request): ...", "permitted"),
        ("class V:\n  permission_classes = [AllowAny]\n  def get(self, request): ...", "anybody"),
        # The words of an address say what is there, not who gets there.
        ("@app.get('/roles/{role_id}')\ndef f(role_id): ...", "anybody"),
        ("@app.get('/notes', dependencies=[Depends(RoleChecker(['x']))])\ndef f(role_id): ...", "permitted"),
        ("@app.get('/internal/notes')\ndef f(): ...", "permitted"),
        ("@app.get('/notes')\ndef f(note):\n  raise HTTPUnauthorized()", "anybody"),
        ("@app.get('/notes')\ndef f(note):\n  authorize(note)", "permitted"),
    ],
)
def test_what_a_class_and_an_address_say_of_who_is_let_in(source: str, who: str) -> None:
    file = view(source)
    assert admitted(file, file.functions[-1]) == who


def test_what_is_run_before_all_methods_of_a_view_turns_others_away() -> None:
    code = """
        class Migration(View):
            def dispatch(self, request):
                if not request.user.{}:
                    raise Http404
                return super().dispatch(request)
            def get(self, request):
                return run()
        """
    assert is_for(code.format("is_superuser"))
    assert not is_for(code.format("is_authenticated"))
