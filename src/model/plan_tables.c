/* Which tags the tables of a statement give. */
#include <string.h>

#include "base/memory.h"
#include "model/plan_facts.h"

static void add_hook(sdi_planner *p, enum sdi_reach reach, const char *schema, const char *name, sdi_buffer key)
{
    sdi_buffer table = SDI_BUFFER_INIT;
    if (p->unhooked) {
        sdi_key_parts_free(&key);
        return;
    }
    sdi_tag_escape(&table, sdi_slice_of(schema), true);
    sdi_buffer_char(&table, '.');
    sdi_tag_escape(&table, sdi_slice_of(name), true);
    sdi_hook hook = {reach, sdi_buffer_take(&table), key};
    if (hook.table)
        sdi_buffer_append(&p->plan->hooks, &hook, sizeof hook);
    if (!hook.table || p->plan->hooks.failed) {
        p->found->failed = true;
        sdi_free(hook.table);
        sdi_key_parts_free(&hook.key);
    }
}

void sdi_plan_add_table(sdi_planner *p, enum sdi_reach reach, const char *schema, const char *name)
{
    add_hook(p, reach, schema, name, (sdi_buffer)SDI_BUFFER_INIT);
}

static void add_bound(sdi_planner *p, enum sdi_reach reach, const sdi_relation *relation, enum sdi_bond bond)
{
    for (size_t i = 0; i < SDI_COUNT(relation->bounds, sdi_bound); i++) {
        const sdi_bound *bound = &SDI_ITEMS(relation->bounds, sdi_bound)[i];
        if (bound->bond == bond)
            sdi_plan_add_table(p, reach, bound->schema, bound->name);
    }
}

/* The relation and, if it is partitioned or inherited, its whole family. */
static void add_family(sdi_planner *p, enum sdi_reach reach, const sdi_relation *relation)
{
    sdi_plan_add_table(p, reach, relation->schema, relation->name);
    if (relation->family)
        add_bound(p, reach, relation, SDI_BOND_FAMILY);
}

static bool is_table(const sdi_relation *relation)
{
    return relation->kind == 'r' || relation->kind == 'p' || relation->kind == 'm';
}

static bool may_have_row_tags(const sdi_relation *relation)
{
    return relation->kind == 'r' && !relation->family;
}

static void unknown_relation(sdi_planner *p, const sdi_sql_table *table)
{
    const sdi_sql_relation *name = &SDI_ITEMS(p->sql->relations, sdi_sql_relation)[table->relation];
    if (!table->perhaps_cte)
        sdi_object(p, SDI_UNKNOWN, "no relation %s%s%s", name->schema, name->schema[0] ? "." : "", name->name);
}

/* ----------------------------------------------------------------------------------------------------------- reads */

static const char *unread_kind(char kind)
{
    switch (kind) {
    case 'f':
        return "a foreign table, which changes elsewhere";
    case 'S':
        return "a sequence, which changes with every nextval()";
    default:
        return "no table";
    }
}

static void object_to_read(sdi_planner *p, const sdi_relation *relation)
{
    const char *schema = relation->schema, *name = relation->name;
    if (relation->persistence == 't')
        sdi_object(p, SDI_NEVER, "%s is a temporary table, which belongs to one connection", name);
    else if (relation->system)
        sdi_object(p, SDI_UNDECIDED, "%s.%s is a system catalog", schema, name);
    else if (!is_table(relation) && relation->kind != 'v')
        sdi_object(p, SDI_UNDECIDED, "%s.%s is %s", schema, name, unread_kind(relation->kind));
    else if (relation->odd_column)
        sdi_object(p, SDI_UNDECIDED, "%s.%s has the column %s, whose text changes with other things than the table",
                   schema, name, relation->odd_column);
    if (relation->persistence == 'u')
        sdi_object(p, SDI_PRIMARY, "%s.%s is unlogged: standbys do not have it", schema, name);
}

