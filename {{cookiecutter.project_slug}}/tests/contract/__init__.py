"""Tests of the contract tools."""
