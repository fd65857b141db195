/* metrics.h - what is counted, described once: name, help, type, unit, labels. Counters are striped by thread: a thread
 * adds to a cache line of its own, and a reader sums. So are histograms.
 *
 * A metric has one value for each value of its label: `source`, `node`, `kind` (of error); or for each pair of values
 * of its two. Names of nodes and policies are given when the metrics are made. */
#ifndef SDI_MODEL_METRICS_H
#define SDI_MODEL_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include <shopdata/shopdata.h>

enum sdi_metric {
    SDI_M_QUERIES,       /* source */
    SDI_M_NODE_QUERIES,  /* node */
    SDI_M_QUERY_SECONDS, /* source; histogram, recorded in microseconds */
    SDI_M_WRITES,
    SDI_M_WRITE_SECONDS, /* histogram */
    SDI_M_ERRORS,        /* kind: statuses ARGUMENT .. FORKED */
    SDI_M_TRANSACTIONS,
    SDI_M_TRANSACTIONS_ABANDONED,
    SDI_M_RESULT_ROWS,         /* source */
    SDI_M_RESULT_BYTES,        /* source */
    SDI_M_CACHE_HITS,          /* policy */
    SDI_M_CACHE_NEGATIVE_HITS, /* policy */
    SDI_M_CACHE_MISSES,        /* policy; reason */
    SDI_M_CACHE_FILLS,         /* policy */
    SDI_M_CACHE_FILLS_DROPPED, /* stamp did not pass, too large, cache unavailable */
    SDI_M_CACHE_ENTRY_BYTES,   /* histogram of entries stored */
    SDI_M_CACHE_READ_BYTES,
    SDI_M_CACHE_WRITTEN_BYTES,
    SDI_M_COMPRESSION_BYTES, /* side: in, out */
    SDI_M_CACHE_ERRORS,      /* kind: connect, timeout, lost, protocol, rejected */
    SDI_M_CACHE_SECONDS,     /* histogram of round trips */
    SDI_M_CACHE_BREAKER,     /* gauge 0 closed, 1 half open, 2 open */
    SDI_M_CACHE_KIND,        /* kind; gauge, 1 for the one that is configured */
    SDI_M_INVALIDATIONS,     /* tags bumped */
    SDI_M_UNFENCED,          /* writes whose fence could not be stored */
    SDI_M_UNFENCED_PENDING,  /* gauge: tags that wait to be told */
    SDI_M_FENCE_CHANGES,     /* kind */
    SDI_M_MARKS_REFUSED,     /* strict writes rolled back */
    SDI_M_PENDING_MET,       /* reads */
    SDI_M_PENDING_SETTLED,   /* transactions, by readers */
    SDI_M_FENCES_RETRIED,    /* tags that were told later */
    SDI_M_FENCES_FORGOTTEN,  /* tags past the bound of what is kept to be told */
    SDI_M_FENCES_SAMPLED,    /* floors sampled on the primary */
    SDI_M_STALE_ANSWERS,     /* policy; reason */
    SDI_M_STALENESS,         /* histogram */
    SDI_M_STALENESS_UNKNOWN, /* answers of which it is not known */
    SDI_M_TOKENS_FOREIGN,    /* tokens of another database */
    SDI_M_LEASES,            /* event */
    SDI_M_FLIGHTS_JOINED,    /* callers who took another's answer */
    SDI_M_FRESHNESS_PRIMARY, /* reads sent to the primary because no replica was new enough */
    SDI_M_READ_RETRIES,
    SDI_M_POOL_WAITS,          /* node */
    SDI_M_SHARED_BATCHES,      /* node */
    SDI_M_SHARED_READS,        /* node */
    SDI_M_POOL_WAIT_SECONDS,   /* node; histogram */
    SDI_M_POOL_CONNECTIONS,    /* node; gauge */
    SDI_M_POOL_BUSY,           /* node; gauge */
    SDI_M_POOL_SIZE,           /* node; gauge */
    SDI_M_POOL_WAITING,        /* node; gauge */
    SDI_M_CONNECTS,            /* node */
    SDI_M_NODE_ROLE,           /* node; gauge 0 unknown, 1 replica, 2 primary */
    SDI_M_NODE_BREAKER,        /* node; gauge as above */
    SDI_M_NODE_BREAKER_OPENED, /* node */
    SDI_M_NODE_LAG_BYTES,      /* node; gauge */
    SDI_M_NODE_LAG_SECONDS,    /* node; gauge */
    SDI_M_NODE_FAILURES,       /* node */
    SDI_M_FAILOVERS,           /* times another node became the primary */
    SDI_M_STATEMENTS_MENDED,   /* prepared statements made again */
    SDI_M_CANCELS,             /* running statements cancelled on the server at their deadline */
    SDI_M_SLOW_QUERIES,
    SDI_M_OPS,
    SDI_M_OPS_WAITING,   /* gauge */
    SDI_M_OPS_RUNNING,   /* gauge */
    SDI_M_LOCAL_MISSES,  /* reason */
    SDI_M_LOCAL_BYTES,   /* gauge */
    SDI_M_LOCAL_ENTRIES, /* gauge */
    SDI_M_LOCAL_EVICTIONS,
    SDI_M_LOCAL_MESSAGES,      /* heard */
    SDI_M_LOCAL_WATERMARK_AGE, /* gauge */
    SDI_M_LOCAL_LOST,          /* subscriptions */
    SDI_M_LOCAL_FAILED,        /* tries to subscribe */
    SDI_M_LOG_LINES,           /* level */
    SDI_M_LOG_LINES_DROPPED,   /* reason: rate, full */
    SDI_M_BUILD_INFO,          /* version; compiler; gauge, always 1 */
    SDI_METRICS
};

