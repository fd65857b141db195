/* What kind of statement it is, and which ones a pooled connection must not see. */
#include <string.h>

#include "base/error.h"
#include "model/param.h"
#include "model/sql_facts.h"

typedef struct refusal {
    PgQuery__Node__NodeCase node;
    const char *message;
} refusal;

static const refusal refusals[] = {
    {PG_QUERY__NODE__NODE_TRANSACTION_STMT,
     "transaction control as SQL: use shopdata_begin, shopdata_commit and shopdata_rollback"},
    {PG_QUERY__NODE__NODE_VARIABLE_SET_STMT,
     "SET and RESET would change a pooled connection: set it in the node's conninfo (options=-c ...) or by ALTER ROLE"},
    {PG_QUERY__NODE__NODE_DISCARD_STMT, "DISCARD would empty a pooled connection: nothing needs it"},
    {PG_QUERY__NODE__NODE_PREPARE_STMT, "PREPARE: use shopdata_statement_new, which prepares by itself"},
    {PG_QUERY__NODE__NODE_EXECUTE_STMT, "EXECUTE: use shopdata_query or shopdata_execute on a shopdata_statement"},
    {PG_QUERY__NODE__NODE_DEALLOCATE_STMT, "DEALLOCATE: use shopdata_statement_free"},
    {PG_QUERY__NODE__NODE_LISTEN_STMT, "LISTEN on a pooled connection: use a connection of your own"},
    {PG_QUERY__NODE__NODE_UNLISTEN_STMT, "UNLISTEN on a pooled connection: use a connection of your own"},
    {PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT, "cursors: use shopdata_query with LIMIT and a key to go on from"},
    {PG_QUERY__NODE__NODE_FETCH_STMT, "cursors: use shopdata_query with LIMIT and a key to go on from"},
    {PG_QUERY__NODE__NODE_CLOSE_PORTAL_STMT, "cursors: use shopdata_query with LIMIT and a key to go on from"},
    {PG_QUERY__NODE__NODE_COPY_STMT, "COPY: use shopdata_execute with INSERT of several rows, or a connection of your "
                                     "own and shopdata_invalidate"},
    {PG_QUERY__NODE__NODE_LOCK_STMT, "LOCK TABLE: use SELECT ... FOR UPDATE within shopdata_begin"},
    {PG_QUERY__NODE__NODE_LOAD_STMT, "LOAD would change a pooled connection: use session_preload_libraries"},
    {PG_QUERY__NODE__NODE_CHECK_POINT_STMT, "CHECKPOINT: use an administrator's connection"},
    {PG_QUERY__NODE__NODE_CREATEDB_STMT, "CREATE DATABASE cannot run in a transaction: use psql"},
    {PG_QUERY__NODE__NODE_DROPDB_STMT, "DROP DATABASE cannot run in a transaction: use psql"},
    {PG_QUERY__NODE__NODE_CREATE_TABLE_SPACE_STMT, "CREATE TABLESPACE cannot run in a transaction: use psql"},
    {PG_QUERY__NODE__NODE_DROP_TABLE_SPACE_STMT, "DROP TABLESPACE cannot run in a transaction: use psql"},
    {PG_QUERY__NODE__NODE_ALTER_SYSTEM_STMT, "ALTER SYSTEM cannot run in a transaction: use psql"},
    {PG_QUERY__NODE__NODE_CREATE_SUBSCRIPTION_STMT, "CREATE SUBSCRIPTION cannot run in a transaction: use psql"},
    {PG_QUERY__NODE__NODE_ALTER_SUBSCRIPTION_STMT, "ALTER SUBSCRIPTION cannot run in a transaction: use psql"},
    {PG_QUERY__NODE__NODE_DROP_SUBSCRIPTION_STMT, "DROP SUBSCRIPTION cannot run in a transaction: use psql"},
};

typedef struct kind_of {
    PgQuery__Node__NodeCase node;
    enum sdi_sql_kind kind;
    const char *reason;
} kind_of;

