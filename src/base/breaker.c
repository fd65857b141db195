#include "base/breaker.h"

#include <stdatomic.h>

#include "base/random.h"

enum { JITTER_PERCENT = 25 };

void sdi_breaker_init(sdi_breaker *breaker, int64_t failures, int64_t open_ms, int64_t open_max_ms)
{
    *breaker = (sdi_breaker){
        .failures = failures > 0 ? failures : 1,
        .first_ms = open_ms,
        .longest_ms = open_max_ms > open_ms ? open_max_ms : open_ms,
        .pause_ms = open_ms,
    };
    sdi_mutex_init(&breaker->mutex);
}

void sdi_breaker_destroy(sdi_breaker *breaker)
{
    sdi_mutex_destroy(&breaker->mutex);
}

static int64_t pause_end(const sdi_breaker *breaker, int64_t now)
{
    return now + sdi_jitter(breaker->pause_ms * 1000, JITTER_PERCENT);
}

bool sdi_breaker_allows(sdi_breaker *breaker, int64_t now)
{
    if (breaker->state == SDI_BREAKER_CLOSED)
        return true;
    sdi_lock(&breaker->mutex);
    bool probe = breaker->state != SDI_BREAKER_CLOSED && now >= breaker->until;
    if (probe) {
        breaker->state = SDI_BREAKER_HALF_OPEN;
        breaker->until = pause_end(breaker, now);
    }
    bool allowed = probe || breaker->state == SDI_BREAKER_CLOSED;
    sdi_unlock(&breaker->mutex);
    return allowed;
}

void sdi_breaker_succeeded(sdi_breaker *breaker)
{
    if (breaker->state == SDI_BREAKER_CLOSED && breaker->failed == 0)
        return;
    sdi_lock(&breaker->mutex);
    breaker->state = SDI_BREAKER_CLOSED;
    breaker->failed = 0;
    breaker->pause_ms = breaker->first_ms;
    sdi_unlock(&breaker->mutex);
}

static void open_now(sdi_breaker *breaker, int64_t now)
{
    breaker->state = SDI_BREAKER_OPEN;
    breaker->failed = 0;
    breaker->until = pause_end(breaker, now);
    breaker->pause_ms = breaker->pause_ms < breaker->longest_ms / 2 ? breaker->pause_ms * 2 : breaker->longest_ms;
}

bool sdi_breaker_failed(sdi_breaker *breaker, int64_t now)
{
    sdi_lock(&breaker->mutex);
    bool opens = breaker->state == SDI_BREAKER_HALF_OPEN ||
                 (breaker->state == SDI_BREAKER_CLOSED && ++breaker->failed >= breaker->failures);
    if (opens)
        open_now(breaker, now);
    sdi_unlock(&breaker->mutex);
    return opens;
}

enum sdi_breaker_state sdi_breaker_state(sdi_breaker *breaker)
{
    return (enum sdi_breaker_state)atomic_load(&breaker->state);
}
