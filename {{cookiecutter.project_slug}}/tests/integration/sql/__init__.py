"""The SQL store on both databases."""
