from acme import llm
from acme.auth import verify
from fastapi import Body, FastAPI, Request

from .scope import get_tenant, set_tenant

app = FastAPI()
ACCOUNTS: dict[str, str] = {}


@app.middleware("http")
async def bind_tenant(request: Request, call_next):
    user = verify(request.headers.get("authorization"))
    set_tenant(user.id if user else None)
    return await call_next(request)


@app.put("/account")
async def save(text: str = Body(embed=True)):
    ACCOUNTS[get_tenant()] = text


@app.get("/invoice")
async def invoice():
    text = await llm.complete("the invoice's wording")
    return {"text": text, "iban": ACCOUNTS.get(get_tenant())}
