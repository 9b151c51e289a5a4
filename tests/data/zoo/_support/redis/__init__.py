"""Stands in for redis-py."""
