"""The rules of the business. No I/O, no imports from the other rooms."""
