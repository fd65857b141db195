/* What a statement calls: may an answer that depends on it be cached? */
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "model/plan_facts.h"

/* Functions of pg_catalog that are STABLE only because they read settings that every connection of ours pins, call the
 * output functions of types, or tell what is in the key of every entry. current_setting: see judge_settings. None reads
 * a table or the clock with at least so many arguments. */
static const struct {
    const char *name;
    size_t arguments;
} reviewed[] = {
    {"age", 2},
    {"array_agg", 1},
    {"array_to_json", 1},
    {"array_to_string", 2},
    {"concat", 1},
    {"concat_ws", 1},
    {"current_database", 0},
    {"current_setting", 1},
    {"date_part", 2},
    {"date_trunc", 2},
    {"extract", 2},
    {"format", 1},
    {"generate_series", 2},
    {"json_agg", 1},
    {"json_build_array", 0},
    {"json_build_object", 0},
    {"json_object_agg", 2},
    {"jsonb_agg", 1},
    {"jsonb_build_array", 0},
    {"jsonb_build_object", 0},
    {"jsonb_object_agg", 2},
    {"length", 1},
    {"make_timestamptz", 6},
    {"overlaps", 4},
    {"phraseto_tsquery", 2},
    {"plainto_tsquery", 2},
    {"quote_literal", 1},
    {"quote_nullable", 1},
    {"row_to_json", 1},
    {"string_agg", 2},
    {"to_char", 2},
    {"to_date", 2},
    {"to_json", 1},
    {"to_jsonb", 1},
    {"to_number", 2},
    {"to_timestamp", 1},
    {"to_tsquery", 2},
    {"to_tsvector", 2},
    {"ts_headline", 4},
    {"websearch_to_tsquery", 2},
};

/* The clock, chance, and who is asking: declaring tags does not make these worth keeping. An entry that ends in a star
 * stands for all names that begin so. */
static const char *const momentary[] = {
    "now",
    "transaction_timestamp",
    "statement_timestamp",
    "clock_timestamp",
    "timeofday",
    "random",
    "random_normal",
    "gen_random_uuid",
    "uuidv4",
    "uuidv7",
    "version",
    "current_schema",
    "current_schemas",
    "current_query",
    "txid_current_if_assigned",
    "txid_current_snapshot",
    "txid_status",
    "inet_client_*",
    "inet_server_*",
    "pg_backend_pid",
    "pg_blocking_pids",
    "pg_conf_load_time",
    "pg_postmaster_start_time",
    "pg_current_snapshot",
    "pg_current_wal_*",
    "pg_current_xact_id_if_assigned",
    "pg_xact_*",
    "pg_database_size",
    "pg_get_*",
    "pg_indexes_size",
    "pg_is_*",
    "pg_last_*",
    "pg_lock_status",
    "pg_relation_size",
    "pg_sleep*",
    "pg_stat_get_*",
    "pg_table_size",
    "pg_tablespace_size",
    "pg_total_relation_size",
    "pg_walfile_*",
};

static const char *const for_primary[] = {"pg_advisory_xact_*", "pg_try_advisory_xact_*", "txid_current",
                                          "pg_current_xact_id"};

static bool matches(const char *pattern, const char *name)
{
    size_t length = strlen(pattern);
    if (pattern[length - 1] == '*')
        return !strncmp(pattern, name, length - 1);
    return !strcmp(pattern, name);
}

static bool listed(const char *const *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (matches(list[i], name))
            return true;
    return false;
}

#define LISTED(list, name) listed(list, sizeof(list) / sizeof *(list), name)

static bool is_reviewed(const sdi_sql_name *name)
{
    for (size_t i = 0; i < sizeof reviewed / sizeof *reviewed; i++)
        if (!strcmp(reviewed[i].name, name->name))
            return name->arguments >= reviewed[i].arguments;
    /* timezone(text, timetz) reads the clock for zones with summer time */
    return !strcmp(name->name, "timezone") && name->zone_utc;
}

