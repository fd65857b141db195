"""SQLAlchemy on shopdata: `postgresql+shopdata://user:password@primary/shop?replica=host2&cache=redis://cache:6379`.

doc/sqlalchemy.md tells what an application gets by changing its URL, and what it has to know.
"""

from __future__ import annotations

from shopdata.sqlalchemy.dialect import ShopdataDialect

dialect = ShopdataDialect

__all__ = ["ShopdataDialect", "dialect"]
