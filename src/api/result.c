#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/guard.h"
#include "base/clock.h"
#include "model/result.h"

uint64_t shopdata_result_changed(const shopdata_result *result)
{
    return result ? result->changed : 0;
}

int shopdata_result_find_column(const shopdata_result *result, const char *name)
{
    size_t columns = name ? shopdata_result_columns(result) : 0;
    for (size_t i = 0; i < columns; i++)
        if (!strcmp(shopdata_result_column_name(result, i), name))
            return (int)i;
    return -1;
}

int shopdata_result_source(const shopdata_result *result)
{
    return result ? result->source : 0;
}

const char *shopdata_result_node(const shopdata_result *result)
{
    return result ? result->node : "";
}

int64_t shopdata_result_age_ms(const shopdata_result *result)
{
    int64_t age = result ? (sdi_wall() - result->read_at) / 1000 : 0;
    return age > 0 ? age : 0; /* another machine's clock may be ahead of this one's */
}

int64_t shopdata_result_staleness_ms(const shopdata_result *result)
{
    return result ? result->staleness_ms : 0;
}

static int out_of_range(const shopdata_result *result, size_t row, size_t column, shopdata_error **error_out)
{
    return sdi_fail(error_out, SHOPDATA_ERR_RANGE,
                    "no cell at row %zu, column %zu: the result has %zu rows, %zu columns", row, column,
                    shopdata_result_rows(result), shopdata_result_columns(result));
}

int shopdata_result_text(const shopdata_result *result, size_t row, size_t column, const char **text_out,
                         size_t *length_out, shopdata_error **error_out)
{
    sdi_slice text = {NULL, 0};
    int status = sdi_wanted(text_out, "text_out", error_out);
    if (status != SHOPDATA_OK)
        return status;
    if (!sdi_result_at(result, row, column, &text) && shopdata_result_is_null(result, row, column) < 0)
        return out_of_range(result, row, column, error_out);
    *text_out = text.data;
    if (length_out)
        *length_out = text.length;
    return SHOPDATA_OK;
}

/* A cell that must hold a value. */
static int value_of(const shopdata_result *result, size_t row, size_t column, const void *out, sdi_slice *text,
                    shopdata_error **error_out)
{
    int status = sdi_wanted(out, "value_out", error_out);
    if (status != SHOPDATA_OK || sdi_result_at(result, row, column, text))
        return status;
    if (shopdata_result_is_null(result, row, column) < 0)
        return out_of_range(result, row, column, error_out);
    return sdi_fail(error_out, SHOPDATA_ERR_TYPE, "row %zu, column %s is NULL; ask shopdata_result_is_null first", row,
                    shopdata_result_column_name(result, column));
}

static int wrong_type(const shopdata_result *result, size_t row, size_t column, sdi_slice text, const char *type,
                      shopdata_error **error_out)
{
    return sdi_fail(error_out, SHOPDATA_ERR_TYPE, "row %zu, column %s is no %s: \"%.40s\" (type OID %u)", row,
                    shopdata_result_column_name(result, column), type, text.data,
                    shopdata_result_column_type(result, column));
}

/* strtoll and strtod skip blanks in front; a value from PostgreSQL has none, so neither does a number here. */
static bool begins_like_number(sdi_slice text)
{
    return text.length && !isspace((unsigned char)text.data[0]);
}

int shopdata_result_int64(const shopdata_result *result, size_t row, size_t column, int64_t *value_out,
                          shopdata_error **error_out)
{
    sdi_slice text;
    int status = value_of(result, row, column, value_out, &text, error_out);
    if (status != SHOPDATA_OK)
        return status;
    char *end;
    errno = 0;
    long long value = strtoll(text.data, &end, 10);
    if (errno || end != text.data + text.length || !begins_like_number(text))
        return wrong_type(result, row, column, text, "whole number of 64 bits", error_out);
    *value_out = value;
    return SHOPDATA_OK;
}

/* strtod reads more than PostgreSQL writes (hexadecimal, "nan(...)"), and the decimal point of the locale. */
static bool reads_as_double(sdi_slice text, double *value)
{
    static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(text.data, words[i])) {
            *value = strtod(words[i], NULL);
            return true;
        }
    if (strspn(text.data, "+-.0123456789eE") != text.length || !begins_like_number(text))
        return false;
    char *end;
    *value = strtod(text.data, &end);
    return end == text.data + text.length;
}

int shopdata_result_double(const shopdata_result *result, size_t row, size_t column, double *value_out,
                           shopdata_error **error_out)
{
    sdi_slice text;
    double value;
    int status = value_of(result, row, column, value_out, &text, error_out);
    if (status != SHOPDATA_OK)
        return status;
    if (!reads_as_double(text, &value))
        return wrong_type(result, row, column, text, "number", error_out);
    *value_out = value;
    return SHOPDATA_OK;
}

int shopdata_result_bool(const shopdata_result *result, size_t row, size_t column, int *value_out,
                         shopdata_error **error_out)
{
    enum { BOOL_OID = 16 };
    sdi_slice text;
    int status = value_of(result, row, column, value_out, &text, error_out);
    if (status != SHOPDATA_OK)
        return status;
    if (shopdata_result_column_type(result, column) != BOOL_OID)
        return wrong_type(result, row, column, text, "boolean", error_out);
    *value_out = text.data[0] == 't';
    return SHOPDATA_OK;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_hex(sdi_slice text)
{
    if (text.length < 2 || text.length % 2 || text.data[0] != '\\' || text.data[1] != 'x')
        return false;
    for (size_t i = 2; i < text.length; i++)
        if (hex_digit(text.data[i]) < 0)
            return false;
    return true;
}

int shopdata_result_bytes(const shopdata_result *result, size_t row, size_t column, void *buffer, size_t size,
                          size_t *length_out, shopdata_error **error_out)
{
    enum { BYTEA_OID = 17 };
    sdi_slice text;
    int status = value_of(result, row, column, length_out, &text, error_out);
    if (status != SHOPDATA_OK)
        return status;
    if (shopdata_result_column_type(result, column) != BYTEA_OID || !is_hex(text))
        return wrong_type(result, row, column, text, "bytea", error_out);
    size_t length = text.length / 2 - 1;
    unsigned char *to = buffer;
    for (size_t i = 0; to && length <= size && i < length; i++)
        to[i] = (unsigned char)(hex_digit(text.data[2 + 2 * i]) << 4 | hex_digit(text.data[3 + 2 * i]));
    *length_out = length;
    return SHOPDATA_OK;
}