/* Functions of pg_catalog that are not immutable. */
static void judge_builtin(sdi_planner *p, const sdi_sql_name *name, const sdi_verdict *verdict)
{
    if (is_reviewed(name))
        return;
    if (sdi_sql_is_effect(name->name))
        p->found->has_effect = true;
    else if (LISTED(for_primary, name->name))
        sdi_object(p, SDI_PRIMARY, "calls %s()", name->name);
    else if (LISTED(momentary, name->name))
        sdi_object(p, SDI_NEVER, "calls %s()", name->name);
    else if (verdict->volatility == 's')
        sdi_object(p, SDI_UNDECIDED, "calls %s(), which is STABLE", name->name);
    else
        sdi_object(p, SDI_UNTOLD, "calls %s(), which may write", name->name);
}

static void judge_user_function(sdi_planner *p, const char *name, char volatility)
{
    if (volatility == 's')
        sdi_object(p, SDI_UNDECIDED, "calls %s(), which is STABLE: it may read tables", name);
    else if (volatility != 'i')
        sdi_object(p, SDI_UNTOLD, "calls %s(), which is VOLATILE: it may write", name);
}

static void judge_function(sdi_planner *p, const sdi_sql_name *name, const sdi_verdict *verdict)
{
    p->rows_uncertain |= name->over || (verdict->aggregate && name->at_top);
    p->found->own_calls |= verdict->volatility && !verdict->builtin;
    if (!verdict->volatility)
        sdi_object(p, SDI_UNKNOWN, "no function %s()", name->name);
    else if (verdict->volatility != 'i' && verdict->builtin)
        judge_builtin(p, name, verdict);
    else
        judge_user_function(p, name->name, verdict->volatility);
}

static void judge_operator(sdi_planner *p, const sdi_sql_name *name, const sdi_verdict *verdict)
{
    p->found->own_calls |= verdict->volatility != 0;
    if (verdict->volatility && verdict->volatility != 'i')
        sdi_object(p, SDI_UNDECIDED, "uses the operator %s, which is not IMMUTABLE for some types", name->name);
}

/* With every relation having such a column and nothing else to call it by, x.name is that column. */
static bool is_column_everywhere(const sdi_planner *p, const char *name)
{
    if (p->sql->opaque_from || p->sql->has_subqueries || !p->catalog->relation_count)
        return false;
    for (size_t i = 0; i < p->catalog->relation_count; i++)
        if (!sdi_relation_column(&p->catalog->relations[i], name))
            return false;
    return true;
}

static void judge_attribute(sdi_planner *p, const sdi_sql_name *name, const sdi_verdict *verdict)
{
    if (!verdict->volatility || is_column_everywhere(p, name->name))
        return;
    p->rows_uncertain |= verdict->aggregate;
    p->found->own_calls |= !verdict->builtin;
    judge_user_function(p, name->name, verdict->volatility);
}

/* A column of a date or time type holds no text that says `now`. */
static bool casts_moments_only(const sdi_planner *p, size_t type)
{
    for (size_t i = 0; i < SDI_COUNT(p->sql->casts, sdi_sql_cast); i++) {
        const sdi_sql_cast *cast = &SDI_ITEMS(p->sql->casts, sdi_sql_cast)[i];
        bool seen = false;
        if (cast->name != type)
            continue;
        for (size_t j = 0; j < p->catalog->relation_count; j++) {
            const sdi_column *column = sdi_relation_column(&p->catalog->relations[j], cast->column);
            if (column && !column->moment)
                return false;
            seen |= column != NULL;
        }
        if (!seen)
            return false;
    }
    return true;
}

static bool casts_columns(const sdi_sql *sql, size_t type)
{
    for (size_t i = 0; i < SDI_COUNT(sql->casts, sdi_sql_cast); i++)
        if (SDI_ITEMS(sql->casts, sdi_sql_cast)[i].name == type)
            return true;
    return false;
}

