#include "cache/redis/primary.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/interrupt.h"
#include "cache/redis/ask.h"

static int connect_to(const sdi_redis_primary *primary, sdi_redis_connection *connection, const sdi_address *address,
                      int64_t deadline)
{
    int outcome = sdi_redis_connect(connection, &primary->access, address, deadline);
    if (outcome != SDI_REDIS_DONE || connection->greeting.primary)
        return outcome;
    sdi_redis_disconnect(connection);
    return sdi_redis_tell(&connection->trouble, SDI_REDIS_DEMOTED, "a replica, not the primary");
}

static int refuse_sentinel(sdi_redis_connection *connection, const char *name)
{
    return sdi_redis_tell(&connection->trouble, SDI_CACHE_FAULT_REJECTED, "the sentinel watches no primary `%s`", name);
}

/* Connects to where this sentinel says the primary is. */
static int connect_through(const sdi_redis_primary *primary, sdi_redis_connection *connection,
                           const sdi_address *sentinel, int64_t deadline)
{
    const sdi_cache_settings *settings = primary->access.settings;
    const char *const question[] = {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", settings->sentinel_primary};
    sdi_redis_login login = {"", settings->sentinel_password};
    snprintf(connection->name, sizeof connection->name, "sentinel %s:%lld", sentinel->host, (long long)sentinel->port);
    redisReply *reply = sdi_redis_ask(&primary->access, sentinel, login, question, deadline, &connection->trouble);
    if (!reply)
        return sdi_passed(deadline) ? SDI_CACHE_FAULT_TIMEOUT : SDI_CACHE_FAULT_CONNECT;
    bool told = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
                reply->element[0]->type == REDIS_REPLY_STRING && reply->element[1]->type == REDIS_REPLY_STRING;
    int outcome = SDI_CACHE_FAULT_REJECTED;
    if (told) {
        sdi_address address = {reply->element[0]->str, strtol(reply->element[1]->str, NULL, 10)};
        outcome = connect_to(primary, connection, &address, deadline);
    } else {
        outcome = refuse_sentinel(connection, settings->sentinel_primary);
    }
    freeReplyObject(reply);
    return outcome;
}

/* The one that led to the primary is tried first the next time; one that did not, last: where it swallows the whole
 * time, the next call begins with another. */
int sdi_redis_connect_primary(sdi_redis_primary *primary, sdi_redis_connection *connection, int64_t deadline)
{
    const sdi_cache_settings *settings = primary->access.settings;
    size_t first = atomic_load(&primary->first);
    int outcome = SDI_CACHE_FAULT_CONNECT;
    for (size_t i = 0; i < settings->address_count; i++) {
        size_t at = (first + i) % settings->address_count;
        const sdi_address *address = &settings->addresses[at];
        outcome = *settings->sentinel_primary ? connect_through(primary, connection, address, deadline)
                                              : connect_to(primary, connection, address, deadline);
        atomic_store(&primary->first, outcome == SDI_REDIS_DONE ? at : at + 1);
        if (outcome == SDI_REDIS_DONE || outcome == SDI_REDIS_NO_MEMORY || sdi_passed(deadline))
            break;
    }
    return outcome;
}
