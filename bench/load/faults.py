"""What ends a command of the load benchmark: one line, and an exit code."""

from __future__ import annotations


class BenchError(Exception):
    """What is wrong, where, and what would be right: one line for people. ``code`` is the exit code."""

    def __init__(self, message: str, code: int = 1):
        super().__init__(" ".join(message.split()))
        self.code = code


class UsageError(BenchError):
    """The command line is wrong."""

    def __init__(self, message: str):
        super().__init__(message, 2)
