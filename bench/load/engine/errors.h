/* errors.h - what went wrong, counted by kind, with the first message of each. */
#ifndef LOAD_ERRORS_H
#define LOAD_ERRORS_H

#include <pthread.h>
#include <shopdata/shopdata.h>

#include "json.h"

enum { LOAD_ERROR_KINDS = 64, LOAD_ERROR_KIND_TEXT = 32, LOAD_ERROR_MESSAGE_TEXT = 256 };

typedef struct load_error_kind {
    char kind[LOAD_ERROR_KIND_TEXT], message[LOAD_ERROR_MESSAGE_TEXT];
    uint64_t count, before; /* in all; until the last load_errors_write_new */
} load_error_kind;

typedef struct load_errors {
    pthread_mutex_t lock;
    load_error_kind kinds[LOAD_ERROR_KINDS]; /* those that find no room are counted in the last one, "other" */
    size_t count;
} load_errors;

void load_errors_init(load_errors *errors);
/* load_errors_add counts one of this kind: "timeout", "sql:40001". */
void load_errors_add(load_errors *errors, const char *kind, const char *message);
/* load_errors_add_call counts what a call of the library came to; `error` may be NULL. */
void load_errors_add_call(load_errors *errors, int status, const shopdata_error *error);
/* load_errors_write writes all: `errors` and `error_samples`; load_errors_write_new `errors`, those since it last did.
 */
void load_errors_write(load_errors *errors, load_json *json);
void load_errors_write_new(load_errors *errors, load_json *json);

#endif
