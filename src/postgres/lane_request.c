#include "postgres/lane_request.h"

#include <string.h>

#include "base/memory.h"

static bool has_bytes(const shopdata_param *param)
{
    return param->kind == SHOPDATA_TEXT || param->kind == SHOPDATA_BYTES;
}

static size_t bytes_of(const sdi_pg_command *command)
{
    size_t bytes = strlen(command->sql) + 1;
    for (size_t i = 0; i < command->count; i++)
        bytes += has_bytes(&command->params[i]) ? command->params[i].value.bytes.length : 0;
    return bytes;
}

size_t sdi_lane_request_bytes(const sdi_pg_command *commands, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += bytes_of(&commands[i]);
    return bytes;
}

static const void *copy_bytes(char **to, const void *bytes, size_t length)
{
    char *copy = memcpy(*to, bytes, length);
    *to += length;
    return copy;
}

static void copy_command(sdi_pg_command *copy, const sdi_pg_command *command, shopdata_param *params, char **texts)
{
    *copy = (sdi_pg_command){.statement = command->statement, .params = params, .count = command->count};
    copy->sql = copy_bytes(texts, command->sql, strlen(command->sql) + 1);
    for (size_t i = 0; i < command->count; i++) {
        params[i] = command->params[i];
        if (has_bytes(&params[i]))
            params[i].value.bytes.data = copy_bytes(texts, params[i].value.bytes.data, params[i].value.bytes.length);
    }
}

sdi_lane_request *sdi_lane_request_new(const sdi_pg_command *commands, size_t count)
{
    sdi_lane_request *request;
    size_t params = 0, head = sizeof *request + count * sizeof *commands;
    for (size_t i = 0; i < count; i++)
        params += commands[i].count;
    size_t texts_at = head + params * sizeof(shopdata_param);
    request = sdi_malloc(texts_at + sdi_lane_request_bytes(commands, count));
    if (!request)
        return NULL;
    *request = (sdi_lane_request){.count = count};
    shopdata_param *param = (shopdata_param *)((char *)request + head);
    char *texts = (char *)request + texts_at;
    for (size_t i = 0; i < count; param += commands[i++].count)
        copy_command(&request->commands[i], &commands[i], param, &texts);
    return request;
}

void sdi_lane_request_free(sdi_lane_request *request)
{
    sdi_pg_commands_free(request->commands, request->count);
    shopdata_error_free(request->error);
    sdi_free(request);
}
