"""Two contracts, compared: do they mean the same, and whom does a change break."""
