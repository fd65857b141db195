/* Is a table's primary key fixed? */
#include <string.h>

#include "base/memory.h"
#include "model/plan_facts.h"

static const sdi_relation *relation_of(const sdi_planner *p, const sdi_sql_table *table)
{
    return &p->catalog->relations[table->relation];
}

static bool in_scope(const sdi_sql_table *table)
{
    return table->role != SDI_TABLE_ELSEWHERE;
}

static bool answers_to(const sdi_sql_table *table, const sdi_sql_fixed *fixed)
{
    if (!in_scope(table) || strcmp(table->alias, fixed->qualifier) != 0)
        return false;
    if (!fixed->schema[0])
        return true;
    return table->node && !table->node->alias && !strcmp(table->node->schemaname, fixed->schema);
}

static bool may_have_column(const sdi_planner *p, const sdi_sql_table *table, const char *column)
{
    return in_scope(table) && (!relation_of(p, table)->found || sdi_relation_column(relation_of(p, table), column));
}

/* A bare name belongs to the one table that has it; an item of FROM whose columns we do not know could have it too. */
bool sdi_plan_belongs(const sdi_planner *p, const sdi_sql_fixed *fixed, const sdi_sql_table *wanted)
{
    size_t candidates = 0;
    bool qualified = fixed->qualifier[0];
    const sdi_sql_table *tables = SDI_ITEMS(p->sql->tables, sdi_sql_table);
    if (wanted->renames_columns || (!qualified && p->sql->opaque_from))
        return false;
    for (size_t i = 0; i < SDI_COUNT(p->sql->tables, sdi_sql_table); i++)
        candidates += qualified ? answers_to(&tables[i], fixed) : may_have_column(p, &tables[i], fixed->column);
    return candidates == 1 && (qualified ? answers_to(wanted, fixed) : may_have_column(p, wanted, fixed->column));
}

static bool fill_constant(sdi_key_part *part, const sdi_sql_fixed *fixed)
{
    sdi_buffer canonical = SDI_BUFFER_INIT;
    const char *text = fixed->constant ? fixed->constant : fixed->number;
    if (!sdi_key_append(&canonical, part->type, sdi_slice_of(text), false)) {
        sdi_buffer_free(&canonical);
        return false;
    }
    part->constant = sdi_buffer_take(&canonical);
    return true;
}

bool sdi_plan_cast_is_ours(const sdi_planner *p, const sdi_sql_fixed *fixed)
{
    if (!fixed->cast || !strcmp(fixed->cast_schema, "pg_catalog"))
        return true;
    for (size_t i = 0; i < p->catalog->name_count; i++) {
        const sdi_sql_name *name = &SDI_ITEMS(p->sql->names, sdi_sql_name)[i];
        if (name->kind == SDI_NAME_TYPE && !strcmp(name->name, fixed->cast) &&
            !strcmp(name->schema, fixed->cast_schema))
            return p->catalog->verdicts[i].builtin;
    }
    return false;
}

/* $n::int4 against an int8 column compares the same number; $n::numeric does not. */
static bool cast_keeps(const sdi_planner *p, const sdi_sql_fixed *fixed, enum sdi_key_type type)
{
    static const struct {
        const char *cast;
        enum sdi_key_type first, last;
    } keep[] = {{"int2", SDI_KEY_INT2, SDI_KEY_INT8},   {"int4", SDI_KEY_INT2, SDI_KEY_INT8},
                {"int8", SDI_KEY_INT2, SDI_KEY_INT8},   {"bool", SDI_KEY_BOOL, SDI_KEY_BOOL},
                {"uuid", SDI_KEY_UUID, SDI_KEY_UUID},   {"text", SDI_KEY_TEXT, SDI_KEY_TEXT},
                {"varchar", SDI_KEY_TEXT, SDI_KEY_TEXT}};
    for (size_t i = 0; i < sizeof keep / sizeof *keep; i++)
        if (!strcmp(keep[i].cast, fixed->cast))
            return type >= keep[i].first && type <= keep[i].last && sdi_plan_cast_is_ours(p, fixed);
    return false;
}

static bool fill_value(const sdi_planner *p, sdi_key_part *part, const sdi_sql_fixed *fixed)
{
    const sdi_buffer *all = &p->statement->uses;
    if (!fixed->parameter)
        return fill_constant(part, fixed);
    size_t uses = fixed->parameter <= SDI_COUNT(*all, size_t) ? SDI_ITEMS(*all, size_t)[fixed->parameter - 1] : 2;
    part->parameter = fixed->parameter;
    part->shared = uses > 1;
    return (!part->shared || part->type != SDI_KEY_TEXT) && (!fixed->cast || cast_keeps(p, fixed, part->type));
}

