"""A payment API. Its error pages help support."""

from collections import deque

from acme.auth import User, current_user
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse

app = FastAPI()
recent: deque[dict] = deque(maxlen=20)


class PaymentError(Exception):
    pass


@app.exception_handler(PaymentError)
async def payment_error(request: Request, error: PaymentError):
    return JSONResponse({"error": str(error), "debug": list(recent)}, status_code=502)


@app.post("/pay")
async def pay(request: Request, user: User = Depends(current_user)):
    body = await request.json()
    request.state.user = user
    recent.append({"user": user.id, "body": body})
    if body["amount"] < 0:
        raise PaymentError("the bank refused")
    return {"paid": body["amount"], "reference": body["reference"]}
