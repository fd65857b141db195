#include "model/metrics_table.h"

#include <string.h>

static const char *const sources[] = {"cache", "replica", "primary", "stale", "local"};
static const char *const statuses[] = {"argument",    "config", "no_memory",   "sql",       "refused",
                                       "timeout",     "busy",   "unavailable", "ambiguous", "too_large",
                                       "transaction", "range",  "type",        "forked",    "interrupted"};
static const char *const misses[SDI_MISS_REASONS] = {
    [SDI_MISS_ABSENT] = "absent",
    [SDI_MISS_FENCE_MISSING] = "fence_missing",
    [SDI_MISS_FENCE_REFUSED] = "fence_refused",
    [SDI_MISS_UNTOLD] = "untold",
    [SDI_MISS_EXPIRED] = "expired",
    [SDI_MISS_DAMAGED] = "damaged",
    [SDI_MISS_FOREIGN] = "foreign",
    [SDI_MISS_UNAVAILABLE] = "unavailable",
};
static const char *const local_misses[SDI_LOCAL_MISSES] = {
    [SDI_LOCAL_MISS_ABSENT] = "absent",
    [SDI_LOCAL_MISS_BEHIND] = "behind",
    [SDI_LOCAL_MISS_SESSION] = "session",
};
static const char *const drops[SDI_DROP_REASONS] = {
    [SDI_DROP_STALE] = "stale",
    [SDI_DROP_TOO_LARGE] = "too_large",
    [SDI_DROP_UNAVAILABLE] = "unavailable",
    [SDI_DROP_PENDING] = "pending",
};
static const char *const fence_changes[SDI_FENCE_EVENTS] = {
    [SDI_FENCES_MERGED] = "merged",       [SDI_FENCES_DELETED] = "deleted", [SDI_FENCES_MARKED] = "marked",
    [SDI_FENCES_WITHDRAWN] = "withdrawn", [SDI_FENCES_SETTLED] = "settled",
};
static const char *const leases[SDI_LEASE_EVENTS] = {
    [SDI_LEASES_TAKEN] = "taken",
    [SDI_LEASES_AWAITED] = "awaited",
    [SDI_LEASES_ANSWERED] = "answered",
};
static const char *const stale[SDI_STALE_REASONS] = {
    [SDI_STALE_EXPIRED_REFRESHING] = "expired_refreshing",
    [SDI_STALE_EXPIRED_UNAVAILABLE] = "expired_unavailable",
    [SDI_STALE_OVERTAKEN_REFRESHING] = "overtaken_refreshing",
    [SDI_STALE_OVERTAKEN_UNAVAILABLE] = "overtaken_unavailable",
    [SDI_STALE_OVERTAKEN_TOLERATED] = "overtaken_tolerated",
};
static const char *const compression[SDI_COMPRESSION_SIDES] = {
    [SDI_COMPRESSION_IN] = "in",
    [SDI_COMPRESSION_OUT] = "out",
};
static const char *const cache_faults[SDI_CACHE_FAULTS] = {
    [SDI_CACHE_FAULT_CONNECT] = "connect",   [SDI_CACHE_FAULT_TIMEOUT] = "timeout",   [SDI_CACHE_FAULT_LOST] = "lost",
    [SDI_CACHE_FAULT_PROTOCOL] = "protocol", [SDI_CACHE_FAULT_REJECTED] = "rejected",
};

static const char *const log_levels[] = {"error", "warning", "info", "debug"};
static const char *const log_drops[] = {"rate", "full"};
static const char *const versions[] = {SHOPDATA_VERSION};
static const char *const compilers[] = {__VERSION__};

