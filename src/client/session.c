#include "client/session.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"

int sdi_session_new(shopdata_client *client, shopdata_session **session_out, shopdata_error **error_out)
{
    shopdata_session *session = sdi_calloc(1, sizeof *session);
    if (!session)
        return sdi_no_memory(error_out);
    session->client = sdi_client_retain(client);
    session->deadline_ms = client->core->settings->deadline_ms;
    *session_out = session;
    return SHOPDATA_OK;
}

void sdi_session_destroy(shopdata_session *session)
{
    sdi_transaction_abandon(session);
    sdi_buffer_free(&session->transaction.tags);
    sdi_buffer_free(&session->text);
    sdi_declared_free(&session->declared);
    sdi_client_release(session->client);
    sdi_free(session);
}

static bool is_parents(const shopdata_session *session)
{
    return session->generation != session->client->generation || sdi_client_check(session->client, NULL) != SHOPDATA_OK;
}

/* In a child the op that took it along is the parent's, and what the parent's worker was at is left behind. */
void sdi_session_free(shopdata_session *session)
{
    if (!session)
        return;
    if (atomic_load_explicit(&session->whereabouts, memory_order_acquire) == SDI_SESSION_AWAY && is_parents(session)) {
        sdi_client_release(session->client);
        sdi_free(session);
        return;
    }
    if (atomic_exchange_explicit(&session->whereabouts, SDI_SESSION_FREED, memory_order_acq_rel) == SDI_SESSION_AWAY)
        return;
    sdi_transaction_abandon(session);
    sdi_client_deliver(session->client);
    sdi_session_destroy(session);
}

void sdi_session_go(shopdata_session *session)
{
    session->generation = session->client->generation;
    atomic_store_explicit(&session->whereabouts, SDI_SESSION_AWAY, memory_order_relaxed);
}

bool sdi_session_come_back(shopdata_session *session)
{
    enum sdi_whereabouts away = SDI_SESSION_AWAY;
    return !atomic_compare_exchange_strong_explicit(&session->whereabouts, &away, SDI_SESSION_HERE,
                                                    memory_order_acq_rel, memory_order_acquire);
}

int sdi_session_here(const shopdata_session *session, shopdata_error **error_out)
{
    if (atomic_load_explicit(&session->whereabouts, memory_order_acquire) == SDI_SESSION_HERE)
        return SHOPDATA_OK;
    if (is_parents(session))
        return sdi_fail(error_out, SHOPDATA_ERR_FORKED,
                        "an op of the session was in flight at fork(), and is the parent's; make another session");
    return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT,
                    "an op of the session is not over yet; wait for it, or make another session");
}

int sdi_session_check(const shopdata_session *session, shopdata_error **error_out)
{
    if (!session)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "the session is NULL; make one with shopdata_session_new");
    int status = sdi_client_check(session->client, error_out);
    return status ? status : sdi_session_here(session, error_out);
}

void sdi_session_wrote(shopdata_session *session, const sdi_point *point)
{
    if (point)
        sdi_token_wrote(&session->token, point);
    else
        session->token.unknown = true;
    if (!point)
        session->unplaced = sdi_unplaced(session->client->core);
}

/* From now on it takes nothing kept here that was asked for before. */
static void note_news(shopdata_session *session, int64_t news_at)
{
    sdi_local *local = session->client->core->coherence.local;
    if (!local || !news_at || news_at < session->news_at)
        return;
    session->news_at = news_at;
    session->news_mark = sdi_local_mark(local);
}

static bool is_news(const shopdata_session *session, sdi_era era, sdi_lsn lsn)
{
    const sdi_token *token = &session->token;
    bool known = lsn && lsn <= token->reached && era.timeline == token->era.timeline;
    sdi_core *core = session->client->core;
    return core->coherence.local && !known && sdi_coherence_news(core, era, lsn);
}