enum sdi_miss_reason {
    SDI_MISS_ABSENT,
    SDI_MISS_FENCE_MISSING,
    SDI_MISS_FENCE_REFUSED,
    SDI_MISS_UNTOLD,
    SDI_MISS_EXPIRED,
    SDI_MISS_DAMAGED,
    SDI_MISS_FOREIGN,
    SDI_MISS_UNAVAILABLE,
    SDI_MISS_REASONS
};
enum sdi_local_miss { SDI_LOCAL_MISS_ABSENT, SDI_LOCAL_MISS_BEHIND, SDI_LOCAL_MISS_SESSION, SDI_LOCAL_MISSES };
enum sdi_drop_reason { SDI_DROP_STALE, SDI_DROP_TOO_LARGE, SDI_DROP_UNAVAILABLE, SDI_DROP_PENDING, SDI_DROP_REASONS };
enum sdi_fence_event {
    SDI_FENCES_MERGED,
    SDI_FENCES_DELETED,
    SDI_FENCES_MARKED,
    SDI_FENCES_WITHDRAWN,
    SDI_FENCES_SETTLED,
    SDI_FENCE_EVENTS
};
enum sdi_lease_event { SDI_LEASES_TAKEN, SDI_LEASES_AWAITED, SDI_LEASES_ANSWERED, SDI_LEASE_EVENTS };
enum sdi_stale_reason {
    SDI_STALE_EXPIRED_REFRESHING,
    SDI_STALE_EXPIRED_UNAVAILABLE,
    SDI_STALE_OVERTAKEN_REFRESHING,
    SDI_STALE_OVERTAKEN_UNAVAILABLE,
    SDI_STALE_OVERTAKEN_TOLERATED,
    SDI_STALE_REASONS
};
enum sdi_compression_side { SDI_COMPRESSION_IN, SDI_COMPRESSION_OUT, SDI_COMPRESSION_SIDES };
enum sdi_cache_fault {
    SDI_CACHE_FAULT_CONNECT,
    SDI_CACHE_FAULT_TIMEOUT,
    SDI_CACHE_FAULT_LOST,
    SDI_CACHE_FAULT_PROTOCOL,
    SDI_CACHE_FAULT_REJECTED,
    SDI_CACHE_FAULTS
};

typedef struct sdi_metrics sdi_metrics;

/* What the values of a label are called. */
typedef struct sdi_names {
    const char *const *list;
    size_t count;
} sdi_names;

/* sdi_metrics_new makes counters at zero for these nodes and policies (names are copied). NULL without memory. */
sdi_metrics *sdi_metrics_new(sdi_names nodes, sdi_names policies);
void sdi_metrics_free(sdi_metrics *metrics);

/* sdi_count adds to a counter; `label` numbers the value of its label (source - 1, node, policy, status -1..-14 as
 * 0..13, reason) and is 0 for a metric without labels. Never fails, never locks. Here and below: metrics NULL, and
 * nothing is kept. */
void sdi_count(sdi_metrics *metrics, enum sdi_metric metric, size_t label, uint64_t amount);
/* sdi_metric_pair is the `label` of a metric with two. */
size_t sdi_metric_pair(enum sdi_metric metric, size_t first, size_t second);
/* sdi_count_error counts a failed call by its status. */
void sdi_count_error(sdi_metrics *metrics, int status);
/* sdi_observe records a duration in microseconds, or a number of bytes, into a histogram. */
void sdi_observe(sdi_metrics *metrics, enum sdi_metric metric, size_t label, int64_t value);
/* sdi_gauge sets a gauge. */
void sdi_gauge(sdi_metrics *metrics, enum sdi_metric metric, size_t label, double value);
uint64_t sdi_counted(const sdi_metrics *metrics, enum sdi_metric metric, size_t label);

/* sdi_metrics_snapshot makes what shopdata_metrics_take hands out. */
int sdi_metrics_snapshot(const sdi_metrics *metrics, shopdata_metrics **snapshot_out, shopdata_error **error_out);

#endif
