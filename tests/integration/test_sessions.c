/* test_sessions.c - what a token carries from one instance to another. Two clients are two instances: each knows the
 * primary and a replica of its own, and they share the cache. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/servers.h"
#include "../unit/unit.h"
#include "fresh/token.h"

enum { A, B, INSTANCES };

static const char *const replicas[INSTANCES] = {"replica1", "replica2"};

typedef struct instance {
    shopdata_client *client;
    shopdata_session *session;
    shopdata_statement *by_id, *volatile_by_id, *set_price;
} instance;

static instance at[INSTANCES];
static const char *keys = "";
static bool cut_off; /* A, from the cache */

static void set(shopdata_config *config, const char *key, const char *value)
{
    shopdata_error *error = NULL;
    servers_ok(shopdata_config_set(config, key, value, &error), error);
}

/* Replicas are not waited for, so that it shows where an answer came from. */
static shopdata_config *config_of(const char *cache, const char *prefix, int number)
{
    char key[64], variable[64];
    shopdata_config *config;
    servers_ok(shopdata_config_new(&config, NULL), NULL);
    snprintf(key, sizeof key, "node.%s.conninfo", replicas[number]);
    snprintf(variable, sizeof variable, "SHOPDATA_REPLICA%d", number + 1);
    set(config, "node.primary.conninfo", getenv("SHOPDATA_PRIMARY"));
    set(config, key, getenv(variable));
    set(config, "route.poll_interval", "20ms");
    set(config, "route.wait_for_replica", "0ms");
    set(config, "route.max_lag", "1h");
    set(config, "cache.kind", cache);
    set(config, "cache.address", cut_off && number == A ? "127.0.0.1:1" : getenv("SHOPDATA_REDIS"));
    set(config, "cache.key_prefix", prefix);
    set(config, "local.coherence", "0ms");
    set(config, "shopdata.token_keys", keys);
    return config;
}

static void await_roles(shopdata_client *client, int number)
{
    char label[64];
    snprintf(label, sizeof label, "node=\"%s\"", replicas[number]);
    for (int i = 0; i < 500; i++, usleep(10000))
        if (servers_metric(client, "shopdata_node_role", "node=\"primary\"") == 2 &&
            servers_metric(client, "shopdata_node_role", label) == 1)
            return;
    ck_abort_msg("the nodes of an instance were not found");
}

static void open_instance(const char *cache, const char *prefix, int number)
{
    instance *one = &at[number];
    shopdata_error *error = NULL;
    shopdata_config *config = config_of(cache, prefix, number);
    servers_ok(shopdata_open(config, &one->client, &error), error);
    shopdata_config_free(config);
    await_roles(one->client, number);
    servers_ok(shopdata_session_new(one->client, &one->session, NULL), NULL);
    one->by_id = servers_statement(one->client, "SELECT price FROM item WHERE id = $1");
    one->volatile_by_id = servers_statement(one->client, "SELECT price FROM item WHERE id = $1 AND random() < 2");
    one->set_price = servers_statement(one->client, "UPDATE item SET price = $2 WHERE id = $1");
}

static void close_instance(instance *one)
{
    shopdata_statement_free(one->by_id);
    shopdata_statement_free(one->volatile_by_id);
    shopdata_statement_free(one->set_price);
    shopdata_session_free(one->session);
    shopdata_close(one->client);
    *one = (instance){.client = NULL};
}

static void begin(const char *cache)
{
    static int number;
    char prefix[64];
    snprintf(prefix, sizeof prefix, "sessions-%d-%d", (int)getpid(), number++);
    servers_sql("DROP TABLE IF EXISTS item; CREATE TABLE item (id int PRIMARY KEY, price int NOT NULL); INSERT INTO "
                "item SELECT i, 1 FROM generate_series(1, 20) i");
    servers_settle();
    for (int i = 0; i < INSTANCES; i++)
        open_instance(cache, prefix, i);
}

static void finish(void)
{
    for (int i = 0; i < INSTANCES; i++)
        close_instance(&at[i]);
    keys = "";
    cut_off = false;
    servers_heal();
}

static void renew(instance *one)
{
    shopdata_session_free(one->session);
    servers_ok(shopdata_session_new(one->client, &one->session, NULL), NULL);
}

