/* Views and policies are statements too: their tables and calls are asked for in turn, until nothing is left to open.
 */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/catalog_facts.h"
#include "model/sql_facts.h"

/* Policies may name one another's tables in a circle, which PostgreSQL tells only when they run. */
enum { STATEMENTS_MAX = 100, DEEP_MAX = 20 };

typedef struct loading {
    sdi_catalog_asker *ask;
    void *context;
    size_t statements;
    size_t depth;
    const sdi_relation *open[DEEP_MAX]; /* what is being opened, the outermost first */
} loading;

static int load(loading *l, const sdi_sql *sql, sdi_catalog **catalog_out, shopdata_error **error_out);

static int ask_and_read(const loading *l, const sdi_sql *sql, sdi_catalog **catalog_out, shopdata_error **error_out)
{
    sdi_catalog_question questions[SDI_CATALOG_QUESTIONS];
    shopdata_result *answers[SDI_CATALOG_QUESTIONS] = {0};
    int status = sdi_catalog_ask(sql, questions, error_out);
    if (status != SHOPDATA_OK)
        return status;
    status = l->ask(l->context, questions, answers, error_out);
    if (status == SHOPDATA_OK)
        status = sdi_catalog_read(sql, answers, catalog_out, error_out);
    for (size_t i = 0; i < SDI_CATALOG_QUESTIONS; i++) {
        shopdata_result_free(answers[i]);
        sdi_catalog_question_free(&questions[i]);
    }
    return status;
}

static int note_fault(sdi_inside *inside, const char *fault, shopdata_error **error_out)
{
    inside->fault = sdi_strdup(fault);
    return inside->fault ? SHOPDATA_OK : sdi_no_memory(error_out);
}

/* What our parser cannot read, a newer server's syntax say, is no failure: it is planned as something not known. */
static int parse_inside(sdi_inside *inside, shopdata_error **error_out)
{
    shopdata_error *error = NULL;
    int status = sdi_sql_parse(inside->text.data, &inside->sql, &error);
    if (status != SHOPDATA_OK && status != SHOPDATA_ERR_NO_MEMORY)
        status = note_fault(inside, shopdata_error_message(error), error_out);
    else if (status != SHOPDATA_OK)
        sdi_no_memory(error_out);
    shopdata_error_free(error);
    return status;
}

static int open_inside(loading *l, const sdi_relation *relation, sdi_inside *inside, sdi_hash128 *shape,
                       shopdata_error **error_out)
{
    if (!inside->text.length)
        return SHOPDATA_OK;
    if (l->depth == DEEP_MAX || l->statements == STATEMENTS_MAX)
        return note_fault(inside, "it leads through too many views or policies", error_out);
    l->statements++;
    int status = parse_inside(inside, error_out);
    if (status != SHOPDATA_OK || !inside->sql)
        return status;
    l->open[l->depth++] = relation;
    status = load(l, inside->sql, &inside->catalog, error_out);
    l->depth--;
    if (status != SHOPDATA_OK)
        return status;
    sdi_hash128 both[] = {*shape, inside->catalog->shape};
    *shape = sdi_hash128_of(both, sizeof both);
    return SHOPDATA_OK;
}

/* A view never reads itself: within it the name is a CTE's, as CREATE RECURSIVE VIEW writes it. */
static bool is_cte_within(const loading *l, const sdi_relation *relation)
{
    for (size_t i = 0; relation->kind == 'v' && i < l->depth; i++)
        if (!strcmp(l->open[i]->name, relation->name) && !strcmp(l->open[i]->schema, relation->schema))
            return true;
    return false;
}

static int open_all(loading *l, sdi_catalog *catalog, shopdata_error **error_out)
{
    int status = SHOPDATA_OK;
    for (size_t i = 0; i < catalog->relation_count && status == SHOPDATA_OK; i++) {
        sdi_relation *relation = &catalog->relations[i];
        if (relation->found && is_cte_within(l, relation))
            relation->found = false;
        if (!relation->found || relation->system)
            continue;
        status = open_inside(l, relation, &relation->view, &catalog->shape, error_out);
        if (status == SHOPDATA_OK && relation->row_security)
            status = open_inside(l, relation, &relation->policies, &catalog->shape, error_out);
    }
    return status;
}

static int load(loading *l, const sdi_sql *sql, sdi_catalog **catalog_out, shopdata_error **error_out)
{
    sdi_catalog *catalog = NULL;
    int status = ask_and_read(l, sql, &catalog, error_out);
    if (status == SHOPDATA_OK && sql->computes)
        status = open_all(l, catalog, error_out);
    if (status == SHOPDATA_OK)
        *catalog_out = catalog;
    else
        sdi_catalog_free(catalog);
    return status;
}

int sdi_catalog_load(const sdi_sql *sql, sdi_catalog_asker *ask, void *context, sdi_catalog **catalog_out,
                     shopdata_error **error_out)
{
    loading l = {.ask = ask, .context = context};
    return load(&l, sql, catalog_out, error_out);
}

sdi_hash128 sdi_catalog_shape(const sdi_catalog *catalog)
{
    return catalog->shape;
}
