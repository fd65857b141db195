#include "cache/redis/command.h"

#include <inttypes.h>
#include <stdio.h>

#include "cache/operation.h"

static void begin(sdi_buffer *out, size_t arguments)
{
    sdi_buffer_printf(out, "*%zu\r\n", arguments);
}

static void put(sdi_buffer *out, sdi_slice argument)
{
    sdi_buffer_printf(out, "$%zu\r\n", argument.length);
    sdi_buffer_append(out, argument.data, argument.length);
    sdi_buffer_append(out, "\r\n", 2);
}

static void put_text(sdi_buffer *out, const char *text)
{
    put(out, sdi_slice_of(text));
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

static size_t format_gets(sdi_buffer *out, const sdi_cache_op *operations, size_t count)
{
    size_t gets = sdi_cache_gets(operations, count);
    begin(out, gets + 1);
    put_text(out, "MGET");
    for (size_t i = 0; i < gets; i++)
        put(out, operations[i].key);
    return gets;
}

static void format_set(sdi_buffer *out, const sdi_cache_op *operation)
{
    bool add = operation->verb == SDI_CACHE_ADD;
    begin(out, add ? 6 : 5);
    put_text(out, "SET");
    put(out, operation->key);
    put(out, operation->value);
    put_text(out, "PX");
    put_ttl(out, operation->ttl_ms);
    if (add)
        put_text(out, "NX");
}

static void begin_script(sdi_buffer *out, const char *sha, const char *text, sdi_slice key, size_t arguments)
{
    begin(out, 4 + arguments);
    put_text(out, *sha ? "EVALSHA" : "EVAL");
    put_text(out, *sha ? sha : text);
    put_text(out, "1");
    put(out, key);
}

static void format_swap(sdi_buffer *out, const sdi_cache_op *operation, const char *sha)
{
    begin_script(out, sha, sdi_redis_swap, operation->key, 3);
    put(out, operation->expected);
    put(out, operation->value);
    put_ttl(out, operation->ttl_ms);
}

static void format_merge(sdi_buffer *out, const sdi_cache_op *operation, const char *sha)
{
    sdi_buffer record = SDI_BUFFER_INIT;
    sdi_fence_encode(operation->point, &record);
    begin_script(out, sha, sdi_redis_merge, operation->key, 2);
    put(out, (sdi_slice){record.data, record.length});
    put_ttl(out, operation->ttl_ms);
    out->failed |= record.failed;
    sdi_buffer_free(&record);
}

size_t sdi_redis_format(sdi_buffer *out, const sdi_cache_op *operations, size_t count, const sdi_redis_shas *shas)
{
    switch (operations->verb) {
    case SDI_CACHE_GET:
        return format_gets(out, operations, count);
    case SDI_CACHE_SET:
    case SDI_CACHE_ADD:
        format_set(out, operations);
        break;
    case SDI_CACHE_REMOVE:
        begin(out, 2);
        put_text(out, "UNLINK");
        put(out, operations->key);
        break;
    case SDI_CACHE_SWAP:
        format_swap(out, operations, shas->swap);
        break;
    case SDI_CACHE_MERGE:
        format_merge(out, operations, shas->merge);
        break;
    }
    return 1;
}