typedef struct answer {
    int64_t price, staleness_ms;
    int source;
} answer;

static answer ask(instance *one, shopdata_statement *statement, int id)
{
    answer got;
    shopdata_error *error = NULL;
    shopdata_result *result = NULL;
    shopdata_param param = shopdata_int64(id);
    servers_ok(shopdata_query(one->session, statement, &param, 1, &result, &error), error);
    servers_ok(shopdata_result_int64(result, 0, 0, &got.price, &error), error);
    got.source = shopdata_result_source(result);
    got.staleness_ms = shopdata_result_staleness_ms(result);
    shopdata_result_free(result);
    return got;
}

/* Asks until a replica answers: the router has to hear first that one is there, and how far it is. */
static answer await_replica(instance *one, int id)
{
    answer got = ask(one, one->volatile_by_id, id);
    for (int i = 0; i < 1000 && got.source != SHOPDATA_FROM_REPLICA; i++, usleep(10000))
        got = ask(one, one->volatile_by_id, id);
    ck_assert_int_eq(got.source, SHOPDATA_FROM_REPLICA);
    return got;
}

static int write_price(instance *one, int id, int price)
{
    shopdata_error *error = NULL;
    shopdata_param params[2] = {shopdata_int64(id), shopdata_int64(price)};
    int status = shopdata_execute(one->session, one->set_price, params, 2, NULL, &error);
    ck_assert_msg(status >= 0, "%s", shopdata_error_message(error));
    return status;
}

static const char *token_of(instance *one)
{
    const char *token;
    shopdata_error *error = NULL;
    servers_ok(shopdata_session_token(one->session, &token, &error), error);
    ck_assert_uint_lt(strlen(token), 200);
    return token;
}

/* A request's end on one instance, and the next one's begin on the other. */
static void carry(instance *from, instance *to)
{
    shopdata_error *error = NULL;
    char token[1600];
    snprintf(token, sizeof token, "%s", token_of(from));
    renew(from);
    renew(to);
    servers_ok(shopdata_session_advance(to->session, token, &error), error);
}

static void caught_up(const char *node)
{
    servers_replay(node);
    usleep(100000); /* until the watchers have seen it */
}

/* -------------------------------------------------------------------------------------------------- what is carried */

START_TEST(a_user_reads_his_own_write_on_another_instance)
{
    keys = _i ? "one:0123456789abcdef" : "";
    begin("none");
    caught_up("SHOPDATA_REPLICA2");
    servers_do("pause replica2");
    write_price(&at[A], 1, 100);
    ck_assert_int_eq(ask(&at[B], at[B].volatile_by_id, 1).price, 1); /* who has no token reads the past */
    carry(&at[A], &at[B]);
    answer got = ask(&at[B], at[B].volatile_by_id, 1);
    ck_assert_int_eq(got.price, 100);
    ck_assert_int_eq(got.source, SHOPDATA_FROM_PRIMARY);
    servers_do("resume replica2");
    ck_assert_int_eq(await_replica(&at[B], 1).price, 100);
    finish();
}
END_TEST

/* Written by others, and past the library: only what was seen tells of it. */
START_TEST(what_was_seen_on_one_instance_is_not_unseen_on_another)
{
    begin("none");
    caught_up("SHOPDATA_REPLICA1");
    servers_do("pause replica2");
    servers_sql("UPDATE item SET price = 7 WHERE id = 2");
    caught_up("SHOPDATA_REPLICA1");
    answer seen = ask(&at[A], at[A].volatile_by_id, 2);
    ck_assert_int_eq(seen.price, 7);
    ck_assert_int_eq(seen.source, SHOPDATA_FROM_REPLICA);
    ck_assert_int_eq(ask(&at[B], at[B].volatile_by_id, 2).price, 1);
    carry(&at[A], &at[B]);
    ck_assert_int_eq(ask(&at[B], at[B].volatile_by_id, 2).price, 7);
    finish();
}
END_TEST

