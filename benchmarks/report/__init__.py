"""The page that is written from what was measured: its words, its tables, its pictures."""
