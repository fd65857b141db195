#include "cache/redis/reply.h"

#include <hiredis/hiredis.h>

#include "base/memory.h"
#include "cache/redis/command.h"

#if HIREDIS_MAJOR >= 1
typedef size_t element_count;
#else
typedef int element_count;
#endif

/* What a callback returns when a reply is refused; hiredis takes it for a lack of memory and stops. */
static void *refuse(sdi_redis_replies *replies, int outcome)
{
    replies->outcome = outcome;
    return NULL;
}

static sdi_redis_reply *current(const sdi_redis_replies *replies)
{
    return &replies->list[replies->done];
}

static bool begins(const char *text, size_t length, const char *prefix)
{
    return length >= strlen(prefix) && memcmp(text, prefix, strlen(prefix)) == 0;
}

static const struct {
    const char *prefix;
    enum sdi_redis_verdict verdict;
} verdicts[] = {
    {"NOSCRIPT", SDI_REDIS_NOSCRIPT}, /* a server that was flushed, or is new, does not know our scripts */
    {"MOVED ", SDI_REDIS_MOVED},      {"ASK ", SDI_REDIS_ASK},
    {"TRYAGAIN", SDI_REDIS_AGAIN},    {"CLUSTERDOWN", SDI_REDIS_AGAIN},
};

/* Whoever was demoted refuses everybody. */
static void *take_refusal(sdi_redis_replies *replies, bool demoted)
{
    if (demoted || !replies->mild)
        return refuse(replies, demoted ? SDI_REDIS_DEMOTED : SDI_CACHE_FAULT_REJECTED);
    current(replies)->verdict = SDI_REDIS_REFUSED;
    replies->refused = true;
    return replies;
}

/* Some errors say what to do instead. Every other one is one. */
static void *take_error(sdi_redis_replies *replies, const char *text, size_t length)
{
    sdi_redis_reply *reply = current(replies);
    sdi_redis_tell(replies->trouble, 0, "refused: %.*s", (int)length, text);
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts && reply->verdict == SDI_REDIS_TAKEN; i++)
        if (begins(text, length, verdicts[i].prefix))
            reply->verdict = verdicts[i].verdict;
    if (reply->verdict == SDI_REDIS_TAKEN)
        return take_refusal(replies, begins(text, length, "READONLY"));
    if (reply->verdict == SDI_REDIS_MOVED || reply->verdict == SDI_REDIS_ASK) {
        size_t prefix = reply->verdict == SDI_REDIS_MOVED ? strlen("MOVED ") : strlen("ASK ");
        reply->target = sdi_memdup0(text + prefix, length - prefix);
        return reply->target ? replies : refuse(replies, SDI_REDIS_NO_MEMORY);
    }
    return replies;
}

static void *take_value(sdi_redis_replies *replies, sdi_cache_op *operation, const char *text, size_t length)
{
    if (length > replies->value_max)
        return refuse(replies, SDI_CACHE_FAULT_PROTOCOL);
    if (!begins(text, length, replies->epoch)) {
        replies->foreign = true;
        return replies;
    }
    text += SDI_REDIS_EPOCH;
    length -= SDI_REDIS_EPOCH;
    char *block = sdi_malloc(operation->headroom + length + 1);
    if (!block)
        return refuse(replies, SDI_REDIS_NO_MEMORY);
    memcpy(block + operation->headroom, text, length);
    block[operation->headroom + length] = '\0';
    operation->block = block;
    operation->length = length;
    operation->found = true;
    return replies;
}

static void *take_ok(sdi_redis_replies *replies, const char *text, size_t length)
{
    if (!sdi_slice_equal((sdi_slice){text, length}, sdi_slice_of("OK")))
        return refuse(replies, SDI_CACHE_FAULT_PROTOCOL);
    return replies;
}

static void *take_text(sdi_redis_replies *replies, const char *text, size_t length)
{
    sdi_redis_reply *reply = current(replies);
    if (reply->expect == SDI_REDIS_EXPECT_SHA && length == SDI_REDIS_SHA)
        memcpy(reply->text, text, length);
    else if (reply->expect == SDI_REDIS_EXPECT_TEXT && length <= replies->value_max)
        sdi_buffer_append(reply->info, text, length);
    else
        return refuse(replies, SDI_CACHE_FAULT_PROTOCOL);
    return replies;
}

