"""Agents written for other frameworks, run as carrel agents."""
