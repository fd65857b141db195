/* peek.c - a read that asks nobody: what this process keeps, or nothing. */
#include "base/clock.h"
#include "client/coherence.h"
#include "client/round.h"

/* The same key as of a read that goes through the tiers: whatever is kept under it, such a read has put there. False if
 * none would. */
static bool find_key(const sdi_core *core, const shopdata_session *session, const shopdata_call *call,
                     sdi_hash128 *key_out)
{
    char room[256];
    sdi_buffer identity;
    const sdi_planned *planned = sdi_statement_planned(call->statement);
    if (!planned || !planned->final || sdi_plan_kind(planned->plan) != SDI_PLAN_CACHED)
        return false;
    sdi_buffer_lend(&identity, room, sizeof room);
    sdi_identity(planned->fingerprint, call->params, call->count, &identity);
    bool found = sdi_plan_settings(planned->plan, &session->declared, &identity) && !identity.failed;
    if (found)
        *key_out = sdi_hash128_seeded(identity.data, identity.length, core->local_seed);
    sdi_buffer_free(&identity);
    return found;
}

int sdi_peek(shopdata_session *session, const shopdata_call *call, shopdata_result **result_out,
             shopdata_error **error_out)
{
    sdi_hash128 key;
    sdi_core *core = session->client->core;
    int64_t now = sdi_now();
    int status = sdi_statement_check(call->statement, session->client, call->params, call->count, error_out);
    if (status != SHOPDATA_OK)
        return status;
    const sdi_policy_settings *policy = sdi_settings_policy(core->settings, call->statement->policy);
    if (sdi_in_transaction(session) || !policy->cache || !core->cache ||
        !sdi_coherence_serves(core, policy, call->flags | session->flags) || !find_key(core, session, call, &key))
        return SHOPDATA_MISS;
    shopdata_result *result = sdi_coherence_get(core, session, key, now);
    if (!result)
        return SHOPDATA_MISS;
    sdi_count_answer(core, result, sdi_now() - now);
    *result_out = result;
    return SHOPDATA_OK;
}
