#include "cache/redis/greeting.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/proving.h"

enum { COMMANDS_MAX = 7, INFO_MAX = 1 << 20 };

/* What is said, and what is to be answered. */
typedef struct conversation {
    sdi_buffer *out;
    sdi_redis_reply expected[COMMANDS_MAX];
    size_t count;
    sdi_buffer server, replication; /* sections of INFO */
} conversation;

static void expect(conversation *talk, sdi_redis_reply reply)
{
    talk->expected[talk->count++] = reply;
}

static void log_in(conversation *talk, const sdi_cache_settings *settings)
{
    if (*settings->password) {
        if (*settings->user)
            sdi_redis_command(talk->out, "AUTH", settings->user, settings->password, (char *)NULL);
        else
            sdi_redis_command(talk->out, "AUTH", settings->password, (char *)NULL);
        expect(talk, (sdi_redis_reply){.expect = SDI_REDIS_EXPECT_OK});
    }
    if (settings->database) {
        char number[24];
        snprintf(number, sizeof number, "%" PRId64, settings->database);
        sdi_redis_command(talk->out, "SELECT", number, (char *)NULL);
        expect(talk, (sdi_redis_reply){.expect = SDI_REDIS_EXPECT_OK});
    }
}

static void ask_info(conversation *talk, const char *section, sdi_buffer *info)
{
    sdi_redis_command(talk->out, "INFO", section, (char *)NULL);
    expect(talk, (sdi_redis_reply){.expect = SDI_REDIS_EXPECT_TEXT, .info = info});
}

static void load(conversation *talk, const char *script, char *sha)
{
    sdi_redis_command(talk->out, "SCRIPT", "LOAD", script, (char *)NULL);
    expect(talk, (sdi_redis_reply){.expect = SDI_REDIS_EXPECT_SHA, .text = sha});
}

/* The value of a line "name:value"; empty if there is none. */
static sdi_slice field(const sdi_buffer *info, const char *name)
{
    const char *at = info->data ? strstr(info->data, name) : NULL;
    if (!at || (at > info->data && at[-1] != '\n'))
        return (sdi_slice){"", 0};
    at += strlen(name);
    return (sdi_slice){at, strcspn(at, "\r\n")};
}

static void make_epoch(char epoch[SDI_REDIS_EPOCH + 1], uint64_t run, const sdi_buffer *replication)
{
    sdi_slice history = field(replication, "master_replid:");
    uint64_t both = run ^ (sdi_hash64(history.data, history.length) << 1);
    snprintf(epoch, SDI_REDIS_EPOCH + 1, "%016" PRIx64, SDI_RULE(epoch) ? both : 0);
}

static bool is_primary(const sdi_buffer *replication)
{
    return sdi_slice_equal(field(replication, "role:"), sdi_slice_of("master"));
}

bool sdi_redis_still_holds(const sdi_redis_greeting *greeting, const sdi_buffer *replication)
{
    char epoch[SDI_REDIS_EPOCH + 1];
    make_epoch(epoch, greeting->run, replication);
    return !replication->failed && is_primary(replication) && strcmp(epoch, greeting->epoch) == 0;
}

static int understand(const conversation *talk, sdi_redis_connection *connection)
{
    sdi_redis_greeting *greeting = &connection->greeting;
    sdi_slice run_id = field(&talk->server, "run_id:"), role = field(&talk->replication, "role:");
    if (talk->server.failed || talk->replication.failed)
        return SDI_REDIS_NO_MEMORY;
    if (!run_id.length || !role.length)
        return sdi_redis_tell(&connection->trouble, SDI_CACHE_FAULT_REJECTED, "INFO tells no run_id or no role");
    greeting->run = sdi_hash64(run_id.data, run_id.length);
    make_epoch(greeting->epoch, greeting->run, &talk->replication);
    greeting->primary = is_primary(&talk->replication);
    return SDI_REDIS_DONE;
}

int sdi_redis_greet(sdi_redis_connection *connection, const sdi_cache_settings *settings, int64_t deadline)
{
    sdi_redis_greeting *greeting = &connection->greeting;
    conversation talk = {.out = &connection->out};
    *greeting = (sdi_redis_greeting){.epoch = ""};
    log_in(&talk, settings);
    ask_info(&talk, "server", &talk.server);
    ask_info(&talk, "replication", &talk.replication);
    load(&talk, sdi_redis_add, greeting->add);
    load(&talk, sdi_redis_swap, greeting->swap);
    load(&talk, sdi_redis_merge, greeting->merge);
    sdi_redis_replies replies = {
        .list = talk.expected, .count = talk.count, .value_max = INFO_MAX, .outcome = SDI_REDIS_DONE};
    int outcome = sdi_redis_exchange(connection, &replies, deadline);
    if (outcome == SDI_REDIS_DONE)
        outcome = understand(&talk, connection);
    sdi_buffer_free(&talk.server);
    sdi_buffer_free(&talk.replication);
    return outcome;
}
