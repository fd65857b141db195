/* Everything that stands anywhere in a statement. The walk goes by protobuf's own description of the tree, so that no
 * kind of node, old or new, can hide a table or a call. */
#include <string.h>
#include <strings.h>

#include "model/clock_words.h"
#include "model/param.h"
#include "model/sql_facts.h"

enum { MESSAGES_DEEP_MAX = 8 * SDI_SQL_DEPTH_MAX };

/* Where the walk is. `sealed`: in a sub-select of FROM or a CTE, whose aggregates are its own. `linked`: in a
 * sub-select of an expression, whose aggregates may belong to the statement around it. */
typedef struct place {
    bool sealed, linked;
} place;

typedef struct walk {
    sdi_sql *sql;
    const PgQuery__Node *top;
    bool reads_once; /* CREATE TABLE AS: its tables are read, which hangs and bumps nothing */
    bool too_deep;
} walk;

static bool already_noted(const sdi_sql *sql, const PgQuery__RangeVar *node)
{
    for (size_t i = 0; i < SDI_COUNT(sql->tables, sdi_sql_table); i++)
        if (SDI_ITEMS(sql->tables, sdi_sql_table)[i].node == node)
            return true;
    return false;
}

static void note_relation(walk *w, const PgQuery__RangeVar *node)
{
    bool schema = w->sql->kind == SDI_SQL_SCHEMA;
    if (!strcmp(node->relpersistence, "t") || (schema && !strcmp(node->schemaname, "pg_temp")))
        w->sql->makes_temporary = true;
    if (already_noted(w->sql, node))
        return;
    bool reshapes = (schema && !w->reads_once) || w->top->node_case == PG_QUERY__NODE__NODE_REFRESH_MAT_VIEW_STMT;
    sdi_sql_note_table(w->sql, node, SDI_TABLE_ELSEWHERE, reshapes ? SDI_RESHAPES | SDI_COARSE : 0);
}

/* A write in a CTE, or MERGE. */
static void note_written(walk *w, const PgQuery__RangeVar *node, unsigned writes)
{
    if (!node || already_noted(w->sql, node))
        return;
    sdi_sql_note_table(w->sql, node, SDI_TABLE_ELSEWHERE, writes | SDI_COARSE | SDI_SETS_ANY);
    if (w->sql->kind == SDI_SQL_READ)
        w->sql->kind = SDI_SQL_WRITE;
}

static bool is_utc(const PgQuery__FuncCall *call)
{
    const PgQuery__Node *zone = call->n_args ? call->args[0] : NULL;
    return zone && zone->node_case == PG_QUERY__NODE__NODE_A_CONST &&
           zone->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL && !strcasecmp(zone->a_const->sval->sval, "utc");
}

/* current_setting('app.tenant'), or as PostgreSQL writes it: current_setting('app.tenant'::text) */
static void note_setting(sdi_sql *sql, const PgQuery__FuncCall *call)
{
    const PgQuery__Node *name = call->n_args ? call->args[0] : NULL;
    if (name && name->node_case == PG_QUERY__NODE__NODE_TYPE_CAST)
        name = name->type_cast->arg;
    bool constant = name && name->node_case == PG_QUERY__NODE__NODE_A_CONST &&
                    name->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL;
    if (constant)
        sdi_buffer_append(&sql->settings, &name->a_const->sval->sval, sizeof name->a_const->sval->sval);
    else
        sql->settings_untold = true;
}

static bool is_builtin(const char *schema, const char *name, const char *builtin)
{
    return !strcmp(name, builtin) && (!schema[0] || !strcmp(schema, "pg_catalog"));
}

static void note_call(walk *w, const PgQuery__FuncCall *call, place at)
{
    const char *schema, *name;
    if (!sdi_last_names(call->funcname, call->n_funcname, &schema, &name))
        return;
    sdi_sql_name *entry = sdi_sql_note_name(w->sql, SDI_NAME_FUNCTION, schema, name);
    if (!entry)
        return;
    if (is_builtin(schema, name, "current_setting"))
        note_setting(w->sql, call);
    if (call->n_args < entry->arguments)
        entry->arguments = call->n_args;
    bool looks_outside = call->n_args || call->agg_filter || call->n_agg_order;
    entry->at_top |= !at.sealed && (!at.linked || looks_outside);
    entry->over |= !at.sealed && !at.linked && call->over;
    entry->zone_utc &= is_utc(call);
}

static void note_operator(walk *w, PgQuery__Node *const *names, size_t count)
{
    const char *schema, *name;
    if (sdi_last_names(names, count, &schema, &name))
        sdi_sql_note_name(w->sql, SDI_NAME_OPERATOR, schema, name);
}

