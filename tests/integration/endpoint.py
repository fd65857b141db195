#!/usr/bin/env python3
"""A configuration endpoint as ElastiCache for Memcached has them: tells the servers, in the new form and in the old.

    endpoint.py FILE [PORT]     listens on 127.0.0.1, says its port on a line, and answers until it is killed

FILE is read for every question. Its first line says how to answer:

    new        config get cluster
    old        the same is an ERROR; get AmazonElastiCache:cluster
    raw        whatever was asked, the rest of the file as it is, and then the end
    silent     nothing

What follows is the payload: the version, and HOST|IP|PORT HOST|IP|PORT.
"""

import socketserver
import sys
from pathlib import Path


def answer(question: bytes, mode: str, payload: bytes) -> bytes:
    framed = b"cluster 0 %d\r\n%s\r\nEND\r\n" % (len(payload), payload)
    if question == b"config get cluster" and mode == "new":
        return b"CONFIG " + framed
    if question == b"get AmazonElastiCache:cluster":
        return b"VALUE AmazonElastiCache:" + framed if mode == "old" else b"END\r\n"
    return b"ERROR\r\n"


class Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        for line in self.rfile:
            mode, _, payload = self.server.path.read_bytes().partition(b"\n")
            if mode == b"raw":
                self.wfile.write(payload)
                return
            if mode != b"silent":
                self.wfile.write(answer(line.rstrip(), mode.decode(), payload))


class Endpoint(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def main(arguments: list[str]) -> None:
    with Endpoint(("127.0.0.1", int(arguments[1]) if len(arguments) > 1 else 0), Handler) as endpoint:
        endpoint.path = Path(arguments[0])
        print(endpoint.server_address[1], flush=True)
        endpoint.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
