import csv

from .scratch import Scratch

scratch = Scratch()


def to_csv(rows: list[list[str]]) -> str:
    with scratch as file:
        csv.writer(file).writerows(rows)
    return scratch.getvalue()
