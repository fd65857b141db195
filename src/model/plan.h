/* plan.h - what to do with a statement: where it may run, whether its answer is cached, under which tags, what a write
 * bumps. Worked out once of SQL and catalog; immutable; any thread. */
#ifndef SDI_MODEL_PLAN_H
#define SDI_MODEL_PLAN_H

#include <stdbool.h>

#include <shopdata/shopdata.h>

#include "model/catalog.h"
#include "model/declared.h"
#include "model/sql.h"
#include "model/tags.h"

typedef struct sdi_plan sdi_plan;

enum sdi_plan_kind {
    SDI_PLAN_CACHED = 1, /* a read: any node, cached under its tags */
    SDI_PLAN_UNCACHED,   /* a read: any node, not cached */
    SDI_PLAN_PRIMARY,    /* a read that only the primary can run (FOR UPDATE): not cached */
    SDI_PLAN_WRITE,      /* shopdata_execute only */
    SDI_PLAN_UNDECLARED, /* writes what its SQL does not tell: refused until tags are declared */
};

/* sdi_plan_make: `own` are the application's tag templates ("shelf/$1"), already checked by sdi_tag_template_check. */
int sdi_plan_make(const sdi_sql *sql, const sdi_catalog *catalog, const char *const *own, size_t own_count,
                  sdi_plan **plan_out, shopdata_error **error_out);
void sdi_plan_free(sdi_plan *plan);

enum sdi_plan_kind sdi_plan_kind(const sdi_plan *plan);
/* sdi_plan_reason: one line that says why the kind is not CACHED or WRITE; "" if it is. */
const char *sdi_plan_reason(const sdi_plan *plan);
/* sdi_plan_changes_schema: DDL, after which every plan must be made again. */
bool sdi_plan_changes_schema(const sdi_plan *plan);
/* sdi_plan_is_final: false if the catalog did not know something that the statement names. Such a plan is for one use:
 * PostgreSQL will say what is missing, and by the next time it may be there. */
bool sdi_plan_is_final(const sdi_plan *plan);
/* sdi_plan_explain: a few lines for people, as shopdata_statement_explain shows them. */
const char *sdi_plan_explain(const sdi_plan *plan);

/* sdi_plan_tags appends the tags of one call. False if this call must not be cached because of its parameters ('today',
 * 'now' and the like mean another thing tomorrow); tags hold for a write in every case. Check sdi_tags_failed after. */
bool sdi_plan_tags(const sdi_plan *plan, const shopdata_param *params, size_t count, sdi_tags *tags);
/* sdi_plan_keeps is what sdi_plan_tags returns, where nobody needs the tags. */
bool sdi_plan_keeps(const sdi_plan *plan, const shopdata_param *params, size_t count);

/* sdi_plan_settings appends to an entry's identity what the answer depends on of the session's settings. False if it
 * depends on one that the session has not declared: then this call must not be cached. */
bool sdi_plan_settings(const sdi_plan *plan, const sdi_declared *declared, sdi_buffer *identity);

/* sdi_tag_template_check: UTF-8, printable, not empty, $n between 1 and `parameters`, $$ for a dollar sign. */
int sdi_tag_template_check(const char *tag_template, size_t parameters, shopdata_error **error_out);

#endif