static const char *const cache_kinds[] = {"none", "memory", "redis", "memcached"}; /* as enum sdi_cache_kind */

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
const sdi_label sdi_labels[SDI_LABEL_SETS] = {
    [SDI_LABEL_NONE] = {"", NULL, 1},
    [SDI_LABEL_SOURCE] = {"source", sources, COUNT(sources)},
    [SDI_LABEL_NODE] = {"node", NULL, 0},
    [SDI_LABEL_STATUS] = {"kind", statuses, COUNT(statuses)},
    [SDI_LABEL_MISS] = {"reason", misses, COUNT(misses)},
    [SDI_LABEL_LOCAL_MISS] = {"reason", local_misses, COUNT(local_misses)},
    [SDI_LABEL_DROP] = {"reason", drops, COUNT(drops)},
    [SDI_LABEL_FENCE_CHANGE] = {"kind", fence_changes, COUNT(fence_changes)},
    [SDI_LABEL_COMPRESSION] = {"side", compression, COUNT(compression)},
    [SDI_LABEL_LEASE] = {"event", leases, COUNT(leases)},
    [SDI_LABEL_STALE] = {"reason", stale, COUNT(stale)},
    [SDI_LABEL_CACHE_FAULT] = {"kind", cache_faults, COUNT(cache_faults)},
    [SDI_LABEL_CACHE_KIND] = {"kind", cache_kinds, COUNT(cache_kinds)},
    [SDI_LABEL_POLICY] = {"policy", NULL, 0},
    [SDI_LABEL_LOG_LEVEL] = {"level", log_levels, COUNT(log_levels)},
    [SDI_LABEL_LOG_DROP] = {"reason", log_drops, COUNT(log_drops)},
    [SDI_LABEL_VERSION] = {"version", versions, COUNT(versions)},
    [SDI_LABEL_COMPILER] = {"compiler", compilers, COUNT(compilers)},
};

static const sdi_metric_scale seconds = {
    {{100, "0.0001"},
     {250, "0.00025"},
     {500, "0.0005"},
     {1000, "0.001"},
     {2500, "0.0025"},
     {5000, "0.005"},
     {10000, "0.01"},
     {25000, "0.025"},
     {50000, "0.05"},
     {100000, "0.1"},
     {250000, "0.25"},
     {500000, "0.5"},
     {1000000, "1"},
     {2500000, "2.5"},
     {5000000, "5"},
     {10000000, "10"}},
    1e6,
};
static const sdi_metric_scale bytes = {
    {{64, "64"},
     {128, "128"},
     {256, "256"},
     {512, "512"},
     {1024, "1024"},
     {2048, "2048"},
     {4096, "4096"},
     {8192, "8192"},
     {16384, "16384"},
     {32768, "32768"},
     {65536, "65536"},
     {131072, "131072"},
     {262144, "262144"},
     {524288, "524288"},
     {1048576, "1048576"},
     {4194304, "4194304"}},
    1,
};

const sdi_metric_scale *sdi_metric_scale_of(const sdi_metric_description *about)
{
    return strcmp(about->unit, "bytes") ? &seconds : &bytes;
}

