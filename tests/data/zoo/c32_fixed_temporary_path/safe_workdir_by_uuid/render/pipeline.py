from acme import llm

from .workdir import workdir


async def render(user_id: str, document: str, text: str) -> str:
    directory = workdir(document)
    (directory / "source.md").write_text(text)
    style = await llm.complete("a style sheet")
    return f"<style>{style}</style>{(directory / 'source.md').read_text()}"
