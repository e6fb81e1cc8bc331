"""What runs in the service's own interpreter and prints JSON; `service.inside` starts it."""
