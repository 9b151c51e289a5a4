"""Faults under load: what was acknowledged stays, and the server comes back to where it was."""