static bool add_part(sdi_planner *p, const sdi_column *column, const sdi_sql_fixed *fixed, sdi_buffer *parts)
{
    sdi_key_part part = {.type = column->type};
    if (!fill_value(p, &part, fixed))
        return false;
    sdi_buffer name = SDI_BUFFER_INIT;
    sdi_tag_escape(&name, sdi_slice_of(column->name), true);
    part.column = sdi_buffer_take(&name);
    sdi_buffer_append(parts, &part, sizeof part);
    bool kept = !parts->failed;
    if (!kept) {
        sdi_free(part.column);
        sdi_free(part.constant);
    }
    p->found->failed |= !kept || !part.column || (!part.parameter && !part.constant);
    return !p->found->failed;
}

static bool fix_column(sdi_planner *p, const sdi_sql_table *table, const sdi_column *column, sdi_buffer *parts)
{
    const sdi_sql_fixed *fixed = SDI_ITEMS(p->fixed, sdi_sql_fixed);
    size_t count = SDI_COUNT(p->fixed, sdi_sql_fixed);
    for (size_t i = 0; i < count; i += fixed[i].choices)
        if (fixed[i].choices == 1 && !strcmp(fixed[i].column, column->name) && sdi_plan_belongs(p, &fixed[i], table) &&
            add_part(p, column, &fixed[i], parts))
            return true;
    return false;
}

static const sdi_column *key_column(const sdi_relation *relation, size_t place)
{
    for (size_t i = 0; i < SDI_COUNT(relation->columns, sdi_column); i++)
        if (SDI_ITEMS(relation->columns, sdi_column)[i].key == place)
            return &SDI_ITEMS(relation->columns, sdi_column)[i];
    return NULL;
}

/* An operator = of somebody else's on key types could hold other values equal. */
static bool equals_is_ours(const sdi_planner *p)
{
    for (size_t i = 0; i < p->catalog->name_count; i++) {
        const sdi_sql_name *name = &SDI_ITEMS(p->sql->names, sdi_sql_name)[i];
        const sdi_verdict *verdict = &p->catalog->verdicts[i];
        if (name->kind == SDI_NAME_OPERATOR && !strcmp(name->name, "=") && verdict->volatility && !verdict->builtin)
            return false;
    }
    return true;
}

bool sdi_plan_find_key(sdi_planner *p, const sdi_sql_table *table, sdi_buffer *parts)
{
    const sdi_relation *relation = relation_of(p, table);
    bool fixed = relation->key_columns && equals_is_ours(p);
    for (size_t place = 1; fixed && place <= relation->key_columns; place++) {
        const sdi_column *column = key_column(relation, place);
        fixed = column && column->type != SDI_KEY_NONE && fix_column(p, table, column, parts);
    }
    if (!fixed)
        sdi_key_parts_free(parts);
    return fixed;
}

/* The first IN that fixes the table's key of one column; NULL if there is none. */
static const sdi_sql_fixed *find_choices(const sdi_planner *p, const sdi_sql_table *table)
{
    const sdi_column *column = relation_of(p, table)->key_columns == 1 ? key_column(relation_of(p, table), 1) : NULL;
    const sdi_sql_fixed *fixed = SDI_ITEMS(p->fixed, sdi_sql_fixed);
    size_t count = SDI_COUNT(p->fixed, sdi_sql_fixed);
    if (!column || column->type == SDI_KEY_NONE || !equals_is_ours(p))
        return NULL;
    for (size_t i = 0; i < count; i += fixed[i].choices)
        if (fixed[i].choices > 1 && !strcmp(fixed[i].column, column->name) && sdi_plan_belongs(p, &fixed[i], table))
            return &fixed[i];
    return NULL;
}

size_t sdi_plan_choices(const sdi_planner *p, const sdi_sql_table *table)
{
    const sdi_sql_fixed *choices = find_choices(p, table);
    return choices ? choices->choices : 0;
}

bool sdi_plan_find_choice(sdi_planner *p, const sdi_sql_table *table, size_t which, sdi_buffer *parts)
{
    if (add_part(p, key_column(relation_of(p, table), 1), &find_choices(p, table)[which], parts))
        return true;
    sdi_key_parts_free(parts);
    return false;
}

void sdi_key_parts_free(sdi_buffer *parts)
{
    for (size_t i = 0; i < SDI_COUNT(*parts, sdi_key_part); i++) {
        sdi_free(SDI_ITEMS(*parts, sdi_key_part)[i].column);
        sdi_free(SDI_ITEMS(*parts, sdi_key_part)[i].constant);
    }
    sdi_buffer_free(parts);
}
