"""Typed settings with defaults, as a small descriptor."""


class Setting:
    def __init__(self, default):
        self.default = default

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        return instance.__dict__.setdefault(self.name, self.default)


class Profile:
    tags = Setting([])
    theme = Setting("light")

    def __init__(self, user_id: str):
        self.user_id = user_id

    def add_tag(self, tag: str) -> None:
        self.tags.append(tag)


def remember(user_id: str, tag: str) -> list[str]:
    profile = Profile(user_id)
    profile.add_tag(tag)
    return profile.tags
