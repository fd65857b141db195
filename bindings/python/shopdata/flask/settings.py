"""What an application's configuration says of the extension, and of the client behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, Optional, Union

from shopdata.errors import ConfigError

__all__ = ["Settings"]

_PREFIX = "SHOPDATA_"


@dataclass
class Settings:
    """The keys ``SHOPDATA_*`` that are the extension's own (each field is one), and those of the library.

    What is a mapping is a section of the library's configuration (``SHOPDATA_CACHE = {"kind": "redis"}``), and what is
    neither is a key of its section ``[shopdata]`` (``SHOPDATA_LOG_LEVEL = "debug"``).
    """

    config: Optional[str] = None
    lazy: bool = False
    threads: int = 16
    cookie: bool = True
    cookie_name: str = "shopdata"
    cookie_max_age: Union[int, timedelta] = 3600
    cookie_secure: Optional[bool] = None
    cookie_httponly: bool = True
    cookie_samesite: Optional[str] = "Lax"
    cookie_path: str = "/"
    cookie_domain: Optional[str] = None
    cookie_reads: bool = False
    request_deadline: Optional[float] = None
    max_staleness: Optional[float] = None
    retry_after: Optional[int] = None
    metrics: bool = True
    health: bool = True
    url_prefix: Optional[str] = None
    metrics_dir: Optional[str] = None
    sections: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(
        cls, config: Mapping[str, Any], root: str, file: Optional[str], sections: Mapping[str, Mapping[str, Any]]
    ) -> Settings:
        """Takes what the application's configuration says, on top of what the extension was made with.

        A relative path is one from ``root``. ConfigError names the first key that cannot be.
        """
        settings = cls(config=file, cookie_path=config.get("APPLICATION_ROOT") or "/")
        settings.sections = {name: dict(section) for name, section in sections.items()}
        for key, value in config.items():
            if key.startswith(_PREFIX):
                settings._take(key, value)
        settings._check()
        if settings.config is not None:
            settings.config = str(Path(root, settings.config))
        if settings.metrics_dir is not None:
            settings.metrics_dir = str(Path(root, settings.metrics_dir))
        return settings

    def _take(self, key: str, value: Any) -> None:
        name = key[len(_PREFIX) :].lower()
        if name in _OWN:
            setattr(self, name, value)
        elif isinstance(value, Mapping):
            self.sections.setdefault(name, {})
            self.sections[name] = {**self.sections[name], **value}
        else:
            self.sections["shopdata"] = {**self.sections.get("shopdata", {}), name: value}

    def _check(self) -> None:
        for own in fields(self):
            wanted = _OWN.get(own.name)
            value = getattr(self, own.name)
            if wanted and not _fits(value, own.default, wanted[0]):
                raise ConfigError(f"{_PREFIX}{own.name.upper()}: {wanted[1]} is wanted, not {value!r}")


def _fits(value: Any, default: Any, types: tuple[type, ...]) -> bool:
    if value is None:
        return default is None
    if isinstance(value, bool):
        return bool in types
    return isinstance(value, types) and not (isinstance(value, (int, float)) and value <= 0)


_TEXT = ((str,), "a text")
_SWITCH = ((bool,), "True or False")
_SECONDS = ((int, float), "a number of seconds over 0")
_OWN: dict[str, tuple[tuple[type, ...], str]] = {
    "config": ((str, Path), "the path of a file"),
    "lazy": _SWITCH,
    "threads": ((int,), "a whole number over 0"),
    "cookie": _SWITCH,
    "cookie_name": _TEXT,
    "cookie_max_age": ((int, timedelta), "a whole number of seconds over 0, or a timedelta,"),
    "cookie_secure": _SWITCH,
    "cookie_httponly": _SWITCH,
    "cookie_samesite": _TEXT,
    "cookie_path": _TEXT,
    "cookie_domain": _TEXT,
    "cookie_reads": _SWITCH,
    "request_deadline": _SECONDS,
    "max_staleness": _SECONDS,
    "retry_after": ((int,), "a whole number of seconds over 0"),
    "metrics": _SWITCH,
    "health": _SWITCH,
    "url_prefix": _TEXT,
    "metrics_dir": ((str, Path), "the path of a directory"),
}
