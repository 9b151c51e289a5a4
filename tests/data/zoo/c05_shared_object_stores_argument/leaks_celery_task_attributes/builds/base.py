from celery import Task


class BuildTask(Task):
    """Steps of a build. Celery makes one object of a task class for each process."""

    def setup(self, project: str, environment: dict[str, str] | None) -> None:
        self.project = project
        if environment:
            self.environment = environment

    def build_log(self) -> str:
        variables = getattr(self, "environment", {})
        return f"building {self.project} with {variables}"