/* A hit is seen as well: the entry keeps how far its answer reaches. */
START_TEST(a_hit_advances_too)
{
    begin("redis");
    caught_up("SHOPDATA_REPLICA1");
    servers_do("pause replica2");
    write_price(&at[A], 3, 300);
    renew(&at[A]);
    ck_assert_int_eq(ask(&at[A], at[A].by_id, 3).price, 300);
    renew(&at[A]);
    answer hit = ask(&at[A], at[A].by_id, 3);
    ck_assert_int_eq(hit.source, SHOPDATA_FROM_CACHE);
    carry(&at[A], &at[B]);
    ck_assert_int_eq(ask(&at[B], at[B].volatile_by_id, 3).price, 300);
    finish();
}
END_TEST

static void begin_transaction(instance *one)
{
    shopdata_error *error = NULL;
    servers_ok(shopdata_begin(one->session, SHOPDATA_READ_COMMITTED, &error), error);
}

START_TEST(what_a_transaction_saw_counts_from_its_end)
{
    begin("none");
    caught_up("SHOPDATA_REPLICA2");
    servers_do("pause replica2");
    for (int way = 0; way < 2; way++) {
        int price = 40 + way;
        char sql[100];
        snprintf(sql, sizeof sql, "UPDATE item SET price = %d WHERE id = 4", price);
        servers_sql(sql);
        renew(&at[A]);
        begin_transaction(&at[A]);
        answer inside = ask(&at[A], at[A].volatile_by_id, 4);
        ck_assert(inside.price == price && inside.staleness_ms == 0);
        shopdata_error *error = NULL;
        servers_ok(way ? shopdata_commit(at[A].session, &error) : shopdata_rollback(at[A].session, &error), error);
        carry(&at[A], &at[B]);
        ck_assert_int_eq(ask(&at[B], at[B].volatile_by_id, 4).price, price);
    }
    finish();
}
END_TEST

/* The cache answers B all the while; A does not reach it, so that the fences stay where they are. */
START_TEST(a_write_that_was_not_told_is_seen_on_another_instance)
{
    cut_off = true;
    begin("redis");
    ck_assert_int_eq(ask(&at[B], at[B].by_id, 5).price, 1);
    ck_assert_int_eq(write_price(&at[A], 5, 50), SHOPDATA_UNFENCED);
    renew(&at[B]);
    answer old = ask(&at[B], at[B].by_id, 5);
    ck_assert(old.price == 1 && old.source == SHOPDATA_FROM_CACHE); /* others cannot know */
    size_t with_tags = strlen(token_of(&at[A]));
    carry(&at[A], &at[B]);
    ck_assert_int_eq(ask(&at[B], at[B].by_id, 5).price, 50);
    ck_assert_uint_ge(strlen(token_of(&at[B])), with_tags);
    answer again = ask(&at[B], at[B].by_id, 5);
    ck_assert(again.price == 50 && again.source == SHOPDATA_FROM_CACHE); /* it is newer than the write */
    ck_assert_int_eq(write_price(&at[B], 5, 51), SHOPDATA_OK);
    ck_assert_int_eq(ask(&at[B], at[B].by_id, 5).price, 51);
    ck_assert_uint_lt(strlen(token_of(&at[B])), with_tags); /* the fence of the row demands it by now */
    finish();
}
END_TEST

static int advance(instance *one, const char *token)
{
    shopdata_error *error = NULL;
    int status = shopdata_session_advance(one->session, token, &error);
    ck_assert((status < 0) == (error != NULL));
    if (error)
        ck_assert_ptr_null(strstr(shopdata_error_message(error), "0123456789abcdef"));
    shopdata_error_free(error);
    return status;
}

