#include "model/policy.h"

#include "base/random.h"

int64_t sdi_policy_ttl(const sdi_policy_settings *policy, bool empty)
{
    return sdi_jitter(empty ? policy->negative_ttl_ms : policy->ttl_ms, (unsigned)policy->jitter);
}

int64_t sdi_policy_life_max(const sdi_policy_settings *policy)
{
    int64_t ttl_ms = policy->ttl_ms > policy->negative_ttl_ms ? policy->ttl_ms : policy->negative_ttl_ms;
    return sdi_jitter_most(ttl_ms, (unsigned)policy->jitter);
}

size_t sdi_policy_bytes_max(const sdi_policy_settings *policy, int64_t entry_max)
{
    return (size_t)(policy->max_bytes && policy->max_bytes < entry_max ? policy->max_bytes : entry_max);
}