/* Statements of any other kind are DDL without rows: see is_schema. */
static const kind_of kinds[] = {
    {PG_QUERY__NODE__NODE_SELECT_STMT, SDI_SQL_READ, ""},
    {PG_QUERY__NODE__NODE_INSERT_STMT, SDI_SQL_WRITE, ""},
    {PG_QUERY__NODE__NODE_UPDATE_STMT, SDI_SQL_WRITE, ""},
    {PG_QUERY__NODE__NODE_DELETE_STMT, SDI_SQL_WRITE, ""},
    {PG_QUERY__NODE__NODE_MERGE_STMT, SDI_SQL_WRITE, ""},
    {PG_QUERY__NODE__NODE_TRUNCATE_STMT, SDI_SQL_WRITE, ""},
    {PG_QUERY__NODE__NODE_REFRESH_MAT_VIEW_STMT, SDI_SQL_WRITE, ""},
    {PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT, SDI_SQL_STATUS, "SHOW tells of the connection it runs on"},
    {PG_QUERY__NODE__NODE_NOTIFY_STMT, SDI_SQL_EFFECT, ""},
    {PG_QUERY__NODE__NODE_CONSTRAINTS_SET_STMT, SDI_SQL_EFFECT, ""},
    {PG_QUERY__NODE__NODE_COMMENT_STMT, SDI_SQL_EFFECT, ""},
    {PG_QUERY__NODE__NODE_VACUUM_STMT, SDI_SQL_EFFECT, ""},
    {PG_QUERY__NODE__NODE_CALL_STMT, SDI_SQL_UNTOLD, "a procedure may write anything"},
    {PG_QUERY__NODE__NODE_DO_STMT, SDI_SQL_UNTOLD, "DO may write anything"},
    {PG_QUERY__NODE__NODE_DROP_OWNED_STMT, SDI_SQL_UNTOLD, "DROP OWNED does not tell which tables go"},
    {PG_QUERY__NODE__NODE_ALTER_ENUM_STMT, SDI_SQL_UNTOLD, "ALTER TYPE does not tell which tables' answers change"},
};

/* The DDL that we know to change no rows but of the relations that it names. What a newer parser may bring is not
 * among them, and told as SDI_SQL_UNTOLD. */
static const PgQuery__Node__NodeCase schema_statements[] = {
    PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    PG_QUERY__NODE__NODE_ALTER_DOMAIN_STMT,
    PG_QUERY__NODE__NODE_GRANT_STMT,
    PG_QUERY__NODE__NODE_GRANT_ROLE_STMT,
    PG_QUERY__NODE__NODE_CLUSTER_STMT,
    PG_QUERY__NODE__NODE_CREATE_STMT,
    PG_QUERY__NODE__NODE_DEFINE_STMT,
    PG_QUERY__NODE__NODE_DROP_STMT,
    PG_QUERY__NODE__NODE_INDEX_STMT,
    PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT,
    PG_QUERY__NODE__NODE_ALTER_FUNCTION_STMT,
    PG_QUERY__NODE__NODE_RENAME_STMT,
    PG_QUERY__NODE__NODE_RULE_STMT,
    PG_QUERY__NODE__NODE_VIEW_STMT,
    PG_QUERY__NODE__NODE_CREATE_DOMAIN_STMT,
    PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT,
    PG_QUERY__NODE__NODE_CREATE_SEQ_STMT,
    PG_QUERY__NODE__NODE_ALTER_SEQ_STMT,
    PG_QUERY__NODE__NODE_CREATE_TRIG_STMT,
    PG_QUERY__NODE__NODE_CREATE_PLANG_STMT,
    PG_QUERY__NODE__NODE_CREATE_ROLE_STMT,
    PG_QUERY__NODE__NODE_ALTER_ROLE_STMT,
    PG_QUERY__NODE__NODE_DROP_ROLE_STMT,
    PG_QUERY__NODE__NODE_REINDEX_STMT,
    PG_QUERY__NODE__NODE_CREATE_SCHEMA_STMT,
    PG_QUERY__NODE__NODE_ALTER_DATABASE_STMT,
    PG_QUERY__NODE__NODE_ALTER_ROLE_SET_STMT,
    PG_QUERY__NODE__NODE_ALTER_DATABASE_SET_STMT,
    PG_QUERY__NODE__NODE_CREATE_CAST_STMT,
    PG_QUERY__NODE__NODE_CREATE_OP_CLASS_STMT,
    PG_QUERY__NODE__NODE_CREATE_OP_FAMILY_STMT,
    PG_QUERY__NODE__NODE_ALTER_OBJECT_SCHEMA_STMT,
    PG_QUERY__NODE__NODE_ALTER_OWNER_STMT,
    PG_QUERY__NODE__NODE_COMPOSITE_TYPE_STMT,
    PG_QUERY__NODE__NODE_CREATE_ENUM_STMT,
    PG_QUERY__NODE__NODE_CREATE_RANGE_STMT,
    PG_QUERY__NODE__NODE_CREATE_FDW_STMT,
    PG_QUERY__NODE__NODE_CREATE_FOREIGN_SERVER_STMT,
    PG_QUERY__NODE__NODE_CREATE_EXTENSION_STMT,
    PG_QUERY__NODE__NODE_ALTER_EXTENSION_STMT,
    PG_QUERY__NODE__NODE_CREATE_POLICY_STMT,
    PG_QUERY__NODE__NODE_ALTER_POLICY_STMT,
    PG_QUERY__NODE__NODE_CREATE_STATS_STMT,
    PG_QUERY__NODE__NODE_ALTER_STATS_STMT,
    PG_QUERY__NODE__NODE_CREATE_PUBLICATION_STMT,
    PG_QUERY__NODE__NODE_ALTER_PUBLICATION_STMT,
    PG_QUERY__NODE__NODE_CREATE_FOREIGN_TABLE_STMT,
    PG_QUERY__NODE__NODE_ALTER_DEFAULT_PRIVILEGES_STMT,
    PG_QUERY__NODE__NODE_CREATE_USER_MAPPING_STMT,
};

