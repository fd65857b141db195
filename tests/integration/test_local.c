/* test_local.c - the cache in the process: who may have what it keeps, and how it hears of writes. Two clients stand
 * for two processes: they share nothing but the servers. */
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../support/servers.h"
#include "../unit/unit.h"
#include "base/clock.h"

enum { COHERENCE_MS = 100, ROWS = 50, PATIENCE = 5000 /* tries, a millisecond apart */ };

/* In place of the C library's, for the library too: as after so many seconds in which the machine was suspended. */
static atomic_int suspended_s;

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int failed = (int)syscall(SYS_clock_gettime, clock, time);
    if (clock == CLOCK_BOOTTIME || clock == CLOCK_REALTIME)
        time->tv_sec += atomic_load(&suspended_s);
    return failed;
}

static char prefix[64];
static shopdata_client *here, *there;
static shopdata_session *reader, *writer; /* of `here` and `there` */
static shopdata_statement *read_here, *read_there, *write_here, *write_there;

static void set(shopdata_config *config, const char *key, const char *value)
{
    shopdata_error *error = NULL;
    servers_ok(shopdata_config_set(config, key, value, &error), error);
}

static shopdata_config *local_config(const char *cache)
{
    shopdata_config *config = servers_config(cache);
    set(config, "cache.key_prefix", prefix);
    set(config, "local.coherence", "100ms");
    set(config, "cache.timeout", "1s"); /* on a busy machine too */
    set(config, "route.catalog_interval", "0ms");
    return config;
}

static void make_items(void)
{
    static int number;
    servers_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS item; CREATE TABLE item (id int PRIMARY KEY, "
                "price bigint NOT NULL); INSERT INTO item SELECT i, 0 FROM generate_series(1, 50) i");
    servers_settle();
    snprintf(prefix, sizeof prefix, "local-%d-%d", (int)getpid(), number++);
}

static const char by_id[] = "SELECT price FROM item WHERE id = $1",
                  set_price[] = "UPDATE item SET price = $2 WHERE id = $1";

static void begin_with(shopdata_config *first, shopdata_config *second)
{
    here = servers_open_with(first);
    there = servers_open_with(second);
    servers_ok(shopdata_session_new(here, &reader, NULL), NULL);
    servers_ok(shopdata_session_new(there, &writer, NULL), NULL);
    read_here = servers_statement(here, by_id);
    read_there = servers_statement(there, by_id);
    write_here = servers_statement(here, set_price);
    write_there = servers_statement(there, set_price);
}

static void begin(const char *cache)
{
    make_items();
    begin_with(local_config(cache), local_config(cache));
}

static void finish(void)
{
    shopdata_statement_free(read_here);
    shopdata_statement_free(read_there);
    shopdata_statement_free(write_here);
    shopdata_statement_free(write_there);
    shopdata_session_free(reader);
    shopdata_session_free(writer);
    shopdata_close(here);
    shopdata_close(there);
}

typedef struct answer {
    int source;
    int64_t price, staleness_ms;
} answer;

static answer read_out(shopdata_result *result)
{
    answer got = {.source = shopdata_result_source(result), .staleness_ms = shopdata_result_staleness_ms(result)};
    servers_ok(shopdata_result_int64(result, 0, 0, &got.price, NULL), NULL);
    shopdata_result_free(result);
    return got;
}

static answer ask_with(shopdata_session *who, shopdata_statement *statement, int id, unsigned flags)
{
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    shopdata_param param = shopdata_int64(id);
    shopdata_call call = {.statement = statement, .params = &param, .count = 1, .flags = flags};
    servers_ok(shopdata_query_many(who, &call, 1, &result, &error), error);
    return read_out(result);
}

static answer ask(shopdata_session *who, shopdata_statement *statement, int id)
{
    return ask_with(who, statement, id, 0);
}

static void write_price(shopdata_session *who, shopdata_statement *statement, int id, int64_t price)
{
    shopdata_error *error = NULL;
    shopdata_param params[2] = {shopdata_int64(id), shopdata_int64(price)};
    servers_ok(shopdata_execute(who, statement, params, 2, NULL, &error), error);
}

