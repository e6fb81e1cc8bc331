# Generated from contract/openapi.yaml by `make contract`. Do not edit.
"""The contract in Python."""
