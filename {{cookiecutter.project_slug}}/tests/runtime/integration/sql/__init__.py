"""Transactions, their limits and their losses, on both databases."""
