"""A gRPC server that takes any call and forgets it: a collector for peers that export by gRPC.

`python sink.py PORT`, by the interpreter of a peer that has grpcio; stops at SIGTERM.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

import grpc


class Anything(grpc.GenericRpcHandler):
    """One request, one empty answer, which all of OTLP's answers may be."""

    def service(self, _: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        return grpc.unary_unary_rpc_method_handler(lambda _request, _context: b"")


def main(port: int) -> None:
    """Serve for ever."""
    server = grpc.server(ThreadPoolExecutor(2), handlers=[Anything()])
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    print("ready", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main(int(sys.argv[1]))
