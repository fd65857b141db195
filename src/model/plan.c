#include "model/plan.h"

#include <stdarg.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/plan_facts.h"

void sdi_object(sdi_planner *p, enum sdi_objection objection, const char *format, ...)
{
    if (p->found->objections[objection])
        return;
    sdi_buffer text = SDI_BUFFER_INIT;
    va_list arguments;
    va_start(arguments, format);
    sdi_buffer_vprintf(&text, format, arguments);
    if (p->within)
        sdi_buffer_printf(&text, ", in %s", p->within);
    va_end(arguments);
    p->found->objections[objection] = sdi_buffer_take(&text);
    p->found->failed |= !p->found->objections[objection];
}

static void settle(sdi_planner *p, enum sdi_plan_kind kind, const char *reason, const char *advice)
{
    sdi_buffer text = SDI_BUFFER_INIT;
    p->plan->kind = kind;
    sdi_buffer_text(&text, reason);
    sdi_buffer_text(&text, advice);
    p->plan->reason = sdi_buffer_take(&text);
    p->found->failed |= !p->plan->reason;
}

static bool has_own(const sdi_plan *plan)
{
    return plan->own.length > 0;
}

static void settle_untold(sdi_planner *p, const char *reason)
{
    if (has_own(p->plan))
        settle(p, SDI_PLAN_WRITE, "", "");
    else
        settle(p, SDI_PLAN_UNDECLARED, reason, "; declare tags to run it");
}

/* A read of no tables never changes, and costs less to ask than to look up. */
static const char *nothing_to_hang_on(const sdi_plan *plan)
{
    return SDI_COUNT(plan->hooks, sdi_hook) || has_own(plan) ? NULL : "reads no table, so there is nothing to keep";
}

static const char *never_cached(const sdi_planner *p)
{
    if (p->found->objections[SDI_UNKNOWN])
        return p->found->objections[SDI_UNKNOWN];
    if (p->sql->explains)
        return "EXPLAIN tells of the server it runs on";
    return p->found->objections[SDI_NEVER];
}

static void settle_read(sdi_planner *p)
{
    char *const *objections = p->found->objections;
    if (objections[SDI_PRIMARY])
        settle(p, SDI_PLAN_PRIMARY, objections[SDI_PRIMARY], "");
    else if (never_cached(p))
        settle(p, SDI_PLAN_UNCACHED, never_cached(p), "");
    else if (objections[SDI_UNDECIDED] && !has_own(p->plan))
        settle(p, SDI_PLAN_UNCACHED, objections[SDI_UNDECIDED], "; declare tags to cache it");
    else if (nothing_to_hang_on(p->plan))
        settle(p, SDI_PLAN_UNCACHED, nothing_to_hang_on(p->plan), "");
    else
        settle(p, SDI_PLAN_CACHED, "", "");
}

static void settle_kind(sdi_planner *p)
{
    bool reads = p->sql->kind == SDI_SQL_READ;
    if (p->sql->kind == SDI_SQL_STATUS)
        settle(p, SDI_PLAN_UNCACHED, p->sql->reason, "");
    else if (p->sql->kind == SDI_SQL_UNTOLD)
        settle_untold(p, p->sql->reason);
    else if (p->found->objections[SDI_UNTOLD])
        settle_untold(p, p->found->objections[SDI_UNTOLD]);
    else if (!reads || p->found->has_effect)
        settle(p, SDI_PLAN_WRITE, "", "");
    else
        settle_read(p);
}

static void hook_free(sdi_hook *hook)
{
    sdi_free(hook->table);
    sdi_key_parts_free(&hook->key);
}

static void drop_hooks(sdi_plan *plan)
{
    for (size_t i = 0; i < SDI_COUNT(plan->hooks, sdi_hook); i++)
        hook_free(&SDI_ITEMS(plan->hooks, sdi_hook)[i]);
    sdi_buffer_free(&plan->hooks);
}

static void drop_texts(sdi_buffer *texts)
{
    for (size_t i = 0; i < SDI_COUNT(*texts, char *); i++)
        sdi_free(SDI_ITEMS(*texts, char *)[i]);
    sdi_buffer_free(texts);
}

/* Functions have no table of the application's: PostgreSQL's own stands for all of them. DDL that names no table may
 * have replaced one. */
static void add_functions(sdi_planner *p)
{
    bool hangs = p->plan->kind == SDI_PLAN_CACHED && p->found->own_calls;
    bool replaces = p->plan->kind == SDI_PLAN_WRITE && p->sql->kind == SDI_SQL_SCHEMA && !p->sql->relations.length;
    if (hangs || replaces)
        sdi_plan_add_table(p, SDI_REACH_TABLE, "pg_catalog", "pg_proc");
}

