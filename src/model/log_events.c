#include "model/log_events.h"

/* clang-format off */
#define ERROR SHOPDATA_LOG_ERROR
#define WARNING SHOPDATA_LOG_WARNING
#define INFO SHOPDATA_LOG_INFO
#define DEBUG SHOPDATA_LOG_DEBUG
const sdi_log_description sdi_log_table[SDI_LOG_EVENTS] = {
    [SDI_LOG_NODE_FOUND] = {"node_found", INFO, {"node", "role", "timeline"}, "A node answers, for the first time or again."},
    [SDI_LOG_NODE_ROLE] = {"node_role", WARNING, {"node", "from", "role", "timeline"}, "A node that was there all along has another role now: a replica was promoted, or a primary turned round."},
    [SDI_LOG_NODE_LOST] = {"node_lost", WARNING, {"node", "role", "reason"}, "A node that answered cannot be reached, or a connection to it was lost. Its role is unknown until it answers again."},
    [SDI_LOG_NODE_READ_ONLY] = {"node_read_only", WARNING, {"node"}, "A node that was taken for the primary refused a write. All nodes are asked at once who is primary."},
    [SDI_LOG_NODE_FOREIGN] = {"node_foreign", ERROR, {"node", "reason"}, "A node does not belong to the database that the others belong to, or its connection string leads to another database, role or search_path. It is not used."},
    [SDI_LOG_NODE_BREAKER_OPENED] = {"node_breaker_opened", WARNING, {"node", "reason"}, "After failures in a row nothing is sent to a node until a probe succeeds. Comes again for each probe that fails."},
    [SDI_LOG_NODE_BREAKER_CLOSED] = {"node_breaker_closed", INFO, {"node"}, "A probe succeeded: the node is used again."},
    [SDI_LOG_FAILOVER] = {"failover", WARNING, {"from", "to", "timeline"}, "Another node is the primary now. What is cached of the old timeline is not served any more."},
    [SDI_LOG_READ_RETRIED] = {"read_retried", DEBUG, {"node", "reason"}, "A read failed on a node and is tried elsewhere."},
    [SDI_LOG_CACHE_FAILED] = {"cache_failed", WARNING, {"kind", "reason"}, "A round trip to the cache failed; the database answers. The kinds are those of `shopdata_cache_errors_total`."},
    [SDI_LOG_CACHE_BREAKER_OPENED] = {"cache_breaker_opened", WARNING, {NULL}, "After failures in a row the cache is not asked until a probe succeeds."},
    [SDI_LOG_CACHE_BREAKER_CLOSED] = {"cache_breaker_closed", INFO, {NULL}, "A probe succeeded: the cache is used again."},
    [SDI_LOG_FENCES_FORGOTTEN] = {"fences_forgotten", ERROR, {"tags"}, "More tags wait to be told to the cache than can be remembered, and these were forgotten. From now on this process takes from the cache only what is newer than their writes; other processes may see old answers until the longest TTL has passed."},
    [SDI_LOG_WRITE_UNFENCED] = {"write_unfenced", WARNING, {"tags"}, "A write stands, and the cache could not be told: SHOPDATA_UNFENCED. It is told as soon as the cache answers again."},
    [SDI_LOG_UNFENCED_TOLD] = {"unfenced_told", INFO, {NULL}, "The cache has been told of all that waited."},
    [SDI_LOG_COMMIT_AMBIGUOUS] = {"commit_ambiguous", ERROR, {"node"}, "The connection was lost after COMMIT was sent: the write may or may not stand. Its tags are bumped as if it did."},
    [SDI_LOG_TRANSACTION_ABANDONED] = {"transaction_abandoned", WARNING, {"node"}, "A session was freed with its transaction open: it is rolled back. A mistake in the calling program."},
    [SDI_LOG_SCHEMA_CHANGED] = {"schema_changed", INFO, {NULL}, "The schema changed: what was worked out of statements is worked out again, and what hung on the old shape is not served any more."},
    [SDI_LOG_LOCAL_LISTENING] = {"local_listening", INFO, {NULL}, "The cache tells this process of writes, from now on: the cache in this process begins to answer."},
    [SDI_LOG_LOCAL_LOST] = {"local_lost", WARNING, {"reason"}, "The cache does not tell this process of writes any more: what is kept in this process is not used, and forgotten when it does again. Comes again for each try that fails."},
    [SDI_LOG_QUERY_SLOW] = {"query_slow", WARNING, {"kind", "ms", "status", "source", "node", "policy", "rows", "statement"}, "A read or a write took `slow_query` or longer, from the call to its return. The statement's text is shortened; parameter values are never told. Of a batch it comes for each read that the cache did not answer, with the batch's time."},
};
/* clang-format on */

const char *sdi_log_level_name(int level)
{
    static const char *const names[] = {"", "error", "warning", "info", "debug"};
    return level >= ERROR && level <= DEBUG ? names[level] : "";
}
