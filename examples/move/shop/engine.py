"""The old engine: one for everybody, and deprecated."""


class Engine:
    """Runs agents for whoever asks, and mixes them up."""

    def __init__(self, registry, bridge, user=None):
        self.registry = registry
        self.bridge = bridge
        self.user = user

    def run(self, name):
        return self.registry[name](self.user)
