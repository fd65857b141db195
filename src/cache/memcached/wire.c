#include "cache/memcached/wire.h"

#include <inttypes.h>
#include <string.h>

#include "base/hash.h"

enum { LINE_MAX_BYTES = 1024, HASH_MARK = '~' };

static bool is_plain(sdi_slice key)
{
    for (size_t i = 0; i < key.length; i++)
        if ((unsigned char)key.data[i] <= ' ' || key.data[i] == 127)
            return false;
    return key.length > 0 && key.data[0] != HASH_MARK;
}

void sdi_memcached_key(sdi_buffer *out, const char *prefix, sdi_slice key)
{
    sdi_buffer_text(out, prefix);
    if (strlen(prefix) + key.length <= SDI_MEMCACHED_KEY_MAX && is_plain(key)) {
        sdi_buffer_append(out, key.data, key.length);
        return;
    }
    sdi_hash128 hash = sdi_hash128_of(key.data, key.length);
    sdi_buffer_char(out, HASH_MARK);
    sdi_buffer_hex(out, hash.high, 16);
    sdi_buffer_hex(out, hash.low, 16);
}

int64_t sdi_memcached_shorter(int64_t ttl_ms)
{
    int64_t seconds = ttl_ms / 1000;
    if (seconds < 1)
        return SDI_MEMCACHED_EXPIRED;
    return seconds < SDI_MEMCACHED_TTL_MAX ? seconds : SDI_MEMCACHED_TTL_MAX;
}

int64_t sdi_memcached_longer(int64_t ttl_ms)
{
    if (ttl_ms >= (SDI_MEMCACHED_TTL_MAX - 1) * INT64_C(1000))
        return 0;
    return ttl_ms <= 0 ? 1 : (ttl_ms + 999) / 1000 + 1;
}

static const char *const verbs[] = {
    [SDI_MEMCACHED_GET] = "get",           [SDI_MEMCACHED_GETS] = "gets", [SDI_MEMCACHED_SET] = "set",
    [SDI_MEMCACHED_ADD] = "add",           [SDI_MEMCACHED_CAS] = "cas",   [SDI_MEMCACHED_DELETE] = "delete",
    [SDI_MEMCACHED_CONFIG] = "config get",
};

static bool stores(enum sdi_memcached_verb verb)
{
    return verb == SDI_MEMCACHED_SET || verb == SDI_MEMCACHED_ADD || verb == SDI_MEMCACHED_CAS;
}

static bool reads(enum sdi_memcached_verb verb)
{
    return verb == SDI_MEMCACHED_GET || verb == SDI_MEMCACHED_GETS || verb == SDI_MEMCACHED_CONFIG;
}

void sdi_memcached_format(sdi_buffer *out, const sdi_memcached_request *request)
{
    if (!request->follows)
        sdi_buffer_text(out, verbs[request->verb]);
    sdi_buffer_char(out, ' ');
    sdi_buffer_append(out, request->key.data, request->key.length);
    if (request->more)
        return;
    if (stores(request->verb)) {
        sdi_buffer_printf(out, " 0 %" PRId64 " %zu", request->lifetime, request->value.length);
        if (request->verb == SDI_MEMCACHED_CAS)
            sdi_buffer_printf(out, " %" PRIu64, request->cas);
        sdi_buffer_append(out, "\r\n", 2);
        sdi_buffer_append(out, request->value.data, request->value.length);
    }
    sdi_buffer_append(out, "\r\n", 2);
}

/* Takes `expected` off the front. */
static bool take(sdi_slice *text, sdi_slice expected)
{
    if (text->length < expected.length || memcmp(text->data, expected.data, expected.length) != 0)
        return false;
    text->data += expected.length;
    text->length -= expected.length;
    return true;
}

static bool take_number(sdi_slice *text, uint64_t *number_out)
{
    uint64_t number = 0;
    size_t at = 0;
    for (; at < text->length && text->data[at] >= '0' && text->data[at] <= '9'; at++) {
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(text->data[at] - '0'), &number))
            return false;
    }
    *number_out = number;
    return at > 0 && take(text, (sdi_slice){text->data, at});
}

static const char *value_word(const sdi_memcached_request *request)
{
    return request->verb == SDI_MEMCACHED_CONFIG ? "CONFIG " : "VALUE ";
}

/* "VALUE key flags bytes [cas]" (CONFIG of a configuration): false if it is not the value asked for. */
static bool read_value_line(const sdi_memcached_request *request, sdi_slice line, uint64_t *length, uint64_t *cas)
{
    uint64_t flags;
    sdi_slice blank = sdi_slice_of(" ");
    if (!take(&line, sdi_slice_of(value_word(request))) || !take(&line, request->key) || !take(&line, blank) ||
        !take_number(&line, &flags) || !take(&line, blank) || !take_number(&line, length))
        return false;
    if (request->verb == SDI_MEMCACHED_GETS && (!take(&line, blank) || !take_number(&line, cas)))
        return false;
    return line.length == 0;
}