/* A session of its own, which knows nothing yet. */
static answer ask_anew(shopdata_client *client, shopdata_statement *statement, int id)
{
    shopdata_session *fresh;
    servers_ok(shopdata_session_new(client, &fresh, NULL), NULL);
    answer got = ask(fresh, statement, id);
    shopdata_session_free(fresh);
    return got;
}

/* Asks until this process answers by itself. */
static answer await_local(shopdata_client *client, shopdata_statement *statement, int id)
{
    answer got = ask_anew(client, statement, id);
    for (int i = 0; i < PATIENCE && got.source != SHOPDATA_FROM_LOCAL; i++) {
        usleep(1000);
        got = ask_anew(client, statement, id);
    }
    ck_assert_int_eq(got.source, SHOPDATA_FROM_LOCAL);
    return got;
}

/* The bound has passed since a write returned: from now on everybody shows it. */
static void pass_the_bound(int64_t returned)
{
    int64_t until = returned + COHERENCE_MS * INT64_C(1000) + 1000;
    for (int64_t now; (now = sdi_now()) < until;)
        usleep((useconds_t)(until - now));
}

static void redis_do(const char *command)
{
    char host[64];
    snprintf(host, sizeof host, "%s", getenv("SHOPDATA_REDIS"));
    char *colon = strrchr(host, ':');
    ck_assert_ptr_nonnull(colon);
    *colon = '\0';
    redisContext *context = redisConnect(host, (int)strtol(colon + 1, NULL, 10));
    ck_assert_int_eq(context->err, 0);
    redisReply *reply = redisCommand(context, command);
    ck_assert_ptr_nonnull(reply);
    ck_assert_msg(reply->type != REDIS_REPLY_ERROR, "%s", reply->str);
    freeReplyObject(reply);
    redisFree(context);
}

/* ------------------------------------------------------------------------------------------------------- hits */

START_TEST(what_was_read_is_kept_here)
{
    begin("redis");
    answer got = await_local(here, read_here, 1);
    ck_assert_int_eq(got.price, 0);
    ck_assert_int_ge(got.staleness_ms, 1);
    ck_assert_int_le(got.staleness_ms, COHERENCE_MS + 1);
    ck_assert_double_gt(servers_metric(here, "shopdata_queries_total", "source=\"local\""), 0);
    ck_assert_double_gt(servers_metric(here, "shopdata_local_bytes", NULL), 0);
    ck_assert_double_eq(servers_metric(here, "shopdata_local_entries", NULL), 1);
    ck_assert_double_ge(servers_metric(here, "shopdata_local_watermark_age_seconds", NULL), 0);
    finish();
}
END_TEST

START_TEST(many_at_once_are_answered_here)
{
    shopdata_result *results[ROWS];
    shopdata_param params[ROWS];
    shopdata_call calls[ROWS];
    shopdata_error *error = NULL;
    begin("redis");
    for (int i = 0; i < ROWS; i++) {
        params[i] = shopdata_int64(i + 1);
        calls[i] = (shopdata_call){.statement = read_here, .params = &params[i], .count = 1};
        await_local(here, read_here, i + 1);
    }
    int local = 0;
    for (int i = 0; i < PATIENCE && local < ROWS; i++) { /* while the watermark is too old none is */
        shopdata_session *fresh;
        usleep(i ? 1000 : 0);
        servers_ok(shopdata_session_new(here, &fresh, NULL), NULL);
        servers_ok(shopdata_query_many(fresh, calls, ROWS, results, &error), error);
        local = 0;
        for (int j = 0; j < ROWS; j++)
            local += read_out(results[j]).source == SHOPDATA_FROM_LOCAL;
        shopdata_session_free(fresh);
    }
    ck_assert_int_eq(local, ROWS);
    finish();
}
END_TEST

