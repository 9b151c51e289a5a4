"""The routes below `/api/v1` and the health checks, one module per noun."""
