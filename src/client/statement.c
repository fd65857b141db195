#include "client/statement.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "client/ask.h"
#include "client/session.h"
#include "model/param.h"

enum { OWN_TAGS_MAX = 64 };

static uint64_t next_number(void)
{
    static _Atomic uint64_t last;
    return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

static int check_text(const char *sql, shopdata_error **error_out)
{
    size_t length = strlen(sql), fault = sdi_utf8_fault(sql, length);
    if (fault == length)
        return SHOPDATA_OK;
    return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "the SQL is not UTF-8 at byte %zu (0x%02x)", fault,
                    (unsigned char)sql[fault]);
}

static int fill_statement(shopdata_statement *statement, const char *policy, const char *sql,
                          shopdata_error **error_out)
{
    const sdi_policy_settings *found = sdi_settings_policy(statement->client->core->settings, policy);
    if (!found)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "no policy \"%s\": add a section [policy %s], or pass NULL",
                        policy, policy);
    statement->policy = found->name;
    statement->policy_number = (size_t)(found - statement->client->core->settings->policies);
    statement->text = sdi_strdup(sql);
    if (!statement->text)
        return sdi_no_memory(error_out);
    return sdi_sql_parse(sql, &statement->sql, error_out);
}

int sdi_statement_new(shopdata_client *client, const char *policy, const char *sql, shopdata_statement **statement_out,
                      shopdata_error **error_out)
{
    int status = check_text(sql, error_out);
    if (status != SHOPDATA_OK)
        return status;
    shopdata_statement *statement = sdi_calloc(1, sizeof *statement);
    if (!statement)
        return sdi_no_memory(error_out);
    atomic_init(&statement->references, 1);
    statement->client = sdi_client_retain(client);
    statement->number = next_number();
    sdi_mutex_init(&statement->lock);
    sdi_condition_init(&statement->made);
    status = fill_statement(statement, policy, sql, error_out);
    if (status == SHOPDATA_OK)
        *statement_out = statement;
    else
        sdi_statement_free(statement);
    return status;
}

static void free_planned(sdi_planned *planned)
{
    while (planned) {
        sdi_planned *older = planned->older;
        sdi_plan_free(planned->plan);
        sdi_free(planned);
        planned = older;
    }
}

shopdata_statement *sdi_statement_retain(shopdata_statement *statement)
{
    atomic_fetch_add_explicit(&statement->references, 1, memory_order_relaxed);
    return statement;
}

void sdi_statement_free(shopdata_statement *statement)
{
    if (!statement || atomic_fetch_sub_explicit(&statement->references, 1, memory_order_acq_rel) != 1)
        return;
    free_planned(atomic_load(&statement->planned));
    free_planned(statement->explained);
    for (size_t i = 0; i < statement->own_count; i++)
        sdi_free(statement->own[i]);
    sdi_free(statement->own);
    sdi_sql_free(statement->sql);
    sdi_free(statement->text);
    sdi_mutex_destroy(&statement->lock);
    sdi_condition_destroy(&statement->made);
    sdi_client_release(statement->client);
    sdi_free(statement);
}

static int keep_tag(shopdata_statement *statement, const char *tag_template, shopdata_error **error_out)
{
    if (statement->used)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "tags can be added only before a statement's first use");
    if (statement->own_count == OWN_TAGS_MAX)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "a statement takes at most %d tags of its own", OWN_TAGS_MAX);
    char **own = sdi_realloc(statement->own, (statement->own_count + 1) * sizeof *own);
    if (!own)
        return sdi_no_memory(error_out);
    statement->own = own;
    own[statement->own_count] = sdi_strdup(tag_template);
    if (!own[statement->own_count])
        return sdi_no_memory(error_out);
    statement->own_count++;
    return SHOPDATA_OK;
}

int sdi_statement_add_tag(shopdata_statement *statement, const char *tag_template, shopdata_error **error_out)
{
    int status = sdi_tag_template_check(tag_template, sdi_sql_parameters(statement->sql), error_out);
    if (status != SHOPDATA_OK)
        return status;
    sdi_lock(&statement->lock);
    status = keep_tag(statement, tag_template, error_out);
    sdi_unlock(&statement->lock);
    return status;
}

/* -------------------------------------------------------------------------------------------------------- planning */

/* Where the catalog is asked. */
typedef struct asking {
    sdi_core *core;
    sdi_need *need;
    int64_t deadline;
    shopdata_session *within; /* in its transaction; NULL: not in one */
} asking;

