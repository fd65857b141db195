/* settings.h - a checked configuration as the floors above read it: typed, complete, immutable. */
#ifndef SDI_MODEL_SETTINGS_H
#define SDI_MODEL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <shopdata/shopdata.h>

#include "model/address.h"
#include "model/log.h"
#include "model/mode.h"
#include "model/token_keys.h"

typedef struct sdi_node_settings {
    const char *name;     /* 1 to 31 bytes: letters, digits, - and _ */
    const char *conninfo; /* libpq connection string or URI */
    int64_t weight;       /* 1 to 1000 */
    const char *zone;     /* "" for none */
} sdi_node_settings;

typedef struct sdi_pool_settings {
    int64_t size;            /* connections a node */
    int64_t wait_limit;      /* callers that may wait for one */
    int64_t wait_timeout_ms; /* how long they wait at most */
    int64_t connect_timeout_ms;
    bool prepared; /* keep prepared statements (off for poolers in transaction mode) */
    bool busy_poll;
    int64_t shared; /* so many connections at a time are shared by reads; 0: none */
} sdi_pool_settings;

typedef struct sdi_route_settings {
    const char *zone;            /* where this process runs; "" for unknown */
    int64_t poll_interval_ms;    /* role, lag and health of each node */
    int64_t catalog_interval_ms; /* between two looks for DDL of other programs; 0: none */
    int64_t max_lag_ms;          /* a replica further behind serves nothing while fences cannot be read */
    int64_t wait_for_replica_ms; /* how long a read waits for a replica to replay what it needs */
    int64_t primary_reads;       /* reads the primary takes at a time because no replica could */
    int64_t retries;             /* further tries of a read */
    int64_t breaker_failures;    /* failures in a row that open a node's circuit breaker */
    int64_t breaker_open_ms;     /* first pause; doubles up to breaker_open_max_ms */
    int64_t breaker_open_max_ms;
} sdi_route_settings;

enum sdi_cache_kind { SDI_CACHE_NONE, SDI_CACHE_MEMORY, SDI_CACHE_REDIS, SDI_CACHE_MEMCACHED };

typedef struct sdi_cache_settings {
    enum sdi_cache_kind kind;
    enum sdi_mode mode;
    const sdi_address *addresses; /* at least one */
    size_t address_count;
    bool discovery; /* memcached: the address is an endpoint that tells the servers */
    int64_t discovery_interval_ms;
    const char *user;     /* "" for none */
    const char *password; /* "" for none */
    bool tls;
    const char *tls_ca_file;       /* "": whom the system trusts */
    const char *tls_cert_file;     /* "" for none */
    const char *tls_key_file;      /* of tls_cert_file */
    const char *tls_server_name;   /* "": the host of the address */
    bool cluster;                  /* the addresses are of any of a Redis Cluster's nodes */
    const char *sentinel_primary;  /* the addresses are of sentinels, who know this one; "" for none */
    const char *sentinel_password; /* "" for none */
    int64_t database;
    const char *key_prefix; /* the key namespace */
    int64_t connections;
    int64_t connect_timeout_ms;
    int64_t timeout_ms; /* of one round trip */
    bool busy_poll;
    int64_t breaker_failures;
    int64_t breaker_open_ms;
    int64_t breaker_open_max_ms;
    int64_t max_entry_bytes; /* larger answers are not cached */
    int64_t memory_bytes;    /* of the memory cache */
} sdi_cache_settings;

typedef struct sdi_local_settings {
    int64_t bytes;        /* 0: no local cache */
    int64_t coherence_ms; /* how far it may trail behind other processes; 0: no local cache */
    int64_t ttl_ms;       /* of an entry where no messages come; 0: none is kept */
} sdi_local_settings;

typedef struct sdi_async_settings {
    int64_t threads;
} sdi_async_settings;

typedef struct sdi_policy_settings {
    const char *name;
    bool cache;
    bool local; /* keep answers in this process too */
    int64_t ttl_ms;
    int64_t jitter;             /* percent */
    int64_t negative_ttl_ms;    /* of an answer without rows */
    int64_t stale_ms;           /* how long one whose time is up may still be served */
    int64_t stale_overtaken_ms; /* up to what age one that a write may have overtaken may be served */
    int64_t lease_ms;           /* how long one process asks while the others wait; 0: they do not */
    int64_t max_bytes;          /* larger answers are not cached; 0: the cache's own limit holds */
    int64_t compress_over;      /* bytes of rows; 0: never */
} sdi_policy_settings;

enum { SDI_POLICIES_MAX = 256 };

typedef struct sdi_settings {
    int64_t deadline_ms;
    int64_t max_result_bytes;
    int64_t slow_query_ms; /* 0: no query is slow */
    sdi_log_settings log;
    sdi_token_keys token_keys;
    sdi_node_settings *nodes;
    size_t node_count;
    sdi_policy_settings *policies; /* [0] is "default" */
    size_t policy_count;
    int64_t entry_life_ms; /* the longest that the cache may hold an answer of any policy */
    sdi_pool_settings pool;
    sdi_route_settings route;
    sdi_cache_settings cache;
    sdi_async_settings async;
    sdi_local_settings local;
    void *memory; /* what the texts live in */
} sdi_settings;

/* sdi_settings_make checks a configuration as a whole (at least one node, address where the cache needs one...) and
 * copies it. All faults at once, a line each. */
int sdi_settings_make(const shopdata_config *config, sdi_settings **settings_out, shopdata_error **error_out);
void sdi_settings_free(sdi_settings *settings);
/* sdi_settings_policy: NULL name is "default"; NULL if there is none of that name. */
const sdi_policy_settings *sdi_settings_policy(const sdi_settings *settings, const char *name);

#endif