START_TEST(flags_transactions_and_policies_go_past_it)
{
    shopdata_error *error = NULL;
    make_items();
    shopdata_config *config = local_config("redis");
    set(config, "policy.shared.local", "off");
    set(config, "policy.never.cache", "off");
    begin_with(config, local_config("redis"));
    await_local(here, read_here, 1);
    ck_assert_int_ne(ask_with(reader, read_here, 1, SHOPDATA_NO_CACHE).source, SHOPDATA_FROM_LOCAL);
    ck_assert_int_eq(ask_with(reader, read_here, 1, SHOPDATA_PRIMARY).source, SHOPDATA_FROM_PRIMARY);
    servers_ok(shopdata_begin(reader, SHOPDATA_READ_COMMITTED, &error), error);
    ck_assert_int_eq(ask(reader, read_here, 1).source, SHOPDATA_FROM_PRIMARY);
    servers_ok(shopdata_rollback(reader, &error), error);
    static const char *const policies[] = {"shared",
                                           "never"}; /* what the first statement left under the same key, too */
    for (size_t policy = 0; policy < 2; policy++) {
        shopdata_statement *statement;
        servers_ok(shopdata_statement_new(here, policies[policy], by_id, &statement, &error), error);
        await_local(here, read_here, 1);
        for (int i = 0; i < 20; i++)
            ck_assert_int_ne(ask_anew(here, statement, 1).source, SHOPDATA_FROM_LOCAL);
        shopdata_statement_free(statement);
    }
    finish();
}
END_TEST

static void check_never_local(shopdata_config *first, shopdata_config *second)
{
    begin_with(first, second);
    for (int i = 0; i < 20; i++) {
        ck_assert_int_ne(ask_anew(here, read_here, 1).source, SHOPDATA_FROM_LOCAL);
        usleep(2000);
    }
    ck_assert_double_eq(servers_metric(here, "shopdata_local_bytes", NULL), 0);
    finish();
}

START_TEST(there_is_none_where_it_could_not_keep_its_promise)
{
    static const char *const off[][3] = {{"redis", "local.coherence", "0ms"},
                                         {"redis", "local.bytes", "0"},
                                         {"redis", "cache.mode", "strict"},
                                         {"memory", "local.bytes", "1MiB"},
                                         {"memcached", "local.bytes", "1MiB"}};
    make_items();
    shopdata_config *config = local_config(off[_i][0]);
    set(config, off[_i][1], off[_i][2]);
    check_never_local(config, local_config(off[_i][0]));
}
END_TEST

/* ----------------------------------------------------------------------------------------------------- writes */

START_TEST(a_write_elsewhere_is_seen_within_the_bound)
{
    begin("redis");
    for (int64_t price = 1; price <= 2; price++) {
        await_local(here, read_here, 1);
        write_price(writer, write_there, 1, price);
        pass_the_bound(sdi_now());
        ck_assert_int_eq(ask_anew(here, read_here, 1).price, price);
    }
    ck_assert_double_ge(servers_metric(here, "shopdata_local_messages_total", NULL), 2);
    finish();
}
END_TEST

START_TEST(an_own_write_is_seen_at_once)
{
    begin("redis");
    for (int64_t price = 1; price <= 100; price++) {
        if (price % 20 == 1)
            await_local(here, read_here, 1);
        write_price(reader, write_here, 1, price);
        ck_assert_int_eq(ask(reader, read_here, 1).price, price);
        ck_assert_int_eq(ask_anew(here, read_here, 1).price, price);
    }
    finish();
}
END_TEST

static void invalidate(shopdata_client *client, const char *tag)
{
    shopdata_error *error = NULL;
    servers_ok(shopdata_invalidate(client, &tag, 1, &error), error);
}

START_TEST(what_is_invalidated_by_hand_is_gone_everywhere)
{
    begin("redis");
    await_local(here, read_here, 1);
    servers_sql("UPDATE item SET price = 5 WHERE id = 1");
    servers_settle();
    invalidate(here, "public.item");
    ck_assert_int_eq(ask_anew(here, read_here, 1).price, 5);
    await_local(here, read_here, 1);
    servers_sql("UPDATE item SET price = 6 WHERE id = 1");
    servers_settle();
    invalidate(there, "public.item");
    pass_the_bound(sdi_now());
    ck_assert_int_eq(ask_anew(here, read_here, 1).price, 6);
    finish();
}
END_TEST

