"""Finds, by reading the source, where one user's state can reach another."""