/* Who reads the whole reads its partitions and children. Which ones, PostgreSQL finds out; so all count. */
static void object_to_family(sdi_planner *p, const sdi_relation *relation)
{
    for (size_t i = 0; relation->family && i < SDI_COUNT(relation->bounds, sdi_bound); i++) {
        const sdi_bound *bound = &SDI_ITEMS(relation->bounds, sdi_bound)[i];
        if (bound->bond != SDI_BOND_FAMILY)
            continue;
        if (bound->kind == 'f')
            sdi_object(p, SDI_UNDECIDED, "%s.%s is %s", bound->schema, bound->name, unread_kind(bound->kind));
        if (bound->persistence == 'u')
            sdi_object(p, SDI_PRIMARY, "%s.%s is unlogged: standbys do not have it", bound->schema, bound->name);
    }
}

/* A view that reads as its owner obeys the policies for the owner, whether or not they hold for us. */
static void judge_security(sdi_planner *p, const sdi_relation *relation)
{
    if (relation->row_security_active || (relation->row_security && p->as_owner))
        sdi_plan_read_policies(p, relation);
}

void sdi_plan_judge_read(sdi_planner *p, const sdi_sql_table *table)
{
    const sdi_relation *relation = &p->catalog->relations[table->relation];
    sdi_buffer key = SDI_BUFFER_INIT;
    if (!relation->found) {
        unknown_relation(p, table);
        return;
    }
    object_to_read(p, relation);
    object_to_family(p, relation);
    if (relation->kind == 'v' && !relation->system)
        sdi_plan_read_view(p, table, relation);
    if (!is_table(relation))
        return;
    judge_security(p, relation);
    bool certain = table->role == SDI_TABLE_INNER && !p->rows_uncertain && may_have_row_tags(relation);
    if (certain && sdi_plan_find_key(p, table, &key))
        add_hook(p, SDI_REACH_ROW, relation->schema, relation->name, key);
    else
        add_family(p, SDI_REACH_TABLE, relation);
}

/* ---------------------------------------------------------------------------------------------------------- writes */

static bool sets_column(const sdi_planner *p, const char *name)
{
    for (size_t i = 0; i < SDI_COUNT(p->sets, char *); i++)
        if (!strcmp(SDI_ITEMS(p->sets, const char *)[i], name))
            return true;
    return false;
}

static bool sets_key(const sdi_planner *p, const sdi_relation *relation)
{
    for (size_t i = 0; i < SDI_COUNT(relation->columns, sdi_column); i++) {
        const sdi_column *column = &SDI_ITEMS(relation->columns, sdi_column)[i];
        if (column->key && sets_column(p, column->name))
            return true;
    }
    return false;
}

static bool sets_referenced(const sdi_planner *p, const sdi_sql_table *table, const sdi_relation *relation)
{
    if ((table->writes & SDI_SETS_ANY) || relation->family)
        return true;
    for (size_t i = 0; i < SDI_COUNT(relation->columns, sdi_column); i++) {
        const sdi_column *column = &SDI_ITEMS(relation->columns, sdi_column)[i];
        if (column->referenced && sets_column(p, column->name))
            return true;
    }
    return false;
}

static bool writes_rows(const sdi_sql_table *table)
{
    return table->writes & (SDI_INSERTS | SDI_UPDATES | SDI_DELETES);
}

/* False if a bump of the relation itself would mean nothing. */
static bool object_to_write(sdi_planner *p, const sdi_sql_table *table, const sdi_relation *relation)
{
    if (relation->rules && writes_rows(table))
        sdi_object(p, SDI_UNTOLD, "%s.%s has rules, which may write elsewhere", relation->schema, relation->name);
    if (is_table(relation) || relation->kind == 'v')
        return true;
    if (!(table->writes & SDI_RESHAPES))
        sdi_object(p, SDI_UNTOLD, "%s.%s is %s", relation->schema, relation->name, unread_kind(relation->kind));
    return false;
}

/* A row for each choice of IN; false if not every one can be spelt. */
static bool add_choices(sdi_planner *p, const sdi_sql_table *table, const sdi_relation *relation)
{
    size_t count = sdi_plan_choices(p, table);
    for (size_t i = 0; i < count; i++) {
        sdi_buffer key = SDI_BUFFER_INIT;
        if (!sdi_plan_find_choice(p, table, i, &key))
            return false;
        add_hook(p, SDI_REACH_ROW, relation->schema, relation->name, key);
    }
    return count > 0;
}

