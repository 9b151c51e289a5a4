"""Ways to spend less: each finds its opportunities in the records, one file per way."""
