"""Drills: the real service under real load, something breaks, a scorecard says what held."""
