from acme import llm


class WorkflowEngine:
    _instance = None

    def __new__(cls, *args, **kwargs):
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __init__(self, thread_id: str, inputs: str):
        self.thread_id = thread_id
        self.inputs = inputs

    async def run(self) -> str:
        plan = await llm.complete("a plan")
        return f"{self.thread_id}: {plan} for {self.inputs}"
