"""Stands between the shop and a server, and breaks the line when a test wants it."""

import socket
import threading


class Line:
    """One connection of the shop's, and ours to the server."""

    def __init__(self, client: socket.socket, server: socket.socket):
        self.client = client
        self.server = server
        self.is_cut = False

    def shut(self) -> None:
        for end in (self.client, self.server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self) -> None:
        self.client.close()
        self.server.close()


class Proxy:
    """Passes on what comes, on a port of its own. `cut` is a word that makes the line break when the shop says it, once:
    before the server hears it, or (`passes_on`) when the server has answered, and the shop has not heard."""

    def __init__(self, host: str, port: int):
        self.target = (host, port)
        self.cut: bytes | None = None
        self.passes_on = True
        self.is_down = False
        self.cuts = 0
        self.lines: list[Line] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        shut_listener(self.listener)
        for line in self.lines:
            line.close()

    def set_down(self, is_down: bool) -> None:
        """Breaks all lines and refuses new ones, or takes them again."""
        self.is_down = is_down
        for line in self.lines if is_down else []:
            line.shut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.is_down:
                client.close()
                continue
            line = Line(client, socket.create_connection(self.target))
            self.lines.append(line)
            for work in (self._hear, self._answer):
                threading.Thread(target=work, args=(line,), daemon=True).start()

    def _hear(self, line: Line) -> None:
        try:
            while data := line.client.recv(65536):
                if self.cut and self.cut in data:
                    self.cut = None
                    self.cuts += 1
                    line.is_cut = True
                    if not self.passes_on:
                        break
                line.server.sendall(data)
        except OSError:
            pass
        line.shut()

    def _answer(self, line: Line) -> None:
        try:
            while (data := line.server.recv(65536)) and not line.is_cut:
                line.client.sendall(data)
        except OSError:
            pass
        line.shut()


def shut_listener(listener: socket.socket) -> None:
    """Wakes up who waits in accept(): close() alone would not."""
    try:
        listener.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    listener.close()
