#include "model/config_value.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "model/address.h"
#include "model/token_keys.h"

typedef struct unit {
    const char *name;
    int64_t size;
} unit;

static const unit duration_units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const unit byte_units[] = {{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {NULL, 0}};

/* A decimal number: whole + fraction / 10^digits. */
typedef struct decimal {
    int64_t whole, fraction;
    int digits;
    bool too_large; /* beyond any range; `whole` is then meaningless */
    bool too_fine;  /* more digits than any unit can use */
} decimal;

enum { FRACTION_DIGITS = 10 };
#define WHOLE_MAX INT64_C(1000000000000000) /* over every limit, in any unit */

static bool is_digit(sdi_slice text, size_t at)
{
    return at < text.length && text.data[at] >= '0' && text.data[at] <= '9';
}

static size_t read_whole(sdi_slice text, decimal *number)
{
    size_t at = 0;
    for (; is_digit(text, at); at++) {
        if (!number->too_large)
            number->whole = number->whole * 10 + (text.data[at] - '0');
        number->too_large = number->too_large || number->whole > WHOLE_MAX;
    }
    return at;
}

static size_t read_fraction(sdi_slice text, size_t at, decimal *number)
{
    for (; is_digit(text, at); at++) {
        if (number->digits == FRACTION_DIGITS) {
            number->too_fine = number->too_fine || text.data[at] != '0';
            continue;
        }
        number->fraction = number->fraction * 10 + (text.data[at] - '0');
        number->digits++;
    }
    return at;
}

/* Reads digits, with a fraction if there is one, and returns how long that is; 0 if it is no number. */
static size_t read_decimal(sdi_slice text, decimal *number)
{
    *number = (decimal){0};
    size_t at = read_whole(text, number);
    if (!at || at == text.length || text.data[at] != '.')
        return at;
    return is_digit(text, at + 1) ? read_fraction(text, at + 1, number) : 0;
}

/* number * size; false if that is not whole. The fraction times a GiB passes 63 bits, not 64. */
static bool scale(const decimal *number, int64_t size, int64_t *value_out)
{
    uint64_t power = 1, part = (uint64_t)number->fraction * (uint64_t)size;
    for (int i = 0; i < number->digits; i++)
        power *= 10;
    if (number->too_fine || part % power)
        return false;
    if (number->too_large || __builtin_mul_overflow(number->whole, size, value_out) ||
        __builtin_add_overflow(*value_out, (int64_t)(part / power), value_out))
        *value_out = INT64_MAX;
    return true;
}

static bool fault_of(sdi_buffer *fault, sdi_slice text, const char *what)
{
    sdi_quote(fault, text);
    sdi_buffer_text(fault, what);
    return false;
}

static bool check_range(const sdi_config_key *key, sdi_slice text, int64_t number, sdi_buffer *fault)
{
    if (number >= key->low && number <= key->high)
        return true;
    fault_of(fault, text, " is out of range; from ");
    sdi_config_value_show(fault, key->type, key->low);
    sdi_buffer_text(fault, " to ");
    sdi_config_value_show(fault, key->type, key->high);
    return false;
}

static sdi_slice rest_of(sdi_slice text, size_t at)
{
    while (at < text.length && text.data[at] == ' ')
        at++;
    return (sdi_slice){text.data + at, text.length - at};
}

static bool parse_int(const sdi_config_key *key, sdi_slice text, sdi_config_value *value, sdi_buffer *fault)
{
    decimal number;
    size_t end = read_decimal(text, &number);
    sdi_slice rest = rest_of(text, end);
    bool percent = key->type == SDI_KEY_PERCENT && sdi_slice_equal(rest, sdi_slice_of("%"));
    if (!end || number.digits || (rest.length && !percent))
        return fault_of(fault, text, " is not a whole number; write digits only");
    return scale(&number, 1, &value->number) && check_range(key, text, value->number, fault);
}

static const unit *find_unit(const unit *units, sdi_slice name)
{
    for (; units->name; units++)
        if (sdi_slice_equal(name, sdi_slice_of(units->name)))
            return units;
    return NULL;
}

static bool parse_scaled(const sdi_config_key *key, sdi_slice text, const decimal *number, int64_t size,
                         sdi_config_value *value, sdi_buffer *fault)
{
    if (!scale(number, size, &value->number))
        return fault_of(fault, text,
                        key->type == SDI_KEY_BYTES
                            ? " is not a whole number of bytes; write it in a smaller unit"
                            : " is not a whole number of milliseconds; write it in a smaller unit");
    return check_range(key, text, value->number, fault);
}

static bool parse_duration(const sdi_config_key *key, sdi_slice text, sdi_config_value *value, sdi_buffer *fault)
{
    decimal number;
    size_t end = read_decimal(text, &number);
    sdi_slice name = rest_of(text, end);
    const unit *found = find_unit(duration_units, name);
    if (!end)
        return fault_of(fault, text, " is not a duration; write a number and a unit (ms, s, m, h or d): 250ms");
    if (name.length == 0) {
        fault_of(fault, text, " has no unit; add a unit: ");
        sdi_buffer_printf(fault, "%.*sms", (int)(end < 20 ? end : 20), text.data);
        return false;
    }
    if (!found)
        return fault_of(fault, text, " has an unknown unit; the units are ms, s, m, h and d");
    return parse_scaled(key, text, &number, found->size, value, fault);
}

/* Says what 64k, 64KB or 64mb may have meant: the unit that begins with the same letter. */
static bool tell_byte_unit(sdi_slice text, size_t end, sdi_slice name, sdi_buffer *fault)
{
    for (const unit *candidate = byte_units + 1; candidate->name; candidate++) {
        if (strncasecmp(name.data, candidate->name, 1) == 0) {
            fault_of(fault, text, " has an unknown unit; write ");
            sdi_buffer_printf(fault, "%.*s%s", (int)(end < 20 ? end : 20), text.data, candidate->name);
            return false;
        }
    }
    return fault_of(fault, text, " has an unknown unit; the units are B, KiB, MiB and GiB");
}

static bool parse_bytes(const sdi_config_key *key, sdi_slice text, sdi_config_value *value, sdi_buffer *fault)
{
    decimal number;
    size_t end = read_decimal(text, &number);
    if (!end)
        return fault_of(fault, text, " is not a size; write a number and a unit (B, KiB, MiB or GiB): 64MiB");
    sdi_slice name = rest_of(text, end);
    const unit *found = name.length ? find_unit(byte_units, name) : &byte_units[0];
    if (!found)
        return tell_byte_unit(text, end, name, fault);
    return parse_scaled(key, text, &number, found->size, value, fault);
}

static bool parse_bool(const sdi_config_key *key, sdi_slice text, sdi_config_value *value, sdi_buffer *fault)
{
    (void)key;
    value->number = sdi_slice_equal(text, sdi_slice_of("on"));
    if (value->number || sdi_slice_equal(text, sdi_slice_of("off")))
        return true;
    return fault_of(fault, text, " is neither on nor off; write on or off");
}

static bool parse_choice(const sdi_config_key *key, sdi_slice text, sdi_config_value *value, sdi_buffer *fault)
{
    for (int64_t i = 0; key->choices[i]; i++) {
        value->number = i;
        if (sdi_slice_equal(text, sdi_slice_of(key->choices[i])))
            return true;
    }
    fault_of(fault, text, " is not a choice; write ");
    for (size_t i = 0; key->choices[i]; i++)
        sdi_buffer_printf(fault, "%s%s", !i ? "" : key->choices[i + 1] ? ", " : " or ", key->choices[i]);
    return false;
}

static bool parse_text(const sdi_config_key *key, sdi_slice text, sdi_config_value *value, sdi_buffer *fault)
{
    value->text = text;
    if ((int64_t)text.length < key->low) {
        sdi_buffer_printf(fault, "the value is empty; write at least %" PRId64 " byte", key->low);
        return false;
    }
    if (key->high && (int64_t)text.length > key->high) {
        sdi_buffer_printf(fault, "the value is %zu bytes long; at most %" PRId64, text.length, key->high);
        return false;
    }
    return true;
}

static bool parse_word(const sdi_config_key *key, sdi_slice text, sdi_config_value *value, sdi_buffer *fault)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] <= ' ' || text.data[i] >= 127)
            return fault_of(fault, text, " has a blank or a special character; write printable ASCII without blanks");
    return parse_text(key, text, value, fault);
}

