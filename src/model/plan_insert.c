/* Which keys an INSERT gives to its rows.
 *
 * A row that is inserted may have been there before, and been deleted by somebody whose fences are still to come: then
 * an answer that has the old row must be refused for the sake of the INSERT, whose call may return first. */
#include <string.h>

#include "model/plan_facts.h"

/* The rows of VALUES; NULL and 0 of anything else. */
typedef struct source {
    const PgQuery__InsertStmt *insert;
    const sdi_relation *into;
    PgQuery__Node *const *rows;
    size_t count;
} source;

/* Not of ON CONFLICT DO UPDATE, which may write any row, whatever is inserted. */
static const PgQuery__InsertStmt *insert_of(const sdi_sql *sql)
{
    const PgQuery__ParseResult *tree = sql->tree;
    const PgQuery__Node *top = tree && tree->n_stmts == 1 ? sdi_sql_explained(tree->stmts[0]->stmt) : NULL;
    bool inserts = top && top->node_case == PG_QUERY__NODE__NODE_INSERT_STMT;
    const PgQuery__OnConflictClause *conflict = inserts ? top->insert_stmt->on_conflict_clause : NULL;
    bool updates = conflict && conflict->action != PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_NOTHING;
    return inserts && !updates ? top->insert_stmt : NULL;
}

static source source_of(const sdi_planner *p, const PgQuery__InsertStmt *insert)
{
    source made = {.insert = insert};
    const sdi_sql_table *tables = SDI_ITEMS(p->sql->tables, sdi_sql_table);
    const PgQuery__Node *select = insert->select_stmt;
    for (size_t i = 0; i < SDI_COUNT(p->sql->tables, sdi_sql_table) && !made.into; i++)
        if (tables[i].role == SDI_TABLE_TARGET)
            made.into = &p->catalog->relations[tables[i].relation];
    if (select && select->node_case == PG_QUERY__NODE__NODE_SELECT_STMT) {
        made.rows = select->select_stmt->values_lists;
        made.count = select->select_stmt->n_values_lists;
    }
    return made;
}

/* The column at a place of the source's rows; NULL if there is none. */
static const char *column_at(const source *s, size_t place)
{
    const PgQuery__InsertStmt *insert = s->insert;
    if (!insert->n_cols)
        return place < SDI_COUNT(s->into->columns, sdi_column) ? SDI_ITEMS(s->into->columns, sdi_column)[place].name
                                                               : NULL;
    if (place >= insert->n_cols || insert->cols[place]->node_case != PG_QUERY__NODE__NODE_RES_TARGET)
        return NULL;
    return insert->cols[place]->res_target->name;
}

static const PgQuery__Node *value_at(const source *s, size_t row, size_t place)
{
    const PgQuery__Node *list = s->rows[row];
    bool there = list->node_case == PG_QUERY__NODE__NODE_LIST && place < list->list->n_items;
    return there ? list->list->items[place] : NULL;
}

/* DEFAULT, nextval() or nothing: a key that no row has had, but where the default repeats itself. */
static bool is_new(const PgQuery__Node *value)
{
    const char *schema, *name;
    if (!value || value->node_case == PG_QUERY__NODE__NODE_SET_TO_DEFAULT)
        return true;
    return value->node_case == PG_QUERY__NODE__NODE_FUNC_CALL &&
           sdi_last_names(value->func_call->funcname, value->func_call->n_funcname, &schema, &name) &&
           !strcmp(name, "nextval");
}

/* What stands in one column of VALUES, as if the rows had been found by it: `column = $1`, `column IN ($1, $2)`. */
static void note_values(sdi_planner *p, const source *s, size_t place, const char *column)
{
    sdi_sql_fixed values[SDI_CHOICES_MAX];
    for (size_t row = 0; row < s->count; row++) {
        values[row] = (sdi_sql_fixed){.schema = "", .qualifier = "", .column = column, .choices = s->count - row};
        if (!sdi_sql_value_of(value_at(s, row, place), &values[row]))
            return;
    }
    sdi_buffer_append(&p->fixed, values, s->count * sizeof *values);
}

static void note_column(sdi_planner *p, const source *s, size_t place, const char *column)
{
    bool new = s->count > 0;
    for (size_t row = 0; row < s->count; row++)
        new &= is_new(value_at(s, row, place));
    if (new)
        return;
    sdi_buffer_append(&p->sets, &column, sizeof column);
    if (s->count && s->count <= SDI_CHOICES_MAX)
        note_values(p, s, place, column);
}

bool sdi_plan_note_inserted(sdi_planner *p)
{
    const PgQuery__InsertStmt *insert = insert_of(p->sql);
    const char *column;
    if (!insert || !insert->select_stmt)
        return true;
    source s = source_of(p, insert);
    for (size_t place = 0; s.into && (column = column_at(&s, place)); place++)
        note_column(p, &s, place, column);
    return !p->sets.failed && !p->fixed.failed;
}
