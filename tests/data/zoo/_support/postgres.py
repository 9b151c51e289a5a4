"""What the stand-ins for asyncpg and psycopg share: settings of a session, and tables that look at them."""

import re

import outside

# table -> rows; a row with an "owner" is seen by the `app.user_id` it belongs to, one with a "schema" in that schema.
tables = {}
_initial = {"app.user_id": "", "search_path": "public"}


class Session:
    def __init__(self):
        self.settings = dict(_initial)
        self.local = None

    def execute(self, query, args):
        config = re.search(r"set_config\('([\w.]+)', \S+, (true|false)\)", query)
        assigned = re.match(r"SET (LOCAL )?([\w.]+) (?:TO|=) [\"']?([\w.-]+)", query)
        if config:
            self._assign(config[1], args[0], local=config[2] == "true")
        elif assigned:
            self._assign(assigned[2], assigned[3], local=bool(assigned[1]))
        elif query.startswith("RESET "):
            name = query.removeprefix("RESET ").strip()
            self.settings.update(_initial if name == "ALL" else {name: _initial[name]})

    def _assign(self, name, value, *, local):
        if not local:
            self.settings[name] = value
        elif self.local is not None:
            self.local[name] = value

    async def fetch(self, query):
        await outside.call()
        setting = {**self.settings, **(self.local or {})}
        return [
            row
            for row in tables.get(re.search(r"FROM (\w+)", query)[1], [])
            if row.get("owner", "") in ("", setting["app.user_id"])
            and row.get("schema", setting["search_path"]) == setting["search_path"]
        ]
