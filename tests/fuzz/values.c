/* Cells as the Python binding reads them: of any bytes nothing is read past the end, what is read is in range, what a
 * type has one way to write is read from that only, and elements come out of an array as they were quoted into it. */
#include "fuzz.h"
#include "parse.h"

static void numbers(sdb_slice text)
{
    int64_t number = 0, again = 0;
    if (!sdb_parse_int64(text, &number))
        return;
    sdb_text written;
    sdb_text_begin(&written);
    sdb_text_decimal(&written, number);
    HOLDS(sdb_parse_int64((sdb_slice){written.data, written.length}, &again) && again == number);
    sdb_text_end(&written);
}

static void bytes(sdb_slice text)
{
    unsigned char *read = sdi_malloc(text.length / 2 + 1);
    char digits[33];
    HOLDS(read);
    if (sdb_parse_hex(text, read)) {
        sdb_text written;
        sdb_text_begin(&written);
        sdb_text_hex(&written, read, text.length / 2 - 1);
        HOLDS(written.length == text.length && !memcmp(written.data, text.data, text.length));
        sdb_text_end(&written);
    }
    if (sdb_parse_uuid(text, digits))
        HOLDS(strlen(digits) == 32 && strspn(digits, "0123456789abcdef") == 32);
    sdi_free(read);
}

static void date_in_range(const sdb_date *date)
{
    HOLDS(date->year >= 1 && date->year <= 9999 && date->month >= 1 && date->month <= 12);
    HOLDS(date->day >= 1 && date->day <= 31);
}

static void time_in_range(const sdb_time *time)
{
    HOLDS(time->hour >= 0 && time->hour < 24 && time->minute >= 0 && time->minute < 60);
    HOLDS(time->second >= 0 && time->second < 60 && time->microsecond >= 0 && time->microsecond < 1000000);
}

static void moments(sdb_slice text)
{
    sdb_date date;
    sdb_time time;
    int offset = 0;
    if (sdb_parse_date(text, &date)) {
        char written[64];
        snprintf(written, sizeof written, "%04d-%02d-%02d", date.year, date.month, date.day);
        HOLDS(text.length == strlen(written) && !memcmp(written, text.data, text.length));
        date_in_range(&date);
    }
    if (sdb_parse_time(text, &time))
        time_in_range(&time);
    if (sdb_parse_timetz(text, &time, &offset))
        time_in_range(&time);
    HOLDS(offset > -86400 && offset < 86400);
    if (sdb_parse_timestamp(text, &date, &time) || sdb_parse_timestamptz(text, &date, &time, &offset)) {
        date_in_range(&date);
        time_in_range(&time);
    }
    HOLDS(offset > -86400 && offset < 86400);
}

static void intervals(sdb_slice text)
{
    sdb_span span;
    if (!sdb_parse_interval(text, &span))
        return;
    HOLDS(span.days >= -999999999 && span.days <= 999999999);
    HOLDS(span.seconds >= 0 && span.seconds < 86400 && span.microseconds >= 0 && span.microseconds < 1000000);
}

static void arrays(sdb_slice text)
{
    sdb_array array;
    sdb_array_begin(&array, text);
    enum sdb_array_token token;
    int depth = 0;
    size_t tokens = 0;
    while ((token = sdb_array_next(&array)) != SDB_ARRAY_END && token != SDB_ARRAY_BAD) {
        depth += token == SDB_ARRAY_OPEN ? 1 : token == SDB_ARRAY_CLOSE ? -1 : 0;
        HOLDS(depth >= 0 && depth <= SDB_ARRAY_DEPTH_MAX);
        HOLDS(++tokens <= text.length);
        if (token == SDB_ARRAY_ITEM && array.item.length)
            HOLDS(memchr(array.item.data, array.item.data[0], array.item.length));
    }
    HOLDS(token == SDB_ARRAY_BAD || (depth == 0 && tokens >= 2));
    sdb_array_end(&array);
}

/* Pieces of the input, quoted as elements: {"...","..."}. */
static void quoted(sdb_slice text)
{
    enum { PIECE = 5 };
    sdb_text written;
    sdb_text_begin(&written);
    sdb_text_char(&written, '{');
    for (size_t at = 0; at < text.length; at += PIECE) {
        size_t left = text.length - at, begin = written.length + (at > 0);
        if (at > 0)
            sdb_text_char(&written, ',');
        sdb_text_append(&written, text.data + at, left < PIECE ? left : PIECE);
        sdb_text_quote(&written, begin);
    }
    sdb_text_char(&written, '}');
    sdb_array array;
    sdb_array_begin(&array, (sdb_slice){written.data, written.length});
    HOLDS(sdb_array_next(&array) == SDB_ARRAY_OPEN);
    for (size_t at = 0; at < text.length; at += array.item.length) {
        HOLDS(sdb_array_next(&array) == SDB_ARRAY_ITEM && array.item.length > 0);
        HOLDS(!memcmp(array.item.data, text.data + at, array.item.length));
    }
    HOLDS(sdb_array_next(&array) == SDB_ARRAY_CLOSE && sdb_array_next(&array) == SDB_ARRAY_END);
    sdb_array_end(&array);
    sdb_text_end(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = fuzz_exact((sdi_slice){(const char *)data, size});
    sdb_slice text = {exact, size};
    numbers(text);
    bytes(text);
    moments(text);
    intervals(text);
    arrays(text);
    quoted(text);
    sdi_free(exact);
    return 0;
}
