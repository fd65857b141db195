#include "cache/trouble.h"

#include <stdatomic.h>

#include "base/interrupt.h"
#include "model/metrics_table.h"

static const char *words_for(enum sdi_cache_fault fault)
{
    static const char *const words[SDI_CACHE_FAULTS] = {
        [SDI_CACHE_FAULT_CONNECT] = "cannot connect",
        [SDI_CACHE_FAULT_TIMEOUT] = "no answer in time",
        [SDI_CACHE_FAULT_LOST] = "the connection was lost",
        [SDI_CACHE_FAULT_PROTOCOL] = "an answer that is not understood",
        [SDI_CACHE_FAULT_REJECTED] = "the server rejected a command",
    };
    return words[fault];
}

static void put_reason(sdi_cache *cache, enum sdi_cache_fault fault, const sdi_address *server, const char *why,
                       sdi_buffer *reason)
{
    if (!server && !why)
        sdi_cache_trouble(cache, reason);
    if (reason->length)
        return;
    if (server)
        sdi_address_show(reason, server);
    sdi_buffer_printf(reason, "%s%s", server ? ": " : "", why ? why : words_for(fault));
}

void sdi_cache_failed(sdi_cache *cache, enum sdi_cache_fault fault, const sdi_address *server, const char *why)
{
    const char *kind = sdi_labels[SDI_LABEL_CACHE_FAULT].values[fault];
    if (sdi_interrupted()) /* by the caller: nothing is known against the server */
        return;
    sdi_count(cache->metrics, SDI_M_CACHE_ERRORS, fault, 1);
    if (!sdi_log_wants(cache->log, SDI_LOG_CACHE_FAILED))
        return;
    sdi_buffer reason = SDI_BUFFER_INIT;
    put_reason(cache, fault, server, why, &reason);
    SDI_LOG(cache->log, SDI_LOG_CACHE_FAILED, SDI_TEXT(kind), SDI_TEXT(reason.data ? reason.data : ""));
    sdi_buffer_free(&reason);
}

void sdi_cache_show_breaker(sdi_cache *cache, enum sdi_breaker_state state)
{
    if (atomic_load_explicit(&cache->breaker_state, memory_order_relaxed) == (int)state)
        return; /* so it nearly always is */
    int before = atomic_exchange(&cache->breaker_state, (int)state);
    sdi_gauge(cache->metrics, SDI_M_CACHE_BREAKER, 0, state);
    if (before != (int)state && state == SDI_BREAKER_OPEN)
        sdi_log_bare(cache->log, SDI_LOG_CACHE_BREAKER_OPENED);
    if (before != (int)state && state == SDI_BREAKER_CLOSED)
        sdi_log_bare(cache->log, SDI_LOG_CACHE_BREAKER_CLOSED);
}
