"""The machinery in the whole service, over real sockets."""
