/* What stands behind a relation is judged as if it were written in the statement: a view's definition, the policies of
 * row-level security, and what a write runs unseen. */
#include <string.h>

#include "base/memory.h"
#include "model/plan_facts.h"

static char *named(const char *what, const sdi_relation *relation)
{
    sdi_buffer text = SDI_BUFFER_INIT;
    sdi_buffer_printf(&text, "%s %s.%s", what, relation->schema, relation->name);
    return sdi_buffer_take(&text);
}

/* The rows of such a view are rows of its tables: a condition on its columns is one on theirs. */
static bool is_transparent(const sdi_sql *sql)
{
    return !sql->rows_uncertain && !sql->picks_rows && !sql->opaque_from;
}

/* ------------------------------------------------------------------------------------------------- columns through */

static const PgQuery__ColumnRef *column_behind(const sdi_sql *view, const char *name)
{
    const PgQuery__ColumnRef *found = NULL;
    for (size_t i = 0; i < SDI_COUNT(view->targets, sdi_sql_target); i++) {
        const sdi_sql_target *target = &SDI_ITEMS(view->targets, sdi_sql_target)[i];
        if (strcmp(target->name, name) != 0)
            continue;
        if (found || !target->column)
            return NULL;
        found = target->column;
    }
    return found;
}

static void pass_fixed(const sdi_planner *outer, const sdi_sql_table *table, sdi_planner *inner)
{
    const sdi_sql_fixed *fixed = SDI_ITEMS(outer->fixed, sdi_sql_fixed);
    for (size_t i = 0; i < SDI_COUNT(outer->fixed, sdi_sql_fixed); i++) {
        sdi_sql_fixed through = fixed[i];
        const PgQuery__ColumnRef *ref = column_behind(inner->sql, fixed[i].column);
        if (!ref || !sdi_plan_belongs(outer, &fixed[i], table) || !sdi_plan_cast_is_ours(outer, &fixed[i]) ||
            !sdi_sql_column_names(ref, &through))
            continue;
        if (through.cast)
            through.cast_schema = "pg_catalog";
        sdi_buffer_append(&inner->fixed, &through, sizeof through);
    }
    inner->found->failed |= inner->fixed.failed;
}

/* False if a column that is set is none of the table behind. */
static bool pass_sets(const sdi_planner *outer, sdi_planner *inner)
{
    for (size_t i = 0; i < SDI_COUNT(outer->sets, char *); i++) {
        sdi_sql_fixed column;
        const PgQuery__ColumnRef *ref = column_behind(inner->sql, SDI_ITEMS(outer->sets, const char *)[i]);
        if (!ref || !sdi_sql_column_names(ref, &column))
            return false;
        sdi_buffer_append(&inner->sets, &column.column, sizeof column.column);
    }
    inner->found->failed |= inner->sets.failed;
    return true;
}

/* ----------------------------------------------------------------------------------------------------------- views */

static bool begin(sdi_planner *inner, const sdi_planner *outer, const sdi_inside *inside, const char *within)
{
    *inner = (sdi_planner){.statement = outer->statement,
                           .plan = outer->plan,
                           .found = outer->found,
                           .within = within,
                           .unhooked = outer->unhooked,
                           .as_owner = outer->as_owner};
    bool begun = within && sdi_plan_level(inner, inside->sql, inside->catalog);
    outer->found->failed |= !begun;
    return begun;
}

static void read_inside(sdi_planner *p, const sdi_sql_table *table, const sdi_inside *inside, const char *within)
{
    sdi_planner inner;
    bool view = table != NULL;
    if (!begin(&inner, p, inside, within))
        return;
    bool certain = view && table->role == SDI_TABLE_INNER && !p->rows_uncertain && is_transparent(inside->sql);
    inner.rows_uncertain = !certain;
    inner.as_owner |= view;
    if (certain)
        pass_fixed(p, table, &inner);
    sdi_plan_judge_calls(&inner);
    sdi_plan_judge_tables(&inner);
    sdi_plan_level_end(&inner);
}

static bool is_open(sdi_planner *p, const sdi_inside *inside, const char *within, enum sdi_objection objection)
{
    if (inside->sql)
        return true;
    sdi_object(p, objection, "%s cannot be looked into: %s", within ? within : "", inside->fault ? inside->fault : "");
    return false;
}

/* It hangs on the view's own tag too, which its DDL bumps. */
void sdi_plan_read_view(sdi_planner *p, const sdi_sql_table *table, const sdi_relation *view)
{
    char *within = named("the view", view);
    sdi_plan_add_table(p, SDI_REACH_TABLE, view->schema, view->name);
    if (is_open(p, &view->view, within, SDI_UNDECIDED))
        read_inside(p, table, &view->view, within);
    sdi_free(within);
}

