"""Implementations of the event log and the stores on one SQLite file."""