static void *take_string(const redisReadTask *task, char *text, size_t length)
{
    sdi_redis_replies *replies = task->privdata;
    sdi_redis_reply *reply = current(replies);
    if (task->type == REDIS_REPLY_ERROR && !task->parent)
        return take_error(replies, text, length);
    if (task->type == REDIS_REPLY_STRING && task->parent && reply->expect == SDI_REDIS_EXPECT_VALUES)
        return take_value(replies, &reply->operations[task->idx], text, length);
    if (task->type == REDIS_REPLY_STATUS && !task->parent && reply->expect == SDI_REDIS_EXPECT_OK)
        return take_ok(replies, text, length);
    if (task->type == REDIS_REPLY_STRING && !task->parent)
        return take_text(replies, text, length);
    return refuse(replies, SDI_CACHE_FAULT_PROTOCOL);
}

static void *take_array(const redisReadTask *task, element_count elements)
{
    sdi_redis_replies *replies = task->privdata;
    const sdi_redis_reply *reply = current(replies);
    bool asked = !task->parent && reply->expect == SDI_REDIS_EXPECT_VALUES && (size_t)elements == reply->count;
    return asked ? replies : refuse(replies, SDI_CACHE_FAULT_PROTOCOL);
}

static void *take_integer(const redisReadTask *task, long long value)
{
    sdi_redis_replies *replies = task->privdata;
    const sdi_redis_reply *reply = current(replies);
    if (task->parent || (reply->expect != SDI_REDIS_EXPECT_NUMBER && reply->expect != SDI_REDIS_EXPECT_FLAG))
        return refuse(replies, SDI_CACHE_FAULT_PROTOCOL);
    if (reply->expect == SDI_REDIS_EXPECT_FLAG)
        reply->operations->found = value != 0;
    return replies;
}

/* Of an array that was asked for, or it would have been refused. */
static void *take_nil(const redisReadTask *task)
{
    sdi_redis_replies *replies = task->privdata;
    bool value = task->parent && task->type == REDIS_REPLY_STRING;
    return value ? replies : refuse(replies, SDI_CACHE_FAULT_PROTOCOL);
}

static void forget(void *reply)
{
    (void)reply; /* what was taken is the operations' */
}

redisReplyObjectFunctions sdi_redis_reply_functions = {
    .createString = take_string,
    .createArray = take_array,
    .createInteger = take_integer,
    .createNil = take_nil,
    .freeObject = forget,
};

sdi_redis_reply sdi_redis_expect(sdi_cache_op *operations, size_t count)
{
    static const enum sdi_redis_expect expects[] = {
        [SDI_CACHE_GET] = SDI_REDIS_EXPECT_VALUES,     [SDI_CACHE_SET] = SDI_REDIS_EXPECT_OK,
        [SDI_CACHE_REMOVE] = SDI_REDIS_EXPECT_NUMBER,  [SDI_CACHE_ADD] = SDI_REDIS_EXPECT_FLAG,
        [SDI_CACHE_SWAP] = SDI_REDIS_EXPECT_FLAG,      [SDI_CACHE_MERGE] = SDI_REDIS_EXPECT_NUMBER,
        [SDI_CACHE_PUBLISH] = SDI_REDIS_EXPECT_NUMBER,
    };
    return (sdi_redis_reply){.expect = expects[operations->verb], .operations = operations, .count = count};
}

/* Takes the replies that are complete. */
static void take_complete(redisReader *reader, sdi_redis_replies *replies)
{
    reader->privdata = replies; /* the macro for it casts the pointer to int */
    while (replies->done < replies->count) {
        void *reply = NULL;
        if (redisReaderGetReply(reader, &reply) != REDIS_OK && replies->outcome == SDI_REDIS_DONE)
            replies->outcome = SDI_CACHE_FAULT_PROTOCOL;
        if (replies->outcome != SDI_REDIS_DONE || !reply)
            return;
        replies->done++;
    }
}

static bool stop(sdi_redis_replies *replies, int outcome)
{
    replies->outcome = outcome;
    return false;
}

/* Once all that is complete was taken the reader holds at most the beginning of one reply, or of one value. */
bool sdi_redis_take(redisReader *reader, sdi_redis_replies **replies, const char *bytes, size_t length)
{
    if (redisReaderFeed(reader, bytes, length) != REDIS_OK)
        return stop(*replies, SDI_REDIS_NO_MEMORY);
    for (sdi_redis_replies *at = *replies; at; at = at->next) {
        *replies = at;
        take_complete(reader, at);
        if (at->outcome != SDI_REDIS_DONE)
            return false;
        if (at->done < at->count)
            return reader->len - reader->pos <= at->value_max + 64 || stop(at, SDI_CACHE_FAULT_PROTOCOL);
    }
    if (reader->len > reader->pos) /* more than was asked for */
        return stop(*replies, SDI_CACHE_FAULT_PROTOCOL);
    *replies = NULL;
    return false;
}