static int ask_catalog(void *context, const sdi_catalog_question questions[SDI_CATALOG_QUESTIONS],
                       shopdata_result *answers[SDI_CATALOG_QUESTIONS], shopdata_error **error_out)
{
    const asking *a = context;
    sdi_pg_command asks[SDI_CATALOG_QUESTIONS];
    for (size_t i = 0; i < SDI_CATALOG_QUESTIONS; i++)
        asks[i] = (sdi_pg_command){.sql = questions[i].sql, .params = questions[i].params, .count = questions[i].count};
    size_t failed;
    int status = a->within ? sdi_transaction_run(a->within, asks, SDI_CATALOG_QUESTIONS, &failed, error_out)
                           : sdi_ask_catalog(a->core, a->need, asks, SDI_CATALOG_QUESTIONS, a->deadline, error_out);
    for (size_t i = 0; i < SDI_CATALOG_QUESTIONS && status == SHOPDATA_OK; i++) {
        answers[i] = asks[i].result;
        asks[i].result = NULL;
    }
    sdi_pg_commands_free(asks, SDI_CATALOG_QUESTIONS);
    return status;
}

static bool knows_node(const sdi_core *core, bool primary)
{
    size_t node;
    sdi_slice space;
    if (primary)
        return sdi_router_primary(core->router, &node);
    return sdi_core_space(core, &space, NULL) && sdi_router_surveyed(core->router);
}

/* Who plans before there is a node waits for one, and what is noticed until then needs no second plan. A read waits for
 * the primary too, unless that is out of reach: who took a replica for all there is would miss what only the primary
 * knows. */
static void await_node(sdi_core *core, bool primary, int64_t deadline)
{
    for (;;) {
        uint64_t seen = sdi_router_changes(core->router);
        if (knows_node(core, primary) || !sdi_router_wait(core->router, seen, deadline))
            return;
    }
}

static int make_plan(shopdata_statement *statement, shopdata_session *within, int64_t deadline, sdi_planned *planned,
                     shopdata_error **error_out)
{
    sdi_core *core = statement->client->core;
    sdi_catalog *catalog = NULL;
    sdi_slice space;
    const char *identity;
    if (!within)
        await_node(core, planned->need.primary, deadline);
    atomic_store(&core->planned, true);
    planned->schema = atomic_load(&core->schema);
    asking where = {core, &planned->need, deadline, within};
    int status = sdi_catalog_load(statement->sql, ask_catalog, &where, &catalog, error_out);
    if (status != SHOPDATA_OK)
        return status;
    status = sdi_plan_make(statement->sql, catalog, (const char *const *)statement->own, statement->own_count,
                           &planned->plan, error_out);
    sdi_hash128 shape = sdi_catalog_shape(catalog);
    sdi_catalog_free(catalog);
    if (status != SHOPDATA_OK)
        return status;
    /* The server keeps what a prepared text means, also where a new overload would be called today. */
    uint64_t prepared[] = {statement->number, shape.low, shape.high};
    planned->number = sdi_hash64(prepared, sizeof prepared);
    /* Without a fingerprint of its own a statement would share the entries of others: then it is not kept either. */
    planned->final = sdi_plan_is_final(planned->plan) && sdi_core_space(core, &space, &identity) &&
                     sdi_fingerprint(identity, statement->text, shape, &planned->fingerprint);
    return SHOPDATA_OK;
}

static int make_by(shopdata_statement *statement, bool primary, int64_t deadline, sdi_planned **planned_out,
                   shopdata_error **error_out)
{
    sdi_planned *planned = sdi_calloc(1, sizeof *planned);
    if (!planned)
        return sdi_no_memory(error_out);
    planned->need.primary = primary;
    int status = make_plan(statement, NULL, deadline, planned, error_out);
    if (status == SHOPDATA_OK)
        *planned_out = planned;
    else
        sdi_free(planned);
    return status;
}

/* What one node did not find, the primary may have made a moment ago: a table, or a function that writes. */
static int make_anew(shopdata_statement *statement, bool write, int64_t deadline, sdi_planned **planned_out,
                     shopdata_error **error_out)
{
    size_t primary;
    int status = make_by(statement, write, deadline, planned_out, error_out);
    if (status != SHOPDATA_OK || write || (*planned_out)->final ||
        !sdi_router_primary(statement->client->core->router, &primary))
        return status;
    free_planned(*planned_out);
    *planned_out = NULL;
    return make_by(statement, true, deadline, planned_out, error_out);
}

static bool holds(const shopdata_statement *statement, const sdi_planned *planned, bool write)
{
    return planned && (planned->need.primary || !write) &&
           planned->schema == atomic_load(&statement->client->core->schema);
}

static bool is_planned(const shopdata_statement *statement)
{
    return statement->planning == statement->client->generation + 1;
}

/* One plans at a time, and without the lock, for he asks the database; others wait for what he finds. False if neither
 * a plan is there nor the caller's turn has come. */
static bool take_turn(shopdata_statement *statement, bool write, int64_t deadline, sdi_planned **planned, bool *mine)
{
    sdi_lock(&statement->lock);
    bool waits = true;
    while (!holds(statement, *planned = atomic_load(&statement->planned), write) && is_planned(statement) && waits)
        waits = sdi_wait(&statement->made, &statement->lock, deadline);
    bool there = holds(statement, *planned, write);
    *mine = !there && !is_planned(statement);
    if (*mine) {
        statement->used = true;
        statement->planning = statement->client->generation + 1;
    }
    sdi_unlock(&statement->lock);
    return there || *mine;
}

