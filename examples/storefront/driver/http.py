"""A small HTTP client over one kept-open connection: the standard one costs three times as much a request. It keeps
cookies as a browser does."""

import socket
from dataclasses import dataclass, field

# Longer than any deadline of the shop, so that a hang shows up as an error of ours.
PATIENCE_SECONDS = 20


class HttpError(Exception):
    """The connection or the answer broke."""


def split_cookie(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


@dataclass
class Response:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)   # each Set-Cookie: NAME=VALUE, without its attributes

    @property
    def worker(self) -> str:
        """Which of the shop's processes answered; "" if it does not tell."""
        return self.headers.get("x-worker", "")


class Connection:
    """send() and receive() apart let several connections ask at the same moment. Not for two threads at once."""

    def __init__(self, address: tuple[str, int]):
        self.address = address
        self.origin = f"http://{address[0]}:{address[1]}"
        self.socket: socket.socket | None = None
        self.buffer = b""
        self.cookies: dict[str, str] = {}

    @property
    def cookie(self) -> str:
        """All of them, as a request has them."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    @cookie.setter
    def cookie(self, text: str) -> None:
        self.cookies = dict(split_cookie(one) for one in text.split("; ") if one)

    def get(self, path: str) -> Response:
        self.send("GET", path)
        return self.receive()

    def send(self, method: str, path: str, body: bytes = b"", content_type: str = "") -> None:
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.address[0]}:{self.address[1]}\r\n"
        if self.cookies:
            head += f"Cookie: {self.cookie}\r\n"
        if method != "GET":
            head += f"Origin: {self.origin}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
        try:
            self._connected().sendall(head.encode() + b"\r\n" + body)
        except OSError as error:
            self.close()
            raise HttpError(f"{method} {path}: {error}") from None

    def receive(self) -> Response:
        try:
            head = self._read_head()
            length = int(head.headers.get("content-length", "0"))
            head.body = self._read(length)
        except (OSError, ValueError, IndexError) as error:
            self.close()
            raise HttpError(f"no answer: {error}") from None
        if head.headers.get("connection", "").lower() == "close":
            self.close()
        self.cookies.update(map(split_cookie, head.cookies))
        return head

    def close(self) -> None:
        if self.socket:
            self.socket.close()
        self.socket = None
        self.buffer = b""

    def _connected(self) -> socket.socket:
        if not self.socket:
            self.socket = socket.create_connection(self.address, timeout=PATIENCE_SECONDS)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.socket

    def _read_head(self) -> Response:
        while (end := self.buffer.find(b"\r\n\r\n")) < 0:
            self._fill()
        lines = self.buffer[:end].decode("latin-1").split("\r\n")
        self.buffer = self.buffer[end + 4:]
        pairs = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
        cookies = [value.partition(";")[0] for name, value in pairs if name == "set-cookie"]
        return Response(int(lines[0].split()[1]), b"", dict(pairs), cookies)

    def _read(self, length: int) -> bytes:
        while len(self.buffer) < length:
            self._fill()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return body

    def _fill(self) -> None:
        if not self.socket:
            raise OSError("not connected")
        piece = self.socket.recv(262144)
        if not piece:
            raise OSError("the server closed the connection")
        self.buffer += piece
