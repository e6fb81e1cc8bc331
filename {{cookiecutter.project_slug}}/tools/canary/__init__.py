"""Brings an image to a cluster by weights and judges it by its metrics: `make canary`."""
