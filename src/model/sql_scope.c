/* The top statement: which tables its FROM joins, what it writes, which columns its WHERE fixes. */
#include <stdio.h>
#include <string.h>

#include "model/sql_facts.h"

/* --------------------------------------------------------------------------------------------------- fixed columns */

static bool column_of(const PgQuery__Node *node, sdi_sql_fixed *fixed)
{
    return node && node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF && sdi_sql_column_names(node->column_ref, fixed);
}

static bool only_digits(const char *text)
{
    text += *text == '-';
    return text[0] && text[strspn(text, "0123456789")] == '\0';
}

static bool constant_of(const PgQuery__AConst *constant, sdi_sql_fixed *fixed)
{
    switch (constant->isnull ? PG_QUERY__A__CONST__VAL__NOT_SET : constant->val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL:
        snprintf(fixed->number, sizeof fixed->number, "%d", (int)constant->ival->ival);
        return true;
    case PG_QUERY__A__CONST__VAL_FVAL: /* an integer beyond 32 bits comes as a float */
        fixed->constant = constant->fval->fval;
        return only_digits(fixed->constant);
    case PG_QUERY__A__CONST__VAL_BOOLVAL:
        fixed->constant = constant->boolval->boolval ? "true" : "false";
        return true;
    case PG_QUERY__A__CONST__VAL_SVAL:
        fixed->constant = constant->sval->sval;
        return true;
    default:
        return false;
    }
}

/* $1::int8. With a length, (n), the value may be cut short. */
static const PgQuery__Node *cast_of(const PgQuery__Node *node, sdi_sql_fixed *fixed)
{
    const PgQuery__TypeName *type = node->type_cast->type_name;
    bool plain = type && !type->n_typmods && !type->n_array_bounds && !type->setof && !type->pct_type;
    if (!plain || !sdi_last_names(type->names, type->n_names, &fixed->cast_schema, &fixed->cast))
        return NULL;
    const PgQuery__Node *value = node->type_cast->arg;
    return value && value->node_case == PG_QUERY__NODE__NODE_PARAM_REF ? value : NULL;
}

bool sdi_sql_value_of(const PgQuery__Node *node, sdi_sql_fixed *fixed)
{
    fixed->cast = NULL;
    if (node && node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST)
        node = cast_of(node, fixed);
    if (node && node->node_case == PG_QUERY__NODE__NODE_PARAM_REF && node->param_ref->number > 0) {
        fixed->parameter = (size_t)node->param_ref->number;
        return true;
    }
    return node && node->node_case == PG_QUERY__NODE__NODE_A_CONST && constant_of(node->a_const, fixed);
}

static bool is_equals(const PgQuery__AExpr *expression, PgQuery__AExprKind kind)
{
    const char *name = expression->n_name == 1 ? sdi_text_of(expression->name[0]) : NULL;
    return expression->kind == kind && name && !strcmp(name, "=");
}

static void note_pair(sdi_sql *sql, const PgQuery__Node *left, const PgQuery__Node *right)
{
    sdi_sql_fixed fixed = {.schema = "", .qualifier = "", .choices = 1};
    if ((column_of(left, &fixed) && sdi_sql_value_of(right, &fixed)) ||
        (column_of(right, &fixed) && sdi_sql_value_of(left, &fixed)))
        sdi_buffer_append(&sql->fixed, &fixed, sizeof fixed);
}

static bool is_row(const PgQuery__Node *node)
{
    return node && node->node_case == PG_QUERY__NODE__NODE_ROW_EXPR;
}

/* (a, b) = ($1, $2) is a = $1 AND b = $2 */
static void note_equality(sdi_sql *sql, const PgQuery__Node *left, const PgQuery__Node *right)
{
    if (!is_row(left) || !is_row(right)) {
        note_pair(sql, left, right);
        return;
    }
    const PgQuery__RowExpr *a = left->row_expr, *b = right->row_expr;
    for (size_t i = 0; i < a->n_args && a->n_args == b->n_args; i++)
        note_pair(sql, a->args[i], b->args[i]);
}

/* column IN ($1, 2): all of them or none. */
static void note_choices(sdi_sql *sql, const PgQuery__Node *left, const PgQuery__Node *right)
{
    sdi_sql_fixed column = {.schema = "", .qualifier = ""};
    sdi_sql_fixed choices[SDI_CHOICES_MAX];
    bool list = right && right->node_case == PG_QUERY__NODE__NODE_LIST && right->list->n_items <= SDI_CHOICES_MAX;
    if (!list || !column_of(left, &column))
        return;
    size_t count = right->list->n_items;
    for (size_t i = 0; i < count; i++) {
        choices[i] = column;
        choices[i].choices = count - i;
        if (!sdi_sql_value_of(right->list->items[i], &choices[i]))
            return;
    }
    sdi_buffer_append(&sql->fixed, choices, count * sizeof *choices);
}

