#include "model/config_keys.h"

#include <ctype.h>
#include <string.h>

#include "model/settings.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };
#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* clang-format off */
const sdi_section sdi_sections[SDI_SECTIONS] = {
    [SDI_SECTION_SHOPDATA] = {"shopdata", false, "What holds for every call."},
    [SDI_SECTION_NODE] = {"node", true, "One section for each PostgreSQL server, at least one. Which of them is the primary is found out, never set."},
    [SDI_SECTION_POOL] = {"pool", false, "The connections that this process keeps to each node."},
    [SDI_SECTION_ROUTE] = {"route", false, "How a node is chosen, and when it is left alone."},
    [SDI_SECTION_CACHE] = {"cache", false, "The cache in front of the nodes. When it fails, the database answers."},
    [SDI_SECTION_LOCAL] = {"local", false, "The cache in this process, in front of the shared one (doc/freshness.md tells what it promises). It serves where the shared cache is Redis, not a cluster of it, and `cache.mode` is `fenced`; in mode `ttl` on any; see also `local.ttl`."},
    [SDI_SECTION_POLICY] = {"policy", true, "How long answers are kept. A statement names its policy; one that names none has `default`, which always exists and may be changed like any other."},
    [SDI_SECTION_ASYNC] = {"async", false, "Calls that do not wait (`shopdata_start`)."},
};

static const char *const log_levels[] = {"error", "warning", "info", "debug", NULL};
static const char *const cache_kinds[] = {"none", "memory", "redis", "memcached", NULL};
static const char *const cache_modes[] = {"ttl", "fenced", "strict", NULL};

