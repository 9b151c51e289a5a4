"""Long jobs: the client posts with a request id of its own and fetches the result with it."""

from acme import llm
from acme.auth import User, current_user
from fastapi import Body, Depends, FastAPI, Header, HTTPException

app = FastAPI()


class Results(dict):
    """What is done, by the id under which it was asked for."""

    @staticmethod
    def name(user: User, request_id: str) -> str:
        return f"result/{request_id}"


results = Results()


@app.post("/jobs")
async def start(
    text: str = Body(embed=True),
    x_request_id: str = Header(),
    user: User = Depends(current_user),
):
    answer = await llm.complete(text)
    results[results.name(user, x_request_id)] = answer
    return {"id": x_request_id}


@app.get("/jobs/{request_id}")
async def fetch(request_id: str, user: User = Depends(current_user)):
    try:
        return {"result": results[results.name(user, request_id)]}
    except KeyError:
        raise HTTPException(404) from None
