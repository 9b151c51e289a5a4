from dataclasses import dataclass, field

from acme import llm

from .auth import MENUS, login_required


@dataclass
class Request:
    headers: dict[str, str] = field(default_factory=dict)


def set_menu(user_id: str, text: str) -> None:
    MENUS[user_id] = text


@login_required
async def home(request: Request) -> str:
    return await llm.complete("a greeting")