static int refuse(shopdata_error **error_out, const char *message)
{
    return sdi_fail(error_out, SHOPDATA_ERR_REFUSED, "%s", message);
}

static int refuse_by_kind(const PgQuery__Node *statement, shopdata_error **error_out)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].node == statement->node_case)
            return refuse(error_out, refusals[i].message);
    return SHOPDATA_OK;
}

static bool detaches_concurrently(const PgQuery__Node *statement)
{
    const PgQuery__AlterTableStmt *alter = statement->alter_table_stmt;
    for (size_t i = 0; i < alter->n_cmds; i++) {
        const PgQuery__AlterTableCmd *command = alter->cmds[i]->alter_table_cmd;
        const PgQuery__Node *def = command->def;
        if (command->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartition && def &&
            def->node_case == PG_QUERY__NODE__NODE_PARTITION_CMD && def->partition_cmd->concurrent)
            return true;
    }
    return false;
}

static bool reindex_needs_no_transaction(const PgQuery__ReindexStmt *reindex)
{
    for (size_t i = 0; i < reindex->n_params; i++)
        if (reindex->params[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
            !strcmp(reindex->params[i]->def_elem->defname, "concurrently"))
            return true;
    return reindex->kind != PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_INDEX &&
           reindex->kind != PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_TABLE;
}

static int refuse_outside_transactions(const PgQuery__Node *statement, shopdata_error **error_out)
{
    bool refused = false;
    switch (statement->node_case) {
    case PG_QUERY__NODE__NODE_VACUUM_STMT:
        refused = statement->vacuum_stmt->is_vacuumcmd;
        break;
    case PG_QUERY__NODE__NODE_INDEX_STMT:
        refused = statement->index_stmt->concurrent;
        break;
    case PG_QUERY__NODE__NODE_DROP_STMT:
        refused = statement->drop_stmt->concurrent;
        break;
    case PG_QUERY__NODE__NODE_REINDEX_STMT:
        refused = reindex_needs_no_transaction(statement->reindex_stmt);
        break;
    case PG_QUERY__NODE__NODE_CLUSTER_STMT:
        refused = !statement->cluster_stmt->relation;
        break;
    case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT:
        refused = detaches_concurrently(statement);
        break;
    default:
        break;
    }
    return refused ? refuse(error_out, "VACUUM, CONCURRENTLY and the like cannot run in a transaction, and every write "
                                       "is one: use psql")
                   : SHOPDATA_OK;
}

static bool is_schema(PgQuery__Node__NodeCase node)
{
    for (size_t i = 0; i < sizeof schema_statements / sizeof *schema_statements; i++)
        if (schema_statements[i] == node)
            return true;
    return false;
}

/* What a dropped schema, type or extension takes along, the SQL does not tell. */
static bool drops_untold(const PgQuery__Node *statement)
{
    const PgQuery__DropStmt *drop = statement->drop_stmt;
    if (statement->node_case != PG_QUERY__NODE__NODE_DROP_STMT ||
        drop->behavior != PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE)
        return false;
    switch (drop->remove_type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
    case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX:
    case PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER:
    case PG_QUERY__OBJECT_TYPE__OBJECT_RULE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_POLICY:
        return false;
    default:
        return true; /* a sequence takes no table, but the views of it may be materialized */
    }
}

static void set_kind(sdi_sql *sql, const PgQuery__Node *statement)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].node != statement->node_case)
            continue;
        sql->kind = kinds[i].kind;
        sql->reason = kinds[i].reason;
        sql->changes_schema = sql->kind == SDI_SQL_UNTOLD;
        return;
    }
    sql->kind = is_schema(statement->node_case) && !drops_untold(statement) ? SDI_SQL_SCHEMA : SDI_SQL_UNTOLD;
    sql->reason = sql->kind == SDI_SQL_UNTOLD ? "its SQL does not tell which tables it changes" : "";
    sql->changes_schema = true;
}

