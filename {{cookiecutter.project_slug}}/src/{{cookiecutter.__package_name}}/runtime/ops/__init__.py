"""The management application: probes, metrics, information."""
