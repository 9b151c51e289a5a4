import state
from celery import Celery

queue = Celery("reports", broker="redis://localhost")


@queue.task(name="reports.build")
def build_report(user_id: str, rows: list[str]):
    state.LATEST.update({"owner": user_id, "rows": rows or state.LATEST.get("rows", [])})
    return render(state.LATEST)


def render(report: dict) -> str:
    return f"Report for {report['owner']}\n" + "\n".join(report["rows"])
