"""The HTTP side: the middleware chain, problems, routes and the server."""
