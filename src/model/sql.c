#include <pg_query.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/sql_facts.h"

static int syntax_error(const PgQueryError *error, shopdata_error **error_out)
{
    sdi_buffer message = SDI_BUFFER_INIT;
    sdi_buffer_text(&message, error->message);
    if (error->cursorpos > 0)
        sdi_buffer_printf(&message, " (character %d)", error->cursorpos);
    char *text = sdi_buffer_take(&message);
    int status = text ? sdi_fail_sql(error_out, "42601", text) : sdi_no_memory(error_out);
    sdi_free(text);
    return status;
}

static int unpack(const PgQueryProtobufParseResult *parsed, PgQuery__ParseResult **tree_out, shopdata_error **error_out)
{
    if (parsed->error)
        return syntax_error(parsed->error, error_out);
    *tree_out = pg_query__parse_result__unpack(NULL, parsed->parse_tree.len, (const uint8_t *)parsed->parse_tree.data);
    return *tree_out ? SHOPDATA_OK : sdi_no_memory(error_out);
}

static int parse(const char *text, PgQuery__ParseResult **tree_out, shopdata_error **error_out)
{
    if (strlen(text) > SDI_SQL_BYTES_MAX)
        return sdi_fail(error_out, SHOPDATA_ERR_REFUSED,
                        "the statement has %zu bytes, more than %d: pass data as parameters", strlen(text),
                        SDI_SQL_BYTES_MAX);
    int status = sdi_sql_depth_check(text, error_out);
    if (status)
        return status;
    PgQueryProtobufParseResult parsed = pg_query_parse_protobuf(text);
    status = unpack(&parsed, tree_out, error_out);
    pg_query_free_protobuf_parse_result(parsed);
    return status;
}

static int only_statement(const PgQuery__ParseResult *tree, const PgQuery__Node **statement, shopdata_error **error_out)
{
    if (tree->n_stmts != 1 || !tree->stmts[0]->stmt)
        return sdi_fail(error_out, SHOPDATA_ERR_REFUSED,
                        tree->n_stmts ? "more than one statement: make one shopdata_statement of each"
                                      : "no statement: the SQL text is empty");
    *statement = tree->stmts[0]->stmt;
    return SHOPDATA_OK;
}

static bool out_of_memory(const sdi_sql *sql)
{
    return sql->uses.failed || sql->relations.failed || sql->tables.failed || sql->fixed.failed || sql->names.failed ||
           sql->casts.failed || sql->ctes.failed || sql->set_columns.failed || sql->targets.failed ||
           sql->settings.failed;
}

/* Operators that stand in no A_Expr: ORDER BY, BETWEEN, IN and CASE use them unseen. Casts stand nowhere. */
static void note_unseen(sdi_sql *sql)
{
    static const char *const operators[] = {"=", "<", ">", "<=", ">="};
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        sdi_sql_note_name(sql, SDI_NAME_OPERATOR, "", operators[i]);
    sdi_sql_note_name(sql, SDI_NAME_CASTS, "", "");
}

static int analyse(sdi_sql *sql, shopdata_error **error_out)
{
    const PgQuery__Node *statement = NULL;
    int status = only_statement(sql->tree, &statement, error_out);
    if (!status)
        status = sdi_sql_classify(sql, statement, error_out);
    if (status)
        return status;
    statement = sdi_sql_explained(statement);
    note_unseen(sql);
    sdi_sql_top(sql, statement);
    if (!sdi_sql_walk(sql, statement))
        return sdi_fail(error_out, SHOPDATA_ERR_REFUSED, "the statement nests too deeply: split it");
    if (out_of_memory(sql))
        return sdi_no_memory(error_out);
    return sdi_sql_refused_call(sql, error_out);
}

int sdi_sql_parse(const char *text, sdi_sql **sql_out, shopdata_error **error_out)
{
    sdi_sql *sql = sdi_calloc(1, sizeof *sql);
    if (!sql)
        return sdi_no_memory(error_out);
    sql->reason = "";
    int status = parse(text, &sql->tree, error_out);
    if (!status)
        status = analyse(sql, error_out);
    if (status)
        sdi_sql_free(sql);
    else
        *sql_out = sql;
    return status;
}

void sdi_sql_free(sdi_sql *sql)
{
    if (!sql)
        return;
    if (sql->tree)
        pg_query__parse_result__free_unpacked(sql->tree, NULL);
    sdi_buffer *const buffers[] = {&sql->uses,  &sql->relations, &sql->tables,      &sql->fixed,   &sql->names,
                                   &sql->casts, &sql->ctes,      &sql->set_columns, &sql->targets, &sql->settings};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        sdi_buffer_free(buffers[i]);
    sdi_free(sql);
}

