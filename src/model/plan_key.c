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
static bool belongs_to(const sdi_planner *p, const sdi_sql_fixed *fixed, const sdi_sql_table *wanted)
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

static bool fill_value(const sdi_planner *p, sdi_key_part *part, const sdi_sql_fixed *fixed)
{
    if (!fixed->parameter)
        return fill_constant(part, fixed);
    size_t uses =
        fixed->parameter <= SDI_COUNT(p->sql->uses, size_t) ? SDI_ITEMS(p->sql->uses, size_t)[fixed->parameter - 1] : 2;
    part->parameter = fixed->parameter;
    part->shared = uses > 1;
    return !part->shared || part->type != SDI_KEY_TEXT;
}

static bool fix_column(sdi_planner *p, const sdi_sql_table *table, const sdi_column *column, sdi_buffer *parts)
{
    sdi_key_part part = {.type = column->type};
    for (size_t i = 0; i < SDI_COUNT(p->sql->fixed, sdi_sql_fixed); i++) {
        const sdi_sql_fixed *fixed = &SDI_ITEMS(p->sql->fixed, sdi_sql_fixed)[i];
        if (strcmp(fixed->column, column->name) != 0 || !belongs_to(p, fixed, table) || !fill_value(p, &part, fixed))
            continue;
        sdi_buffer name = SDI_BUFFER_INIT;
        sdi_tag_escape(&name, sdi_slice_of(column->name), true);
        part.column = sdi_buffer_take(&name);
        sdi_buffer_append(parts, &part, sizeof part);
        bool kept = !parts->failed;
        if (!kept) {
            sdi_free(part.column);
            sdi_free(part.constant);
        }
        p->failed |= !kept || !part.column || (!part.parameter && !part.constant);
        return !p->failed;
    }
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

void sdi_key_parts_free(sdi_buffer *parts)
{
    for (size_t i = 0; i < SDI_COUNT(*parts, sdi_key_part); i++) {
        sdi_free(SDI_ITEMS(*parts, sdi_key_part)[i].column);
        sdi_free(SDI_ITEMS(*parts, sdi_key_part)[i].constant);
    }
    sdi_buffer_free(parts);
}