static void note_cast(walk *w, const PgQuery__TypeCast *cast)
{
    const char *schema, *name;
    const PgQuery__TypeName *type = cast->type_name;
    PgQuery__Node__NodeCase from = cast->arg ? cast->arg->node_case : PG_QUERY__NODE__NODE__NOT_SET;
    if (!type || !sdi_last_names(type->names, type->n_names, &schema, &name))
        return;
    sdi_sql_name *entry = sdi_sql_note_name(w->sql, SDI_NAME_TYPE, schema, name);
    if (!entry || from == PG_QUERY__NODE__NODE_A_CONST || from == PG_QUERY__NODE__NODE_PARAM_REF)
        return;
    const PgQuery__ColumnRef *ref = from == PG_QUERY__NODE__NODE_COLUMN_REF ? cast->arg->column_ref : NULL;
    sdi_sql_cast column = {(size_t)(entry - SDI_ITEMS(w->sql->names, sdi_sql_name)), NULL};
    column.column = ref && ref->n_fields ? sdi_text_of(ref->fields[ref->n_fields - 1]) : NULL;
    if (column.column)
        sdi_buffer_append(&w->sql->casts, &column, sizeof column);
    else
        entry->dynamic = true;
}

/* x.name is a column, but may also be a function that is called with x. */
static void note_attributes(walk *w, PgQuery__Node *const *fields, size_t first, size_t count)
{
    for (size_t i = first; i < count; i++)
        if (sdi_text_of(fields[i]))
            sdi_sql_note_name(w->sql, SDI_NAME_ATTRIBUTE, "", sdi_text_of(fields[i]));
}

static void note_parameter(walk *w, const PgQuery__ParamRef *ref)
{
    sdi_buffer *uses = &w->sql->uses;
    size_t number = ref->number > 0 ? (size_t)ref->number : 0;
    if (number > w->sql->parameters)
        w->sql->parameters = number;
    if (!number || number > SDI_PARAMS_MAX)
        return;
    while (SDI_COUNT(*uses, size_t) < number && !uses->failed) {
        size_t none = 0;
        sdi_buffer_append(uses, &none, sizeof none);
    }
    if (!uses->failed)
        SDI_ITEMS(*uses, size_t)[number - 1]++;
}

static void note_constant(walk *w, const PgQuery__AConst *constant)
{
    if (constant->val_case == PG_QUERY__A__CONST__VAL_SVAL && sdi_says_clock(sdi_slice_of(constant->sval->sval)))
        w->sql->says_clock = true;
}

/* Role and database are in the key of every entry. */
static void note_value_function(walk *w, const PgQuery__SQLValueFunction *function)
{
    PgQuery__SQLValueFunctionOp op = function->op;
    if (op >= PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_DATE &&
        op <= PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP_N)
        w->sql->value_function = "the clock (current_date, current_timestamp...)";
    else if (op == PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_SESSION_USER)
        w->sql->value_function = "who logged in (session_user)";
    else if (op == PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_SCHEMA)
        w->sql->value_function = "the schema in use (current_schema)";
}

typedef const ProtobufCMessageDescriptor *shape;

/* A row's place and its transactions change without anybody's write: VACUUM FULL moves it, a lock marks it. */
static const char *system_column(const char *name)
{
    static const char *const names[] = {"ctid", "xmin", "xmax", "cmin", "cmax"};
    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i]))
            return names[i];
    return NULL;
}

static void note_column(walk *w, const PgQuery__ColumnRef *ref)
{
    const char *name = ref->n_fields ? system_column(sdi_text_of(ref->fields[ref->n_fields - 1])) : NULL;
    if (name)
        w->sql->system_column = name;
    if (ref->n_fields > 1)
        note_attributes(w, ref->fields, ref->n_fields - 1, ref->n_fields);
}

/* Parts of expressions; false if the message is none. */
static bool note_expression(walk *w, const ProtobufCMessage *message, place at)
{
    shape is = message->descriptor;
    if (is == &pg_query__func_call__descriptor)
        note_call(w, (const PgQuery__FuncCall *)message, at);
    else if (is == &pg_query__a__expr__descriptor)
        note_operator(w, ((const PgQuery__AExpr *)message)->name, ((const PgQuery__AExpr *)message)->n_name);
    else if (is == &pg_query__type_cast__descriptor)
        note_cast(w, (const PgQuery__TypeCast *)message);
    else if (is == &pg_query__column_ref__descriptor)
        note_column(w, (const PgQuery__ColumnRef *)message);
    else if (is == &pg_query__a__indirection__descriptor)
        note_attributes(w, ((const PgQuery__AIndirection *)message)->indirection, 0,
                        ((const PgQuery__AIndirection *)message)->n_indirection);
    else if (is == &pg_query__param_ref__descriptor)
        note_parameter(w, (const PgQuery__ParamRef *)message);
    else if (is == &pg_query__a__const__descriptor)
        note_constant(w, (const PgQuery__AConst *)message);
    else if (is == &pg_query__sqlvalue_function__descriptor)
        note_value_function(w, (const PgQuery__SQLValueFunction *)message);
    else
        return false;
    return true;
}