/* Is the key always the same by default, as in a table of one row? */
static bool repeats_key(const sdi_relation *relation)
{
    size_t keys = 0;
    for (size_t i = 0; i < SDI_COUNT(relation->columns, sdi_column); i++) {
        const sdi_column *column = &SDI_ITEMS(relation->columns, sdi_column)[i];
        if (column->key && !column->repeats)
            return false;
        keys += column->key != 0;
    }
    return keys > 0;
}

/* A row whose key is new hangs in no answer yet but those of the table. */
static void add_insert(sdi_planner *p, const sdi_sql_table *table, const sdi_relation *relation)
{
    sdi_buffer key = SDI_BUFFER_INIT;
    if (!sets_key(p, relation) && !repeats_key(relation))
        sdi_plan_add_table(p, SDI_REACH_TABLE, relation->schema, relation->name);
    else if (sdi_plan_find_key(p, table, &key))
        add_hook(p, SDI_REACH_ROW, relation->schema, relation->name, key);
    else if (!add_choices(p, table, relation))
        add_family(p, SDI_REACH_BULK, relation);
}

static void add_write(sdi_planner *p, const sdi_sql_table *table, const sdi_relation *relation)
{
    sdi_buffer key = SDI_BUFFER_INIT;
    bool certain = !(table->writes & SDI_COARSE) && may_have_row_tags(relation);
    if (certain && table->writes == SDI_INSERTS)
        add_insert(p, table, relation);
    else if (certain && !sets_key(p, relation) && sdi_plan_find_key(p, table, &key))
        add_hook(p, SDI_REACH_ROW, relation->schema, relation->name, key);
    else if (!certain || sets_key(p, relation) || !add_choices(p, table, relation))
        add_family(p, SDI_REACH_BULK, relation);
}

static void add_followers(sdi_planner *p, const sdi_sql_table *table, const sdi_relation *relation)
{
    if (table->writes & SDI_DELETES)
        add_bound(p, SDI_REACH_BULK, relation, SDI_BOND_DELETE);
    if ((table->writes & SDI_UPDATES) && sets_referenced(p, table, relation))
        add_bound(p, SDI_REACH_BULK, relation, SDI_BOND_UPDATE);
    if (table->writes & SDI_CASCADES)
        add_bound(p, SDI_REACH_BULK, relation, SDI_BOND_TRUNCATE);
    if (table->becomes[0] || table->becomes[1])
        sdi_plan_add_table(p, SDI_REACH_BULK, table->becomes[0] ? table->becomes[0] : relation->schema,
                           table->becomes[1] ? table->becomes[1] : relation->name);
}

void sdi_plan_judge_write(sdi_planner *p, const sdi_sql_table *table)
{
    const sdi_relation *relation = &p->catalog->relations[table->relation];
    if (!relation->found) {
        unknown_relation(p, table);
        return;
    }
    if (!object_to_write(p, table, relation))
        return;
    sdi_plan_judge_hidden(p, relation, table->writes);
    if (relation->kind == 'v' && writes_rows(table)) {
        sdi_plan_write_view(p, table, relation);
        return;
    }
    add_write(p, table, relation);
    add_followers(p, table, relation);
}

void sdi_plan_judge_tables(sdi_planner *p)
{
    const sdi_sql_table *tables = SDI_ITEMS(p->sql->tables, sdi_sql_table);
    bool reads = p->sql->kind == SDI_SQL_READ || p->sql->kind == SDI_SQL_STATUS;
    p->rows_uncertain |= p->sql->rows_uncertain;
    p->unhooked |= !reads;
    if (p->sql->locks_rows)
        sdi_object(p, SDI_PRIMARY, "locks rows");
    if (p->sql->foreign_database)
        sdi_object(p, SDI_UNKNOWN, "database.schema.table is not looked up");
    for (size_t i = 0; i < SDI_COUNT(p->sql->tables, sdi_sql_table); i++)
        if (!tables[i].writes)
            sdi_plan_judge_read(p, &tables[i]);
    p->unhooked = false;
    for (size_t i = 0; i < SDI_COUNT(p->sql->tables, sdi_sql_table); i++)
        if (tables[i].writes)
            sdi_plan_judge_write(p, &tables[i]);
}
