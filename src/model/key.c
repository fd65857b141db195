#include "model/key.h"

#include <string.h>
#include <strings.h>

#include "model/param.h"

/* real counts exactly up to 2^24. A parameter that stands beside a real column as well is inferred as real, and
 * 16777217 then finds the row 16777216. */
enum { EXACT_IN_EVERY_NUMBER = 1 << 24 };

static bool is_space(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static sdi_slice trimmed(sdi_slice text)
{
    while (text.length && is_space(text.data[0])) {
        text.data++;
        text.length--;
    }
    while (text.length && is_space(text.data[text.length - 1]))
        text.length--;
    return text;
}

/* Decimal digits only: what newer servers read besides ('0x2a', '4_2') is left to the table's tag. */
static bool read_integer(sdi_slice text, uint64_t limit, int64_t *value)
{
    bool negative = text.length && text.data[0] == '-';
    size_t i = text.length && (negative || text.data[0] == '+');
    uint64_t sum = 0;
    if (i == text.length)
        return false;
    for (; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(text.data[i] - '0');
        if (sum > (limit + negative - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *value = negative ? (int64_t)-sum : (int64_t)sum;
    return true;
}

static uint64_t limit_of(enum sdi_key_type type)
{
    return type == SDI_KEY_INT2 ? INT16_MAX : type == SDI_KEY_INT4 ? INT32_MAX : INT64_MAX;
}

static bool append_integer(sdi_buffer *out, int64_t value, bool shared)
{
    if (shared && (value > EXACT_IN_EVERY_NUMBER || value < -EXACT_IN_EVERY_NUMBER))
        return false;
    sdi_buffer_decimal(out, value);
    return true;
}

static bool integer_key(sdi_buffer *out, enum sdi_key_type type, sdi_slice text, bool shared)
{
    int64_t value;
    return read_integer(trimmed(text), limit_of(type), &value) && append_integer(out, value, shared);
}

/* PostgreSQL takes every beginning of these words, but `o`, which could be either. */
static bool begins(const char *word, size_t least, sdi_slice text)
{
    return text.length >= least && text.length <= strlen(word) && !strncasecmp(word, text.data, text.length);
}

static bool boolean_key(sdi_buffer *out, sdi_slice text)
{
    text = trimmed(text);
    if (begins("true", 1, text) || begins("yes", 1, text) || begins("on", 2, text) || begins("1", 1, text))
        sdi_buffer_text(out, "true");
    else if (begins("false", 1, text) || begins("no", 1, text) || begins("off", 2, text) || begins("0", 1, text))
        sdi_buffer_text(out, "false");
    else
        return false;
    return true;
}

static char lower_hex(char byte)
{
    if ((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f'))
        return byte;
    return byte >= 'A' && byte <= 'F' ? (char)(byte - 'A' + 'a') : 0;
}

/* As uuid_in does: braces around, a hyphen after any four digits; no blanks. */
static bool uuid_key(sdi_buffer *out, sdi_slice text)
{
    char digits[32];
    size_t count = 0;
    if (text.length > 2 && text.data[0] == '{' && text.data[text.length - 1] == '}')
        text = (sdi_slice){text.data + 1, text.length - 2};
    for (size_t i = 0; i < text.length; i++) {
        bool hyphen_may_stand = count && count < 32 && count % 4 == 0 && text.data[i - 1] != '-';
        if (text.data[i] == '-' && hyphen_may_stand)
            continue;
        char digit = lower_hex(text.data[i]);
        if (!digit || count == 32)
            return false;
        digits[count++] = digit;
    }
    if (count != 32)
        return false;
    for (size_t i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            sdi_buffer_char(out, '-');
        sdi_buffer_char(out, digits[i]);
    }
    return true;
}

/* A text that stands elsewhere too may have been inferred as char(n), which drops blanks at the end. */
static bool text_key(sdi_buffer *out, sdi_slice text, bool shared)
{
    if (!shared)
        sdi_tag_escape(out, text, false);
    return !shared;
}

bool sdi_key_append(sdi_buffer *out, enum sdi_key_type type, sdi_slice text, bool shared)
{
    switch (type) {
    case SDI_KEY_INT2:
    case SDI_KEY_INT4:
    case SDI_KEY_INT8:
        return integer_key(out, type, text, shared);
    case SDI_KEY_BOOL:
        return boolean_key(out, text);
    case SDI_KEY_UUID:
        return uuid_key(out, text);
    case SDI_KEY_TEXT:
        return text_key(out, text, shared);
    case SDI_KEY_NONE:
        break;
    }
    return false;
}

static bool is_integer(enum sdi_key_type type)
{
    return type == SDI_KEY_INT2 || type == SDI_KEY_INT4 || type == SDI_KEY_INT8;
}

/* A number for a column of numbers, as most keys are, is not made a text to be read again. */
static bool number_key(sdi_buffer *out, enum sdi_key_type type, int64_t value, bool shared)
{
    char room[32];
    sdi_buffer text;
    int64_t limit = (int64_t)limit_of(type);
    if (is_integer(type))
        return value <= limit && value >= -limit - 1 && append_integer(out, value, shared);
    sdi_buffer_lend(&text, room, sizeof room);
    sdi_buffer_decimal(&text, value);
    return sdi_key_append(out, type, (sdi_slice){text.data, text.length}, shared);
}

bool sdi_key_param(sdi_buffer *out, enum sdi_key_type type, const shopdata_param *param, bool shared)
{
    if (param->kind == SHOPDATA_INT64)
        return number_key(out, type, param->value.integer, shared);
    if (param->kind == SHOPDATA_BOOL)
        return sdi_key_append(out, type, sdi_slice_of(param->value.integer ? "t" : "f"), shared);
    if (param->kind != SHOPDATA_TEXT)
        return false;
    return sdi_key_append(out, type, (sdi_slice){param->value.bytes.data, param->value.bytes.length}, shared);
}

void sdi_tag_escape(sdi_buffer *out, sdi_slice text, bool dots)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte > ' ' && byte != 0x7f && !strchr("/,=%*$#", byte) && (byte != '.' || !dots)) {
            sdi_buffer_char(out, (char)byte);
            continue;
        }
        sdi_buffer_char(out, '%');
        sdi_buffer_char(out, hex[byte >> 4]);
        sdi_buffer_char(out, hex[byte & 15]);
    }
}