/* Statements within the statement, and MERGE. */
static void note_statement(walk *w, const ProtobufCMessage *message)
{
    shape is = message->descriptor;
    if (is == &pg_query__insert_stmt__descriptor)
        note_written(w, ((const PgQuery__InsertStmt *)message)->relation, SDI_INSERTS | SDI_UPDATES);
    else if (is == &pg_query__update_stmt__descriptor)
        note_written(w, ((const PgQuery__UpdateStmt *)message)->relation, SDI_UPDATES);
    else if (is == &pg_query__delete_stmt__descriptor)
        note_written(w, ((const PgQuery__DeleteStmt *)message)->relation, SDI_DELETES);
    else if (is == &pg_query__merge_stmt__descriptor)
        note_written(w, ((const PgQuery__MergeStmt *)message)->relation, SDI_INSERTS | SDI_UPDATES | SDI_DELETES);
}

/* Items of FROM and WITH. Returns where their inside is. */
static place note_source(walk *w, const ProtobufCMessage *message, place at)
{
    shape is = message->descriptor;
    sdi_sql *sql = w->sql;
    if (is == &pg_query__range_var__descriptor)
        note_relation(w, (const PgQuery__RangeVar *)message);
    else if (is == &pg_query__range_table_sample__descriptor)
        sql->has_sample = true;
    else if (is == &pg_query__range_table_func__descriptor)
        sql->has_table_function = true;
    else if (is == &pg_query__common_table_expr__descriptor)
        sdi_sql_note_cte(sql, ((const PgQuery__CommonTableExpr *)message)->ctename);
    bool seals = is == &pg_query__range_subselect__descriptor || is == &pg_query__common_table_expr__descriptor;
    bool links = is == &pg_query__sub_link__descriptor;
    sql->has_subqueries |= seals || links;
    if (links)
        note_operator(w, ((const PgQuery__SubLink *)message)->oper_name,
                      ((const PgQuery__SubLink *)message)->n_oper_name);
    at.sealed |= seals && !at.linked;
    at.linked |= links;
    return at;
}

static void visit(walk *w, const ProtobufCMessage *message, place at, unsigned depth);

static void visit_field(walk *w, const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, place at,
                        unsigned depth)
{
    const char *base = (const char *)message;
    if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        return;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        size_t count = *(const size_t *)(const void *)(base + field->quantifier_offset);
        ProtobufCMessage *const *items = *(ProtobufCMessage *const *const *)(const void *)(base + field->offset);
        for (size_t i = 0; i < count; i++)
            visit(w, items[i], at, depth);
        return;
    }
    bool one_of = field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
    if (one_of && *(const uint32_t *)(const void *)(base + field->quantifier_offset) != field->id)
        return;
    visit(w, *(ProtobufCMessage *const *)(const void *)(base + field->offset), at, depth);
}

static void visit(walk *w, const ProtobufCMessage *message, place at, unsigned depth)
{
    if (!message || w->too_deep)
        return;
    if (depth > MESSAGES_DEEP_MAX) {
        w->too_deep = true;
        return;
    }
    shape is = message->descriptor;
    if (is == &pg_query__locking_clause__descriptor) { /* names aliases, not tables */
        w->sql->locks_rows = true;
        return;
    }
    note_statement(w, message);
    if (!note_expression(w, message, at))
        at = note_source(w, message, at);
    if (is == &pg_query__node__descriptor) { /* one of 238: go to it straight */
        unsigned id = ((const PgQuery__Node *)message)->node_case;
        const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(is, id);
        if (field)
            visit_field(w, message, field, at, depth + 1);
        return;
    }
    for (unsigned i = 0; i < is->n_fields; i++)
        visit_field(w, message, &is->fields[i], at, depth + 1);
}

/* Only when all CTEs are known: WITH comes after FROM in the tree. */
static void settle_ctes(sdi_sql *sql)
{
    for (size_t i = 0; i < SDI_COUNT(sql->tables, sdi_sql_table); i++) {
        sdi_sql_table *table = &SDI_ITEMS(sql->tables, sdi_sql_table)[i];
        if (!table->node || table->writes || !sdi_sql_is_cte(sql, table->node))
            continue;
        table->perhaps_cte = true;
        if (table->role != SDI_TABLE_ELSEWHERE)
            sql->opaque_from = true;
        table->role = SDI_TABLE_ELSEWHERE;
    }
}

static bool is_into(const PgQuery__Node *statement)
{
    return statement->node_case == PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT ||
           (statement->node_case == PG_QUERY__NODE__NODE_SELECT_STMT && statement->select_stmt->into_clause);
}

bool sdi_sql_walk(sdi_sql *sql, const PgQuery__Node *statement)
{
    walk w = {.sql = sql, .top = statement, .reads_once = is_into(statement)};
    sql->computes = w.reads_once || sql->kind == SDI_SQL_READ || sql->kind == SDI_SQL_WRITE;
    if (statement->node_case == PG_QUERY__NODE__NODE_VIEW_STMT) /* what the view reads is read later */
        note_relation(&w, statement->view_stmt->view);
    else
        visit(&w, &statement->base, (place){false, false}, 0);
    settle_ctes(sql);
    return !w.too_deep;
}
