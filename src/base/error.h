/* error.h - what an error is inside. Every function that can fail returns a status and takes `error_out`, which may be
 * NULL; use these to fill it. Reporting that memory is out never allocates. */
#ifndef SDI_BASE_ERROR_H
#define SDI_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

#include <shopdata/shopdata.h>

struct shopdata_error {
    int status;
    bool retriable;
    char sqlstate[6];
    char *message;
};

/* sdi_fail makes an error of `status` with a one-line message and returns `status`, so that it can be returned on. What
 * the message cites may be of any bytes: it is made UTF-8 without control characters. */
int sdi_fail(shopdata_error **error_out, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
int sdi_vfail(shopdata_error **error_out, int status, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));
/* sdi_fail_sql makes a SHOPDATA_ERR_SQL error that keeps the server's five characters. */
int sdi_fail_sql(shopdata_error **error_out, const char *sqlstate, const char *message);
/* sdi_no_memory is SHOPDATA_ERR_NO_MEMORY without an allocation. */
int sdi_no_memory(shopdata_error **error_out);

/* sdi_error_retriable marks the error: the same call may succeed later and cannot do harm. NULL and out-of-memory are
 * left alone. */
void sdi_error_retriable(shopdata_error *error);
/* sdi_error_prefix puts text before the message ("call 3: ..."); without memory the message stays as it was. */
void sdi_error_prefix(shopdata_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* sdi_error_move hands `error` to *error_out, or frees it if nobody wants it. */
void sdi_error_move(shopdata_error **error_out, shopdata_error *error);
/* sdi_error_clear takes back what *error_out holds, because the call goes on, or has a better error. */
void sdi_error_clear(shopdata_error **error_out);

#endif
