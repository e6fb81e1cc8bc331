"""Feature flags: OpenFeature over the settings in force."""
