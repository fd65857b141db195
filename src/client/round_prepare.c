#include "base/error.h"
#include "client/fencing.h"
#include "client/round.h"

static int check_kind(const sdi_read *read, shopdata_error **error_out)
{
    enum sdi_plan_kind kind = sdi_plan_kind(read->planned->plan);
    if (kind == SDI_PLAN_WRITE)
        return sdi_fail(error_out, SHOPDATA_ERR_REFUSED, "this statement writes; use shopdata_execute: %.60s",
                        read->call->statement->text);
    if (kind == SDI_PLAN_UNDECLARED)
        return sdi_fail(error_out, SHOPDATA_ERR_REFUSED, "%s: %.60s", sdi_plan_reason(read->planned->plan),
                        read->call->statement->text);
    return SHOPDATA_OK;
}

/* Whether this call is cached, and then its key and tags. */
static int prepare_cached(const sdi_round *r, sdi_read *read, shopdata_error **error_out)
{
    const shopdata_call *call = read->call;
    sdi_slice space;
    if (!read->planned->final || sdi_plan_kind(read->planned->plan) != SDI_PLAN_CACHED || !read->policy->cache ||
        (read->flags & SHOPDATA_NO_CACHE) || !r->core->cache || !sdi_core_space(r->core, &space, NULL))
        return SHOPDATA_OK;
    read->tags.prefix = sdi_core_fences(r->core);
    if (!sdi_fence_tags(r->core, read->planned->plan, call->params, call->count, &read->tags))
        return SHOPDATA_OK;
    sdi_identity(read->planned->fingerprint, call->params, call->count, &read->identity);
    if (!sdi_plan_settings(read->planned->plan, &r->session->declared, &read->identity))
        return SHOPDATA_OK;
    sdi_entry_key(space, (sdi_slice){read->identity.data, read->identity.length}, &read->key);
    if (sdi_tags_failed(&read->tags) || read->identity.failed || read->key.failed)
        return sdi_no_memory(error_out);
    read->local_key = sdi_hash128_seeded(read->identity.data, read->identity.length, r->core->local_seed);
    read->cached = read->tags.count <= SDI_READ_TAGS_MAX;
    return SHOPDATA_OK;
}

static int prepare(const sdi_round *r, sdi_read *read, shopdata_error **error_out)
{
    const shopdata_call *call = read->call;
    read->session = r->session;
    read->flags = call->flags | r->session->flags;
    int status = sdi_statement_check(call->statement, r->session->client, call->params, call->count, error_out);
    if (status == SHOPDATA_OK)
        status = sdi_session_plan(r->session, call->statement, false, r->deadline, &read->planned, error_out);
    if (status == SHOPDATA_OK)
        status = check_kind(read, error_out);
    if (status != SHOPDATA_OK)
        return status;
    read->policy = sdi_statement_policy(call->statement);
    return sdi_in_transaction(r->session) ? SHOPDATA_OK : prepare_cached(r, read, error_out);
}

int sdi_round_prepare(sdi_round *r, shopdata_error **error_out)
{
    for (size_t i = 0; i < r->count; i++) {
        int status = prepare(r, &r->reads[i], error_out);
        if (status != SHOPDATA_OK) {
            r->failed = i;
            return status;
        }
    }
    return SHOPDATA_OK;
}
