#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "cache/redis/ask.h"
#include "tool/check.h"

/* The text of INFO; NULL with the trouble told. */
static char *ask_info(const sdi_redis_access *access, const sdi_address *address, sdi_redis_login login,
                      sdi_redis_trouble *trouble)
{
    static const char *const question[3] = {"INFO"};
    int64_t deadline = sdi_deadline_in(access->settings->connect_timeout_ms);
    redisReply *reply = sdi_redis_ask(access, address, login, question, deadline, trouble);
    char *info = reply && reply->type == REDIS_REPLY_STRING ? sdi_memdup0(reply->str, reply->len) : NULL;
    freeReplyObject(reply);
    return info;
}

/* One value of INFO, "" if it is not told. Lines are `name:value`. */
static const char *field(const char *info, const char *name, char *value, size_t size)
{
    size_t length = strlen(name);
    for (const char *line = info; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (!strncmp(line, name, length) && line[length] == ':') {
            snprintf(value, size, "%.*s", (int)strcspn(line + length + 1, "\r\n"), line + length + 1);
            return value;
        }
    return "";
}

#define FIELD(info, name) field(info, name, (char[120]){0}, 120)

static uint64_t number(const char *info, const char *name)
{
    return strtoull(FIELD(info, name), NULL, 10);
}

static const char *mode_of(const char *info)
{
    return *FIELD(info, "redis_mode") == 'c' || *FIELD(info, "server_mode") == 'c'  ? "cluster"
           : *FIELD(info, "redis_mode") == 's' && !*FIELD(info, "maxmemory_policy") ? "sentinel"
                                                                                    : "standalone";
}

static void tell_version(const char *info, sdi_report *report)
{
    const char *valkey = FIELD(info, "valkey_version");
    sdi_report_good(report, "%s %s, %s, up for %" PRIu64 " s", *valkey ? "Valkey" : "Redis",
                    *valkey ? valkey : FIELD(info, "redis_version"), mode_of(info), number(info, "uptime_in_seconds"));
}

/* What the configuration takes the server for, and what it is. */
static void tell_mode(const sdi_cache_settings *settings, const char *info, sdi_report *report)
{
    bool cluster = !strcmp(mode_of(info), "cluster");
    if (cluster && !settings->cluster)
        sdi_report_problem(report, "cache.cluster = on", "it is a node of a cluster");
    if (!cluster && settings->cluster)
        sdi_report_problem(report, "cache.cluster = off", "it is no node of a cluster");
}

/* True of a primary. */
static bool tell_role(const char *info, sdi_report *report)
{
    if (!strcmp(FIELD(info, "role"), "slave")) {
        sdi_report_good(report, "it is a replica of %s", FIELD(info, "master_host"));
        return false;
    }
    sdi_report_good(report, "it is a primary with %" PRIu64 " replicas", number(info, "connected_slaves"));
    return true;
}

/* Every key that the library writes has a TTL, so `volatile` ones go as `allkeys` ones do where nothing else lives. */
static void tell_memory(const char *info, sdi_report *report)
{
    uint64_t limit = number(info, "maxmemory"), used = number(info, "used_memory");
    const char *policy = FIELD(info, "maxmemory_policy");
    if (!limit)
        sdi_report_note(report, "maxmemory, somewhat below the machine's memory, and maxmemory-policy allkeys-lru",
                        "maxmemory is not set: it grows (%" PRIu64 " bytes now) until the machine has no more", used);
    else if (!strcmp(policy, "noeviction"))
        sdi_report_problem(report, "maxmemory-policy allkeys-lru or volatile-lru",
                           "maxmemory-policy is noeviction: when its %" PRIu64 " bytes are full (%" PRIu64
                           " are used) it takes neither entries nor fences, and writes return SHOPDATA_UNFENCED",
                           limit, used);
    else
        sdi_report_good(report,
                        "uses %" PRIu64 " of %" PRIu64 " bytes; %s: some keys go before their time when it is full",
                        used, limit, policy);
    if (number(info, "evicted_keys"))
        sdi_report_note(report, "more memory, or shorter TTLs",
                        "%" PRIu64 " keys had to go before their time since it started", number(info, "evicted_keys"));
}

static void tell_trouble(const sdi_address *address, const char *trouble, sdi_report *report)
{
    sdi_buffer where = SDI_BUFFER_INIT;
    sdi_address_show(&where, address);
    sdi_report_problem(report, "see that it runs, that the network lets through, and that user and password are right",
                       "%s: %s", where.data ? where.data : "", trouble);
    sdi_buffer_free(&where);
}

/* True if it is a primary, or cannot be asked. */
static bool check_server(const sdi_redis_access *access, const sdi_address *address, sdi_report *report)
{
    const sdi_cache_settings *settings = access->settings;
    sdi_redis_trouble trouble = {""};
    char *info = ask_info(access, address, (sdi_redis_login){settings->user, settings->password}, &trouble);
    bool primary = true;
    if (info) {
        tell_version(info, report);
        tell_mode(settings, info, report);
        primary = tell_role(info, report);
        tell_memory(info, report);
    } else {
        tell_trouble(address, trouble.text, report);
    }
    sdi_free(info);
    return primary;
}

/* A sentinel, and where it says that the primary is; true if that was asked too. */
static bool check_sentinel(const sdi_redis_access *access, const sdi_address *sentinel, bool follow, sdi_report *report)
{
    const sdi_cache_settings *settings = access->settings;
    const char *const question[3] = {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", settings->sentinel_primary};
    sdi_redis_trouble trouble = {""};
    int64_t deadline = sdi_deadline_in(settings->connect_timeout_ms);
    redisReply *reply = sdi_redis_ask(access, sentinel, (sdi_redis_login){"", settings->sentinel_password}, question,
                                      deadline, &trouble);
    bool told = reply && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2;
    if (!reply) {
        tell_trouble(sentinel, trouble.text, report);
    } else if (!told) {
        sdi_report_problem(report, "the name that `sentinel monitor` has", "the sentinel watches no primary `%s`",
                           settings->sentinel_primary);
    } else {
        sdi_report_good(report, "a sentinel says that %s is %s:%s", settings->sentinel_primary, reply->element[0]->str,
                        reply->element[1]->str);
        sdi_address primary = {reply->element[0]->str, strtol(reply->element[1]->str, NULL, 10)};
        if (follow)
            check_server(access, &primary, report);
    }
    freeReplyObject(reply);
    return told && follow;
}

static void check_servers(const sdi_redis_access *access, sdi_report *report)
{
    const sdi_cache_settings *settings = access->settings;
    bool followed = false;
    size_t primaries = 0;
    for (size_t i = 0; i < settings->address_count; i++) {
        if (*settings->sentinel_primary)
            followed |= check_sentinel(access, &settings->addresses[i], !followed, report);
        else
            primaries += check_server(access, &settings->addresses[i], report);
    }
    if (!*settings->sentinel_primary && !settings->cluster && !primaries)
        sdi_report_problem(report, "the address of its primary (ElastiCache: the primary endpoint, not the reader's)",
                           "there is no primary: replicas take no writes");
}

void sdi_check_redis(const sdi_cache_settings *settings, sdi_report *report)
{
    shopdata_error *error = NULL;
    sdi_redis_tls *tls = NULL;
    if (settings->tls && sdi_redis_tls_new(settings, &tls, &error) != SHOPDATA_OK) {
        sdi_report_problem(report, "mend the section [cache]", "%s", shopdata_error_message(error));
        shopdata_error_free(error);
        return;
    }
    check_servers(&(sdi_redis_access){settings, tls}, report);
    if (tls)
        sdi_report_good(report, "TLS, with the server's certificate and name checked");
    else if (*settings->addresses[0].host != '/')
        sdi_report_note(report, "cache.tls = on", "no TLS: who is on the way reads along");
    sdi_redis_tls_free(tls);
}