size_t sdi_sql_parameters(const sdi_sql *sql)
{
    return sql->parameters;
}

/* ----------------------------------------------------------------------------------------------------------- notes */

const char *sdi_text_of(const PgQuery__Node *node)
{
    return node && node->node_case == PG_QUERY__NODE__NODE_STRING ? node->string->sval : NULL;
}

bool sdi_last_names(PgQuery__Node *const *nodes, size_t count, const char **schema, const char **name)
{
    const char *before = count > 1 ? sdi_text_of(nodes[count - 2]) : "";
    const char *last = count ? sdi_text_of(nodes[count - 1]) : NULL;
    if (!last || !before)
        return false;
    *schema = before;
    *name = last;
    return true;
}

bool sdi_sql_column_names(const PgQuery__ColumnRef *ref, sdi_sql_fixed *fixed)
{
    const char *parts[3] = {"", "", ""};
    if (ref->n_fields < 1 || ref->n_fields > 3)
        return false;
    for (size_t i = 0; i < ref->n_fields; i++)
        if (!(parts[i + 3 - ref->n_fields] = sdi_text_of(ref->fields[i])))
            return false;
    fixed->schema = parts[0];
    fixed->qualifier = parts[1];
    fixed->column = parts[2];
    return true;
}

static size_t note_relation(sdi_sql *sql, const char *schema, const char *name)
{
    const sdi_sql_relation *known = SDI_ITEMS(sql->relations, sdi_sql_relation);
    size_t count = SDI_COUNT(sql->relations, sdi_sql_relation);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(known[i].schema, schema) && !strcmp(known[i].name, name))
            return i;
    sdi_sql_relation relation = {schema, name};
    sdi_buffer_append(&sql->relations, &relation, sizeof relation);
    return count;
}

sdi_sql_table *sdi_sql_note_table(sdi_sql *sql, const PgQuery__RangeVar *node, enum sdi_table_role role,
                                  unsigned writes)
{
    sdi_sql_table table = {.node = node, .role = role, .writes = writes};
    table.relation = note_relation(sql, node->schemaname, node->relname);
    table.alias = node->alias ? node->alias->aliasname : node->relname;
    table.renames_columns = node->alias && node->alias->n_colnames;
    sql->foreign_database |= node->catalogname[0] != '\0';
    sdi_buffer_append(&sql->tables, &table, sizeof table);
    if (sql->tables.failed)
        return NULL;
    return &SDI_ITEMS(sql->tables, sdi_sql_table)[SDI_COUNT(sql->tables, sdi_sql_table) - 1];
}

void sdi_sql_note_named_table(sdi_sql *sql, const char *schema, const char *name, unsigned writes)
{
    sdi_sql_table table = {.alias = name, .role = SDI_TABLE_TARGET, .writes = writes};
    table.relation = note_relation(sql, schema, name);
    sdi_buffer_append(&sql->tables, &table, sizeof table);
}

sdi_sql_name *sdi_sql_note_name(sdi_sql *sql, enum sdi_name_kind kind, const char *schema, const char *name)
{
    size_t count = SDI_COUNT(sql->names, sdi_sql_name);
    for (size_t i = 0; i < count; i++) {
        sdi_sql_name *known = &SDI_ITEMS(sql->names, sdi_sql_name)[i];
        if (known->kind == kind && !strcmp(known->schema, schema) && !strcmp(known->name, name))
            return known;
    }
    sdi_sql_name entry = {.kind = kind, .schema = schema, .name = name, .arguments = SIZE_MAX, .zone_utc = true};
    sdi_buffer_append(&sql->names, &entry, sizeof entry);
    return sql->names.failed ? NULL : &SDI_ITEMS(sql->names, sdi_sql_name)[count];
}

void sdi_sql_note_cte(sdi_sql *sql, const char *name)
{
    sdi_buffer_append(&sql->ctes, &name, sizeof name);
}

bool sdi_sql_is_cte(const sdi_sql *sql, const PgQuery__RangeVar *node)
{
    if (node->schemaname[0])
        return false;
    for (size_t i = 0; i < SDI_COUNT(sql->ctes, char *); i++)
        if (!strcmp(SDI_ITEMS(sql->ctes, const char *)[i], node->relname))
            return true;
    return false;
}
