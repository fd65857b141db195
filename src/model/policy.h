/* policy.h - what follows from a policy's settings: how long an answer is kept, how large it may be, and when
 * an old one will do. */
#ifndef SDI_MODEL_POLICY_H
#define SDI_MODEL_POLICY_H

#include "model/settings.h"

/* sdi_policy_ttl is how long an answer is good, spread by the policy's jitter; 0: it is not to be kept at all. */
int64_t sdi_policy_ttl(const sdi_policy_settings *policy, bool empty);
/* sdi_policy_life_max is the longest that the cache may hold any answer of this policy. */
int64_t sdi_policy_life_max(const sdi_policy_settings *policy);
/* sdi_policy_held is how long the cache holds an answer whose time is up after `ttl_ms`. */
int64_t sdi_policy_held(const sdi_policy_settings *policy, int64_t ttl_ms);
/* sdi_policy_bytes_max is the largest answer that is kept, where the cache itself takes `entry_max`. */
size_t sdi_policy_bytes_max(const sdi_policy_settings *policy, int64_t entry_max);

/* What an answer that was kept is good for. */
enum sdi_policy_use {
    SDI_USE_NONE,
    SDI_USE_FRESH,
    SDI_USE_EXPIRED,   /* its time is up, and no write has overtaken it */
    SDI_USE_OVERTAKEN, /* a write may have overtaken it, and it is young enough for that */
    SDI_USE_TOLERATED, /* the same, and it is young enough for whom asks: no new one need be fetched */
};
/* Of the day (sdi_wall), in microseconds. */
typedef struct sdi_policy_times {
    int64_t now, read_at;
    int64_t expires_at; /* 0: when the cache forgets it */
} sdi_policy_times;
/* sdi_policy_use: `passes` says whether its stamp passes the fences, `tolerated_ms` up to what age one that does not is
 * good for whom asks. */
enum sdi_policy_use sdi_policy_use(const sdi_policy_settings *policy, const sdi_policy_times *times, bool passes,
                                   int64_t tolerated_ms);

#endif
