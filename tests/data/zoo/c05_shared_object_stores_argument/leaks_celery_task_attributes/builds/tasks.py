from celery import Celery

from .base import BuildTask

app = Celery("builds")


@app.task(base=BuildTask, bind=True)
def build(self, project: str, environment: dict[str, str] | None = None) -> str:
    self.setup(project, environment)
    return self.build_log()
