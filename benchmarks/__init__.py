"""Benchmarks beside the rivals: every number in the README's table comes from ``make bench``."""