static void note_comparison(sdi_sql *sql, const PgQuery__AExpr *expression)
{
    if (is_equals(expression, PG_QUERY__A__EXPR__KIND__AEXPR_OP))
        note_equality(sql, expression->lexpr, expression->rexpr);
    else if (is_equals(expression, PG_QUERY__A__EXPR__KIND__AEXPR_IN))
        note_choices(sql, expression->lexpr, expression->rexpr);
}

/* Recursion is bounded: sdi_sql_depth_check has seen the statement. */
static void note_fixed(sdi_sql *sql, const PgQuery__Node *condition)
{
    if (!condition)
        return;
    if (condition->node_case == PG_QUERY__NODE__NODE_A_EXPR)
        note_comparison(sql, condition->a_expr);
    if (condition->node_case != PG_QUERY__NODE__NODE_BOOL_EXPR ||
        condition->bool_expr->boolop != PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR)
        return;
    for (size_t i = 0; i < condition->bool_expr->n_args; i++)
        note_fixed(sql, condition->bool_expr->args[i]);
}

/* ------------------------------------------------------------------------------------------------ FROM */

static void note_from(sdi_sql *sql, const PgQuery__Node *item, bool outer);

static void note_join(sdi_sql *sql, const PgQuery__JoinExpr *join, bool outer)
{
    if (join->alias) { /* hides the names of the tables inside */
        sql->opaque_from = true;
        return;
    }
    outer |= join->jointype != PG_QUERY__JOIN_TYPE__JOIN_INNER;
    note_from(sql, join->larg, outer);
    note_from(sql, join->rarg, outer);
    if (!outer)
        note_fixed(sql, join->quals);
}

static void note_from(sdi_sql *sql, const PgQuery__Node *item, bool outer)
{
    switch (item ? item->node_case : PG_QUERY__NODE__NODE__NOT_SET) {
    case PG_QUERY__NODE__NODE_RANGE_VAR: {
        const sdi_sql_table *table =
            sdi_sql_note_table(sql, item->range_var, outer ? SDI_TABLE_OUTER : SDI_TABLE_INNER, 0);
        sql->opaque_from |= table && table->renames_columns;
        return;
    }
    case PG_QUERY__NODE__NODE_JOIN_EXPR:
        note_join(sql, item->join_expr, outer);
        return;
    default:
        sql->opaque_from = true;
    }
}

static void note_from_list(sdi_sql *sql, PgQuery__Node *const *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        note_from(sql, items[i], false);
}

/* ------------------------------------------------------------------------------------------------------ statements */

static void note_target(sdi_sql *sql, const PgQuery__Node *node)
{
    const PgQuery__ResTarget *target = node->node_case == PG_QUERY__NODE__NODE_RES_TARGET ? node->res_target : NULL;
    const PgQuery__Node *value = target ? target->val : NULL;
    sdi_sql_target noted = {"", NULL};
    if (value && value->node_case == PG_QUERY__NODE__NODE_COLUMN_REF && value->column_ref->n_fields) {
        const char *last = sdi_text_of(value->column_ref->fields[value->column_ref->n_fields - 1]);
        noted.column = last ? value->column_ref : NULL;
        noted.name = last ? last : "";
    }
    if (target && target->name && target->name[0])
        noted.name = target->name;
    sdi_buffer_append(&sql->targets, &noted, sizeof noted);
}

static void top_select(sdi_sql *sql, const PgQuery__SelectStmt *select)
{
    if (select->into_clause) {
        sql->kind = SDI_SQL_SCHEMA;
        sql->changes_schema = true;
        return;
    }
    bool single = select->op == PG_QUERY__SET_OPERATION__SETOP_NONE;
    sql->rows_uncertain = !single || select->n_group_clause || select->having_clause || select->n_window_clause;
    sql->picks_rows = select->n_distinct_clause || select->limit_count || select->limit_offset;
    if (!single)
        return;
    for (size_t i = 0; i < select->n_target_list; i++)
        note_target(sql, select->target_list[i]);
    note_from_list(sql, select->from_clause, select->n_from_clause);
    note_fixed(sql, select->where_clause);
}

static void note_set_columns(sdi_sql *sql, PgQuery__Node *const *targets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (targets[i]->node_case != PG_QUERY__NODE__NODE_RES_TARGET)
            continue;
        const char *column = targets[i]->res_target->name;
        sdi_buffer_append(&sql->set_columns, &column, sizeof column);
    }
}

