"""The one error a user is meant to read: a line that says what is wrong and what would be right."""


class LaunchError(Exception):
    """Printed as `launch: MESSAGE`, without a traceback."""


class Interrupted(LaunchError):
    """A signal arrived while something was being waited for."""
