/* log_events.h - what a log line may tell, in one table; doc/logging.md is made from it. A new event is a name here and
 * a line there. */
#ifndef SDI_MODEL_LOG_EVENTS_H
#define SDI_MODEL_LOG_EVENTS_H

#include <shopdata/shopdata.h>

enum sdi_log_event {
    SDI_LOG_NODE_FOUND,
    SDI_LOG_NODE_ROLE,
    SDI_LOG_NODE_LOST,
    SDI_LOG_NODE_READ_ONLY,
    SDI_LOG_NODE_FOREIGN,
    SDI_LOG_NODE_BREAKER_OPENED,
    SDI_LOG_NODE_BREAKER_CLOSED,
    SDI_LOG_FAILOVER,
    SDI_LOG_READ_RETRIED,
    SDI_LOG_CACHE_FAILED,
    SDI_LOG_CACHE_BREAKER_OPENED,
    SDI_LOG_CACHE_BREAKER_CLOSED,
    SDI_LOG_FENCES_FORGOTTEN,
    SDI_LOG_WRITE_UNFENCED,
    SDI_LOG_UNFENCED_TOLD,
    SDI_LOG_COMMIT_AMBIGUOUS,
    SDI_LOG_TRANSACTION_ABANDONED,
    SDI_LOG_SCHEMA_CHANGED,
    SDI_LOG_LOCAL_LISTENING,
    SDI_LOG_LOCAL_LOST,
    SDI_LOG_QUERY_SLOW,
    SDI_LOG_EVENTS
};

enum { SDI_LOG_KEYS_MAX = 8 };

typedef struct sdi_log_description {
    const char *name;
    int level;                              /* enum shopdata_log_level */
    const char *keys[SDI_LOG_KEYS_MAX + 1]; /* of its values, in their order; NULL at the end */
    const char *help;
} sdi_log_description;

extern const sdi_log_description sdi_log_table[SDI_LOG_EVENTS];

/* sdi_log_level_name: "error", "warning", "info", "debug". */
const char *sdi_log_level_name(int level);

#endif
