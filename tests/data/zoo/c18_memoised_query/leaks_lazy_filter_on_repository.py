"""The search of a wiki: a predicate is put together once and run on every page."""


class PageSearch:
    def __init__(self):
        self.pages: list[dict[str, str]] = []
        self._visible = None

    def _predicate(self, reader: str):
        if self._visible is None:
            self._visible = self._compile([("space", "public"), ("owner", reader)])
        return self._visible

    @staticmethod
    def _compile(alternatives: list[tuple[str, str]]):
        return lambda page: any(page.get(name) == value for name, value in alternatives)

    def search(self, reader: str, word: str) -> list[str]:
        visible = self._predicate(reader)
        return [page["text"] for page in self.pages if word in page["text"] and visible(page)]


search = PageSearch()
