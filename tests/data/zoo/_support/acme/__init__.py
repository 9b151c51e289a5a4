"""Stands in for a company's own internal library."""
