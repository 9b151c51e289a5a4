import state
from celery import Celery

queue = Celery("reports", broker="redis://localhost")


@queue.task(name="reports.build")
def build_report(user_id: str, rows: list[str]):
    return render({"owner": user_id, "rows": rows[: state.LIMITS["rows"]]})


def render(report: dict) -> str:
    return f"Report for {report['owner']}\n" + "\n".join(report["rows"])
