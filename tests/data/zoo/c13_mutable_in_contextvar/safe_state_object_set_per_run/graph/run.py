from . import nodes, state


async def run(user_id: str, inputs: str) -> str:
    state.begin(user_id, inputs)
    await nodes.plan()
    return await nodes.write()
