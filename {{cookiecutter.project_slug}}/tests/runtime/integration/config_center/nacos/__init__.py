"""Settings in Nacos."""
