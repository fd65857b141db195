#include "servers.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

void servers_need(const char *options, const char *const *variables)
{
    for (; *variables; variables++) {
        if (getenv(*variables))
            continue;
        fprintf(stderr, "skipped: run it under tests/launcher/launch run %s -- ...\n", options);
        exit(77);
    }
}

void servers_required(void)
{
    static const char *const variables[] = {"SHOPDATA_PRIMARY", "SHOPDATA_REPLICA2", "SHOPDATA_REDIS", NULL};
    servers_need("--replicas 2 --redis", variables);
}

void servers_required_memcached(void)
{
    servers_need("... --memcached", (const char *const[]){"SHOPDATA_MEMCACHED", NULL});
}

/* The launcher gives a server 60 s to start. */
enum { LAUNCHER_SECONDS = 70 };

static int connect_control(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/control", getenv("SHOPDATA_SERVERS"));
    struct timeval patience = {.tv_sec = LAUNCHER_SECONDS};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Sends a command and gives the answer's beginning. */
static void tell(const char *command, char *answer, size_t size)
{
    size_t length = 0;
    ssize_t got;
    int fd = connect_control();
    ck_assert_int_eq(dprintf(fd, "%s\n", command), (int)strlen(command) + 1);
    while (length < size - 1 && (got = read(fd, answer + length, size - 1 - length)) > 0)
        length += (size_t)got;
    answer[length] = '\0';
    close(fd);
    ck_assert_msg(length, "%s: no answer from the launcher in %d s", command, LAUNCHER_SECONDS);
}

static bool disturbed = true; /* perhaps by another program */

void servers_do(const char *command)
{
    char answer[512];
    disturbed = true;
    tell(command, answer, sizeof answer);
    ck_assert_msg(!strncmp(answer, "ok", 2), "%s: %s", command, answer);
}

/* What is stopped cannot be thawed, and says so: then starting it is what counts. */
static void revive(const char *server)
{
    char command[64], answer[512];
    snprintf(command, sizeof command, "thaw %s", server);
    tell(command, answer, sizeof answer);
    snprintf(command, sizeof command, "start %s", server);
    servers_do(command);
}

void servers_heal(void)
{
    static const char *const servers[] = {"primary", "replica1", "replica2", "redis"};
    if (!disturbed)
        return;
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++)
        revive(servers[i]);
    if (getenv("SHOPDATA_MEMCACHED"))
        revive("memcached");
    servers_do("resume replica1");
    servers_do("resume replica2");
    disturbed = false;
}

static void set(shopdata_config *config, const char *key, const char *value)
{
    shopdata_error *error = NULL;
    int status = shopdata_config_set(config, key, value, &error);
    ck_assert_msg(status == SHOPDATA_OK, "%s", shopdata_error_message(error));
}

shopdata_config *servers_config(const char *cache)
{
    static int number;
    char prefix[64];
    shopdata_config *config;
    ck_assert_int_eq(shopdata_config_new(&config, NULL), SHOPDATA_OK);
    set(config, "node.primary.conninfo", getenv("SHOPDATA_PRIMARY"));
    set(config, "node.replica1.conninfo", getenv("SHOPDATA_REPLICA1"));
    set(config, "node.replica2.conninfo", getenv("SHOPDATA_REPLICA2"));
    set(config, "route.poll_interval", "50ms");
    set(config, "route.breaker_open", "50ms");
    set(config, "route.breaker_open_max", "200ms");
    set(config, "pool.connect_timeout", "5s"); /* a busy machine takes its time to start a backend */
    set(config, "cache.kind", cache);
    set(config, "cache.address", getenv(strcmp(cache, "memcached") ? "SHOPDATA_REDIS" : "SHOPDATA_MEMCACHED"));
    set(config, "local.coherence", "0ms");
    set(config, "cache.breaker_open", "50ms");
    set(config, "cache.breaker_open_max", "100ms");
    snprintf(prefix, sizeof prefix, "test-%d-%d", (int)getpid(), number++);
    set(config, "cache.key_prefix", prefix);
    return config;
}

shopdata_config *servers_hasty_config(const char *cache)
{
    shopdata_config *config = servers_config(cache);
    set(config, "pool.connect_timeout", "500ms");
    return config;
}

