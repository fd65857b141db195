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

/* Left out in a text, to be filled with a field of the greeting. */
typedef struct gap {
    size_t at;
    uint16_t field, length;
} gap;

static void leave_gap(sdi_redis_commands *commands, size_t field, size_t length)
{
    const gap left = {commands->text.length, (uint16_t)field, (uint16_t)length};
    sdi_buffer_extend(&commands->text, length);
    sdi_buffer_append(&commands->gaps, &left, sizeof left);
}

static void put_greeting(sdi_redis_commands *commands, size_t field, size_t length)
{
    put_count(&commands->text, '$', length);
    leave_gap(commands, field, length);
    sdi_buffer_append(&commands->text, "\r\n", 2);
}

static void put_epoch(sdi_redis_commands *commands)
{
    put_greeting(commands, offsetof(sdi_redis_greeting, epoch), SDI_REDIS_EPOCH);
}

static void put_value(sdi_redis_commands *commands, sdi_slice value)
{
    put_count(&commands->text, '$', SDI_REDIS_EPOCH + value.length);
    leave_gap(commands, offsetof(sdi_redis_greeting, epoch), SDI_REDIS_EPOCH);
    sdi_buffer_append(&commands->text, value.data, value.length);
    sdi_buffer_append(&commands->text, "\r\n", 2);
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

static void format_set(sdi_redis_commands *commands, const sdi_cache_op *operation)
{
    sdi_buffer *out = &commands->text;
    begin(out, 5);
    put_text(out, "SET");
    put(out, operation->key);
    put_value(commands, operation->value);
    put_text(out, "PX");
    put_ttl(out, operation->ttl_ms);
}

/* A script by its name, a field of the greeting, or by its text. */
typedef struct script {
    size_t name;
    const char *text;
} script;

static void begin_script(sdi_redis_commands *commands, script run, bool spelled, sdi_slice key, size_t arguments)
{
    sdi_buffer *out = &commands->text;
    begin(out, 4 + arguments);
    put_text(out, spelled ? "EVAL" : "EVALSHA");
    if (spelled)
        put_text(out, run.text);
    else
        put_greeting(commands, run.name, SDI_REDIS_SHA);
    put_text(out, "1");
    put(out, key);
}

static void format_add(sdi_redis_commands *commands, const sdi_cache_op *operation, bool spelled)
{
    const script add = {offsetof(sdi_redis_greeting, add), sdi_redis_add};
    begin_script(commands, add, spelled, operation->key, 3);
    put_epoch(commands);
    put_value(commands, operation->value);
    put_ttl(&commands->text, operation->ttl_ms);
}

static void format_swap(sdi_redis_commands *commands, const sdi_cache_op *operation, bool spelled)
{
    const script swap = {offsetof(sdi_redis_greeting, swap), sdi_redis_swap};
    begin_script(commands, swap, spelled, operation->key, 3);
    put_value(commands, operation->expected);
    put_value(commands, operation->value);
    put_ttl(&commands->text, operation->ttl_ms);
}

static void format_merge(sdi_redis_commands *commands, const sdi_cache_op *operation, bool spelled)
{
    const script merge = {offsetof(sdi_redis_greeting, merge), sdi_redis_merge};
    sdi_buffer *out = &commands->text, record = SDI_BUFFER_INIT, settled = SDI_BUFFER_INIT;
    sdi_fence_encode(&operation->change->point, false, &record);
    sdi_fence_pendings(&operation->change->settled, &settled);
    begin_script(commands, merge, spelled, operation->key, 4);
    put(out, (sdi_slice){record.data, record.length});
    put_ttl(out, operation->ttl_ms);
    put_epoch(commands);
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

void sdi_redis_format(sdi_redis_commands *commands, const sdi_cache_op *operations, size_t count, bool spelled)
{
    switch (operations->verb) {
    case SDI_CACHE_GET:
        format_gets(&commands->text, operations, count);
        break;
    case SDI_CACHE_SET:
        format_set(commands, operations);
        break;
    case SDI_CACHE_ADD:
        format_add(commands, operations, spelled);
        break;
    case SDI_CACHE_REMOVE:
        format_unlink(&commands->text, operations->key);
        break;
    case SDI_CACHE_SWAP:
        format_swap(commands, operations, spelled);
        break;
    case SDI_CACHE_MERGE:
        format_merge(commands, operations, spelled);
        break;
    case SDI_CACHE_PUBLISH:
        format_publish(&commands->text, operations);
        break;
    }
}

void sdi_redis_fill(sdi_buffer *out, const sdi_redis_commands *commands, const sdi_redis_greeting *greeting)
{
    char *begin = sdi_buffer_extend(out, commands->text.length);
    out->failed |= commands->text.failed || commands->gaps.failed;
    if (out->failed || !begin)
        return;
    memcpy(begin, commands->text.data, commands->text.length);
    for (size_t at = 0; at < commands->gaps.length; at += sizeof(gap)) {
        gap filled;
        memcpy(&filled, commands->gaps.data + at, sizeof filled);
        memcpy(begin + filled.at, (const char *)greeting + filled.field, filled.length);
    }
}

void sdi_redis_commands_free(sdi_redis_commands *commands)
{
    sdi_buffer_free(&commands->text);
    sdi_buffer_free(&commands->gaps);
}

void sdi_redis_format_probe(sdi_buffer *out, const char *key_prefix)
{
    begin(out, 2);
    put_text(out, "UNLINK");
    put_both(out, sdi_slice_of(key_prefix), sdi_slice_of(":probe"));
}