#define AT(type, member) offsetof(sdi_##type, member)
const sdi_config_key sdi_config_keys[] = {
    {SDI_SECTION_SHOPDATA, "deadline", SDI_KEY_DURATION, "5s", 1, DAY, NULL, AT(settings, deadline_ms),
     "How long a call may take, waiting and trying again included. A session may set its own."},
    {SDI_SECTION_SHOPDATA, "max_result_bytes", SDI_KEY_BYTES, "64MiB", KIB, GIB, NULL, AT(settings, max_result_bytes),
     "A larger result is given up with SHOPDATA_ERR_TOO_LARGE."},
    {SDI_SECTION_SHOPDATA, "slow_query", SDI_KEY_DURATION, "0ms", 0, DAY, NULL, AT(settings, slow_query_ms),
     "A read or a write that takes so long is counted and gets a log line, with its text but without the values of its parameters. `0ms`: none does."},
    {SDI_SECTION_SHOPDATA, "log_level", SDI_KEY_CHOICE, "info", 0, 0, log_levels, AT(settings, log.level),
     "Which log lines go to the function of `shopdata_config_set_log`: those of this level and the graver ones."},
    {SDI_SECTION_SHOPDATA, "log_rate", SDI_KEY_INT, "1", 1, 1000, NULL, AT(settings, log.rate),
     "How many log lines of one kind a second in the long run; after a quiet time ten times as many may come at once. The next one tells how many were left out."},

    {SDI_SECTION_SHOPDATA, "token_keys", SDI_KEY_TOKEN_KEYS, "", 0, 0, NULL, AT(settings, token_keys),
     "The keys that sign session tokens, `ID:SECRET` with commas between: the first signs, all verify (doc/sessions.md tells how to change them). Empty: tokens are not signed. Messages never show them."},

    {SDI_SECTION_NODE, "conninfo", SDI_KEY_SECRET, NULL, 1, 0, NULL, AT(node_settings, conninfo),
     "Where the server is: a libpq connection string (`host=db1 dbname=shop user=shop`) or URI. Messages never show it."},
    {SDI_SECTION_NODE, "weight", SDI_KEY_INT, "1", 1, 1000, NULL, AT(node_settings, weight),
     "Share of the reads: a node of weight 2 gets about twice as many as one of weight 1."},
    {SDI_SECTION_NODE, "zone", SDI_KEY_TEXT, "", 0, 63, NULL, AT(node_settings, zone),
     "Where the server stands (an availability zone). Nodes in `route.zone` are preferred."},

    {SDI_SECTION_POOL, "size", SDI_KEY_INT, "8", 1, 1000, NULL, AT(pool_settings, size),
     "The most connections to one node."},
    {SDI_SECTION_POOL, "wait_limit", SDI_KEY_INT, "1000", 0, 1000000, NULL, AT(pool_settings, wait_limit),
     "How many callers may wait for a connection; the next one gets SHOPDATA_ERR_BUSY at once."},
    {SDI_SECTION_POOL, "wait_timeout", SDI_KEY_DURATION, "1s", 0, HOUR, NULL, AT(pool_settings, wait_timeout_ms),
     "How long a caller waits for a connection before SHOPDATA_ERR_BUSY."},
    {SDI_SECTION_POOL, "connect_timeout", SDI_KEY_DURATION, "2s", 1, 5 * MINUTE, NULL,
     AT(pool_settings, connect_timeout_ms), "How long connecting to a node may take, TLS and login included."},
    {SDI_SECTION_POOL, "prepared", SDI_KEY_BOOL, "on", 0, 1, NULL, AT(pool_settings, prepared),
     "Keep prepared statements on the connections. `off` behind a pooler that works by transaction."},
    {SDI_SECTION_POOL, "busy_poll", SDI_KEY_BOOL, "off", 0, 1, NULL, AT(pool_settings, busy_poll),
     "Look for the answer of a node that is quick for a moment, at most 80 us, before sleeping until it comes, as "
     "`cache.busy_poll` does. For machines where waking up takes longer than a read: it costs processor time."},
    {SDI_SECTION_POOL, "shared", SDI_KEY_INT, "8", 0, 64, NULL, AT(pool_settings, shared),
     "On so many of the connections to a node, at most all of `pool.size`, quick reads share round trips once each of "
     "these has one under way. `0`: each read has a connection alone, as it is where `pool.prepared` is off."},

    {SDI_SECTION_ROUTE, "zone", SDI_KEY_TEXT, "", 0, 63, NULL, AT(route_settings, zone),
     "Where this process runs. Empty: no node is preferred."},
    {SDI_SECTION_ROUTE, "poll_interval", SDI_KEY_DURATION, "200ms", 10, MINUTE, NULL,
     AT(route_settings, poll_interval_ms), "How often each node is asked for its role and its lag."},
    {SDI_SECTION_ROUTE, "catalog_interval", SDI_KEY_DURATION, "2s", 0, HOUR, NULL,
     AT(route_settings, catalog_interval_ms),
     "How often the primary is asked whether another program has changed tables, views, functions or policies (0: never). "
     "Until then plans are those of before."},
    {SDI_SECTION_ROUTE, "max_lag", SDI_KEY_DURATION, "5s", 0, DAY, NULL, AT(route_settings, max_lag_ms),
     "While the cache cannot be asked what was written, and in `cache.mode` ttl, a replica further behind than this serves "
     "nothing."},
    {SDI_SECTION_ROUTE, "wait_for_replica", SDI_KEY_DURATION, "20ms", 0, 10 * SECOND, NULL,
     AT(route_settings, wait_for_replica_ms),
     "How long a read waits for a replica to replay what it needs before it goes to the primary."},
    {SDI_SECTION_ROUTE, "primary_reads", SDI_KEY_INT, "64", 0, 100000, NULL, AT(route_settings, primary_reads),
     "How many reads at a time the primary takes because no replica could; the next one gets SHOPDATA_ERR_BUSY."},
    {SDI_SECTION_ROUTE, "retries", SDI_KEY_INT, "3", 0, 20, NULL, AT(route_settings, retries),
     "How often a read is tried again, on another node where there is one, inside its deadline."},
    {SDI_SECTION_ROUTE, "breaker_failures", SDI_KEY_INT, "3", 1, 1000, NULL, AT(route_settings, breaker_failures),
     "So many failures in a row, and the node is left alone for a while."},
    {SDI_SECTION_ROUTE, "breaker_open", SDI_KEY_DURATION, "200ms", 1, HOUR, NULL, AT(route_settings, breaker_open_ms),
     "How long the node is left alone at first; each further failure doubles it."},
    {SDI_SECTION_ROUTE, "breaker_open_max", SDI_KEY_DURATION, "5s", 1, HOUR, NULL,
     AT(route_settings, breaker_open_max_ms), "How long it is left alone at most."},

    {SDI_SECTION_CACHE, "kind", SDI_KEY_CHOICE, "none", 0, 0, cache_kinds, AT(cache_settings, kind),
     "`none`: every read asks a node. `memory`: a cache in this process alone, right only where no other process "
     "writes. `redis` and `memcached`: shared ones."},
    {SDI_SECTION_CACHE, "mode", SDI_KEY_CHOICE, "fenced", 0, 0, cache_modes, AT(cache_settings, mode),
     "What is promised of cached answers. `fenced`: none is older than a write that had returned before it was asked for "
     "(see [local] for what a process keeps itself). `strict`: nor than one that had become visible, whose writer may "
     "have died before he could return; a write takes one more round trip to the cache and to the primary, and is "
     "refused while the cache does not answer. Not on memcached. `ttl`: none is older than its `ttl` and "
     "`route.max_lag`, and a session sees its own writes; a write tells the cache nothing. The same in all processes "
     "that share the cache (doc/caching.md)."},
    {SDI_SECTION_CACHE, "address", SDI_KEY_ADDRESSES, "127.0.0.1:6379", 0, 0, NULL, AT(cache_settings, addresses),
     "Where the cache server is: `host:port`, `[2001:db8::7]:port`, or the path of a socket. Several memcached servers "
     "with commas between, the same in all processes; memcached's default is 127.0.0.1:11211. Of several Redis servers "
     "the first one found that is a primary is used; see also `cluster` and `sentinel_primary`."},
    {SDI_SECTION_CACHE, "discovery", SDI_KEY_BOOL, "off", 0, 1, NULL, AT(cache_settings, discovery),
     "`on`: `address` is the configuration endpoint of an ElastiCache for Memcached cluster, which tells the servers."},
    {SDI_SECTION_CACHE, "discovery_interval", SDI_KEY_DURATION, "60s", 100, HOUR, NULL,
     AT(cache_settings, discovery_interval_ms),
     "How often it is asked. The same in all processes: they wait for each other by it when the servers change."},
    {SDI_SECTION_CACHE, "user", SDI_KEY_TEXT, "", 0, 0, NULL, AT(cache_settings, user),
     "The name to log in to the cache server with. Empty: the server's default user. What a Redis user must be allowed: "
     "see doc/operations.md."},
    {SDI_SECTION_CACHE, "password", SDI_KEY_SECRET, "", 0, 0, NULL, AT(cache_settings, password),
     "The password to log in with. Empty: no login. Messages never show it."},
    {SDI_SECTION_CACHE, "tls", SDI_KEY_BOOL, "off", 0, 1, NULL, AT(cache_settings, tls),
     "Talk TLS (1.2 or newer) to a Redis server, and check its certificate and name."},
    {SDI_SECTION_CACHE, "tls_ca_file", SDI_KEY_TEXT, "", 0, 0, NULL, AT(cache_settings, tls_ca_file),
     "A PEM file with the authorities to trust. Empty: those that the system trusts."},
    {SDI_SECTION_CACHE, "tls_cert_file", SDI_KEY_TEXT, "", 0, 0, NULL, AT(cache_settings, tls_cert_file),
     "A PEM file with the certificate to show to the server, its chain behind it. Empty: none."},
    {SDI_SECTION_CACHE, "tls_key_file", SDI_KEY_TEXT, "", 0, 0, NULL, AT(cache_settings, tls_key_file),
     "A PEM file with the key of that certificate, without a passphrase."},
    {SDI_SECTION_CACHE, "tls_server_name", SDI_KEY_TEXT, "", 0, 255, NULL, AT(cache_settings, tls_server_name),
     "The name, or IP address, that the server's certificate must have. Empty: the host of `address`."},
    {SDI_SECTION_CACHE, "cluster", SDI_KEY_BOOL, "off", 0, 1, NULL, AT(cache_settings, cluster),
     "`address` is of some nodes of a Redis Cluster; the others, and who has which slot, they tell themselves."},
    {SDI_SECTION_CACHE, "sentinel_primary", SDI_KEY_TEXT, "", 0, 255, NULL, AT(cache_settings, sentinel_primary),
     "`address` is of Redis Sentinels, who are asked for the primary that they watch under this name. Empty: none."},
    {SDI_SECTION_CACHE, "sentinel_password", SDI_KEY_SECRET, "", 0, 0, NULL, AT(cache_settings, sentinel_password),
     "The password of the sentinels themselves. Empty: no login. Messages never show it."},
    {SDI_SECTION_CACHE, "database", SDI_KEY_INT, "0", 0, 65535, NULL, AT(cache_settings, database),
     "The number of the Redis database."},
    {SDI_SECTION_CACHE, "key_prefix", SDI_KEY_WORD, "shopdata", 1, 64, NULL, AT(cache_settings, key_prefix),
     "What every key begins with. All processes that write one database must have the same."},
    {SDI_SECTION_CACHE, "connections", SDI_KEY_INT, "16", 1, 1000, NULL, AT(cache_settings, connections),
     "The most connections to a cache server; to Redis eight at most. Threads share them."},
    {SDI_SECTION_CACHE, "connect_timeout", SDI_KEY_DURATION, "200ms", 1, MINUTE, NULL,
     AT(cache_settings, connect_timeout_ms), "How long connecting to the cache server may take."},
    {SDI_SECTION_CACHE, "timeout", SDI_KEY_DURATION, "100ms", 1, MINUTE, NULL, AT(cache_settings, timeout_ms),
     "How long one round trip may take before the database is asked instead."},
    {SDI_SECTION_CACHE, "busy_poll", SDI_KEY_BOOL, "on", 0, 1, NULL, AT(cache_settings, busy_poll),
     "Look for the answer of a server that is quick for a moment, at most 80 us, before sleeping until it comes: a hit "
     "takes less time, and more of the processor's. `off`: sleep at once."},
    {SDI_SECTION_CACHE, "breaker_failures", SDI_KEY_INT, "3", 1, 1000, NULL, AT(cache_settings, breaker_failures),
     "So many failures in a row, and the cache is left alone for a while."},
    {SDI_SECTION_CACHE, "breaker_open", SDI_KEY_DURATION, "200ms", 1, HOUR, NULL, AT(cache_settings, breaker_open_ms),
     "How long it is left alone at first; each further failure doubles it."},
    {SDI_SECTION_CACHE, "breaker_open_max", SDI_KEY_DURATION, "2s", 1, HOUR, NULL,
     AT(cache_settings, breaker_open_max_ms), "How long it is left alone at most."},
    {SDI_SECTION_CACHE, "max_entry_bytes", SDI_KEY_BYTES, "1MiB", KIB, GIB, NULL, AT(cache_settings, max_entry_bytes),
     "A larger answer is not cached."},
    {SDI_SECTION_CACHE, "memory_bytes", SDI_KEY_BYTES, "64MiB", 64 * KIB, 1024 * GIB, NULL,
     AT(cache_settings, memory_bytes), "How much the `memory` cache may hold."},

    {SDI_SECTION_LOCAL, "bytes", SDI_KEY_BYTES, "64MiB", 0, 1024 * GIB, NULL, AT(local_settings, bytes),
     "How much it may hold, what it takes to manage it included. `0`: there is none."},
    {SDI_SECTION_LOCAL, "coherence", SDI_KEY_DURATION, "100ms", 0, MINUTE, NULL, AT(local_settings, coherence_ms),
     "How long ago, at most, the shared cache has confirmed that all it was told of writes has arrived here: so far may an "
     "answer trail behind the writes of other processes, never behind its own client's. `0ms`: there is no local cache."},
    {SDI_SECTION_LOCAL, "ttl", SDI_KEY_DURATION, "0ms", 0, MINUTE, NULL, AT(local_settings, ttl_ms),
     "How long an answer is kept here where nothing tells of other processes' writes: in mode `fenced` on memcached and a "
     "Redis Cluster. So far it may trail behind them. `0ms`: none is."},

    {SDI_SECTION_POLICY, "cache", SDI_KEY_BOOL, "on", 0, 1, NULL, AT(policy_settings, cache),
     "`off`: statements of this policy are never cached."},
    {SDI_SECTION_POLICY, "local", SDI_KEY_BOOL, "on", 0, 1, NULL, AT(policy_settings, local),
     "`off`: answers to statements of this policy are not kept in this process (see [local])."},
    {SDI_SECTION_POLICY, "ttl", SDI_KEY_DURATION, "60s", 1, INT64_C(30) * DAY, NULL, AT(policy_settings, ttl_ms),
     "How long an answer is kept if nothing that it depends on is written."},
    {SDI_SECTION_POLICY, "jitter", SDI_KEY_PERCENT, "10", 0, 50, NULL, AT(policy_settings, jitter),
     "Spreads each `ttl` by so many percent up and down, so that what was stored together does not expire together."},
    {SDI_SECTION_POLICY, "negative_ttl", SDI_KEY_DURATION, "10s", 0, INT64_C(30) * DAY, NULL,
     AT(policy_settings, negative_ttl_ms), "The same for an answer without rows. `0ms`: such an answer is not kept."},
    {SDI_SECTION_POLICY, "stale", SDI_KEY_DURATION, "0ms", 0, INT64_C(30) * DAY, NULL, AT(policy_settings, stale_ms),
     "How long after its `ttl` an answer that no write has overtaken may still be served: at once to all but the one who fetches a new one, and to that one too if the database does not answer. `0ms`: not at all."},
    {SDI_SECTION_POLICY, "stale_overtaken", SDI_KEY_DURATION, "0ms", 0, INT64_C(30) * DAY, NULL, AT(policy_settings, stale_overtaken_ms),
     "Up to what age the same is done with an answer that a write may have overtaken; never to a session that wrote what it lacks. This gives up the promise of freshness, bounded by this age (doc/caching.md). `0ms`: never."},
    {SDI_SECTION_POLICY, "lease", SDI_KEY_DURATION, "0ms", 0, MINUTE, NULL, AT(policy_settings, lease_ms),
     "Of several processes that miss the same answer one asks the database, and the others wait so long at most for it. `0ms`: each asks."},
    {SDI_SECTION_POLICY, "max_bytes", SDI_KEY_BYTES, "0", 0, GIB, NULL, AT(policy_settings, max_bytes),
     "A larger answer is not cached. `0`: only `cache.max_entry_bytes` counts; of the two the smaller does."},
    {SDI_SECTION_POLICY, "compress_over", SDI_KEY_BYTES, "1KiB", 0, GIB, NULL, AT(policy_settings, compress_over),
     "Rows of more bytes than this are compressed (LZ4) in the cache, if that saves at least an eighth. `0`: never."},

    {SDI_SECTION_ASYNC, "threads", SDI_KEY_INT, "8", 1, 1000, NULL, AT(async_settings, threads),
     "How many threads of the library run the ops that were started, at most; each open transaction may have one more. None is started before the first op."},
};
/* clang-format on */
const size_t sdi_config_key_count = sizeof sdi_config_keys / sizeof sdi_config_keys[0];

