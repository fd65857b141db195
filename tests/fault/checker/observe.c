/* observe.c - what stands on the primary, read past everything: in strict mode every read that begins later shows it.
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "load.h"

static PGconn *connect_primary(void)
{
    static const char *const nodes[] = {"SHOPDATA_PRIMARY", "SHOPDATA_REPLICA1", "SHOPDATA_REPLICA2"};
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        char conninfo[512];
        snprintf(conninfo, sizeof conninfo,
                 "%s connect_timeout=2 target_session_attrs=read-write options='-csearch_path=freshness"
                 " -cstatement_timeout=2s' tcp_user_timeout=3000",
                 environment(nodes[i]));
        PGconn *made = PQconnectdb(conninfo);
        if (PQstatus(made) == CONNECTION_OK)
            return made;
        PQfinish(made);
    }
    return NULL;
}

static void take(shared *all, slot *mine, size_t row, int64_t version)
{
    row_state *state = &all->rows[row];
    if (version <= atomic_load(&state->observed))
        return;
    raise_to(&state->observed, version);
    atomic_fetch_add(&mine->observed, 1);
    shared_event(all, mine, (event){.happening = OBSERVED, .row = (uint32_t)row, .version = version});
}

static bool look(shared *all, slot *mine, PGconn *primary)
{
    PGresult *got = PQexec(primary, "SELECT id, version FROM items UNION ALL SELECT id, version FROM details"
                                    " UNION ALL SELECT id, version FROM pairs UNION ALL SELECT id, version FROM turns"
                                    " UNION ALL SELECT id, version FROM diaries"
                                    " UNION ALL SELECT id, version FROM arrivals");
    bool good = PQresultStatus(got) == PGRES_TUPLES_OK;
    for (int i = 0; i < PQntuples(got); i++)
        take(all, mine, (size_t)atoll(PQgetvalue(got, i, 0)), atoll(PQgetvalue(got, i, 1)));
    PQclear(got);
    return good;
}

int64_t observe_diary(size_t row)
{
    char sql[96];
    PGconn *primary = connect_primary();
    snprintf(sql, sizeof sql, "SELECT version FROM diaries WHERE id = %zu", row);
    PGresult *got = primary ? PQexec(primary, sql) : NULL;
    int64_t version = PQntuples(got) == 1 ? atoll(PQgetvalue(got, 0, 0)) : 0;
    PQclear(got);
    PQfinish(primary);
    return version;
}

void observe(shared *all, size_t slot_number)
{
    enum { PAUSE_US = 10000 };
    PGconn *primary = NULL;
    while (!atomic_load(&all->stop)) {
        if (!primary)
            primary = connect_primary();
        if (primary && !look(all, &all->slots[slot_number], primary)) {
            PQfinish(primary);
            primary = NULL;
        }
        usleep(PAUSE_US);
    }
    PQfinish(primary);
}
