"""Names that the command line takes."""

CACHES = ("redis", "valkey", "memcached", "memory", "redis-replicated")
PEERS = ("delete-on-write", "ttl-only")
MODES = ("fenced", "strict", *PEERS)
FAULTS = ("pause", "pause-both", "kill-replica", "freeze-replica", "freeze-primary", "restart-primary", "cut-database",
          "cut-writers", "promote", "cache-kill", "cache-flush", "cache-starve", "cache-freeze", "cache-cut", "cache-copy", "cache-evict",
          "cache-demote", "listener-cut", "kill-writer", "freeze-process")
