/* statement.h - a statement: its SQL parsed once, and the plan made of it when the tables are known. */
#ifndef SDI_CLIENT_STATEMENT_H
#define SDI_CLIENT_STATEMENT_H

#include "client/core.h"

typedef struct sdi_planned sdi_planned;

struct shopdata_statement {
    atomic_uint references; /* the caller's, and one of each call of an op */
    shopdata_client *client;
    char *text;
    sdi_sql *sql;
    const char *policy;   /* name */
    size_t policy_number; /* among the settings': they stay what they were after fork */
    uint64_t number;      /* for prepared statements: unlike any other's in this process */
    sdi_mutex lock;       /* guards own tags until the first use, and who makes a plan */
    sdi_condition made;   /* a plan is, or could not be */
    char **own;
    size_t own_count;
    bool used;
    unsigned
        planning; /* 1 + the client's generation in which somebody makes a plan: a parent's does not end; 0: nobody */
    sdi_planned *_Atomic planned; /* the newest plan; older ones hang behind it until the statement goes */
    sdi_planned *explained;       /* plans for one use whose text was handed out */
};

/* A plan with what it was made under. */
struct sdi_planned {
    sdi_plan *plan;
    uint64_t schema;
    sdi_hash128 fingerprint;
    uint64_t number; /* for prepared statements, as the statement's, but another for another shape */
    sdi_need need;   /* what a node must have to know the catalog it was made of; primary: it was the primary's */
    sdi_pg_speed speed;
    bool final; /* false: something was not found in the catalog, so it is for one use, the caller's own */
    sdi_planned *older;
};

int sdi_statement_new(shopdata_client *client, const char *policy, const char *sql, shopdata_statement **statement_out,
                      shopdata_error **error_out);
int sdi_statement_add_tag(shopdata_statement *statement, const char *tag_template, shopdata_error **error_out);
/* sdi_statement_free drops a reference. */
void sdi_statement_free(shopdata_statement *statement);
shopdata_statement *sdi_statement_retain(shopdata_statement *statement);
/* sdi_statement_policy is what the statement was made under. */
const sdi_policy_settings *sdi_statement_policy(const shopdata_statement *statement);
/* sdi_statement_is_read, _parameters: see shopdata_statement_is_read, _parameters. */
bool sdi_statement_is_read(const shopdata_statement *statement);
size_t sdi_statement_parameters(const shopdata_statement *statement);

/* sdi_statement_plan gives the plan, making it first where needed (asks the database). For a write it is made of the
 * primary's catalog: a replica that does not know a new table yet would say that there is nothing to bump. Give it to
 * sdi_planned_done. */
int sdi_statement_plan(shopdata_statement *statement, bool write, int64_t deadline, sdi_planned **planned_out,
                       shopdata_error **error_out);
/* sdi_session_plan gives the plan for this session: that of sdi_statement_plan; or, if its open transaction has changed
 * the schema, one by what that transaction sees, for this use alone: nobody else sees yet which schema it has made. */
int sdi_session_plan(shopdata_session *session, shopdata_statement *statement, bool write, int64_t deadline,
                     sdi_planned **planned_out, shopdata_error **error_out);
/* sdi_statement_planned is the plan for reads that stands and is not out of date; NULL, without waiting, if there is
 * none. */
const sdi_planned *sdi_statement_planned(const shopdata_statement *statement);
void sdi_planned_done(sdi_planned *planned); /* NULL is fine */
/* sdi_statement_explain: see shopdata_statement_explain. */
int sdi_statement_explain(shopdata_statement *statement, const char **text_out, shopdata_error **error_out);
/* sdi_statement_check: is this a statement of this client, with as many parameters as it wants? */
int sdi_statement_check(const shopdata_statement *statement, const shopdata_client *client,
                        const shopdata_param *params, size_t count, shopdata_error **error_out);

#endif
