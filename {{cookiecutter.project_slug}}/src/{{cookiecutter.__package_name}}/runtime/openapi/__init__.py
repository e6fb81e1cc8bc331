"""The contract's vocabulary: operations as values, for the router and the client alike."""