/* Readers take the newest plan without the lock, so an older one is never freed under them; one that is not final is
 * not kept, for a statement on a table that does not exist would gather one a call. */
static void end_turn(shopdata_statement *statement, sdi_planned *made)
{
    sdi_lock(&statement->lock);
    if (made && made->final) {
        made->older = atomic_load(&statement->planned);
        atomic_store(&statement->planned, made);
    }
    statement->planning = 0;
    sdi_wake_all(&statement->made);
    sdi_unlock(&statement->lock);
}

int sdi_statement_plan(shopdata_statement *statement, bool write, int64_t deadline, sdi_planned **planned_out,
                       shopdata_error **error_out)
{
    bool mine = false;
    int status = SHOPDATA_OK;
    sdi_planned *planned = atomic_load(&statement->planned);
    if (!holds(statement, planned, write) && !take_turn(statement, write, deadline, &planned, &mine))
        return sdi_fail(error_out, SHOPDATA_ERR_TIMEOUT, "the deadline passed while another call asked for the tables");
    if (mine) {
        planned = NULL;
        status = make_anew(statement, write, deadline, &planned, error_out);
        end_turn(statement, planned);
    }
    if (status == SHOPDATA_OK)
        *planned_out = planned;
    return status;
}

static int plan_within(shopdata_statement *statement, shopdata_session *session, sdi_planned **planned_out,
                       shopdata_error **error_out)
{
    sdi_planned *planned = sdi_calloc(1, sizeof *planned);
    if (!planned)
        return sdi_no_memory(error_out);
    sdi_lock(&statement->lock);
    statement->used = true;
    sdi_unlock(&statement->lock);
    planned->need.primary = true;
    int status = make_plan(statement, session, sdi_session_deadline(session), planned, error_out);
    planned->final = false;
    if (status == SHOPDATA_OK)
        *planned_out = planned;
    else
        sdi_free(planned);
    return status;
}

int sdi_session_plan(shopdata_session *session, shopdata_statement *statement, bool write, int64_t deadline,
                     sdi_planned **planned_out, shopdata_error **error_out)
{
    if (sdi_in_transaction(session) && session->transaction.schema)
        return plan_within(statement, session, planned_out, error_out);
    return sdi_statement_plan(statement, write, deadline, planned_out, error_out);
}

void sdi_planned_done(sdi_planned *planned)
{
    if (planned && !planned->final)
        free_planned(planned);
}

static void keep_explained(shopdata_statement *statement, sdi_planned *planned)
{
    if (planned->final)
        return;
    sdi_lock(&statement->lock);
    planned->older = statement->explained;
    statement->explained = planned;
    sdi_unlock(&statement->lock);
}

int sdi_statement_explain(shopdata_statement *statement, const char **text_out, shopdata_error **error_out)
{
    sdi_planned *planned;
    int64_t deadline = sdi_deadline_in(statement->client->core->settings->deadline_ms);
    int status = sdi_statement_plan(statement, false, deadline, &planned, error_out);
    if (status != SHOPDATA_OK)
        return status;
    *text_out = sdi_plan_explain(planned->plan);
    keep_explained(statement, planned);
    return SHOPDATA_OK;
}

/* A plan that stands knows what the database says; else the SQL must do. */
bool sdi_statement_is_read(const shopdata_statement *statement)
{
    const sdi_planned *planned = atomic_load(&statement->planned);
    if (!planned || !statement->client->core || !holds(statement, planned, false))
        return sdi_sql_is_read(statement->sql);
    enum sdi_plan_kind kind = sdi_plan_kind(planned->plan);
    return kind != SDI_PLAN_WRITE && kind != SDI_PLAN_UNDECLARED;
}

const sdi_planned *sdi_statement_planned(const shopdata_statement *statement)
{
    const sdi_planned *planned = atomic_load(&statement->planned);
    return holds(statement, planned, false) ? planned : NULL;
}

const sdi_policy_settings *sdi_statement_policy(const shopdata_statement *statement)
{
    return &statement->client->core->settings->policies[statement->policy_number];
}

size_t sdi_statement_parameters(const shopdata_statement *statement)
{
    return sdi_sql_parameters(statement->sql);
}

int sdi_statement_check(const shopdata_statement *statement, const shopdata_client *client,
                        const shopdata_param *params, size_t count, shopdata_error **error_out)
{
    if (!statement)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT,
                        "the statement is NULL; make one with shopdata_statement_new");
    if (statement->client != client)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "the statement was made by another client than the session");
    size_t wanted = sdi_statement_parameters(statement);
    if (count != wanted)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "%zu parameters given, but the statement takes %zu: %.60s",
                        count, wanted, statement->text);
    return sdi_params_check(params, count, error_out);
}
