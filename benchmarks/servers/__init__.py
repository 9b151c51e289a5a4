"""The servers that are measured beside carrel, each started in a process of its own."""