/* Without a policy nobody sees a row: there is nothing to judge then. */
void sdi_plan_read_policies(sdi_planner *p, const sdi_relation *relation)
{
    char *within = named("a policy of", relation);
    if (relation->policies.text.length && is_open(p, &relation->policies, within, SDI_UNDECIDED))
        read_inside(p, NULL, &relation->policies, within);
    sdi_free(within);
}

/* PostgreSQL writes through a view of one table only; of what it would not take, all tables are bumped for nothing. */
static void write_inside(sdi_planner *p, const sdi_sql_table *table, const sdi_inside *inside, const char *within)
{
    sdi_planner inner;
    if (!begin(&inner, p, inside, within))
        return;
    unsigned writes = table->writes;
    if (!is_transparent(inside->sql) || !pass_sets(p, &inner))
        writes |= SDI_COARSE | SDI_SETS_ANY;
    pass_fixed(p, table, &inner);
    sdi_plan_judge_calls(&inner);
    for (size_t i = 0; i < SDI_COUNT(inner.sql->tables, sdi_sql_table); i++) {
        sdi_sql_table written = SDI_ITEMS(inner.sql->tables, sdi_sql_table)[i];
        if (written.role == SDI_TABLE_ELSEWHERE)
            continue;
        written.writes = writes;
        sdi_plan_judge_write(&inner, &written);
    }
    sdi_plan_level_end(&inner);
}

void sdi_plan_write_view(sdi_planner *p, const sdi_sql_table *table, const sdi_relation *view)
{
    char *within = named("the view", view);
    if (is_open(p, &view->view, within, SDI_UNTOLD))
        write_inside(p, table, &view->view, within);
    sdi_free(within);
}

/* ---------------------------------------------------------------------------------------------------------- hidden */

static bool fires(const sdi_hidden *hidden, unsigned writes)
{
    unsigned rows = SDI_INSERTS | SDI_UPDATES | SDI_DELETES;
    switch (hidden->bond) {
    case SDI_BOND_FAMILY:
        return hidden->events & writes;
    case SDI_BOND_DELETE:
        return (writes & SDI_DELETES) && (hidden->events & rows);
    case SDI_BOND_UPDATE:
        return (writes & SDI_UPDATES) && (hidden->events & rows);
    case SDI_BOND_TRUNCATE:
        return (writes & SDI_CASCADES) && (hidden->events & SDI_TRUNCATES);
    }
    return false;
}

static sdi_slice trimmed(const char *begin, const char *end)
{
    while (begin < end && strchr(" \t\n", *begin))
        begin++;
    while (begin < end && strchr(" \t\n", end[-1]))
        end--;
    return (sdi_slice){begin, (size_t)(end - begin)};
}

/* "schema.table"; false for anything else. */
static bool bump_named(sdi_planner *p, sdi_slice table)
{
    const char *dot = memchr(table.data, '.', table.length);
    if (!dot || dot == table.data || dot + 1 == table.data + table.length)
        return false;
    char *schema = sdi_memdup0(table.data, (size_t)(dot - table.data));
    char *name = sdi_memdup0(dot + 1, table.length - (size_t)(dot + 1 - table.data));
    p->found->failed |= !schema || !name;
    if (schema && name)
        sdi_plan_add_table(p, SDI_REACH_BULK, schema, name);
    sdi_free(schema);
    sdi_free(name);
    return true;
}

/* "nothing", or tables with commas between. */
static bool bump_declared(sdi_planner *p, const char *writes)
{
    bool good = true;
    for (const char *at = writes; good; at++) {
        size_t length = strcspn(at, ",");
        sdi_slice table = trimmed(at, at + length);
        good = sdi_slice_equal(table, sdi_slice_of("nothing")) || bump_named(p, table);
        at += length;
        if (!*at)
            break;
    }
    return good;
}

void sdi_plan_judge_hidden(sdi_planner *p, const sdi_relation *relation, unsigned writes)
{
    for (size_t i = 0; i < SDI_COUNT(relation->hidden, sdi_hidden); i++) {
        const sdi_hidden *hidden = &SDI_ITEMS(relation->hidden, sdi_hidden)[i];
        if (!fires(hidden, writes) || (hidden->writes && bump_declared(p, hidden->writes)))
            continue;
        sdi_object(p, SDI_UNTOLD,
                   "%s of %s calls %s(), which may write elsewhere (COMMENT ON FUNCTION ... IS 'shopdata writes: "
                   "nothing' says that it does not)",
                   hidden->what, hidden->table, hidden->function);
    }
}