static enum sdi_memcached_parsed parse_value(const sdi_memcached_request *request, sdi_slice bytes, sdi_slice line,
                                             size_t value_max, sdi_memcached_answer *answer)
{
    sdi_slice end = sdi_slice_of(request->follows || request->more ? "\r\n" : "\r\nEND\r\n");
    uint64_t length;
    if (!read_value_line(request, line, &length, &answer->cas) || length > value_max)
        return SDI_MEMCACHED_MALFORMED;
    size_t begin = line.length + 2;
    answer->length = begin + (size_t)length + end.length;
    if (bytes.length < answer->length)
        return SDI_MEMCACHED_INCOMPLETE;
    if (memcmp(bytes.data + begin + length, end.data, end.length) != 0)
        return SDI_MEMCACHED_MALFORMED;
    answer->value = (sdi_slice){bytes.data + begin, (size_t)length};
    answer->kind = SDI_MEMCACHED_VALUE;
    return SDI_MEMCACHED_COMPLETE;
}

/* What a line alone may say, and to which request. */
static enum sdi_memcached_answer_kind meaning_of(enum sdi_memcached_verb verb, sdi_slice line)
{
    static const struct {
        const char *text;
        unsigned verbs;
        enum sdi_memcached_answer_kind kind;
    } lines[] = {
        {"END", 1 << SDI_MEMCACHED_GET | 1 << SDI_MEMCACHED_GETS, SDI_MEMCACHED_MISSING},
        {"STORED", 1 << SDI_MEMCACHED_SET | 1 << SDI_MEMCACHED_ADD | 1 << SDI_MEMCACHED_CAS, SDI_MEMCACHED_STORED},
        {"NOT_STORED", 1 << SDI_MEMCACHED_SET | 1 << SDI_MEMCACHED_ADD, SDI_MEMCACHED_TAKEN},
        {"EXISTS", 1 << SDI_MEMCACHED_CAS, SDI_MEMCACHED_TAKEN},
        {"NOT_FOUND", 1 << SDI_MEMCACHED_CAS | 1 << SDI_MEMCACHED_DELETE, SDI_MEMCACHED_MISSING},
        {"DELETED", 1 << SDI_MEMCACHED_DELETE, SDI_MEMCACHED_STORED},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (lines[i].verbs >> verb & 1 && sdi_slice_equal(line, sdi_slice_of(lines[i].text)))
            return lines[i].kind;
    sdi_slice rest = line;
    return take(&rest, sdi_slice_of("SERVER_ERROR")) ? SDI_MEMCACHED_REFUSED : SDI_MEMCACHED_NOTHING;
}

static bool is_error(sdi_slice line)
{
    sdi_slice rest = line;
    return sdi_slice_equal(line, sdi_slice_of("ERROR")) || take(&rest, sdi_slice_of("CLIENT_ERROR"));
}

sdi_slice sdi_memcached_value_key(sdi_slice bytes)
{
    if (!take(&bytes, sdi_slice_of("VALUE ")))
        return (sdi_slice){NULL, 0};
    size_t searched = bytes.length < LINE_MAX_BYTES ? bytes.length : LINE_MAX_BYTES;
    const char *blank = memchr(bytes.data, ' ', searched);
    return (sdi_slice){blank ? bytes.data : NULL, blank ? (size_t)(blank - bytes.data) : 0};
}

enum sdi_memcached_parsed sdi_memcached_parse(const sdi_memcached_request *request, sdi_slice bytes, size_t value_max,
                                              sdi_memcached_answer *answer_out)
{
    size_t searched = bytes.length < LINE_MAX_BYTES ? bytes.length : LINE_MAX_BYTES;
    const char *end = searched ? memchr(bytes.data, '\n', searched) : NULL;
    *answer_out = (sdi_memcached_answer){.length = bytes.length + 1};
    if (!end)
        return searched == LINE_MAX_BYTES ? SDI_MEMCACHED_MALFORMED : SDI_MEMCACHED_INCOMPLETE;
    sdi_slice line = {bytes.data, (size_t)(end - bytes.data)}, rest;
    if (line.length == 0 || end[-1] != '\r')
        return SDI_MEMCACHED_MALFORMED;
    line.length--;
    rest = line;
    if (reads(request->verb) && take(&rest, sdi_slice_of(value_word(request))))
        return parse_value(request, bytes, line, value_max, answer_out);
    answer_out->kind = meaning_of(request->verb, line);
    answer_out->length = line.length + 2;
    if (answer_out->kind != SDI_MEMCACHED_NOTHING)
        return SDI_MEMCACHED_COMPLETE;
    return is_error(line) ? SDI_MEMCACHED_ERROR : SDI_MEMCACHED_MALFORMED;
}
