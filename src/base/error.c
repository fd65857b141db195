#include "base/error.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/utf8.h"

/* Where there is no memory for a message the status must be told all the same: AMBIGUOUS above all. */
#define WORDLESS(name, again, text)                                                                                    \
    [-SHOPDATA_ERR_##name] = {                                                                                         \
        .status = SHOPDATA_ERR_##name, .retriable = again, .message = text "; there was no memory to say more"}

static shopdata_error wordless[] = {
    WORDLESS(ARGUMENT, false, "an argument is wrong"),
    WORDLESS(CONFIG, false, "the configuration is wrong"),
    [-SHOPDATA_ERR_NO_MEMORY] = {.status = SHOPDATA_ERR_NO_MEMORY, .retriable = true, .message = "out of memory"},
    WORDLESS(SQL, false, "PostgreSQL rejected the statement"),
    WORDLESS(REFUSED, false, "the statement is refused"),
    WORDLESS(TIMEOUT, false, "the deadline passed"),
    WORDLESS(BUSY, true, "all connections are in use"),
    WORDLESS(UNAVAILABLE, true, "no node can be reached"),
    WORDLESS(AMBIGUOUS, false, "the write may or may not stand"),
    WORDLESS(TOO_LARGE, false, "the result is too large"),
    WORDLESS(TRANSACTION, false, "the transaction is not in this state"),
    WORDLESS(RANGE, false, "there is no such row or column"),
    WORDLESS(TYPE, false, "the value is not of this type"),
    WORDLESS(FORKED, false, "the client was made before fork"),
    WORDLESS(INTERRUPTED, false, "the call was interrupted"),
};
enum { WORDLESS_COUNT = sizeof wordless / sizeof *wordless };

static bool is_wordless(const shopdata_error *error)
{
    return error >= wordless && error < wordless + WORDLESS_COUNT;
}

static void without_words(shopdata_error **error_out, int status)
{
    if (error_out)
        *error_out = &wordless[status < 0 && status > -WORDLESS_COUNT ? -status : -SHOPDATA_ERR_NO_MEMORY];
}

int sdi_no_memory(shopdata_error **error_out)
{
    without_words(error_out, SHOPDATA_ERR_NO_MEMORY);
    return SHOPDATA_ERR_NO_MEMORY;
}

static bool retriable_by_nature(int status)
{
    return status == SHOPDATA_ERR_BUSY || status == SHOPDATA_ERR_UNAVAILABLE;
}

/* What a message cites may be anything: a statement of several lines that was cut within a letter, a damaged cell.
 * Lines are kept where a configuration's faults stand one below the other. */
static void make_text(char *message, bool lines)
{
    for (char *at = message; *at; at++)
        if (((unsigned char)*at < ' ' && !(lines && *at == '\n')) || *at == 0x7f)
            *at = ' ';
    size_t at = 0, length = strlen(message);
    while ((at += sdi_utf8_fault(message + at, length - at)) < length)
        message[at] = '?';
}

static int fill(shopdata_error **error_out, int status, const char *sqlstate, char *message)
{
    shopdata_error *error = message ? sdi_calloc(1, sizeof *error) : NULL;
    if (!error) {
        sdi_free(message);
        without_words(error_out, status);
        return status;
    }
    error->status = status;
    error->retriable = retriable_by_nature(status);
    snprintf(error->sqlstate, sizeof error->sqlstate, "%s", sqlstate);
    error->message = message;
    make_text(message, status == SHOPDATA_ERR_CONFIG);
    *error_out = error;
    return status;
}

int sdi_vfail(shopdata_error **error_out, int status, const char *format, va_list arguments)
{
    if (!error_out)
        return status;
    sdi_buffer text = SDI_BUFFER_INIT;
    sdi_buffer_vprintf(&text, format, arguments);
    return fill(error_out, status, "", sdi_buffer_take(&text));
}

int sdi_fail(shopdata_error **error_out, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    sdi_vfail(error_out, status, format, arguments);
    va_end(arguments);
    return status;
}

/* Serialization failures and deadlocks roll back whole: PostgreSQL asks for the transaction to be repeated. */
static bool asks_for_repeat(const char *sqlstate)
{
    return !strcmp(sqlstate, "40001") || !strcmp(sqlstate, "40P01");
}

int sdi_fail_sql(shopdata_error **error_out, const char *sqlstate, const char *message)
{
    if (!error_out)
        return SHOPDATA_ERR_SQL;
    fill(error_out, SHOPDATA_ERR_SQL, sqlstate, sdi_strdup(message));
    if (asks_for_repeat(sqlstate))
        sdi_error_retriable(*error_out);
    return SHOPDATA_ERR_SQL;
}

void sdi_error_retriable(shopdata_error *error)
{
    if (error && !is_wordless(error))
        error->retriable = true;
}

void sdi_error_prefix(shopdata_error *error, const char *format, ...)
{
    if (!error || is_wordless(error))
        return;
    sdi_buffer text = SDI_BUFFER_INIT;
    va_list arguments;
    va_start(arguments, format);
    sdi_buffer_vprintf(&text, format, arguments);
    va_end(arguments);
    sdi_buffer_text(&text, error->message);
    char *message = sdi_buffer_take(&text);
    if (!message)
        return;
    sdi_free(error->message);
    error->message = message;
}

void sdi_error_move(shopdata_error **error_out, shopdata_error *error)
{
    if (error_out && error)
        *error_out = error;
    else
        shopdata_error_free(error);
}

void sdi_error_clear(shopdata_error **error_out)
{
    if (!error_out)
        return;
    shopdata_error_free(*error_out);
    *error_out = NULL;
}

/* The accessors stand here and not on the top floor: every floor frees errors. */

int shopdata_error_status(const shopdata_error *error)
{
    return error ? error->status : SHOPDATA_OK;
}

const char *shopdata_error_message(const shopdata_error *error)
{
    return error ? error->message : "";
}

const char *shopdata_error_sqlstate(const shopdata_error *error)
{
    return error ? error->sqlstate : "";
}

int shopdata_error_is_retriable(const shopdata_error *error)
{
    return error ? error->retriable : 0;
}

void shopdata_error_free(shopdata_error *error)
{
    if (!error || is_wordless(error))
        return;
    sdi_free(error->message);
    sdi_free(error);
}
