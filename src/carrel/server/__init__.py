"""The composition root and everything that speaks HTTP."""
