"""Settings: read, validated, explained."""
