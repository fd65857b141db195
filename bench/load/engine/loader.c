#include "loader.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "fault.h"
#include "json.h"

enum { CHUNK = 10000, SEND_BYTES = 65536, TELL_NS = 200000000 };

typedef struct job {
    PGconn *database;
    const load_shop *shop;
    load_text text;
    load_progress *progress;
    int64_t told_ns;
} job;

static volatile sig_atomic_t stopped;
static PGcancel *statement;

static void take_signals(void (*handler)(int))
{
    signal(SIGINT, handler);
    signal(SIGTERM, handler);
}

/* What the server is at may take minutes: an index, or the wait for a lock. And it may be silent for ever. */
static void stop(int number)
{
    (void)number;
    char why[256];
    stopped = 1;
    take_signals(SIG_DFL);
    PQcancel(statement, why, sizeof why);
}

static void tell(job *self, const char *what)
{
    const load_progress *progress = self->progress;
    load_json json = {.file = stdout};
    self->told_ns = load_now_ns();
    load_json_begin(&json, NULL);
    load_json_text(&json, "type", "progress");
    load_json_text(&json, "doing", what);
    load_json_count(&json, "done", (uint64_t)progress->done);
    load_json_count(&json, "kept", (uint64_t)progress->kept);
    load_json_count(&json, "of", (uint64_t)progress->total);
    load_json_number(&json, "elapsed_s", (double)(self->told_ns - progress->began_ns) / 1e9, 3);
    load_json_end(&json);
    load_json_line(&json);
}

static bool tell_of_key(const char *what)
{
    load_json json = {.file = stdout};
    load_json_begin(&json, NULL);
    load_json_text(&json, "type", "progress");
    load_json_text(&json, "doing", what);
    load_json_end(&json);
    load_json_line(&json);
    return !stopped;
}

/* ---- a chunk */

static int64_t last_of(const job *self, enum load_table table, int64_t chunk)
{
    int64_t count = load_rows_count(self->shop, table);
    return (chunk + 1) * CHUNK < count ? (chunk + 1) * CHUNK : count;
}

static bool send(job *self)
{
    bool good = !self->text.failed;
    if (!good)
        load_complain("out of memory");
    else if (PQputCopyData(self->database, self->text.data, (int)self->text.length) != 1) {
        load_complain("COPY: %s", PQerrorMessage(self->database));
        good = false;
    }
    self->text.length = 0;
    return good;
}

static bool send_rows(job *self, enum load_table table, int64_t chunk)
{
    int64_t last = last_of(self, table, chunk);
    for (int64_t number = chunk * CHUNK + 1; number <= last && !stopped; number++) {
        load_rows_add(&self->text, self->shop, table, number);
        if ((self->text.length >= SEND_BYTES || self->text.failed) && !send(self))
            return false;
    }
    return !stopped && (self->text.length == 0 || send(self));
}

/* The end of a COPY has a result, and then there is none. */
static bool end_copy(PGconn *database)
{
    if (PQputCopyEnd(database, NULL) != 1) {
        load_complain("COPY: %s", PQerrorMessage(database));
        return false;
    }
    PGresult *result = load_checked(database, PQgetResult(database));
    bool good = result != NULL;
    PQclear(result);
    while ((result = PQgetResult(database)))
        PQclear(result);
    return good;
}

/* All or nothing: that the chunk is there is written in its own transaction. On failure the connection is given up, and
 * the transaction with it. */
static bool load_chunk(job *self, enum load_table table, int64_t chunk)
{
    char note[128];
    snprintf(note, sizeof note, "INSERT INTO shopbench.shopload_chunks VALUES ('%s', %" PRId64 "); COMMIT",
             load_table_names[table], chunk);
    return load_sql(self->database, "BEGIN") && load_sql(self->database, load_table_copies[table]) &&
           send_rows(self, table, chunk) && end_copy(self->database) && load_sql(self->database, note);
}

/* ---- a table */

static PGresult *chunks_of(const job *self, enum load_table table)
{
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT chunk FROM shopbench.shopload_chunks WHERE table_name = '%s' ORDER BY chunk",
             load_table_names[table]);
    return load_rows(self->database, sql);
}

static void count_chunk(job *self, enum load_table table, int64_t chunk, bool was_there)
{
    int64_t numbers = last_of(self, table, chunk) - chunk * CHUNK;
    self->progress->done += numbers;
    self->progress->kept += was_there ? numbers : 0;
    if (load_now_ns() - self->told_ns >= TELL_NS)
        tell(self, load_table_names[table]);
}

static bool load_table(job *self, enum load_table table)
{
    PGresult *there = chunks_of(self, table);
    bool good = there != NULL;
    int next = 0;
    for (int64_t chunk = 0; good && chunk * CHUNK < load_rows_count(self->shop, table); chunk++) {
        bool known = next < PQntuples(there) && strtoll(PQgetvalue(there, next, 0), NULL, 10) == chunk;
        next += known;
        good = known || load_chunk(self, table, chunk);
        if (good)
            count_chunk(self, table, chunk, known);
    }
    PQclear(there);
    return good;
}

static bool fill(job *self)
{
    bool good = true;
    for (int table = 0; table < LOAD_TABLES; table++)
        self->progress->total += load_rows_count(self->shop, table);
    for (int table = 0; table < LOAD_TABLES && good; table++)
        good = load_table(self, table);
    if (good)
        tell(self, "rows");
    return good && load_schema_finish(self->database, tell_of_key);
}

bool load_fill(PGconn *database, const load_shop *shop, load_progress *progress_out)
{
    *progress_out = (load_progress){.began_ns = load_now_ns()};
    job self = {.database = database, .shop = shop, .progress = progress_out};
    statement = PQgetCancel(database);
    take_signals(stop);
    bool good = fill(&self);
    take_signals(SIG_DFL);
    PQfreeCancel(statement);
    load_text_free(&self.text);
    if (stopped)
        load_complain("stopped: %" PRId64 " of %" PRId64 " are there, and the same command goes on from here",
                      progress_out->done, progress_out->total);
    return good;
}