void sdi_session_saw_local(shopdata_session *session, const sdi_local_seen *seen)
{
    sdi_era era = {session->client->core->coherence.system, seen->timeline};
    if (is_news(session, era, seen->lsn))
        note_news(session, sdi_uptime());
    sdi_token_saw_until(&session->token, era, seen->lsn);
}

void sdi_session_saw(shopdata_session *session, const sdi_stamp *stamp)
{
    if (is_news(session, stamp ? stamp->era : (sdi_era){0}, stamp ? stamp->seen : 0))
        note_news(session, sdi_uptime());
    if (stamp && (stamp->seen || !sdi_era_known(stamp->era)))
        sdi_token_saw(&session->token, stamp);
    else
        session->unplaced = sdi_unplaced(session->client->core);
}

void sdi_session_unfenced(shopdata_session *session, const sdi_buffer *keys)
{
    session->token.all_tags |= keys->length == 0;
    for (size_t at = 0; at < keys->length; at += strlen(keys->data + at) + 1)
        sdi_token_add_tag(&session->token, sdi_token_tag(sdi_slice_of(keys->data + at)));
}

/* What survived a promotion lies before all that a later primary says; a standby may have to catch up yet. */
static bool contains(const sdi_stamp *stamp, const sdi_point *written)
{
    if (sdi_era_equal(stamp->era, written->era))
        return sdi_stamp_passes(stamp, written);
    return sdi_era_follows(stamp->era, written->era) && (!stamp->standby || stamp->lsn >= written->lsn);
}

bool sdi_session_is_in(const shopdata_session *session, const sdi_stamp *stamp)
{
    const sdi_token *token = &session->token;
    return !token->unknown && (!token->wrote || contains(stamp, &token->written));
}

/* Of a primary's stamp that cannot be told by positions: a commit is flushed before it is visible. */
bool sdi_session_goes_on(const shopdata_session *session, const sdi_stamp *stamp)
{
    const sdi_token *token = &session->token;
    bool only_wrote = token->wrote && token->reached == token->written.lsn;
    if (session->unplaced)
        return false;
    if (token->reached == 0 || only_wrote)
        return sdi_session_is_in(session, stamp);
    return stamp->standby && sdi_era_follows(stamp->era, token->era) && stamp->lsn >= token->reached;
}

int64_t sdi_session_deadline(const shopdata_session *session)
{
    return sdi_clean_up_deadline(session->deadline_ms - session->waited_ms);
}

/* Within a transaction it would be undone by shopdata_rollback_to, without the session knowing. */
int sdi_session_set(shopdata_session *session, const char *name, const char *value, shopdata_error **error_out)
{
    if (sdi_in_transaction(session))
        return sdi_fail(error_out, SHOPDATA_ERR_TRANSACTION,
                        "a transaction is open; settings are declared before shopdata_begin");
    return sdi_declared_set(&session->declared, name, value, error_out);
}

bool sdi_settings_command(const shopdata_session *session, sdi_pg_command *command_out)
{
    const sdi_declared *declared = &session->declared;
    if (!declared->count)
        return false;
    *command_out = (sdi_pg_command){.sql = declared->command,
                                    .statement = sdi_hash64(declared->command, strlen(declared->command)),
                                    .params = declared->params,
                                    .count = 2 * declared->count,
                                    .leads = true};
    return true;
}

/* Where an unplaced write stands may have come to be known meanwhile. */
static void place(shopdata_session *session)
{
    sdi_point point;
    if (!session->unplaced || !sdi_is_placed(session->client->core, &session->unplaced, &point))
        return;
    session->token.unknown = false;
    sdi_token_wrote(&session->token, &point);
}

bool sdi_session_position(shopdata_session *session, sdi_era *era, sdi_lsn *lsn)
{
    place(session);
    sdi_raise(era, lsn, session->token.era, session->token.reached);
    return session->unplaced == 0;
}

