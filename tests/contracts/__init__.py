"""Public contracts, and programs that use what a service generates from them."""