/* What is not cached hangs on nothing; what a write reads it does not bump. */
static void settle_tags(sdi_planner *p)
{
    sdi_plan *plan = p->plan;
    bool reads_only = p->sql->kind == SDI_SQL_READ || p->sql->kind == SDI_SQL_STATUS;
    bool tags = plan->kind == SDI_PLAN_CACHED || plan->kind == SDI_PLAN_WRITE;
    plan->writes = plan->kind == SDI_PLAN_WRITE || plan->kind == SDI_PLAN_UNDECLARED;
    if (!tags || (reads_only && plan->writes))
        drop_hooks(plan);
    add_functions(p);
    if (!tags)
        drop_texts(&plan->own);
    plan->all_settings = plan->kind == SDI_PLAN_CACHED && p->found->objections[SDI_UNDECIDED];
    if (plan->kind != SDI_PLAN_CACHED)
        drop_texts(&plan->settings);
}

static bool keep_own(sdi_plan *plan, const char *const *own, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *copy = sdi_strdup(own[i]);
        if (copy)
            sdi_buffer_append(&plan->own, &copy, sizeof copy);
        if (!copy || plan->own.failed) {
            sdi_free(copy);
            return false;
        }
    }
    return true;
}

bool sdi_plan_level(sdi_planner *p, const sdi_sql *sql, const sdi_catalog *catalog)
{
    p->sql = sql;
    p->catalog = catalog;
    sdi_buffer_append(&p->fixed, sql->fixed.data, sql->fixed.length);
    return !p->fixed.failed;
}

void sdi_plan_level_end(sdi_planner *p)
{
    sdi_buffer_free(&p->fixed);
    sdi_buffer_free(&p->sets);
}

static bool make(sdi_planner *p, const char *const *own, size_t own_count)
{
    sdi_buffer_append(&p->sets, p->sql->set_columns.data, p->sql->set_columns.length);
    if (p->sets.failed || !sdi_plan_note_inserted(p) || !keep_own(p->plan, own, own_count))
        return false;
    sdi_plan_judge_calls(p);
    sdi_plan_judge_tables(p);
    settle_kind(p);
    settle_tags(p);
    p->plan->changes_schema = p->sql->changes_schema;
    p->plan->final = !p->found->objections[SDI_UNKNOWN];
    if (p->found->failed)
        return false;
    p->plan->text = sdi_plan_explanation(p->plan);
    return p->plan->text != NULL;
}

int sdi_plan_make(const sdi_sql *sql, const sdi_catalog *catalog, const char *const *own, size_t own_count,
                  sdi_plan **plan_out, shopdata_error **error_out)
{
    sdi_findings found = {0};
    sdi_planner p = {.statement = sql, .plan = sdi_calloc(1, sizeof *p.plan), .found = &found};
    bool made = p.plan && sdi_plan_level(&p, sql, catalog) && make(&p, own, own_count);
    sdi_plan_level_end(&p);
    for (size_t i = 0; i < SDI_OBJECTIONS; i++)
        sdi_free(found.objections[i]);
    if (made) {
        *plan_out = p.plan;
        return SHOPDATA_OK;
    }
    sdi_plan_free(p.plan);
    return sdi_no_memory(error_out);
}

void sdi_plan_free(sdi_plan *plan)
{
    if (!plan)
        return;
    drop_hooks(plan);
    drop_texts(&plan->own);
    drop_texts(&plan->settings);
    sdi_free(plan->reason);
    sdi_free(plan->text);
    sdi_free(plan);
}

enum sdi_plan_kind sdi_plan_kind(const sdi_plan *plan)
{
    return plan->kind;
}

const char *sdi_plan_reason(const sdi_plan *plan)
{
    return plan->reason;
}

bool sdi_plan_changes_schema(const sdi_plan *plan)
{
    return plan->changes_schema;
}

bool sdi_plan_is_final(const sdi_plan *plan)
{
    return plan->final;
}

const char *sdi_plan_explain(const sdi_plan *plan)
{
    return plan->text;
}

bool sdi_plan_settings(const sdi_plan *plan, const sdi_declared *declared, sdi_buffer *identity)
{
    for (size_t i = 0; i < SDI_COUNT(plan->settings, char *); i++) {
        const char *name = SDI_ITEMS(plan->settings, char *)[i], *value = sdi_declared_get(declared, name);
        if (!value)
            return false;
        sdi_declared_identity(name, value, identity);
    }
    for (size_t i = 0; plan->all_settings && i < declared->count; i++)
        sdi_declared_identity(declared->items[i].name, declared->items[i].value, identity);
    return true;
}
