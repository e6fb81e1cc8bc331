"""Tests of the edge overlay."""
