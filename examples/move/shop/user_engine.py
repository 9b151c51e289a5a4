"""The new engine: bound for life to one user."""


class UserEngine:
    """Runs agents for one user."""

    def __init__(self, user, *, registry, emitter):
        if not user:
            raise ValueError("user is missing")
        self.user = user
        self.registry = registry
        self.emitter = emitter

    def run(self, name):
        return self.registry[name](self.user)


def emitter_for(bridge, user):
    return (bridge, user)