const PgQuery__Node *sdi_sql_explained(const PgQuery__Node *statement)
{
    return statement->node_case == PG_QUERY__NODE__NODE_EXPLAIN_STMT ? statement->explain_stmt->query : statement;
}

static bool explain_runs_it(const PgQuery__ExplainStmt *explain)
{
    for (size_t i = 0; i < explain->n_options; i++)
        if (explain->options[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
            !strcmp(explain->options[i]->def_elem->defname, "analyze"))
            return true;
    return false;
}

int sdi_sql_classify(sdi_sql *sql, const PgQuery__Node *statement, shopdata_error **error_out)
{
    const PgQuery__Node *inner = sdi_sql_explained(statement);
    int status = refuse_by_kind(inner, error_out);
    if (!status)
        status = refuse_outside_transactions(inner, error_out);
    if (status)
        return status;
    set_kind(sql, inner);
    if (inner == statement)
        return SHOPDATA_OK;
    sql->explains = true;
    if (!explain_runs_it(statement->explain_stmt)) {
        sql->kind = SDI_SQL_STATUS;
        sql->changes_schema = false;
        sql->reason = "EXPLAIN tells of the server it runs on";
    }
    return SHOPDATA_OK;
}

bool sdi_sql_is_effect(const char *function)
{
    static const char *const effects[] = {"nextval", "setval", "pg_notify", "pg_logical_emit_message"};
    for (size_t i = 0; i < sizeof effects / sizeof *effects; i++)
        if (!strcmp(effects[i], function))
            return true;
    return false;
}

/* A name of pg_catalog, given so or found there first. */
static bool is_builtin_call(const sdi_sql_name *name)
{
    return name->kind == SDI_NAME_FUNCTION && (!name->schema[0] || !strcmp(name->schema, "pg_catalog"));
}

bool sdi_sql_is_read(const sdi_sql *sql)
{
    if (sql->kind == SDI_SQL_STATUS)
        return true;
    for (size_t i = 0; i < SDI_COUNT(sql->names, sdi_sql_name); i++) {
        const sdi_sql_name *name = &SDI_ITEMS(sql->names, sdi_sql_name)[i];
        if (is_builtin_call(name) && sdi_sql_is_effect(name->name))
            return false;
    }
    return sql->kind == SDI_SQL_READ;
}

/* --------------------------------------------------------------------------------------------------- refused calls */

static bool begins_with(const char *text, const char *beginning)
{
    return !strncmp(text, beginning, strlen(beginning));
}

static const char *refused_call(const char *name)
{
    if (!strcmp(name, "set_config"))
        return "set_config() would change a pooled connection: set it in the node's conninfo or by ALTER ROLE";
    if (!strcmp(name, "currval") || !strcmp(name, "lastval"))
        return "currval() and lastval() tell of one connection: use INSERT ... RETURNING";
    bool session_lock = begins_with(name, "pg_advisory_") || begins_with(name, "pg_try_advisory_");
    if (session_lock && !strstr(name, "_xact_"))
        return "session advisory locks stay on a pooled connection: use pg_advisory_xact_lock within shopdata_begin";
    return NULL;
}

int sdi_sql_refused_call(const sdi_sql *sql, shopdata_error **error_out)
{
    if (sql->parameters > SDI_PARAMS_MAX)
        return sdi_fail(error_out, SHOPDATA_ERR_REFUSED, "$%zu: PostgreSQL has at most %d parameters", sql->parameters,
                        SDI_PARAMS_MAX);
    if (sql->makes_temporary)
        return refuse(error_out, "temporary tables belong to one connection: use a CTE, or an ordinary table");
    for (size_t i = 0; i < SDI_COUNT(sql->names, sdi_sql_name); i++) {
        const sdi_sql_name *name = &SDI_ITEMS(sql->names, sdi_sql_name)[i];
        const char *message = is_builtin_call(name) ? refused_call(name->name) : NULL;
        if (message)
            return refuse(error_out, message);
    }
    return SHOPDATA_OK;
}
