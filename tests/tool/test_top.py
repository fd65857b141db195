#!/usr/bin/env python3
"""`shopdata top`: once as plain text, and in a terminal, on a process that comes, goes and comes back."""

import fcntl
import http.server
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
import unittest

from tool import METRICS_TEXT, PROGRAM, Case, free_port, run

OTHER_SCREEN, BACK = "\x1b[?1049h", "\x1b[?1049l"


class Exporter:
    """A process that is busy: each look finds twice as much counted, as the library writes it."""

    def __init__(self, port: int = 0, answer: str | None = None, status: int = 200):
        exporter, self.looks = self, 0

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                exporter.looks += 1
                body = answer if answer is not None else exporter.metrics()
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def metrics(self) -> str:
        return subprocess.run([METRICS_TEXT, str(self.looks)], capture_output=True, text=True, check=True).stdout

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Terminal:
    """The program in a pseudo-terminal of 24 rows."""

    def __init__(self, *arguments: str, columns: int = 100):
        self.output = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(PROGRAM, [PROGRAM, *arguments])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def read_until(self, words: str, seconds: float = 20) -> bool:
        """Whether the words come, in what was not read before."""
        begin, deadline = len(self.output), time.monotonic() + seconds
        while words not in self.output[begin:]:
            ready, _, _ = select.select([self.fd], [], [], max(0, deadline - time.monotonic()))
            try:
                piece = os.read(self.fd, 65536).decode() if ready else ""
            except OSError:
                piece = ""  # the program has ended
            if not piece:
                return words in self.output[begin:]
            self.output += piece
        return True

    def end(self) -> int:
        self.read_until("never said")
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class Once(Case):
    def top(self, exporter: Exporter, *arguments: str) -> subprocess.CompletedProcess:
        self.addCleanup(exporter.stop)
        return run("top", "--once", "--interval", "0.2", *arguments, f"127.0.0.1:{exporter.port}")

    def test_page(self):
        done = self.top(Exporter())
        self.assert_ended(done, 0, "cache 90.0 %", "replica 10.0 %", "primary 0.0 %", "replica1", "shelf")
        self.assertNotIn("\x1b", done.stdout)
        self.assertRegex(done.stdout, r"hit ratio +75\.0 %")
        self.assertRegex(done.stdout, r"cache 0\.\d+ ms/2\d ms")
        self.assertRegex(done.stdout, r"\nshelf +\d\S* +\d\S* +0\.0 +75\.0 %\n")
        self.assertNotRegex(done.stdout, r"\ndefault ")
        self.assertRegex(done.stdout, r"\nprimary +primary +closed +- ")
        self.assertRegex(done.stdout, r"\nreplica1 +replica +open +250 ms +3/8 +0 ")

    def test_rates_are_over_the_interval(self):
        rate = float(re.search(r"reads +(\S+)/s", self.top(Exporter()).stdout)[1])
        self.assertGreater(rate, 50)  # 100 reads in 0.2 s, or in longer on a busy machine
        self.assertLess(rate, 520)

    def test_several_processes(self):
        """An endpoint that adds its processes up labels what each of them tells of the nodes."""
        exporter = Exporter()
        alone = exporter.metrics

        def together() -> str:
            lines = [line for line in alone().splitlines() if not line.startswith("#")]
            return "".join(
                f"{line}\n" if "_total" in line or "_seconds_" in line else f"{labelled}\n"
                for line in lines
                for labelled in dict.fromkeys(line.replace("}", f',worker="{worker}"}}') for worker in (1, 2))
            )

        exporter.metrics = together
        done = self.top(exporter)
        self.assertEqual(len(re.findall(r"\nreplica1 ", done.stdout)), 1)
        self.assertRegex(done.stdout, r"\nprimary +primary +closed +- ")
        self.assertRegex(done.stdout, r"\nreplica1 +replica +open +250 ms +6/16 +0 ")

    def test_url(self):
        exporter = Exporter()
        self.addCleanup(exporter.stop)
        done = run("top", "--once", "--interval", "0.1", f"http://127.0.0.1:{exporter.port}/anything")
        self.assert_ended(done, 0, "/anything")

    def test_nobody_there(self):
        self.assert_ended(run("top", "--once", f"127.0.0.1:{free_port()}"), 1, "shopdata top: ", "onnect")
        self.assert_ended(run("top", f"127.0.0.1:{free_port()}"), 1, "shopdata top: ")

    def test_something_else_there(self):
        self.assert_ended(self.top(Exporter(answer="<html>")), 1, "no metrics of libshopdata")
        self.assert_ended(self.top(Exporter(answer="", status=404)), 1, "404")

    def test_file_is_no_address(self):
        self.assert_ended(run("top", "--once", "file:///etc/hostname"), 1, "shopdata top: ")

    def test_usage(self):
        self.assert_misused("ADDRESS is missing", "top")
        self.assert_misused("one ADDRESS at a time", "top", "a", "b")
        for wrong in "0", "0.01", "x", "1s", "nan", "4000":
            self.assert_misused(f"--interval {wrong}: seconds from 0.1 to 3600", "top", "--interval", wrong, "a")
        self.assert_ended(run("top", "--help"), 0, "usage: shopdata top")


class Live(Case):
    def start(self, columns: int = 100) -> tuple[Exporter, Terminal]:
        exporter = Exporter()
        terminal = Terminal("top", "--interval", "0.2", f"127.0.0.1:{exporter.port}", columns=columns)
        self.assertTrue(terminal.read_until("hit ratio"), terminal.output)
        self.assertIn(OTHER_SCREEN, terminal.output)
        return exporter, terminal

    def test_process_that_goes_and_comes_back(self):
        exporter, terminal = self.start()
        self.assertTrue(terminal.read_until("replica1"))
        exporter.stop()
        self.assertTrue(terminal.read_until("NO ANSWER: "), terminal.output)
        self.assertTrue(terminal.read_until("replica1"), "the last page stays")
        again = Exporter(port=exporter.port)
        self.addCleanup(again.stop)
        shown = len(terminal.output)
        self.assertTrue(terminal.read_until("hit ratio"))
        deadline = time.monotonic() + 20
        while again.looks < 3 and time.monotonic() < deadline:
            terminal.read_until("hit ratio")
        self.assertTrue(terminal.read_until("hit ratio"))
        last = terminal.output[terminal.output.rindex("\x1b[H"):]
        self.assertGreater(len(terminal.output), shown)
        self.assertNotIn("NO ANSWER", last)
        os.write(terminal.fd, b"q")
        self.assertEqual(terminal.end(), 0)
        self.assertTrue(terminal.output.rstrip().endswith(BACK), terminal.output[-100:])

    def test_signal(self):
        exporter, terminal = self.start()
        self.addCleanup(exporter.stop)
        os.kill(terminal.pid, signal.SIGTERM)
        self.assertEqual(terminal.end(), 0)
        self.assertIn(BACK, terminal.output)

    def test_narrow_terminal(self):
        exporter, terminal = self.start(columns=40)
        self.addCleanup(exporter.stop)
        for _ in range(3):  # the size is set after the start
            terminal.read_until("hit ratio")
        os.write(terminal.fd, b"q")
        self.assertEqual(terminal.end(), 0)
        page = terminal.output[terminal.output.rindex("\x1b[H"):terminal.output.rindex("\x1b[J")]
        lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", page).splitlines()
        self.assertLessEqual(max(map(len, lines)), 40)


if __name__ == "__main__":
    unittest.main()