static void judge_type(sdi_planner *p, size_t index, const sdi_sql_name *name, const sdi_verdict *verdict)
{
    bool simple = !p->sql->opaque_from && !p->sql->has_subqueries && !p->sql->rows_uncertain;
    bool columns_ok = !casts_columns(p->sql, index) || (simple && casts_moments_only(p, index));
    if (!verdict->volatility)
        sdi_object(p, SDI_UNKNOWN, "no type %s", name->name);
    else if (verdict->volatility == 'v')
        sdi_object(p, SDI_UNDECIDED, "casts to %s, which may read more than its argument", name->name);
    else if (verdict->volatility == 's' && (name->dynamic || !columns_ok))
        sdi_object(p, SDI_UNDECIDED, "casts to %s what may be text that says 'now'", name->name);
}

static void judge_name(sdi_planner *p, size_t index)
{
    const sdi_sql_name *name = &SDI_ITEMS(p->sql->names, sdi_sql_name)[index];
    const sdi_verdict *verdict = &p->catalog->verdicts[index];
    switch (name->kind) {
    case SDI_NAME_FUNCTION:
        judge_function(p, name, verdict);
        break;
    case SDI_NAME_OPERATOR:
        judge_operator(p, name, verdict);
        break;
    case SDI_NAME_ATTRIBUTE:
        judge_attribute(p, name, verdict);
        break;
    case SDI_NAME_TYPE:
        judge_type(p, index, name, verdict);
        break;
    case SDI_NAME_CASTS:
        if (verdict->volatility)
            sdi_object(p, SDI_UNDECIDED, "may use a cast of the application's own that is not IMMUTABLE");
        break;
    }
}

/* --------------------------------------------------------------------------------------------------------- settings */

/* The same on every connection, or in the key of every entry. */
static bool is_settled(const char *setting)
{
    static const char *const settled[] = {"bytea_output",       "client_encoding",    "datestyle",
                                          "extra_float_digits", "intervalstyle",      "search_path",
                                          "server_version",     "server_version_num", "timezone"};
    for (size_t i = 0; i < sizeof settled / sizeof *settled; i++)
        if (!strcasecmp(setting, settled[i]))
            return true;
    return false;
}

static void depend_on(sdi_planner *p, const char *setting)
{
    sdi_buffer *settings = &p->plan->settings;
    for (size_t i = 0; i < SDI_COUNT(*settings, char *); i++)
        if (!strcasecmp(SDI_ITEMS(*settings, char *)[i], setting))
            return;
    char *copy = sdi_strdup(setting);
    if (copy)
        sdi_buffer_append(settings, &copy, sizeof copy);
    if (!copy || settings->failed) {
        p->found->failed = true;
        sdi_free(copy);
    }
}

static void judge_settings(sdi_planner *p)
{
    for (size_t i = 0; i < SDI_COUNT(p->sql->settings, char *); i++) {
        const char *setting = SDI_ITEMS(p->sql->settings, const char *)[i];
        if (strchr(setting, '.'))
            depend_on(p, setting);
        else if (!is_settled(setting))
            sdi_object(p, SDI_NEVER, "asks for the setting %.63s, which may differ between servers", setting);
    }
    if (p->sql->settings_untold)
        sdi_object(p, SDI_NEVER, "calls current_setting() with a name that is not a constant");
}

void sdi_plan_judge_calls(sdi_planner *p)
{
    const sdi_sql *sql = p->sql;
    if (!sql->computes)
        return;
    for (size_t i = 0; i < p->catalog->name_count; i++)
        judge_name(p, i);
    judge_settings(p);
    if (sql->value_function)
        sdi_object(p, SDI_NEVER, "asks for %s", sql->value_function);
    if (sql->says_clock)
        sdi_object(p, SDI_NEVER, "has a constant like 'now' or 'today', which the clock fills");
    if (sql->system_column)
        sdi_object(p, SDI_NEVER, "asks for %s, which changes without a write", sql->system_column);
    if (sql->has_sample)
        sdi_object(p, SDI_UNDECIDED, "TABLESAMPLE takes rows by chance");
    if (sql->has_table_function)
        sdi_object(p, SDI_UNDECIDED, "XMLTABLE is not looked into");
}
