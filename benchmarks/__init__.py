"""What carrel costs, measured side by side with floors and peers in one run: `python -m benchmarks --help`."""
