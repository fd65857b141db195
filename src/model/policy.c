#include "model/policy.h"

#include "base/random.h"

enum { CLOCKS_APART_US = 1000000 };

int64_t sdi_policy_ttl(const sdi_policy_settings *policy, bool empty)
{
    return sdi_jitter(empty ? policy->negative_ttl_ms : policy->ttl_ms, (unsigned)policy->jitter);
}

int64_t sdi_policy_life_max(const sdi_policy_settings *policy)
{
    int64_t ttl_ms = policy->ttl_ms > policy->negative_ttl_ms ? policy->ttl_ms : policy->negative_ttl_ms;
    return sdi_policy_held(policy, sdi_jitter_most(ttl_ms, (unsigned)policy->jitter));
}

int64_t sdi_policy_held(const sdi_policy_settings *policy, int64_t ttl_ms)
{
    int64_t held_ms = ttl_ms + policy->stale_ms;
    return held_ms > policy->stale_overtaken_ms ? held_ms : policy->stale_overtaken_ms;
}

size_t sdi_policy_bytes_max(const sdi_policy_settings *policy, int64_t entry_max)
{
    return (size_t)(policy->max_bytes && policy->max_bytes < entry_max ? policy->max_bytes : entry_max);
}

/* Of times that somebody else wrote down: any numbers. */
static int64_t since(int64_t now, int64_t then)
{
    return (int64_t)((uint64_t)now - (uint64_t)then);
}

/* An answer from the future was read by somebody whose clock is not ours: its age is not known. */
static bool young_enough(int64_t most_ms, int64_t age)
{
    return most_ms && age >= -CLOCKS_APART_US && age <= most_ms * 1000;
}

enum sdi_policy_use sdi_policy_use(const sdi_policy_settings *policy, const sdi_policy_times *times, bool passes,
                                   int64_t tolerated_ms)
{
    int64_t over = times->expires_at ? since(times->now, times->expires_at) : -1;
    int64_t age = since(times->now, times->read_at);
    if (passes && over < 0)
        return SDI_USE_FRESH;
    if (passes && over < policy->stale_ms * 1000)
        return SDI_USE_EXPIRED;
    if (over < 0 && young_enough(tolerated_ms, age))
        return SDI_USE_TOLERATED;
    if (!young_enough(policy->stale_overtaken_ms, age))
        return SDI_USE_NONE;
    return passes ? SDI_USE_EXPIRED : SDI_USE_OVERTAKEN;
}
