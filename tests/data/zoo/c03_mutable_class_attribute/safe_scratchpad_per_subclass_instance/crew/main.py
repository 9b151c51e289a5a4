from .researcher import Researcher


async def kickoff(user_id: str, goal: str) -> str:
    agent = Researcher(owner=user_id)
    return await agent.work(goal)
