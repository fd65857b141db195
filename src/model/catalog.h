/* catalog.h - what the database knows about the tables, functions and operators of a statement.
 * Pure data: the questions are SQL that somebody else runs, the answers come back as results. */
#ifndef SDI_MODEL_CATALOG_H
#define SDI_MODEL_CATALOG_H

#include <shopdata/shopdata.h>

#include "base/hash.h"
#include "model/sql.h"

typedef struct sdi_catalog sdi_catalog;

enum { SDI_CATALOG_QUESTIONS = 5 };

/* One question: SQL whose parameters are `params` (text, arrays of names as array literals). */
typedef struct sdi_catalog_question {
    const char *sql;
    shopdata_param params[4];
    size_t count;
    char *texts[4]; /* what params point to */
} sdi_catalog_question;

/* Whoever runs the questions: fills `answers` (freed by who asked), or returns why not. */
typedef int sdi_catalog_asker(void *context, const sdi_catalog_question questions[SDI_CATALOG_QUESTIONS],
                              shopdata_result *answers[SDI_CATALOG_QUESTIONS], shopdata_error **error_out);

/* sdi_catalog_load asks about a statement, and about the views and policies that it finds on the way. */
int sdi_catalog_load(const sdi_sql *sql, sdi_catalog_asker *ask, void *context, sdi_catalog **catalog_out,
                     shopdata_error **error_out);
/* sdi_catalog_shape is a hash over all that was answered: the same in every process and on every node for as long as
 * keys, columns, views, policies, rights and function bodies are the same. */
sdi_hash128 sdi_catalog_shape(const sdi_catalog *catalog);

/* The parts of sdi_catalog_load. sdi_catalog_ask fills the questions for a statement; sdi_catalog_read makes the
 * catalog of their answers, in order. */
int sdi_catalog_ask(const sdi_sql *sql, sdi_catalog_question questions[SDI_CATALOG_QUESTIONS],
                    shopdata_error **error_out);
void sdi_catalog_question_free(sdi_catalog_question *question);
int sdi_catalog_read(const sdi_sql *sql, shopdata_result *const answers[SDI_CATALOG_QUESTIONS],
                     sdi_catalog **catalog_out, shopdata_error **error_out);
void sdi_catalog_free(sdi_catalog *catalog);

#endif
