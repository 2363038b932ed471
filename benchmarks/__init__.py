"""Benchmarks: ``python -m benchmarks`` (or ``make bench``) writes ``out/bench.json``."""
