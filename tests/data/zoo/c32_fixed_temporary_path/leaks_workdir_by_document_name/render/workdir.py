import tempfile
from pathlib import Path


def workdir(document: str) -> Path:
    """Where the files of one rendering go."""
    directory = Path(tempfile.gettempdir(), "render", document)
    directory.mkdir(parents=True, exist_ok=True)
    return directory
