#include "cache/redis/command.h"

#include <inttypes.h>
#include <stdio.h>

#include "cache/operation.h"

static void put_count(sdi_buffer *out, char kind, size_t count)
{
    sdi_buffer_char(out, kind);
    sdi_buffer_decimal(out, (int64_t)count);
    sdi_buffer_append(out, "\r\n", 2);
}

static void begin(sdi_buffer *out, size_t arguments)
{
    put_count(out, '*', arguments);
}

static void put_both(sdi_buffer *out, sdi_slice first, sdi_slice second)
{
    put_count(out, '$', first.length + second.length);
    sdi_buffer_append(out, first.data, first.length);
    sdi_buffer_append(out, second.data, second.length);
    sdi_buffer_append(out, "\r\n", 2);
}

static void put(sdi_buffer *out, sdi_slice argument)
{
    put_both(out, argument, (sdi_slice){"", 0});
}

static void put_text(sdi_buffer *out, const char *text)
{
    put(out, sdi_slice_of(text));
}

static void put_value(sdi_buffer *out, const sdi_redis_greeting *greeting, sdi_slice value)
{
    put_both(out, sdi_slice_of(greeting->epoch), value);
}

static void put_ttl(sdi_buffer *out, int64_t ttl_ms)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, sdi_cache_ttl(ttl_ms));
    put_text(out, digits);
}

void sdi_redis_command(sdi_buffer *out, ...)
{
    va_list arguments;
    size_t count = 0;
    va_start(arguments, out);
    while (va_arg(arguments, const char *))
        count++;
    va_end(arguments);
    begin(out, count);
    va_start(arguments, out);
    for (size_t i = 0; i < count; i++)
        put_text(out, va_arg(arguments, const char *));
    va_end(arguments);
}

static void format_gets(sdi_buffer *out, const sdi_cache_op *operations, size_t count)
{
    begin(out, count + 1);
    put_text(out, "MGET");
    for (size_t i = 0; i < count; i++)
        put(out, operations[i].key);
}

static void format_set(sdi_buffer *out, const sdi_cache_op *operation, const sdi_redis_greeting *greeting)
{
    begin(out, 5);
    put_text(out, "SET");
    put(out, operation->key);
    put_value(out, greeting, operation->value);
    put_text(out, "PX");
    put_ttl(out, operation->ttl_ms);
}

static void begin_script(sdi_buffer *out, const char *sha, const char *text, sdi_slice key, size_t arguments)
{
    begin(out, 4 + arguments);
    put_text(out, sha ? "EVALSHA" : "EVAL");
    put_text(out, sha ? sha : text);
    put_text(out, "1");
    put(out, key);
}

static void format_add(sdi_buffer *out, const sdi_cache_op *operation, const sdi_redis_greeting *greeting, bool spelled)
{
    begin_script(out, spelled ? NULL : greeting->add, sdi_redis_add, operation->key, 3);
    put_text(out, greeting->epoch);
    put_value(out, greeting, operation->value);
    put_ttl(out, operation->ttl_ms);
}

static void format_swap(sdi_buffer *out, const sdi_cache_op *operation, const sdi_redis_greeting *greeting,
                        bool spelled)
{
    begin_script(out, spelled ? NULL : greeting->swap, sdi_redis_swap, operation->key, 3);
    put_value(out, greeting, operation->expected);
    put_value(out, greeting, operation->value);
    put_ttl(out, operation->ttl_ms);
}

static void format_merge(sdi_buffer *out, const sdi_cache_op *operation, const sdi_redis_greeting *greeting,
                         bool spelled)
{
    sdi_buffer record = SDI_BUFFER_INIT, settled = SDI_BUFFER_INIT;
    sdi_fence_encode(&operation->change->point, false, &record);
    sdi_fence_pendings(&operation->change->settled, &settled);
    begin_script(out, spelled ? NULL : greeting->merge, sdi_redis_merge, operation->key, 4);
    put(out, (sdi_slice){record.data, record.length});
    put_ttl(out, operation->ttl_ms);
    put_text(out, greeting->epoch);
    put(out, (sdi_slice){settled.data, settled.length});
    out->failed |= record.failed || settled.failed;
    sdi_buffer_free(&record);
    sdi_buffer_free(&settled);
}

static void format_unlink(sdi_buffer *out, sdi_slice key)
{
    begin(out, 2);
    put_text(out, "UNLINK");
    put(out, key);
}

static void format_publish(sdi_buffer *out, const sdi_cache_op *operation)
{
    begin(out, 3);
    put_text(out, "PUBLISH");
    put(out, operation->key);
    put(out, operation->value);
}

void sdi_redis_format(sdi_buffer *out, const sdi_cache_op *operations, size_t count, const sdi_redis_greeting *greeting,
                      bool spelled)
{
    switch (operations->verb) {
    case SDI_CACHE_GET:
        format_gets(out, operations, count);
        break;
    case SDI_CACHE_SET:
        format_set(out, operations, greeting);
        break;
    case SDI_CACHE_ADD:
        format_add(out, operations, greeting, spelled);
        break;
    case SDI_CACHE_REMOVE:
        format_unlink(out, operations->key);
        break;
    case SDI_CACHE_SWAP:
        format_swap(out, operations, greeting, spelled);
        break;
    case SDI_CACHE_MERGE:
        format_merge(out, operations, greeting, spelled);
        break;
    case SDI_CACHE_PUBLISH:
        format_publish(out, operations);
        break;
    }
}

void sdi_redis_format_probe(sdi_buffer *out, const char *key_prefix)
{
    begin(out, 2);
    put_text(out, "UNLINK");
    put_both(out, sdi_slice_of(key_prefix), sdi_slice_of(":probe"));
}