int sdi_find_section(sdi_slice name)
{
    for (int i = 0; i < SDI_SECTIONS; i++)
        if (sdi_slice_equal(name, sdi_slice_of(sdi_sections[i].name)))
            return i;
    return -1;
}

const sdi_config_key *sdi_find_key(enum sdi_section_kind section, sdi_slice name)
{
    for (size_t i = 0; i < sdi_config_key_count; i++)
        if (sdi_config_keys[i].section == section && sdi_slice_equal(name, sdi_slice_of(sdi_config_keys[i].name)))
            return &sdi_config_keys[i];
    return NULL;
}

/* By hand and not by isalnum: a locale must not widen what a name is. */
static bool is_name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '-' || byte == '_';
}

bool sdi_config_name_ok(sdi_slice name)
{
    for (size_t i = 0; i < name.length; i++)
        if (!is_name_byte(name.data[i]))
            return false;
    return name.length >= 1 && name.length <= 31;
}

enum { NEAR_MAX = 32, QUOTE_MAX = 60 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The edit distance (insert, delete, change, swap of neighbours) of two texts of at most NEAR_MAX bytes. */
static size_t distance(sdi_slice a, sdi_slice b)
{
    size_t cost[NEAR_MAX + 1][NEAR_MAX + 1];
    for (size_t i = 0; i <= a.length; i++) {
        for (size_t j = 0; j <= b.length; j++) {
            if (!i || !j) {
                cost[i][j] = i + j;
                continue;
            }
            size_t differ = a.data[i - 1] != b.data[j - 1];
            cost[i][j] = least(least(cost[i - 1][j], cost[i][j - 1]) + 1, cost[i - 1][j - 1] + differ);
            if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1])
                cost[i][j] = least(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    }
    return cost[a.length][b.length];
}

const char *sdi_nearest(sdi_slice text, const char *const *candidates)
{
    const char *nearest = NULL;
    if (text.length == 0 || text.length > NEAR_MAX)
        return NULL;
    /* A third of the letters wrong is a slip; more is another word. */
    size_t best = text.length / 3 + 1;
    for (; *candidates; candidates++) {
        size_t far = distance(text, sdi_slice_of(*candidates));
        if (far < best || (far == best && !nearest)) {
            best = far;
            nearest = *candidates;
        }
    }
    return nearest;
}

void sdi_quote(sdi_buffer *out, sdi_slice text)
{
    size_t shown = text.length;
    if (shown > QUOTE_MAX)
        for (shown = QUOTE_MAX; shown > 0 && ((unsigned char)text.data[shown] & 0xC0) == 0x80;)
            shown--; /* not in the middle of a character */
    sdi_buffer_char(out, '`');
    for (size_t i = 0; i < shown; i++)
        sdi_buffer_char(out, (unsigned char)text.data[i] < ' ' || text.data[i] == 127 ? '?' : text.data[i]);
    sdi_buffer_text(out, shown < text.length ? "...`" : "`");
}

static void tell_unknown(sdi_buffer *out, const char *what, sdi_slice name, const char *const *candidates)
{
    sdi_buffer_printf(out, "unknown %s ", what);
    sdi_quote(out, name);
    const char *nearest = sdi_nearest(name, candidates);
    if (nearest) {
        sdi_buffer_printf(out, "; did you mean `%s`?", nearest);
        return;
    }
    sdi_buffer_printf(out, "; the %ss are ", what);
    for (size_t i = 0; candidates[i]; i++)
        sdi_buffer_printf(out, "%s`%s`", !i ? "" : candidates[i + 1] ? ", " : " and ", candidates[i]);
}

void sdi_tell_section(sdi_buffer *out, sdi_slice name)
{
    const char *names[SDI_SECTIONS + 1] = {NULL};
    for (size_t i = 0; i < SDI_SECTIONS; i++)
        names[i] = sdi_sections[i].name;
    tell_unknown(out, "section", name, names);
}

void sdi_tell_key(sdi_buffer *out, enum sdi_section_kind section, sdi_slice name)
{
    const char *names[sizeof sdi_config_keys / sizeof sdi_config_keys[0] + 1] = {NULL};
    size_t count = 0;
    for (size_t i = 0; i < sdi_config_key_count; i++)
        if (sdi_config_keys[i].section == section)
            names[count++] = sdi_config_keys[i].name;
    tell_unknown(out, "key", name, names);
}
