/* Faults that the test must find: the library's own functions, wrapped by the linker (--wrap) in a program of the test
 * alone, and one thing left out of what they say. SHOPDATA_DIFFERENTIAL_MUTATION names the fault; `list` lists them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/catalog_facts.h"
#include "model/plan.h"
#include "model/sql_facts.h"
#include "model/stamp.h"

enum fault {
    NONE,
    DELETES_NOT_FOLLOWED,
    UPDATES_NOT_FOLLOWED,
    TRUNCATES_NOT_FOLLOWED,
    FAMILIES_NOT_FOLLOWED,
    OUTER_JOINS_AS_INNER,
    AGGREGATES_AS_ROWS,
    ANY_KEY_AS_TEXT,
    HIDDEN_WRITES_OVERLOOKED,
    SET_COLUMNS_OVERLOOKED,
    CONFLICT_UPDATES_OVERLOOKED,
    TABLE_TAGS_NOT_BUMPED,
    BULK_TAGS_NOT_BUMPED,
    ROW_TAGS_NOT_BUMPED,
    EMPTY_ANSWERS_LIKE_OTHERS,
    STAMPS_NOT_JUDGED,
    FAULTS
};

static const char *const names[FAULTS] = {
    [NONE] = "none",
    [DELETES_NOT_FOLLOWED] = "deletes-not-followed",
    [UPDATES_NOT_FOLLOWED] = "updates-not-followed",
    [TRUNCATES_NOT_FOLLOWED] = "truncates-not-followed",
    [FAMILIES_NOT_FOLLOWED] = "families-not-followed",
    [OUTER_JOINS_AS_INNER] = "outer-joins-as-inner",
    [AGGREGATES_AS_ROWS] = "aggregates-as-rows",
    [ANY_KEY_AS_TEXT] = "any-key-as-text",
    [HIDDEN_WRITES_OVERLOOKED] = "hidden-writes-overlooked",
    [SET_COLUMNS_OVERLOOKED] = "set-columns-overlooked",
    [CONFLICT_UPDATES_OVERLOOKED] = "conflict-updates-overlooked",
    [TABLE_TAGS_NOT_BUMPED] = "table-tags-not-bumped",
    [BULK_TAGS_NOT_BUMPED] = "bulk-tags-not-bumped",
    [ROW_TAGS_NOT_BUMPED] = "row-tags-not-bumped",
    [EMPTY_ANSWERS_LIKE_OTHERS] = "empty-answers-like-others",
    [STAMPS_NOT_JUDGED] = "stamps-not-judged",
};

static enum fault fault;

__attribute__((constructor)) static void choose_fault(void)
{
    const char *wanted = getenv("SHOPDATA_DIFFERENTIAL_MUTATION");
    bool list = wanted && !strcmp(wanted, "list");
    for (int i = 0; i < FAULTS; i++) {
        if (wanted && !strcmp(wanted, names[i]))
            fault = (enum fault)i;
        if (list && i != NONE)
            puts(names[i]);
    }
    if (list)
        exit(EXIT_SUCCESS);
    if (wanted && !fault && strcmp(wanted, names[NONE])) {
        fprintf(stderr, "no mutation %s\n", wanted);
        exit(EXIT_FAILURE);
    }
}

/* --------------------------------------------------------------------------------------------------------- the SQL */

/* The linker's names. */
void __real_sdi_sql_top(sdi_sql *sql, const PgQuery__Node *statement);
void __wrap_sdi_sql_top(sdi_sql *sql, const PgQuery__Node *statement);
bool __real_sdi_sql_walk(sdi_sql *sql, const PgQuery__Node *statement);
bool __wrap_sdi_sql_walk(sdi_sql *sql, const PgQuery__Node *statement);

static void make_inner(const PgQuery__Node *item)
{
    if (!item || item->node_case != PG_QUERY__NODE__NODE_JOIN_EXPR)
        return;
    item->join_expr->jointype = PG_QUERY__JOIN_TYPE__JOIN_INNER;
    make_inner(item->join_expr->larg);
    make_inner(item->join_expr->rarg);
}

void __wrap_sdi_sql_top(sdi_sql *sql, const PgQuery__Node *statement)
{
    bool select = statement->node_case == PG_QUERY__NODE__NODE_SELECT_STMT;
    for (size_t i = 0; fault == OUTER_JOINS_AS_INNER && select && i < statement->select_stmt->n_from_clause; i++)
        make_inner(statement->select_stmt->from_clause[i]);
    __real_sdi_sql_top(sql, statement);
    if (fault == SET_COLUMNS_OVERLOOKED)
        sdi_buffer_clear(&sql->set_columns);
    sql->rows_uncertain &= fault != AGGREGATES_AS_ROWS;
    for (size_t i = 0; fault == CONFLICT_UPDATES_OVERLOOKED && i < SDI_COUNT(sql->tables, sdi_sql_table); i++)
        if (SDI_ITEMS(sql->tables, sdi_sql_table)[i].writes & SDI_INSERTS)
            SDI_ITEMS(sql->tables, sdi_sql_table)[i].writes = SDI_INSERTS;
}

