"""The map of a report's files by risk, as SVG."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from carrel.findings import SEVERITIES, Finding, Severity
from carrel.reporting.markup import Markup, element, joined
from carrel.reporting.prose import counted, one_line
from carrel.reporting.treemap import Rectangle, squarified

__all__ = ["MOST_FILES", "FileRisk", "file_risks", "risk_map"]

MOST_FILES: Final = 120
"""So many files are drawn at most, the riskiest."""
LABEL: Final = 20.0
CHARACTER: Final = 7.2
"""Width of a character at the size of the labels; generous, so that no label leaves its rectangle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRisk:
    """One file's share of the risk: 10 for an error, 3 for a warning, 1 for an info."""

    path: str
    anchor: str
    """Id of the file's section on the page."""
    in_file: bool
    worst: Severity
    weight: int
    findings: int

    @property
    def directory(self) -> str:
        """The path of the directory; endpoints have none."""
        return (self.path.rpartition("/")[0] or "(root)") if self.in_file else "endpoints"

    @property
    def file(self) -> str:
        """The last part of the path, or the endpoint's name."""
        return self.path.rpartition("/")[2] if self.in_file else self.path


def file_risks(findings: tuple[Finding, ...]) -> tuple[FileRisk, ...]:
    """The files that have findings, in the order of their paths."""
    by_path: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_path[finding.location.path].append(finding)
    return tuple(
        FileRisk(
            path=path,
            anchor=f"file-{number}",
            in_file=found[0].location.in_file,
            worst=min((one.severity for one in found), key=SEVERITIES.index),
            weight=sum(_weight(one.severity) for one in found),
            findings=len(found),
        )
        for number, (path, found) in enumerate(sorted(by_path.items()), 1)
    )


def risk_map(files: tuple[FileRisk, ...], *, width: float, height: float) -> Markup:
    """Directories as rectangles, in them the files, each as large as its risk and in the colour of its worst finding.

    Of very many files the riskiest 120 are drawn; few files take less than the `height`.
    """
    drawn = sorted(files, key=lambda one: (-one.weight, one.path))[:MOST_FILES]
    height = round(height * min(1.0, 0.25 + len(drawn) / 16))
    directories: dict[str, list[FileRisk]] = defaultdict(list)
    for one in drawn:
        directories[one.directory].append(one)
    ordered = sorted(directories.items(), key=lambda item: (-_total(item[1]), item[0]))
    places = squarified([_total(inside) for _, inside in ordered], Rectangle(0, 0, width, height))
    shapes = [_directory(path, inside, place) for (path, inside), place in zip(ordered, places, strict=True)]
    description = f"Map of {counted(len(drawn), 'file')} by risk; the list below says the same."
    return element(
        "svg", *shapes, viewBox=f"0 0 {width:g} {height:g}", role="img", aria_label=description, class_="map"
    )


def _directory(path: str, files: list[FileRisk], place: Rectangle) -> Markup:
    outer = place.inset(1.5)
    labelled = outer.height > 2.5 * LABEL and outer.width > 8 * CHARACTER
    inner = outer.inset(2, top=LABEL - 2) if labelled else outer
    cells = squarified([one.weight for one in files], inner)
    label = _label(path, outer, LABEL - 6, "map-directory") if labelled else Markup()
    frame = element("rect", **_box(outer), class_="map-frame")
    return joined(frame, label, *(_file(one, cell) for one, cell in zip(files, cells, strict=True)))


def _file(file: FileRisk, place: Rectangle) -> Markup:
    cell = place.inset(1)
    name = file.file.removesuffix(".py")
    label = _label(name, cell, 16, "map-file") if cell.height > LABEL and cell.width > 6 * CHARACTER else Markup()
    return element(
        "a",
        element("title", f"{one_line(file.path)}: {counted(file.findings, 'finding')}, worst: {file.worst}"),
        element("rect", **_box(cell), class_=f"map-cell {file.worst}"),
        label,
        href=f"#{file.anchor}",
        data_path=file.path,
        tabindex="-1",
    )


def _label(text: str, room: Rectangle, down: float, kind: str) -> Markup:
    text = one_line(text)
    most = int((room.width - 10) / CHARACTER)
    if len(text) > most:  # names that begin alike often differ in their end
        text = f"{text[: most // 2]}…{text[len(text) - (most - 1) // 2 :]}"
    return element("text", text, x=room.x + 6, y=room.y + down, class_=kind)


def _box(place: Rectangle) -> dict[str, float]:
    return {"x": place.x, "y": place.y, "width": place.width, "height": place.height}


def _total(files: list[FileRisk]) -> int:
    return sum(one.weight for one in files)


def _weight(severity: Severity) -> int:
    return {"error": 10, "warning": 3, "info": 1}[severity]