/* The fences are gone, the answer here is not: the write has to be told all the same. */
START_TEST(a_write_that_finds_no_fence_is_told)
{
    begin("redis");
    for (int64_t price = 1; price <= 3; price++) {
        await_local(here, read_here, 1);
        redis_do("FLUSHALL");
        write_price(writer, write_there, 1, price);
        pass_the_bound(sdi_now());
        ck_assert_int_eq(ask_anew(here, read_here, 1).price, price);
    }
    finish();
}
END_TEST

/* ---------------------------------------------------------------------------------------------------- sessions */

/* His write may not have been heard of here; he has read it elsewhere, and must find it. */
START_TEST(a_token_from_elsewhere_is_heeded_at_once)
{
    shopdata_error *error = NULL;
    const char *token;
    begin("redis");
    for (int64_t price = 1; price <= 100; price++) {
        shopdata_session *visitor;
        if (price % 10 == 1)
            await_local(here, read_here, 1);
        write_price(writer, write_there, 1, price);
        servers_ok(shopdata_session_token(writer, &token, &error), error);
        servers_ok(shopdata_session_new(here, &visitor, NULL), NULL);
        servers_ok(shopdata_session_advance(visitor, token, &error), error);
        ck_assert_int_eq(ask(visitor, read_here, 1).price, price);
        shopdata_session_free(visitor);
    }
    finish();
}
END_TEST

/* With what it brings confirmed, a session is answered here again. */
START_TEST(a_token_is_confirmed_after_a_while)
{
    shopdata_error *error = NULL;
    const char *token;
    begin("redis");
    write_price(writer, write_there, 1, 1);
    servers_ok(shopdata_session_token(writer, &token, &error), error);
    servers_ok(shopdata_session_advance(reader, token, &error), error);
    ck_assert_int_eq(ask(reader, read_here, 1).price, 1);
    answer got = {0};
    for (int i = 0; i < PATIENCE && got.source != SHOPDATA_FROM_LOCAL; i++) {
        got = ask(reader, read_here, 1);
        usleep(1000);
    }
    ck_assert_int_eq(got.source, SHOPDATA_FROM_LOCAL);
    ck_assert_int_eq(got.price, 1);
    finish();
}
END_TEST

/* As a visitor's cookie does with each request. */
START_TEST(a_token_that_comes_back_is_no_news)
{
    shopdata_error *error = NULL;
    const char *token;
    begin("redis");
    ask(reader, read_here, 1);
    await_local(here, read_here, 1);
    servers_ok(shopdata_session_token(reader, &token, &error), error);
    answer got = {0};
    for (int i = 0; i < PATIENCE && got.source != SHOPDATA_FROM_LOCAL; i++) {
        shopdata_session *again;
        servers_ok(shopdata_session_new(here, &again, NULL), NULL);
        servers_ok(shopdata_session_advance(again, token, &error), error);
        got = ask(again, read_here, 1);
        shopdata_session_free(again);
        usleep(1000);
    }
    ck_assert_int_eq(got.source, SHOPDATA_FROM_LOCAL);
    finish();
}
END_TEST

START_TEST(a_session_may_want_it_younger)
{
    begin("redis");
    servers_ok(shopdata_session_set_max_staleness(reader, 1, NULL), NULL);
    for (int i = 0; i < 50; i++) {
        answer got = ask(reader, read_here, 1);
        ck_assert(got.source != SHOPDATA_FROM_LOCAL || got.staleness_ms <= 2);
        usleep(1000);
    }
    finish();
}
END_TEST

/* ----------------------------------------------------------------------------------------------------- peeking */

static int peek(shopdata_session *who, int id, answer *got)
{
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    shopdata_param param = shopdata_int64(id);
    int status = shopdata_peek(who, read_here, &param, 1, &result, &error);
    ck_assert_msg(status >= 0, "%s", shopdata_error_message(error));
    ck_assert_int_eq(status == SHOPDATA_OK, result != NULL);
    if (status == SHOPDATA_OK)
        *got = read_out(result);
    return status;
}

