#include <inttypes.h>
#include <libmemcached/memcached.h>
#include <string.h>

#include "base/buffer.h"
#include "tool/check.h"

static memcached_st *connect_to(const sdi_cache_settings *settings, const sdi_address *address)
{
    memcached_st *server = memcached_create(NULL);
    if (!server)
        return NULL;
    memcached_behavior_set(server, MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, (uint64_t)settings->connect_timeout_ms);
    memcached_behavior_set(server, MEMCACHED_BEHAVIOR_POLL_TIMEOUT, (uint64_t)settings->connect_timeout_ms);
    memcached_return_t added = *address->host == '/'
                                   ? memcached_server_add_unix_socket(server, address->host)
                                   : memcached_server_add(server, address->host, (in_port_t)address->port);
    if (added == MEMCACHED_SUCCESS)
        return server;
    memcached_free(server);
    return NULL;
}

static void tell(const memcached_stat_st *stat, sdi_report *report)
{
    sdi_report_good(report, "memcached %s, up for %lu s", stat->version, (unsigned long)stat->uptime);
    sdi_report_good(report, "uses %" PRIu64 " of %" PRIu64 " bytes for %lu items; the oldest go when it is full",
                    (uint64_t)stat->bytes, (uint64_t)stat->limit_maxbytes, (unsigned long)stat->curr_items);
    if (stat->evictions)
        sdi_report_note(report, "more memory (memcached -m), or shorter TTLs",
                        "%" PRIu64 " items had to go before their time since it started", (uint64_t)stat->evictions);
}

static void check_one(const sdi_cache_settings *settings, const sdi_address *address, sdi_report *report)
{
    memcached_return_t outcome = MEMCACHED_MEMORY_ALLOCATION_FAILURE;
    memcached_st *server = connect_to(settings, address);
    memcached_stat_st *stats = server ? memcached_stat(server, NULL, &outcome) : NULL;
    sdi_buffer where = SDI_BUFFER_INIT;
    sdi_address_show(&where, address);
    if (stats && outcome == MEMCACHED_SUCCESS)
        tell(&stats[0], report);
    else
        sdi_report_problem(report, "see that it runs and that the network lets through", "%s: %s",
                           where.data ? where.data : "", memcached_strerror(server, outcome));
    sdi_buffer_free(&where);
    memcached_stat_free(NULL, stats);
    memcached_free(server);
}

void sdi_check_memcached(const sdi_cache_settings *settings, sdi_report *report)
{
    for (size_t i = 0; i < settings->address_count; i++)
        check_one(settings, &settings->addresses[i], report);
}
