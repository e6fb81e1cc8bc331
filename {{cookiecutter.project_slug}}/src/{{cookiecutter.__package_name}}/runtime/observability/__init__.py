"""Logs, traces, metrics and the sampling decision that ties them."""
