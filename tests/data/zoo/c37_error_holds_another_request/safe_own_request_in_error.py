"""A payment API. Its error pages help support."""

from collections import defaultdict, deque

from acme.auth import User, current_user
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse

app = FastAPI()
recent: defaultdict[str, deque[dict]] = defaultdict(lambda: deque(maxlen=20))


class PaymentError(Exception):
    pass


@app.exception_handler(PaymentError)
async def payment_error(request: Request, error: PaymentError):
    return JSONResponse({"error": str(error), "debug": list(recent[request.state.user.id])}, status_code=502)


@app.post("/pay")
async def pay(request: Request, user: User = Depends(current_user)):
    body = await request.json()
    request.state.user = user
    recent[user.id].append({"user": user.id, "body": body})
    if body["amount"] < 0:
        raise PaymentError("the bank refused")
    return {"paid": body["amount"], "reference": body["reference"]}