START_TEST(peeking_asks_nobody)
{
    answer got;
    shopdata_error *error = NULL;
    begin("redis");
    ck_assert_int_eq(peek(reader, 1, &got), SHOPDATA_MISS); /* there is no plan yet */
    await_local(here, read_here, 1);
    double asked = servers_metric(here, "shopdata_cache_roundtrip_seconds_count", NULL);
    int status = SHOPDATA_MISS;
    for (int i = 0; i < PATIENCE && status == SHOPDATA_MISS; i++) {
        usleep(i ? 1000 : 0);
        status = peek(reader, 1, &got);
    }
    ck_assert_int_eq(status, SHOPDATA_OK);
    ck_assert_int_eq(got.source, SHOPDATA_FROM_LOCAL);
    ck_assert_int_eq(peek(reader, 2, &got), SHOPDATA_MISS);
    ck_assert_double_eq(servers_metric(here, "shopdata_cache_roundtrip_seconds_count", NULL), asked);
    servers_ok(shopdata_begin(reader, SHOPDATA_READ_COMMITTED, &error), error);
    ck_assert_int_eq(peek(reader, 1, &got), SHOPDATA_MISS);
    servers_ok(shopdata_rollback(reader, &error), error);
    ck_assert_int_eq(shopdata_peek(reader, read_here, NULL, 0, NULL, NULL), SHOPDATA_ERR_ARGUMENT);
    shopdata_result *none = NULL;
    ck_assert_int_eq(shopdata_peek(reader, read_here, NULL, 0, &none, NULL), SHOPDATA_ERR_ARGUMENT);
    finish();
}
END_TEST

/* ------------------------------------------------------------------------------------------------------ troubles */

START_TEST(a_lost_subscription_is_forgotten_and_made_anew)
{
    begin("redis");
    for (int64_t price = 1; price <= 3; price++) {
        await_local(here, read_here, 1);
        redis_do("CLIENT KILL TYPE pubsub");
        write_price(writer, write_there, 1, price); /* perhaps while nobody listens */
        int64_t returned = sdi_now();
        pass_the_bound(returned);
        ck_assert_int_eq(ask_anew(here, read_here, 1).price, price);
        ck_assert_int_eq(await_local(here, read_here, 1).price, price);
    }
    ck_assert_double_ge(servers_metric(here, "shopdata_local_subscriptions_lost_total", NULL), 3);
    finish();
}
END_TEST

START_TEST(a_server_that_is_frozen_stops_the_hits)
{
    begin("redis");
    await_local(here, read_here, 1);
    servers_do("freeze redis");
    usleep(2 * COHERENCE_MS * 1000);
    answer got;
    ck_assert_int_eq(peek(reader, 1, &got), SHOPDATA_MISS);
    ck_assert_double_gt(servers_metric(here, "shopdata_local_watermark_age_seconds", NULL), 0.1);
    servers_do("thaw redis");
    await_local(here, read_here, 1);
    finish();
}
END_TEST

START_TEST(a_server_that_begins_anew_is_listened_to_again)
{
    begin("redis");
    await_local(here, read_here, 1);
    servers_do("restart redis");
    for (int64_t price = 1; price <= 3; price++) {
        shopdata_param params[2] = {shopdata_int64(1), shopdata_int64(price)};
        int status = SHOPDATA_UNFENCED; /* while the server is not known to be back */
        for (int i = 0; i < 500 && status == SHOPDATA_UNFENCED; i++) {
            status = shopdata_execute(writer, write_there, params, 2, NULL, NULL);
            usleep(status ? 10000 : 0);
        }
        ck_assert_int_eq(status, SHOPDATA_OK);
        pass_the_bound(sdi_now());
        ck_assert_int_eq(ask_anew(here, read_here, 1).price, price);
    }
    await_local(here, read_here, 1);
    finish();
}
END_TEST

/* Who reads first when it goes on finds a watermark that looks young by a clock that stood still. */
START_TEST(a_machine_that_was_suspended_answers_nothing_from_before)
{
    make_items();
    shopdata_config *config = local_config("redis");
    set(config, "local.coherence", "20s");
    begin_with(config, local_config("redis"));
    await_local(here, read_here, 1);
    answer got;
    atomic_store(&suspended_s, 3600);
    int status = peek(reader, 1, &got);
    atomic_store(&suspended_s, 0);
    ck_assert_int_eq(status, SHOPDATA_MISS);
    finish();
}
END_TEST

