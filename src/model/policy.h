/* policy.h - what follows from a policy's settings: how long an answer is kept, and how large it may be. */
#ifndef SDI_MODEL_POLICY_H
#define SDI_MODEL_POLICY_H

#include "model/settings.h"

/* sdi_policy_ttl is how long an answer is good, spread by the policy's jitter; 0: it is not to be kept at all. */
int64_t sdi_policy_ttl(const sdi_policy_settings *policy, bool empty);
/* sdi_policy_life_max is the longest that the cache may hold any answer of this policy. */
int64_t sdi_policy_life_max(const sdi_policy_settings *policy);
/* sdi_policy_bytes_max is the largest answer that is kept, where the cache itself takes `entry_max`. */
size_t sdi_policy_bytes_max(const sdi_policy_settings *policy, int64_t entry_max);

#endif
