"""PostgreSQL with read replicas behind a shared cache that is never stale: libshopdata for Python."""

from shopdata import _native

__version__ = _native.shopdata_version()
