#include "model/param.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "model/wire.h"

static int check_text(const shopdata_param *param, size_t number, shopdata_error **error_out)
{
    size_t length = param->value.bytes.length;
    size_t fault = sdi_utf8_fault(param->value.bytes.data, length);
    if (fault == length)
        return SHOPDATA_OK;
    unsigned char byte = ((const unsigned char *)param->value.bytes.data)[fault];
    return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT,
                    "parameter $%zu: byte %zu (0x%02x) is %s; use shopdata_bytes for what is not text", number, fault,
                    byte, byte ? "not UTF-8" : "a zero byte, which PostgreSQL's text cannot hold");
}

static int check_param(const shopdata_param *param, size_t number, shopdata_error **error_out)
{
    if (param->kind < SHOPDATA_NULL || param->kind > SHOPDATA_BYTES)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT,
                        "parameter $%zu: unknown kind %d; build it with shopdata_int64, shopdata_text...", number,
                        param->kind);
    if (param->kind < SHOPDATA_TEXT)
        return SHOPDATA_OK;
    if (!param->value.bytes.data || param->value.bytes.length > SDI_PARAM_BYTES_MAX)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "parameter $%zu: %s", number,
                        param->value.bytes.data ? "over 1 GiB, PostgreSQL's limit for a value"
                                                : "text or bytes at NULL; use shopdata_null()");
    return param->kind == SHOPDATA_TEXT ? check_text(param, number, error_out) : SHOPDATA_OK;
}

static bool is_readable(const shopdata_param *param)
{
    if (param->kind < SHOPDATA_NULL || param->kind > SHOPDATA_BYTES)
        return false;
    return param->kind < SHOPDATA_TEXT || (param->value.bytes.data && param->value.bytes.length <= SDI_PARAM_BYTES_MAX);
}

bool sdi_params_readable(const shopdata_param *params, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!params || !is_readable(&params[i]))
            return false;
    return true;
}

int sdi_params_check(const shopdata_param *params, size_t count, shopdata_error **error_out)
{
    if (count && !params)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "%zu parameters at NULL", count);
    int status = SHOPDATA_OK;
    for (size_t i = 0; i < count && status == SHOPDATA_OK; i++)
        status = check_param(&params[i], i + 1, error_out);
    return status;
}

/* The fewest digits from 15 on that read as this value again: in a numeric, a text or a json, 0.1 must not become
 * 0.10000000000000001. The decimal point is the locale's. */
static void shortest_text(double value, sdi_buffer *text)
{
    char digits[32];
    for (int count = DBL_DIG; count <= DBL_DECIMAL_DIG; count++) {
        snprintf(digits, sizeof digits, "%.*g", count, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    size_t whole = strspn(digits, "+-0123456789e");
    sdi_buffer_append(text, digits, whole);
    size_t point = strcspn(digits + whole, "0123456789");
    if (point)
        sdi_buffer_char(text, '.');
    sdi_buffer_text(text, digits + whole + point);
}

/* PostgreSQL spells the values that are no numbers in its own way. */
static void real_text(double value, sdi_buffer *text)
{
    if (isnan(value))
        sdi_buffer_text(text, "NaN");
    else if (isinf(value))
        sdi_buffer_text(text, value > 0 ? "Infinity" : "-Infinity");
    else
        shortest_text(value, text);
}

void sdi_param_text(const shopdata_param *param, sdi_buffer *text)
{
    switch (param->kind) {
    case SHOPDATA_BOOL:
        sdi_buffer_char(text, param->value.integer ? 't' : 'f');
        break;
    case SHOPDATA_INT64:
        sdi_buffer_decimal(text, param->value.integer);
        break;
    case SHOPDATA_DOUBLE:
        real_text(param->value.real, text);
        break;
    default:
        sdi_buffer_append(text, param->value.bytes.data, param->value.bytes.length);
    }
}

/* A number's text, without a detour. */
static void append_number(sdi_buffer *identity, int64_t number)
{
    enum { DIGITS_MAX = 20, BEFORE = 5 };
    if (!sdi_buffer_reserve(identity, BEFORE + DIGITS_MAX))
        return;
    size_t at = identity->length;
    sdi_buffer_extend(identity, BEFORE);
    sdi_buffer_decimal(identity, number);
    identity->data[at] = 't';
    sdi_put_u32(identity->data + at + 1, (uint32_t)(identity->length - at - BEFORE));
}

static void append_param(sdi_buffer *identity, const shopdata_param *param)
{
    char class = param->kind == SHOPDATA_NULL ? 'n' : param->kind == SHOPDATA_BYTES ? 'b' : 't';
    sdi_buffer_char(identity, class);
    if (class == 'n')
        return;
    size_t length_at = identity->length;
    sdi_wire_u32(identity, 0);
    sdi_param_text(param, identity);
    if (!identity->failed)
        sdi_put_u32(identity->data + length_at, (uint32_t)(identity->length - length_at - sizeof(uint32_t)));
}

void sdi_params_identity(const shopdata_param *params, size_t count, sdi_buffer *identity)
{
    for (size_t i = 0; i < count; i++)
        if (params[i].kind == SHOPDATA_INT64)
            append_number(identity, params[i].value.integer);
        else
            append_param(identity, &params[i]);
}
