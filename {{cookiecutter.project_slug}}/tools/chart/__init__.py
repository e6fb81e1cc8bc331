"""Writes a Helm chart from the Kustomize overlays: `python -m tools.chart`.

The overlays stay the source. What differs between them becomes a value, what only some have
stands in a condition, and everything else is in the chart as it is.
"""