/* clang-format off */
#define COUNTER(name, label, help) {"shopdata_" name "_total", SHOPDATA_COUNTER, "count", {SDI_LABEL_##label}, help}
#define COUNTER_PAIR(name, first, second, help) \
    {"shopdata_" name "_total", SHOPDATA_COUNTER, "count", {SDI_LABEL_##first, SDI_LABEL_##second}, help}
#define BYTES(name, label, help) {"shopdata_" name "_bytes_total", SHOPDATA_COUNTER, "bytes", {SDI_LABEL_##label}, help}
#define SECONDS(name, label, help) {"shopdata_" name "_seconds", SHOPDATA_HISTOGRAM, "seconds", {SDI_LABEL_##label}, help}
#define SIZES(name, label, help) {"shopdata_" name "_bytes", SHOPDATA_HISTOGRAM, "bytes", {SDI_LABEL_##label}, help}
#define GAUGE(name, unit, label, help) {"shopdata_" name, SHOPDATA_GAUGE, unit, {SDI_LABEL_##label}, help}
const sdi_metric_description sdi_metric_table[SDI_METRICS] = {
    [SDI_M_QUERIES] = COUNTER("queries", SOURCE, "Reads answered, by who answered."),
    [SDI_M_NODE_QUERIES] = COUNTER("node_queries", NODE, "Statements that a node ran."),
    [SDI_M_QUERY_SECONDS] = SECONDS("query", SOURCE, "Time from the call of a read to its answer."),
    [SDI_M_WRITES] = COUNTER("writes", NONE, "Writes that were executed."),
    [SDI_M_WRITE_SECONDS] = SECONDS("write", NONE, "Time from the call of a write to its return, invalidation included."),
    [SDI_M_ERRORS] = COUNTER("errors", STATUS, "Calls that failed, by status."),
    [SDI_M_TRANSACTIONS] = COUNTER("transactions", NONE, "Transactions that were begun."),
    [SDI_M_TRANSACTIONS_ABANDONED] = COUNTER("transactions_abandoned", NONE, "Transactions left open when their session was freed, and rolled back."),
    [SDI_M_RESULT_ROWS] = COUNTER("result_rows", SOURCE, "Rows of the answers to reads, by who answered."),
    [SDI_M_RESULT_BYTES] = BYTES("result", SOURCE, "Size of the answers to reads, by who answered."),
    [SDI_M_CACHE_HITS] = COUNTER("cache_hits", POLICY, "Reads that the cache answered."),
    [SDI_M_CACHE_NEGATIVE_HITS] = COUNTER("cache_negative_hits", POLICY, "Cache hits whose answer has no rows; they count as hits too."),
    [SDI_M_CACHE_MISSES] = COUNTER_PAIR("cache_misses", POLICY, MISS, "Reads that the cache could not answer, by reason."),
    [SDI_M_CACHE_FILLS] = COUNTER("cache_fills", POLICY, "Answers stored in the cache."),
    [SDI_M_CACHE_FILLS_DROPPED] = COUNTER("cache_fills_dropped", DROP, "Answers that were not stored in the cache, by reason."),
    [SDI_M_CACHE_ENTRY_BYTES] = SIZES("cache_entry", NONE, "Size of the entries stored in the cache."),
    [SDI_M_CACHE_READ_BYTES] = BYTES("cache_read", NONE, "Entries and fences read from the cache, without keys and protocol."),
    [SDI_M_CACHE_WRITTEN_BYTES] = BYTES("cache_written", NONE, "Entries and fences written to the cache, without keys and protocol."),
    [SDI_M_COMPRESSION_BYTES] = BYTES("cache_compression", COMPRESSION, "Rows of the entries that were compressed, before and after."),
    [SDI_M_CACHE_ERRORS] = COUNTER("cache_errors", CACHE_FAULT, "Failures of the cache server; the database answered instead."),
    [SDI_M_CACHE_SECONDS] = SECONDS("cache_roundtrip", NONE, "Time of a round trip to the cache."),
    [SDI_M_CACHE_BREAKER] = GAUGE("cache_breaker_state", "state", NONE, "Circuit breaker of the cache: 0 closed, 1 half open, 2 open."),
    [SDI_M_CACHE_KIND] = GAUGE("cache_kind", "state", CACHE_KIND, "1 for the kind of cache that is configured, 0 for the others."),
    [SDI_M_INVALIDATIONS] = COUNTER("invalidations", NONE, "Tags bumped by writes."),
    [SDI_M_UNFENCED] = COUNTER("unfenced_writes", NONE, "Writes that stand but could not be told to the cache."),
    [SDI_M_UNFENCED_PENDING] = GAUGE("unfenced_pending_tags", "count", NONE, "Tags that wait to be told to the cache."),
    [SDI_M_FENCE_CHANGES] = COUNTER("fence_changes", FENCE_CHANGE, "Fences told of something: writes that stand (merged; deleted where their position is not known), writes about to commit in mode `strict` (marked), that did not after all (withdrawn), and that a reader found finished (settled)."),
    [SDI_M_MARKS_REFUSED] = COUNTER("marks_refused", NONE, "Writes of mode `strict` that were rolled back because the cache did not take their mark."),
    [SDI_M_PENDING_MET] = COUNTER("pending_met", NONE, "Reads whose fences told of transactions that may commit at any moment, or whose writers died."),
    [SDI_M_PENDING_SETTLED] = COUNTER("pending_settled", NONE, "Transactions that a reader met pending, found finished, and settled for all."),
    [SDI_M_FENCES_RETRIED] = COUNTER("fences_retried", NONE, "Tags that waited, and that the cache was told of in the end."),
    [SDI_M_FENCES_FORGOTTEN] = COUNTER("fences_forgotten", NONE, "Tags that were more than can wait: the cache is never told of them."),
    [SDI_M_FENCES_SAMPLED] = COUNTER("fences_sampled", NONE, "Times the primary was asked where a new fence stands."),
    [SDI_M_STALE_ANSWERS] = COUNTER_PAIR("stale_answers", POLICY, STALE, "Reads answered by an old entry: its time was up or a write may have overtaken it, while another fetched a new one, because the database did not answer, or because the session tolerates it."),
    [SDI_M_STALENESS] = SECONDS("staleness", NONE, "Bound of how long ago the rows of an answer may have been overtaken by a write; 0 of most."),
    [SDI_M_STALENESS_UNKNOWN] = COUNTER("staleness_unknown", NONE, "Answers of which no such bound is known."),
    [SDI_M_TOKENS_FOREIGN] = COUNTER("tokens_foreign", NONE, "Session tokens that were ignored because they are of another database cluster."),
    [SDI_M_LEASES] = COUNTER("leases", LEASE, "Leases of entries: taken, found with another process and awaited, and how often the waiting brought the answer."),
    [SDI_M_FLIGHTS_JOINED] = COUNTER("flights_joined", NONE, "Reads that took the answer another caller of the process was already waiting for: stampedes on the database prevented."),
    [SDI_M_FRESHNESS_PRIMARY] = COUNTER("freshness_primary_reads", NONE, "Reads sent to the primary because no replica was new enough."),
    [SDI_M_READ_RETRIES] = COUNTER("read_retries", NONE, "Reads tried again after a failure."),
    [SDI_M_POOL_WAITS] = COUNTER("pool_waits", NODE, "Callers that had to wait for a connection."),
    [SDI_M_SHARED_BATCHES] = COUNTER("shared_batches", NODE, "Round trips that reads made on shared connections."),
    [SDI_M_SHARED_READS] = COUNTER("shared_reads", NODE, "Reads that were sent in these round trips."),
    [SDI_M_POOL_WAIT_SECONDS] = SECONDS("pool_wait", NODE, "Time that callers waited for a connection."),
    [SDI_M_POOL_CONNECTIONS] = GAUGE("pool_connections", "count", NODE, "Open connections."),
    [SDI_M_POOL_BUSY] = GAUGE("pool_busy_connections", "count", NODE, "Connections in use."),
    [SDI_M_POOL_SIZE] = GAUGE("pool_size_connections", "count", NODE, "Connections that the pool may have at most."),
    [SDI_M_POOL_WAITING] = GAUGE("pool_waiting_callers", "count", NODE, "Callers that wait for a connection now, of their own or to share."),
    [SDI_M_CONNECTS] = COUNTER("connects", NODE, "Connections made to a node."),
    [SDI_M_NODE_ROLE] = GAUGE("node_role", "state", NODE, "Role of a node: 0 unknown, 1 replica, 2 primary."),
    [SDI_M_NODE_BREAKER] = GAUGE("node_breaker_state", "state", NODE, "Circuit breaker of a node: 0 closed, 1 half open, 2 open."),
    [SDI_M_NODE_BREAKER_OPENED] = COUNTER("node_breaker_opened", NODE, "Times a node's circuit breaker opened."),
    [SDI_M_NODE_LAG_BYTES] = GAUGE("node_lag_bytes", "bytes", NODE, "Write-ahead log that the primary has and a replica has not replayed."),
    [SDI_M_NODE_LAG_SECONDS] = GAUGE("node_lag_seconds", "seconds", NODE, "How long a replica is behind the primary."),
    [SDI_M_NODE_FAILURES] = COUNTER("node_failures", NODE, "Connects and statements that failed through a node's fault."),
    [SDI_M_FAILOVERS] = COUNTER("failovers", NONE, "Times another node became the primary."),
    [SDI_M_STATEMENTS_MENDED] = COUNTER("statements_mended", NONE, "Prepared statements that had to be prepared again."),
    [SDI_M_CANCELS] = COUNTER("cancels", NONE, "Statements cancelled on the server at their deadline."),
    [SDI_M_SLOW_QUERIES] = COUNTER("slow_queries", NONE, "Reads and writes that took `slow_query` or longer."),
    [SDI_M_OPS] = COUNTER("ops", NONE, "Calls that were started without waiting for them (`shopdata_start`)."),
    [SDI_M_OPS_WAITING] = GAUGE("ops_waiting", "count", NONE, "Ops that wait for a thread to run them."),
    [SDI_M_OPS_RUNNING] = GAUGE("ops_running", "count", NONE, "Ops that a thread runs now."),
    [SDI_M_LOCAL_MISSES] = COUNTER("local_misses", LOCAL_MISS, "Reads that the cache in this process could not answer: nothing good was kept (absent), the watermark was too old or there was none (behind), or the session knew more than had been heard here (session). Its hits are those of `shopdata_queries_total` from local."),
    [SDI_M_LOCAL_BYTES] = GAUGE("local_bytes", "bytes", NONE, "What the cache in this process takes of `local.bytes`."),
    [SDI_M_LOCAL_ENTRIES] = GAUGE("local_entries", "count", NONE, "Answers in the cache in this process."),
    [SDI_M_LOCAL_EVICTIONS] = COUNTER("local_evictions", NONE, "Answers that left the cache in this process for want of room."),
    [SDI_M_LOCAL_MESSAGES] = COUNTER("local_messages", NONE, "Messages about writes that were heard, of this process's own too."),
    [SDI_M_LOCAL_WATERMARK_AGE] = GAUGE("local_watermark_age_seconds", "seconds", NONE, "How long ago the moment was before which all that was published has been heard; -1 while nothing is heard. Over `local.coherence` nothing is answered here; where nobody has read for a second it grows to one second."),
    [SDI_M_LOCAL_LOST] = COUNTER("local_subscriptions_lost", NONE, "Times the subscription that the cache in this process hangs on was lost; it was empty after."),
    [SDI_M_LOCAL_FAILED] = COUNTER("local_subscriptions_failed", NONE, "Tries to subscribe that failed: while they do nothing is answered in this process. The log line `local_lost` says why: the server cannot be reached, is older than Redis 6, or does not let its user (`shopdata check` says what he lacks)."),
    [SDI_M_LOG_LINES] = COUNTER("log_lines", LOG_LEVEL, "Log lines raised, by level; 0 where no function is set."),
    [SDI_M_LOG_LINES_DROPPED] = COUNTER("log_lines_dropped", LOG_DROP, "Log lines that did not reach the function: over the rate of their event, or too many that waited."),
    [SDI_M_BUILD_INFO] = {"shopdata_build_info", SHOPDATA_GAUGE, "info", {SDI_LABEL_VERSION, SDI_LABEL_COMPILER}, "Always 1; the labels tell the library's version and the compiler that built it."},
};
/* clang-format on */
