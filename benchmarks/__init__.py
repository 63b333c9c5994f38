"""Measures what a sync costs: requests, seconds and memory, against a simulator with a latency of its own."""
