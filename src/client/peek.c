/* peek.c - a read that asks nobody: what this process keeps, or nothing. Most reads end here, so there is no round, no
 * allocation but the answer's, and no look at what only a miss needs. */
#include "client/peek.h"

#include "base/clock.h"
#include "client/coherence.h"
#include "client/round.h"
#include "model/param.h"

enum { IDENTITY_USUAL = 256 };

/* What no call can be answered for is left to those who tell why. */
static const sdi_planned *plan_of(const shopdata_session *session, const shopdata_call *call)
{
    const shopdata_statement *statement = call->statement;
    bool good = statement && statement->client == session->client &&
                call->count == sdi_statement_parameters(statement) && sdi_params_readable(call->params, call->count);
    const sdi_planned *planned = good && !sdi_in_transaction(session) ? sdi_statement_planned(statement) : NULL;
    return planned && planned->final && sdi_plan_kind(planned->plan) == SDI_PLAN_CACHED ? planned : NULL;
}

/* The same key as of a read that goes through the tiers: whatever is kept under it, such a read has put there. False if
 * none would. */
static bool find_key(const shopdata_session *session, const sdi_planned *planned, const shopdata_call *call,
                     sdi_hash128 *key_out)
{
    char room[IDENTITY_USUAL];
    sdi_buffer identity;
    sdi_buffer_lend(&identity, room, sizeof room);
    sdi_identity(planned->fingerprint, call->params, call->count, &identity);
    bool found = sdi_plan_settings(planned->plan, &session->declared, &identity) && !identity.failed;
    if (found)
        *key_out = sdi_hash128_seeded(identity.data, identity.length, session->client->core->local_seed);
    sdi_buffer_free(&identity);
    return found;
}

static bool may_hit(const shopdata_session *session, const shopdata_call *call, sdi_hash128 *key_out)
{
    const sdi_core *core = session->client->core;
    const sdi_planned *planned = core->coherence.local ? plan_of(session, call) : NULL;
    return planned && sdi_coherence_serves(core, sdi_statement_policy(call->statement), call->flags | session->flags) &&
           find_key(session, planned, call, key_out);
}

/* Times are told in microseconds, of which this takes less than one: a second look at the clock would be a tenth of it.
 */
shopdata_result *sdi_local_hit(shopdata_session *session, const shopdata_call *call, bool counts, bool *looked_out)
{
    sdi_hash128 key;
    sdi_core *core = session->client->core;
    *looked_out = may_hit(session, call, &key);
    if (!*looked_out)
        return NULL;
    shopdata_result *result = sdi_coherence_get(core, session, key, sdi_uptime(), counts);
    if (result)
        sdi_count_answer(core, result, 0);
    return result;
}

/* Who peeks in vain asks, and that counts the miss. */
int sdi_peek(shopdata_session *session, const shopdata_call *call, shopdata_result **result_out,
             shopdata_error **error_out)
{
    bool looked;
    int status = sdi_statement_check(call->statement, session->client, call->params, call->count, error_out);
    if (status != SHOPDATA_OK)
        return status;
    shopdata_result *result = sdi_local_hit(session, call, false, &looked);
    if (!result)
        return SHOPDATA_MISS;
    *result_out = result;
    return SHOPDATA_OK;
}

/* Half a batch is none: the rest would have to be asked for in any case. */
bool sdi_local_hits(shopdata_session *session, const shopdata_call *calls, size_t count, shopdata_result **results_out)
{
    enum { MOST = 32 };
    sdi_hash128 key;
    sdi_local_seen seen[MOST];
    sdi_core *core = session->client->core;
    size_t found = 0;
    int64_t now = sdi_uptime();
    while (count <= MOST && found < count && may_hit(session, &calls[found], &key) &&
           (results_out[found] = sdi_coherence_look(core, session, key, now, false, &seen[found])))
        found++;
    bool all = found == count;
    for (size_t i = 0; i < found; i++) {
        if (all) {
            sdi_session_saw_local(session, &seen[i]);
            sdi_count_answer(core, results_out[i], 0);
        } else {
            shopdata_result_free(results_out[i]);
            results_out[i] = NULL;
        }
    }
    return all;
}