static void top_insert(sdi_sql *sql, const PgQuery__InsertStmt *insert)
{
    const PgQuery__OnConflictClause *conflict = insert->on_conflict_clause;
    unsigned writes = SDI_INSERTS;
    if (conflict && conflict->action != PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_NOTHING) {
        writes |= SDI_UPDATES | SDI_COARSE;
        note_set_columns(sql, conflict->target_list, conflict->n_target_list);
    }
    sdi_sql_note_table(sql, insert->relation, SDI_TABLE_TARGET, writes);
}

static void top_update(sdi_sql *sql, const PgQuery__UpdateStmt *update)
{
    sdi_sql_note_table(sql, update->relation, SDI_TABLE_TARGET, SDI_UPDATES);
    note_set_columns(sql, update->target_list, update->n_target_list);
    note_from_list(sql, update->from_clause, update->n_from_clause);
    note_fixed(sql, update->where_clause);
}

static void top_delete(sdi_sql *sql, const PgQuery__DeleteStmt *delete_)
{
    sdi_sql_note_table(sql, delete_->relation, SDI_TABLE_TARGET, SDI_DELETES);
    note_from_list(sql, delete_->using_clause, delete_->n_using_clause);
    note_fixed(sql, delete_->where_clause);
}

static void top_truncate(sdi_sql *sql, const PgQuery__TruncateStmt *truncate)
{
    unsigned writes = SDI_TRUNCATES | SDI_COARSE;
    if (truncate->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE)
        writes |= SDI_CASCADES;
    for (size_t i = 0; i < truncate->n_relations; i++)
        sdi_sql_note_table(sql, truncate->relations[i]->range_var, SDI_TABLE_TARGET, writes);
}

/* ------------------------------------------------------------------------------------------------ DDL */

static bool names_a_relation(PgQuery__ObjectType type)
{
    return type == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE || type == PG_QUERY__OBJECT_TYPE__OBJECT_VIEW ||
           type == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW || type == PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE ||
           type == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX;
}

/* DROP TRIGGER x ON t comes as [t, x] */
static bool names_it_before_last(PgQuery__ObjectType type)
{
    return type == PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER || type == PG_QUERY__OBJECT_TYPE__OBJECT_RULE ||
           type == PG_QUERY__OBJECT_TYPE__OBJECT_POLICY;
}

static void top_drop(sdi_sql *sql, const PgQuery__DropStmt *drop)
{
    bool before_last = names_it_before_last(drop->remove_type);
    if (!before_last && !names_a_relation(drop->remove_type))
        return;
    for (size_t i = 0; i < drop->n_objects; i++) {
        const PgQuery__Node *object = drop->objects[i];
        const char *schema, *name;
        if (object->node_case != PG_QUERY__NODE__NODE_LIST || object->list->n_items < 1u + before_last ||
            !sdi_last_names(object->list->items, object->list->n_items - before_last, &schema, &name))
            continue;
        sdi_sql_note_named_table(sql, schema, name, SDI_RESHAPES | SDI_COARSE);
    }
}

static void note_reshaped(sdi_sql *sql, const PgQuery__RangeVar *relation, const char *schema, const char *name)
{
    sdi_sql_table *table =
        relation ? sdi_sql_note_table(sql, relation, SDI_TABLE_TARGET, SDI_RESHAPES | SDI_COARSE) : NULL;
    if (!table)
        return;
    table->becomes[0] = schema;
    table->becomes[1] = name;
}

void sdi_sql_top(sdi_sql *sql, const PgQuery__Node *statement)
{
    switch (statement->node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT:
        top_select(sql, statement->select_stmt);
        return;
    case PG_QUERY__NODE__NODE_INSERT_STMT:
        top_insert(sql, statement->insert_stmt);
        return;
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
        top_update(sql, statement->update_stmt);
        return;
    case PG_QUERY__NODE__NODE_DELETE_STMT:
        top_delete(sql, statement->delete_stmt);
        return;
    case PG_QUERY__NODE__NODE_TRUNCATE_STMT:
        top_truncate(sql, statement->truncate_stmt);
        return;
    case PG_QUERY__NODE__NODE_DROP_STMT:
        top_drop(sql, statement->drop_stmt);
        return;
    case PG_QUERY__NODE__NODE_RENAME_STMT: {
        const PgQuery__RenameStmt *rename = statement->rename_stmt;
        bool relation = names_a_relation(rename->rename_type);
        note_reshaped(sql, rename->relation, NULL, relation ? rename->newname : NULL);
        return;
    }
    case PG_QUERY__NODE__NODE_ALTER_OBJECT_SCHEMA_STMT:
        note_reshaped(sql, statement->alter_object_schema_stmt->relation,
                      statement->alter_object_schema_stmt->newschema, NULL);
        return;
    default: /* MERGE and the other DDL: sdi_sql_walk finds what they name */
        return;
    }
}