START_TEST(a_token_that_is_none_changes_nothing)
{
    keys = "one:0123456789abcdef";
    begin("none");
    write_price(&at[A], 6, 60);
    char before[1600], changed[1600], much[3000];
    snprintf(before, sizeof before, "%s", token_of(&at[A]));
    snprintf(changed, sizeof changed, "%s", before);
    changed[20] = changed[20] == 'A' ? 'B' : 'A';
    memset(much, 'A', sizeof much - 1);
    much[sizeof much - 1] = '\0';
    const char *const bad[] = {"", "nonsense", "1AAAAAAAAAAAAAAAA", changed, much, "1AAAA.two.AAAA", "\xff\xfe"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(advance(&at[A], bad[i]), SHOPDATA_ERR_ARGUMENT);
        ck_assert_str_eq(token_of(&at[A]), before);
    }
    ck_assert_int_eq(advance(&at[A], NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(advance(&at[A], before), SHOPDATA_OK);
    ck_assert_str_eq(token_of(&at[A]), before);
    finish();
}
END_TEST

/* Made by the codec for a system that is nowhere: position 1000/0, timeline 9. */
START_TEST(a_token_of_another_database_is_ignored)
{
    static const char foreign[] = "1AAEAAAAAAAAACYAgAA";
    begin("none");
    ck_assert_int_eq(advance(&at[B], foreign), SHOPDATA_OK);
    ck_assert_double_eq(servers_metric(at[B].client, "shopdata_tokens_foreign_total", NULL), 1);
    await_replica(&at[B], 7);
    finish();
}
END_TEST

/* ------------------------------------------------------------------------------------------------------ max staleness
 */

static void tolerate(instance *one, int64_t ms)
{
    shopdata_error *error = NULL;
    servers_ok(shopdata_session_set_max_staleness(one->session, ms, &error), error);
}

START_TEST(an_overtaken_entry_serves_who_tolerates_it)
{
    begin("redis");
    ck_assert_int_eq(ask(&at[B], at[B].by_id, 8).price, 1);
    write_price(&at[A], 8, 80);
    renew(&at[B]);
    tolerate(&at[B], 60000);
    answer got = ask(&at[B], at[B].by_id, 8);
    ck_assert_int_eq(got.price, 1);
    ck_assert_int_eq(got.source, SHOPDATA_FROM_STALE);
    ck_assert(got.staleness_ms > 0 && got.staleness_ms < 60000);
    tolerate(&at[B], 0);
    got = ask(&at[B], at[B].by_id, 8);
    ck_assert(got.price == 80 && got.staleness_ms == 0);
    finish();
}
END_TEST

START_TEST(it_is_never_older_than_tolerated_nor_than_what_the_session_wrote)
{
    begin("redis");
    ck_assert_int_eq(ask(&at[A], at[A].by_id, 9).price, 1);
    write_price(&at[A], 9, 90);
    tolerate(&at[A], 60000);
    ck_assert_int_eq(ask(&at[A], at[A].by_id, 9).price, 90);
    ck_assert_int_eq(ask(&at[B], at[B].by_id, 10).price, 1);
    write_price(&at[A], 10, 100);
    usleep(60000);
    renew(&at[B]);
    tolerate(&at[B], 50);
    ck_assert_int_eq(ask(&at[B], at[B].by_id, 10).price, 100);
    finish();
}
END_TEST

/* The write is told, so without tolerance the answer comes from the primary. */
START_TEST(a_replica_behind_serves_who_tolerates_it)
{
    begin("redis");
    caught_up("SHOPDATA_REPLICA2");
    servers_do("pause replica2");
    write_price(&at[A], 11, 110);
    usleep(300000);
    tolerate(&at[B], 60000);
    answer got = ask(&at[B], at[B].by_id, 11);
    ck_assert_int_eq(got.price, 1);
    ck_assert_int_eq(got.source, SHOPDATA_FROM_REPLICA);
    ck_assert_int_ge(got.staleness_ms, 250);
    got = ask(&at[B], at[B].volatile_by_id, 11);
    ck_assert_int_eq(got.source, SHOPDATA_FROM_REPLICA);
    ck_assert_int_ge(got.staleness_ms, 250);
    tolerate(&at[B], 100);
    ck_assert_int_eq(ask(&at[B], at[B].volatile_by_id, 11).price, 110);
    renew(&at[B]);
    tolerate(&at[B], 100);
    got = ask(&at[B], at[B].by_id, 11);
    ck_assert(got.price == 110 && got.staleness_ms <= 100);
    finish();
}
END_TEST

START_TEST(a_staleness_has_a_range)
{
    begin("none");
    shopdata_error *error = NULL;
    ck_assert_int_eq(shopdata_session_set_max_staleness(at[A].session, -1, &error), SHOPDATA_ERR_ARGUMENT);
    ck_assert_str_eq(shopdata_error_message(error), "a staleness of -1 ms; it must be from 0 to 2592000000");
    shopdata_error_free(error);
    ck_assert_int_eq(shopdata_session_set_max_staleness(NULL, 1, NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(shopdata_session_token(NULL, NULL, NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(shopdata_session_token(at[A].session, NULL, NULL), SHOPDATA_ERR_ARGUMENT);
    finish();
}
END_TEST

/* --------------------------------------------------------------------------------------------------------------- fork
 */

/* The thread sanitizer does not survive a thread that is started in a forked child. */
#ifndef __SANITIZE_THREAD__
static int in_child(void)
{
    const char *token;
    if (shopdata_session_token(at[A].session, &token, NULL) != SHOPDATA_ERR_FORKED ||
        shopdata_session_advance(at[A].session, "", NULL) != SHOPDATA_ERR_FORKED)
        return 1;
    if (shopdata_after_fork(at[A].client, NULL) != SHOPDATA_OK)
        return 2;
    if (shopdata_session_token(at[A].session, &token, NULL) != SHOPDATA_OK)
        return 3;
    return ask(&at[A], at[A].volatile_by_id, 12).price == 120 ? 0 : 4;
}

/* What a session wrote before the fork it reads after it. */
START_TEST(a_child_goes_on_with_the_session)
{
    int status = -1;
    begin("none");
    caught_up("SHOPDATA_REPLICA1");
    servers_do("pause replica1");
    write_price(&at[A], 12, 120);
    pid_t child = fork();
    if (child == 0)
        _exit(in_child());
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %d", WEXITSTATUS(status));
    finish();
}
END_TEST
#endif

/* Without keys anybody may ask for what does not come: he waits in vain, but the primary is not asked without pause. */
START_TEST(a_timeline_that_does_not_come_is_not_asked_for_all_the_time)
{
    enum { DEADLINE_MS = 400, PAUSE_MS = 10 };
    begin("none");
    shopdata_error *error = NULL;
    char *system = servers_value("SELECT system_identifier FROM pg_control_system()");
    sdi_token forged = {.era = {strtoull(system, NULL, 10), 1000}, .reached = 1};
    sdi_buffer text = SDI_BUFFER_INIT;
    sdi_token_encode(&forged, &(sdi_token_keys){0}, &text);
    servers_ok(shopdata_session_advance(at[A].session, text.data, &error), error);
    servers_ok(shopdata_session_set_deadline(at[A].session, DEADLINE_MS, &error), error);
    shopdata_param id = shopdata_int64(1);
    double before = servers_metric(at[A].client, "shopdata_node_queries_total", "node=\"primary\"");
    shopdata_result *result = NULL;
    int status = shopdata_query(at[A].session, at[A].volatile_by_id, &id, 1, &result, &error);
    ck_assert_int_eq(status, SHOPDATA_ERR_TIMEOUT);
    double after = servers_metric(at[A].client, "shopdata_node_queries_total", "node=\"primary\"");
    ck_assert_double_le(after - before, DEADLINE_MS / PAUSE_MS + 2);
    shopdata_error_free(error);
    sdi_buffer_free(&text);
    free(system);
    finish();
}
END_TEST

static void fill(TCase *cases)
{
    servers_required();
    tcase_add_loop_test(cases, a_user_reads_his_own_write_on_another_instance, 0, 2);
    tcase_add_test(cases, what_was_seen_on_one_instance_is_not_unseen_on_another);
    tcase_add_test(cases, a_hit_advances_too);
    tcase_add_test(cases, what_a_transaction_saw_counts_from_its_end);
    tcase_add_test(cases, a_write_that_was_not_told_is_seen_on_another_instance);
    tcase_add_test(cases, a_token_that_is_none_changes_nothing);
    tcase_add_test(cases, a_token_of_another_database_is_ignored);
    tcase_add_test(cases, an_overtaken_entry_serves_who_tolerates_it);
    tcase_add_test(cases, it_is_never_older_than_tolerated_nor_than_what_the_session_wrote);
    tcase_add_test(cases, a_replica_behind_serves_who_tolerates_it);
    tcase_add_test(cases, a_staleness_has_a_range);
    tcase_add_test(cases, a_timeline_that_does_not_come_is_not_asked_for_all_the_time);
#ifndef __SANITIZE_THREAD__
    tcase_add_test(cases, a_child_goes_on_with_the_session);
#endif
}

UNIT_MAIN("integration/sessions", fill, 120)