/* Writes in a CTE, and MERGE. */
bool __wrap_sdi_sql_walk(sdi_sql *sql, const PgQuery__Node *statement)
{
    bool walked = __real_sdi_sql_walk(sql, statement);
    for (size_t i = 0; fault == HIDDEN_WRITES_OVERLOOKED && i < SDI_COUNT(sql->tables, sdi_sql_table); i++) {
        sdi_sql_table *table = &SDI_ITEMS(sql->tables, sdi_sql_table)[i];
        if (table->role == SDI_TABLE_ELSEWHERE && !(table->writes & SDI_RESHAPES))
            table->writes = 0;
    }
    return walked;
}

/* ------------------------------------------------------------------------------------------------------ the catalog */

int __real_sdi_catalog_read(const sdi_sql *sql, shopdata_result *const answers[SDI_CATALOG_QUESTIONS],
                            sdi_catalog **catalog_out, shopdata_error **error_out);
int __wrap_sdi_catalog_read(const sdi_sql *sql, shopdata_result *const answers[SDI_CATALOG_QUESTIONS],
                            sdi_catalog **catalog_out, shopdata_error **error_out);

static void drop_bounds(sdi_relation *relation, enum sdi_bond bond)
{
    size_t kept = 0, count = SDI_COUNT(relation->bounds, sdi_bound);
    sdi_bound *bounds = SDI_ITEMS(relation->bounds, sdi_bound);
    for (size_t i = 0; i < count; i++)
        if (bounds[i].bond != bond)
            bounds[kept++] = bounds[i];
    relation->bounds.length = kept * sizeof *bounds;
}

static void know_every_key(sdi_relation *relation)
{
    for (size_t i = 0; i < SDI_COUNT(relation->columns, sdi_column); i++) {
        sdi_column *column = &SDI_ITEMS(relation->columns, sdi_column)[i];
        if (column->key && column->type == SDI_KEY_NONE)
            column->type = SDI_KEY_TEXT;
    }
}

static void spoil_relation(sdi_relation *relation)
{
    static const struct {
        enum fault fault;
        enum sdi_bond bond;
    } bonds[] = {{DELETES_NOT_FOLLOWED, SDI_BOND_DELETE},
                 {UPDATES_NOT_FOLLOWED, SDI_BOND_UPDATE},
                 {TRUNCATES_NOT_FOLLOWED, SDI_BOND_TRUNCATE},
                 {FAMILIES_NOT_FOLLOWED, SDI_BOND_FAMILY}};
    for (size_t i = 0; i < sizeof bonds / sizeof *bonds; i++)
        if (bonds[i].fault == fault)
            drop_bounds(relation, bonds[i].bond);
    if (fault == ANY_KEY_AS_TEXT)
        know_every_key(relation);
}

int __wrap_sdi_catalog_read(const sdi_sql *sql, shopdata_result *const answers[SDI_CATALOG_QUESTIONS],
                            sdi_catalog **catalog_out, shopdata_error **error_out)
{
    int status = __real_sdi_catalog_read(sql, answers, catalog_out, error_out);
    for (size_t i = 0; !status && i < (*catalog_out)->relation_count; i++)
        spoil_relation(&(*catalog_out)->relations[i]);
    for (size_t i = 0; !status && fault == AGGREGATES_AS_ROWS && i < (*catalog_out)->name_count; i++)
        (*catalog_out)->verdicts[i].aggregate = false;
    return status;
}

/* --------------------------------------------------------------------------------------------------- tags and stamps
 */

bool __real_sdi_plan_tags(const sdi_plan *plan, const shopdata_param *params, size_t count, sdi_tags *tags);
bool __wrap_sdi_plan_tags(const sdi_plan *plan, const shopdata_param *params, size_t count, sdi_tags *tags);
bool __real_sdi_stamp_passes(const sdi_stamp *stamp, const sdi_point *point);
bool __wrap_sdi_stamp_passes(const sdi_stamp *stamp, const sdi_point *point);

static bool is_forgotten(sdi_slice tag)
{
    bool whole = !memchr(tag.data, '/', tag.length),
         bulk = tag.length > 2 && !memcmp(tag.data + tag.length - 2, "/*", 2);
    return (fault == TABLE_TAGS_NOT_BUMPED && whole) || (fault == BULK_TAGS_NOT_BUMPED && bulk) ||
           (fault == ROW_TAGS_NOT_BUMPED && !whole && !bulk);
}

static void forget(sdi_tags *tags)
{
    sdi_tags all = *tags;
    *tags = (sdi_tags)SDI_TAGS_INIT;
    for (size_t i = 0; i < all.count; i++)
        if (!is_forgotten(sdi_tags_at(&all, i)))
            sdi_tags_add(tags, sdi_tags_at(&all, i));
    sdi_tags_free(&all);
}

static void like_others(sdi_tags *tags)
{
    sdi_tags all = *tags;
    *tags = (sdi_tags)SDI_TAGS_INIT;
    for (size_t i = 0; i < all.required; i++)
        sdi_tags_add(tags, sdi_tags_at(&all, i));
    sdi_tags_free(&all);
}

bool __wrap_sdi_plan_tags(const sdi_plan *plan, const shopdata_param *params, size_t count, sdi_tags *tags)
{
    bool known = __real_sdi_plan_tags(plan, params, count, tags);
    if (sdi_plan_kind(plan) == SDI_PLAN_WRITE)
        forget(tags);
    else if (fault == EMPTY_ANSWERS_LIKE_OTHERS)
        like_others(tags);
    return known;
}

bool __wrap_sdi_stamp_passes(const sdi_stamp *stamp, const sdi_point *point)
{
    return fault == STAMPS_NOT_JUDGED || __real_sdi_stamp_passes(stamp, point);
}