static bool parse_addresses(const sdi_config_key *key, sdi_slice text, sdi_config_value *value, sdi_buffer *fault)
{
    (void)key;
    value->text = text;
    return sdi_addresses_check(text, fault);
}

static bool parse_token_keys(const sdi_config_key *key, sdi_slice text, sdi_config_value *value, sdi_buffer *fault)
{
    sdi_token_keys keys;
    (void)key;
    value->text = text;
    return sdi_token_keys_read(text, &keys, fault);
}

typedef bool parser(const sdi_config_key *key, sdi_slice text, sdi_config_value *value, sdi_buffer *fault);

bool sdi_config_value_parse(const sdi_config_key *key, sdi_slice text, sdi_config_value *value_out, sdi_buffer *fault)
{
    static parser *const parsers[SDI_KEY_TYPES] = {
        [SDI_KEY_TEXT] = parse_text,
        [SDI_KEY_SECRET] = parse_text,
        [SDI_KEY_WORD] = parse_word,
        [SDI_KEY_INT] = parse_int,
        [SDI_KEY_PERCENT] = parse_int,
        [SDI_KEY_DURATION] = parse_duration,
        [SDI_KEY_BYTES] = parse_bytes,
        [SDI_KEY_BOOL] = parse_bool,
        [SDI_KEY_CHOICE] = parse_choice,
        [SDI_KEY_ADDRESSES] = parse_addresses,
        [SDI_KEY_TOKEN_KEYS] = parse_token_keys,
    };
    *value_out = (sdi_config_value){0, {NULL, 0}};
    return parsers[key->type](key, text, value_out, fault);
}

/* The largest unit that leaves a whole number; a single day reads better as 24h. */
static void show_scaled(sdi_buffer *out, const unit *units, int64_t number)
{
    const unit *best = units;
    for (; units->name; units++)
        if (number && number % units->size == 0 && !(number == units->size && units->size == 86400000))
            best = units;
    sdi_buffer_printf(out, "%" PRId64 "%s", number / best->size, best->name);
}

void sdi_config_value_show(sdi_buffer *out, enum sdi_key_type type, int64_t number)
{
    if (type == SDI_KEY_DURATION)
        show_scaled(out, duration_units, number);
    else if (type == SDI_KEY_BYTES)
        show_scaled(out, byte_units, number);
    else
        sdi_buffer_printf(out, "%" PRId64, number);
}
