"""Memories of an assistant: read, list and change one's own."""

import itertools
from dataclasses import asdict, dataclass, replace

from acme.auth import User, current_user
from fastapi import APIRouter, Body, Depends, FastAPI, HTTPException


@dataclass(frozen=True)
class Memory:
    id: int
    owner: str
    text: str
    pinned: bool = False


class Memories:
    def __init__(self):
        self._rows: dict[int, Memory] = {}
        self._ids = itertools.count(1)

    def add(self, owner: str, text: str) -> Memory:
        memory = Memory(next(self._ids), owner, text)
        self._rows[memory.id] = memory
        return memory

    def find(self, memory_id: int) -> Memory:
        try:
            return self._rows[memory_id]
        except KeyError:
            raise HTTPException(404) from None

    def find_own(self, memory_id: int, user: User) -> Memory:
        memory = self.find(memory_id)
        if memory.owner != user.id:
            raise HTTPException(404)
        return memory

    def put(self, memory: Memory) -> Memory:
        self._rows[memory.id] = memory
        return memory


memories = Memories()
router = APIRouter(prefix="/memories", dependencies=[Depends(current_user)])


@router.post("")
async def add(text: str = Body(embed=True), user: User = Depends(current_user)):
    return asdict(memories.add(user.id, text))


@router.get("/{memory_id}")
async def read(memory_id: int, user: User = Depends(current_user)):
    return asdict(memories.find_own(memory_id, user))


@router.patch("/{memory_id}")
async def change(memory_id: int, pinned: bool = Body(embed=True), user: User = Depends(current_user)):
    memory = memories.find_own(memory_id, user)
    return asdict(memories.put(replace(memory, pinned=pinned)))


app = FastAPI()
app.include_router(router)
