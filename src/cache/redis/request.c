#include "cache/redis/request.h"

#include "base/memory.h"
#include "cache/operation.h"

enum { COMMAND_USUAL = 96 }; /* bytes, where it has no value: keys are that long */

sdi_redis_request *sdi_redis_request_new(size_t commands, size_t operations)
{
    size_t replies = 2 * commands; /* each may be asked for */
    sdi_redis_request *request =
        sdi_calloc(1, sizeof *request + replies * sizeof(sdi_redis_reply) + operations * sizeof(sdi_cache_op));
    if (!request)
        return NULL;
    request->operations = (sdi_cache_op *)(request + 1);
    request->replies = (sdi_redis_replies){
        .list = (sdi_redis_reply *)(request->operations + operations),
        .trouble = &request->trouble,
        .mild = true,
        .outcome = SDI_REDIS_DONE,
    };
    request->outcome = SDI_REDIS_UNTRIED;
    sdi_buffer_reserve(&request->commands.text, operations * COMMAND_USUAL);
    return request;
}

void sdi_redis_request_free(sdi_redis_request *request)
{
    if (!request)
        return;
    for (size_t i = 0; i < request->replies.count; i++)
        sdi_free(request->replies.list[i].target);
    sdi_cache_unset(request->operations, request->operation_count);
    sdi_redis_commands_free(&request->commands);
    sdi_free(request);
}

static void expect(sdi_redis_request *request, sdi_redis_reply reply)
{
    request->replies.list[request->replies.count++] = reply;
}

void sdi_redis_request_add(sdi_redis_request *request, const sdi_cache_op *operations, size_t count, bool spelled,
                           bool asking)
{
    sdi_cache_op *copies = request->operations + request->operation_count;
    if (asking) {
        sdi_redis_command(&request->commands.text, "ASKING", (char *)NULL);
        expect(request, (sdi_redis_reply){.expect = SDI_REDIS_EXPECT_OK});
    }
    sdi_redis_format(&request->commands, operations, count, spelled);
    for (size_t i = 0; i < count; i++)
        copies[i] = (sdi_cache_op){.verb = operations[i].verb, .headroom = operations[i].headroom};
    request->operation_count += count;
    request->writes |= operations->verb == SDI_CACHE_SET || operations->verb == SDI_CACHE_REMOVE;
    request->adds |= operations->verb == SDI_CACHE_ADD;
    expect(request, sdi_redis_expect(copies, count));
}

void sdi_redis_request_hand_over(const sdi_redis_reply *reply, sdi_cache_op *operations)
{
    for (size_t i = 0; i < reply->count; i++) {
        sdi_cache_op *from = &reply->operations[i];
        operations[i].found = from->found;
        operations[i].block = from->block;
        operations[i].length = from->length;
        from->block = NULL;
    }
}
