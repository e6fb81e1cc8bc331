"""The service as a whole, in this process, over real sockets."""
