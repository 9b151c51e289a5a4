from acme import llm


class WorkflowEngine:
    _limits = None

    def __new__(cls, *args, **kwargs):
        if cls._limits is None:
            cls._limits = {"steps": 8}
        return super().__new__(cls)

    def __init__(self, thread_id: str, inputs: str):
        self.thread_id = thread_id
        self.inputs = inputs

    async def run(self) -> str:
        plan = await llm.complete("a plan")
        return f"{self.thread_id}: {plan} for {self.inputs}"
