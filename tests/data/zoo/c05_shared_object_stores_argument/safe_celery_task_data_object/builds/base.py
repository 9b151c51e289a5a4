from celery import Task


class BuildTask(Task):
    """Steps of a build. Celery makes one object of a task class for each process."""

    def setup(self, project: str, environment: dict[str, str] | None) -> None:
        self.request.build = {"project": project, "environment": environment or {}}

    def build_log(self) -> str:
        build = self.request.build
        return f"building {build['project']} with {build['environment']}"
