import tempfile
import uuid
from pathlib import Path


def workdir(document: str) -> Path:
    """Where the files of one rendering go."""
    directory = Path(tempfile.gettempdir(), "render", f"{document}-{uuid.uuid4().hex}")
    directory.mkdir(parents=True, exist_ok=True)
    return directory