/* While nobody reads, the server is seldom asked; who reads then finds what is kept all the same, a moment later. */
START_TEST(what_rests_is_roused_by_who_reads)
{
    begin("redis");
    await_local(here, read_here, 1);
    double begun = servers_metric(here, "shopdata_local_watermark_age_seconds", NULL), age = begun;
    for (int i = 0; i < 1000 && age < 0.5; i++) {
        usleep(10000);
        age = servers_metric(here, "shopdata_local_watermark_age_seconds", NULL);
    }
    ck_assert_double_ge(age, 0.5);
    write_price(writer, write_there, 1, 9);
    pass_the_bound(sdi_now());
    ck_assert_int_eq(ask_anew(here, read_here, 1).price, 9);
    ck_assert_int_eq(await_local(here, read_here, 1).price, 9);
    ck_assert_double_eq(servers_metric(here, "shopdata_local_subscriptions_lost_total", NULL), 0);
    finish();
}
END_TEST

#ifndef __SANITIZE_THREAD__ /* which cannot start threads in a child */
/* The parent's thread is not there: what the child keeps it keeps by a subscription of its own. */
static int be_child(void)
{
    shopdata_error *error = NULL;
    servers_ok(shopdata_after_fork(here, &error), error);
    await_local(here, read_here, 1);
    shopdata_session *own;
    servers_ok(shopdata_session_new(here, &own, NULL), NULL);
    write_price(own, write_here, 1, 77);
    ck_assert_int_eq(ask_anew(here, read_here, 1).price, 77);
    shopdata_session_free(own);
    shopdata_close(here);
    return 0;
}

START_TEST(a_forked_child_listens_by_itself)
{
    int status;
    begin("redis");
    await_local(here, read_here, 1);
    pid_t child = fork();
    if (child == 0)
        _exit(be_child());
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    int64_t returned = sdi_now();
    pass_the_bound(returned);
    ck_assert_int_eq(ask_anew(here, read_here, 1).price, 77);
    finish();
}
END_TEST
#endif

/* --------------------------------------------------------------------------------------------- without messages */

START_TEST(in_mode_ttl_it_is_as_old_as_the_policy_lets_it)
{
    make_items();
    shopdata_config *configs[2];
    for (int i = 0; i < 2; i++) {
        configs[i] = local_config("redis");
        set(configs[i], "cache.mode", "ttl");
        set(configs[i], "policy.default.ttl", "300ms");
        set(configs[i], "policy.default.jitter", "0");
    }
    begin_with(configs[0], configs[1]);
    answer before, got = {0};
    for (int i = 1; i <= PATIENCE && got.source != SHOPDATA_FROM_LOCAL; i++) { /* while its time is up too soon */
        before = await_local(here, read_here, 1);
        write_price(writer, write_there, 1, -i);
        got = ask_anew(here, read_here, 1);
    }
    ck_assert_int_eq(got.source, SHOPDATA_FROM_LOCAL);
    ck_assert_int_eq(got.price, before.price);
    ck_assert_int_gt(got.staleness_ms, 0);
    write_price(reader, write_here, 1, 6);
    ck_assert_int_eq(ask(reader, read_here, 1).price, 6); /* a session's own are in it all the same */
    usleep(310000);
    ck_assert_int_eq(ask_anew(here, read_here, 1).price, 6);
    finish();
}
END_TEST

START_TEST(on_memcached_it_lives_for_its_own_short_time)
{
    make_items();
    shopdata_config *config = local_config("memcached");
    set(config, "local.ttl", "300ms");
    begin_with(config, local_config("memcached"));
    await_local(here, read_here, 1);
    write_price(reader, write_here, 1, 1);
    ck_assert_int_eq(ask(reader, read_here, 1).price, 1); /* an own one counts at once */
    answer got = await_local(here, read_here, 1);
    ck_assert_int_eq(got.staleness_ms, 301);
    write_price(writer, write_there, 1, 2);
    usleep(310000);
    ck_assert_int_eq(ask_anew(here, read_here, 1).price, 2);
    finish();
}
END_TEST

