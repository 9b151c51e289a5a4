"""The routes below `/api/v1` and the health checks, one module per noun."""

from typing import Final

__all__ = ["API_PREFIX"]

API_PREFIX: Final = "/api/v1"
"""What the paths of all routes for clients begin with."""
