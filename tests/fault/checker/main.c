/* main.c - the processes of a run, which the conductor starts (conduct.py).
 *
 *   freshness_load prepare FILE
 *   freshness_load work FILE SLOT MODE CACHE THREADS WRITES FORGETS SEED COHERENCE
 *   freshness_load observe FILE SLOT
 *   freshness_load steer FILE            lines from standard input: note TEXT, ill N, calm N, promoted NODE,
 *                                        looks N, broken, stop
 *   freshness_load count FILE            all counts, a line each
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

enum { STEERING_SLOT = SLOTS - 1 };

/* -------------------------------------------------------------------------------------------------------- preparing */

static void run_sql(PGconn *primary, const char *sql)
{
    PGresult *done = PQexec(primary, sql);
    if (PQresultStatus(done) != PGRES_COMMAND_OK && PQresultStatus(done) != PGRES_TUPLES_OK)
        give_up("%s", PQerrorMessage(primary));
    PQclear(done);
}

static void fill(PGconn *primary)
{
    char sql[1024];
    snprintf(sql, sizeof sql,
             "INSERT INTO items (id, grp, version) SELECT n, n / %d, 1 FROM generate_series(0, %d) n;"
             "INSERT INTO details (id, item_id, version) SELECT n + %d, n, 1 FROM generate_series(0, %d) n;"
             "INSERT INTO pairs (id, pair, version) SELECT n + %d, n / 2, 1 FROM generate_series(0, %d) n;"
             "INSERT INTO diaries (id, version) SELECT n + %d, 1 FROM generate_series(0, %d) n;"
             "ALTER TABLE arrivals ALTER id RESTART WITH %d SET MAXVALUE %d;"
             "INSERT INTO turns (id, version) SELECT n + %d, 0 FROM generate_series(0, %d) n",
             GROUP, ITEMS - 1, FIRST_DETAIL, DETAILS - 1, FIRST_PAIR, PAIR_ROWS - 1, FIRST_DIARY, DIARY_ROWS - 1,
             FIRST_ARRIVAL, ROWS - 1, FIRST_COMER, COMER_ROWS - 1);
    run_sql(primary, sql);
}

static bool replicas_know(PGconn *primary)
{
    PGresult *got = PQexec(primary, "SELECT FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_flush_lsn()");
    bool all = PQntuples(got) == 2;
    PQclear(got);
    return all;
}

static void prepare(const char *path)
{
    PGconn *primary = PQconnectdb(environment("SHOPDATA_PRIMARY"));
    if (PQstatus(primary) != CONNECTION_OK)
        give_up("%s", PQerrorMessage(primary));
    run_sql(primary, "SET client_min_messages = warning");
    run_sql(primary, rows_schema);
    fill(primary);
    while (!replicas_know(primary))
        usleep(10000);
    PQfinish(primary);
    shared_make(path);
}

/* -------------------------------------------------------------------------------------------------------- steering */

static void steer_one(shared *all, const char *line)
{
    int number = 0;
    if (!strncmp(line, "note ", 5))
        shared_note(all, &all->slots[STEERING_SLOT], line + 5);
    else if (sscanf(line, "ill %d", &number) == 1)
        atomic_store(&all->ill, number);
    else if (sscanf(line, "calm %d", &number) == 1)
        atomic_store(&all->calm, number);
    else if (sscanf(line, "promoted replica%d", &number) == 1)
        atomic_store(&all->promoted, number);
    else if (sscanf(line, "looks %d", &number) == 1)
        atomic_store(&all->looks, number);
    else if (!strcmp(line, "broken"))
        printf("%llu ", (unsigned long long)atomic_load(&all->broken));
    else if (!strcmp(line, "stop"))
        atomic_store(&all->stop, 1);
    else
        give_up("cannot steer '%s'", line);
}

static void steer(shared *all)
{
    char line[256];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        steer_one(all, line);
        puts("done");
        fflush(stdout);
    }
}

/* -------------------------------------------------------------------------------------------------------- counting */

static void count_reads(const slot *of)
{
    static const char *const sources[SOURCES] = {"unknown", "cache", "replica", "primary", "stale", "local"};
    for (size_t a = 0; a < ASKS; a++) {
        for (size_t i = 0; i < SOURCES; i++)
            printf("read %s %s %llu\n", asks[a].name, sources[i], (unsigned long long)of->reads[a][i]);
        for (size_t i = FINE + 1; i < VERDICTS; i++)
            printf("violation %s %s %llu\n", asks[a].name, verdict_names[i], (unsigned long long)of->verdicts[a][i]);
    }
}

static void count_statuses(const char *what, const char *name, const _Atomic uint64_t *of)
{
    for (int i = 0; i < STATUSES; i++)
        if (of[i])
            printf("%s %s %s %llu\n", what, name, shopdata_status_name(i - STATUS_ZERO), (unsigned long long)of[i]);
}

static void count(const shared *all)
{
    for (size_t s = 0; s < SLOTS; s++) {
        const slot *of = &all->slots[s];
        count_reads(of);
        count_statuses("failed", "read", of->failed_reads);
        for (size_t d = 0; d < DEEDS; d++)
            count_statuses("write", deeds[d].name, of->writes[d]);
        printf("exempt all well %llu\nexempt all ill %llu\nobserved versions new %llu\ncarried tokens all %llu\n",
               (unsigned long long)of->exempt[0], (unsigned long long)of->exempt[1], (unsigned long long)of->observed,
               (unsigned long long)of->carried);
    }
}

/* ---------------------------------------------------------------------------------------------------------- running */

static void work(shared *all, char **words)
{
    load_options options = {.of = {.mode = words[1],
                                   .cache = words[2],
                                   .seed = strtoull(words[6], NULL, 10),
                                   .coherence_ms = strtoll(words[7], NULL, 10)},
                            .threads = strtoul(words[3], NULL, 10),
                            .writes = (unsigned)strtoul(words[4], NULL, 10),
                            .forgets = (unsigned)strtoul(words[5], NULL, 10)};
    bool peers = !strcmp(words[1], "delete-on-write") || !strcmp(words[1], "ttl-only");
    options.by = peers ? &as_peers : &through_library;
    load(all, strtoul(words[0], NULL, 10), &options);
}

int main(int argc, char **argv)
{
    const char *verb = argc > 2 ? argv[1] : "";
    if (!strcmp(verb, "prepare"))
        prepare(argv[2]);
    else if (!strcmp(verb, "work") && argc == 11)
        work(shared_attach(argv[2]), argv + 3);
    else if (!strcmp(verb, "observe") && argc == 4)
        observe(shared_attach(argv[2]), strtoul(argv[3], NULL, 10));
    else if (!strcmp(verb, "steer"))
        steer(shared_attach(argv[2]));
    else if (!strcmp(verb, "count"))
        count(shared_attach(argv[2]));
    else
        give_up("the conductor starts this: tests/fault/freshness --help");
    return 0;
}