static int nodes_known(shopdata_client *client)
{
    return servers_metric(client, "shopdata_node_role", "node=\"primary\"") == 2 &&
           servers_metric(client, "shopdata_node_role", "node=\"replica1\"") == 1 &&
           servers_metric(client, "shopdata_node_role", "node=\"replica2\"") == 1;
}

shopdata_client *servers_open_with(shopdata_config *config)
{
    shopdata_error *error = NULL;
    shopdata_client *client;
    int status = shopdata_open(config, &client, &error);
    ck_assert_msg(status == SHOPDATA_OK, "%s", shopdata_error_message(error));
    shopdata_config_free(config);
    for (int i = 0; i < 1000 && !nodes_known(client); i++)
        usleep(10000);
    ck_assert(nodes_known(client));
    return client;
}

shopdata_client *servers_open(const char *cache)
{
    return servers_open_with(servers_config(cache));
}

/* Whoever waits for a lock here has met one that nobody gives back. */
static PGconn *connect_to(const char *node)
{
    static const char *const names[] = {"dbname", "connect_timeout", "options", NULL};
    const char *const values[] = {getenv(node), "20", "-c lock_timeout=20s", NULL};
    PGconn *connection = PQconnectdbParams(names, values, true);
    ck_assert_msg(PQstatus(connection) == CONNECTION_OK, "%s", PQerrorMessage(connection));
    return connection;
}

char *servers_value_at(const char *node, const char *sql)
{
    PGconn *connection = connect_to(node);
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    ck_assert_msg(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, "%s: %s", sql, PQerrorMessage(connection));
    char *value = strdup(PQntuples(result) > 0 && PQnfields(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    PQfinish(connection);
    return value;
}

char *servers_value(const char *sql)
{
    return servers_value_at("SHOPDATA_PRIMARY", sql);
}

void servers_await_value(const char *sql, const char *wanted)
{
    char *value = NULL;
    for (int i = 0; i < 3000; i++) {
        free(value);
        value = servers_value(sql);
        if (!strcmp(value, wanted))
            break;
        usleep(10000);
    }
    ck_assert_str_eq(value, wanted);
    free(value);
}

void servers_sql(const char *sql)
{
    free(servers_value(sql));
}

void servers_flush(void)
{
    servers_sql("SELECT pg_logical_emit_message(true, 'test', 'flushed at its commit')");
}

void servers_replay(const char *node)
{
    char *lsn = servers_value("SELECT pg_current_wal_flush_lsn()"), sql[128], *there = NULL;
    snprintf(sql, sizeof sql, "SELECT pg_last_wal_replay_lsn() >= '%s'", lsn);
    for (int i = 0; i < 1000 && (!there || *there != 't'); i++) {
        if (there)
            usleep(10000);
        free(there);
        there = servers_value_at(node, sql);
    }
    ck_assert_msg(*there == 't', "%s has not replayed %s", node, lsn);
    free(there);
    free(lsn);
}

void servers_settle(void)
{
    servers_replay("SHOPDATA_REPLICA1");
    servers_replay("SHOPDATA_REPLICA2");
}

double servers_metric(shopdata_client *client, const char *name, const char *labels)
{
    shopdata_metrics *metrics;
    double sum = 0;
    ck_assert_int_eq(shopdata_metrics_take(client, &metrics, NULL), SHOPDATA_OK);
    for (size_t i = 0; i < shopdata_metrics_count(metrics); i++)
        if (!strcmp(shopdata_metrics_name(metrics, i), name) &&
            (!labels || strstr(shopdata_metrics_labels(metrics, i), labels)))
            sum += shopdata_metrics_value(metrics, i);
    shopdata_metrics_free(metrics);
    return sum;
}

double servers_asked(shopdata_client *client)
{
    return servers_metric(client, "shopdata_queries_total", "source=\"replica\"") +
           servers_metric(client, "shopdata_queries_total", "source=\"primary\"") -
           servers_metric(client, "shopdata_flights_joined_total", NULL);
}

shopdata_statement *servers_statement(shopdata_client *client, const char *sql)
{
    shopdata_error *error = NULL;
    shopdata_statement *made = NULL;
    servers_ok(shopdata_statement_new(client, NULL, sql, &made, &error), error);
    return made;
}