bool sdi_session_untold(shopdata_session *session, sdi_slice fence_key, const sdi_point *fence)
{
    sdi_token *token = &session->token;
    if (!token->all_tags && !token->tag_count)
        return false;
    place(session);
    uint64_t tag = sdi_token_tag(fence_key);
    bool told = fence && !token->unknown && token->wrote && sdi_point_covers(fence, &token->written);
    if (told)
        sdi_token_drop_tag(token, tag);
    return !told && sdi_token_has_tag(token, tag);
}

/* ---------------------------------------------------------------------------------------------------------- tokens */

int sdi_session_token(shopdata_session *session, const char **text_out, shopdata_error **error_out)
{
    sdi_core *core = session->client->core;
    place(session);
    if (!session->token.era.system)
        session->token.era.system = sdi_router_system(core->router);
    sdi_token token = session->token;
    token.unknown |= session->unplaced != 0;
    sdi_buffer text = SDI_BUFFER_INIT;
    sdi_token_encode(&token, &core->settings->token_keys, &text);
    if (text.failed) {
        sdi_buffer_free(&text);
        return sdi_no_memory(error_out);
    }
    sdi_buffer_free(&session->text);
    session->text = text;
    sdi_coherence_token(core, (sdi_slice){text.data, text.length}, session->news_at);
    *text_out = session->text.data;
    return SHOPDATA_OK;
}

static int refuse(enum sdi_token_fault fault, size_t length, shopdata_error **error_out)
{
    static const char *const reasons[] = {
        [SDI_TOKEN_MALFORMED] = "it is not what shopdata_session_token made, or was cut",
        [SDI_TOKEN_VERSION] = "it is of another version of the library, or not what shopdata_session_token made",
        [SDI_TOKEN_UNSIGNED] = "it is not signed, and shopdata.token_keys is set",
        [SDI_TOKEN_UNKNOWN_KEY] = "it is signed with a key that is not in shopdata.token_keys",
        [SDI_TOKEN_BAD_SIGNATURE] = "its signature does not fit",
    };
    if (fault == SDI_TOKEN_NO_MEMORY)
        return sdi_no_memory(error_out);
    if (fault == SDI_TOKEN_TOO_LONG)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "the token was refused: it has %zu bytes; at most %d", length,
                        SDI_TOKEN_TEXT_MAX);
    return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "the token was refused: %s", reasons[fault]);
}

/* Which database this is has to be known before the token can be judged. */
static int await_system(shopdata_session *session, uint64_t *system, shopdata_error **error_out)
{
    sdi_router *router = session->client->core->router;
    int64_t deadline = sdi_session_deadline(session);
    for (;;) {
        uint64_t seen = sdi_router_changes(router);
        *system = sdi_router_system(router);
        if (*system)
            return SHOPDATA_OK;
        if (!sdi_router_wait(router, seen, deadline))
            return sdi_router_unavailable(router, false, error_out);
    }
}

int sdi_session_advance(shopdata_session *session, const char *text, shopdata_error **error_out)
{
    sdi_token token;
    uint64_t system;
    sdi_core *core = session->client->core;
    sdi_slice slice = {text, strnlen(text, SDI_TOKEN_TEXT_MAX + 1)};
    enum sdi_token_fault fault = sdi_token_decode(slice, &core->settings->token_keys, &token);
    if (fault != SDI_TOKEN_GOOD)
        return refuse(fault, strlen(text), error_out);
    int status = await_system(session, &system, error_out);
    if (status != SHOPDATA_OK)
        return status;
    if (token.era.system && token.era.system != system) {
        sdi_count(core->metrics, SDI_M_TOKENS_FOREIGN, 0, 1);
        return SHOPDATA_OK;
    }
    note_news(session, sdi_coherence_token(core, slice, sdi_uptime()));
    sdi_token_merge(&session->token, &token);
    if (token.unknown)
        session->unplaced = sdi_unplaced(core);
    return SHOPDATA_OK;
}