/* ------------------------------------------------------------------------------------------------------- crowds */

enum { READERS = 3, ROUNDS = 5 };

/* What has been written and has returned, and when. */
static _Atomic int64_t written, returned_at;
static atomic_bool over;

/* Whoever asks longer than the bound after a write returned, sees it; and nobody's own time runs backwards. */
static void *read_on(void *unused)
{
    (void)unused;
    int64_t before = 0, local = 0;
    shopdata_session *own;
    servers_ok(shopdata_session_new(here, &own, NULL), NULL);
    while (!atomic_load(&over)) {
        int64_t least = atomic_load(&written);
        int64_t since = sdi_now() - atomic_load(&returned_at);
        answer got = ask(own, read_here, 1);
        if (since > COHERENCE_MS * INT64_C(1000))
            ck_assert_int_ge(got.price, least);
        ck_assert_int_ge(got.price, least - 1);
        ck_assert_int_ge(got.price, before);
        before = got.price;
        local += got.source == SHOPDATA_FROM_LOCAL;
    }
    shopdata_session_free(own);
    return (void *)(intptr_t)local;
}

START_TEST(many_read_while_one_writes)
{
    pthread_t readers[READERS];
    void *local;
    int64_t all = 0;
    begin("redis");
    atomic_store(&written, 0);
    atomic_store(&returned_at, sdi_now());
    atomic_store(&over, false);
    for (int i = 0; i < READERS; i++)
        ck_assert_int_eq(pthread_create(&readers[i], NULL, read_on, NULL), 0);
    for (int64_t price = 1; price <= ROUNDS; price++) {
        write_price(writer, write_there, 1, price);
        atomic_store(&returned_at, sdi_now());
        atomic_store(&written, price);
        pass_the_bound(sdi_now() + 20000);
    }
    atomic_store(&over, true);
    for (int i = 0; i < READERS; i++) {
        pthread_join(readers[i], &local);
        all += (int64_t)(intptr_t)local;
    }
    ck_assert_int_gt(all, 0);
    finish();
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_checked_fixture(cases, NULL, servers_heal);
    tcase_add_test(cases, what_was_read_is_kept_here);
    tcase_add_test(cases, many_at_once_are_answered_here);
    tcase_add_test(cases, flags_transactions_and_policies_go_past_it);
    tcase_add_loop_test(cases, there_is_none_where_it_could_not_keep_its_promise, 0, 5);
    tcase_add_test(cases, a_write_elsewhere_is_seen_within_the_bound);
    tcase_add_test(cases, an_own_write_is_seen_at_once);
    tcase_add_test(cases, what_is_invalidated_by_hand_is_gone_everywhere);
    tcase_add_test(cases, a_write_that_finds_no_fence_is_told);
    tcase_add_test(cases, a_token_from_elsewhere_is_heeded_at_once);
    tcase_add_test(cases, a_token_is_confirmed_after_a_while);
    tcase_add_test(cases, a_token_that_comes_back_is_no_news);
    tcase_add_test(cases, a_session_may_want_it_younger);
    tcase_add_test(cases, peeking_asks_nobody);
    tcase_add_test(cases, a_lost_subscription_is_forgotten_and_made_anew);
    tcase_add_test(cases, a_server_that_is_frozen_stops_the_hits);
    tcase_add_test(cases, a_server_that_begins_anew_is_listened_to_again);
    tcase_add_test(cases, a_machine_that_was_suspended_answers_nothing_from_before);
    tcase_add_test(cases, what_rests_is_roused_by_who_reads);
#ifndef __SANITIZE_THREAD__
    tcase_add_test(cases, a_forked_child_listens_by_itself);
#endif
    tcase_add_test(cases, in_mode_ttl_it_is_as_old_as_the_policy_lets_it);
    tcase_add_test(cases, on_memcached_it_lives_for_its_own_short_time);
    tcase_add_test(cases, many_read_while_one_writes);
}

int main(void)
{
    servers_required();
    servers_required_memcached();
    return unit_run("integration/local", 60, (unit_fill *const[]){fill}, 1);
}
