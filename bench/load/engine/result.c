#include "lines.h"

#include "bottleneck.h"
#include "clock.h"

static const load_histogram *made(const load_lazy_histogram *histogram)
{
    return atomic_load(histogram);
}

static uint64_t counted(const load_progress *progress, enum load_count what)
{
    return load_tally_counted(progress->crew->tally, what);
}

static void write_count(load_json *json, const load_progress *progress, const char *key, enum load_count what)
{
    load_json_count(json, key, counted(progress, what));
}

static void write_requests(load_json *json, const load_progress *progress)
{
    load_json_count(json, "intended",
                    counted(progress, LOAD_REQUESTS) + counted(progress, LOAD_FAILED) +
                        counted(progress, LOAD_DROPPED));
    write_count(json, progress, "requests", LOAD_REQUESTS);
    write_count(json, progress, "failed", LOAD_FAILED);
    write_count(json, progress, "dropped", LOAD_DROPPED);
    load_json_count(json, "late", counted(progress, LOAD_LATE_BUSY) + counted(progress, LOAD_LATE_FREE));
    write_count(json, progress, "late_busy", LOAD_LATE_BUSY);
    write_count(json, progress, "late_free", LOAD_LATE_FREE);
}

static void write_times(load_json *json, const load_tally *tally)
{
    load_line_times(json, "latency", made(&tally->times[LOAD_LATENCY]), true);
    load_line_times(json, "service", made(&tally->times[LOAD_SERVICE]), true);
    load_line_times(json, "failed_latency", made(&tally->times[LOAD_FAILED_LATENCY]), true);
    load_line_times(json, "start_delay", made(&tally->times[LOAD_START_DELAY]), true);
}

static void write_interaction(load_json *json, const load_tally *tally, int interaction, int source)
{
    uint64_t failed = atomic_load(&tally->failed_by[interaction][source]);
    const load_histogram *latency = made(&tally->latency_by[interaction][source]);
    if (!failed && !latency)
        return;
    load_json_begin(json, NULL);
    load_json_text(json, "interaction", load_interaction_table[interaction].name);
    load_json_text(json, "source", load_source_name((enum load_source)source));
    load_json_count(json, "failed", failed);
    load_line_times(json, "latency", latency, true);
    load_line_times(json, "service", made(&tally->service_by[interaction][source]), true);
    load_json_end(json);
}

static void write_interactions(load_json *json, const load_tally *tally)
{
    load_json_begin_array(json, "requests_by");
    for (int interaction = 0; interaction < LOAD_INTERACTIONS; interaction++)
        for (int source = 0; source < LOAD_SOURCES; source++)
            write_interaction(json, tally, interaction, source);
    load_json_end_array(json);
}

static void write_statement(load_json *json, const load_tally *tally, int statement, int source, int cached)
{
    const load_histogram *service = made(&tally->statements[statement][source][cached]);
    if (!service)
        return;
    load_json_begin(json, NULL);
    load_json_text(json, "statement", load_sql_table[statement].name);
    load_json_text(json, "source", load_source_name((enum load_source)source));
    load_json_text(json, "cached", load_cached_name((enum load_cached)cached));
    load_json_count(json, "rows", atomic_load(&tally->rows[statement][source][cached]));
    load_line_times(json, "service", service, true);
    load_json_end(json);
}

static void write_statements(load_json *json, const load_tally *tally)
{
    load_json_begin_array(json, "statements_by");
    for (int statement = 0; statement < LOAD_STATEMENTS; statement++)
        for (int source = 0; source < LOAD_SOURCES; source++)
            for (int cached = 0; cached < LOAD_CACHED_KINDS; cached++)
                write_statement(json, tally, statement, source, cached);
    load_json_end_array(json);
}

static void write_sources(load_json *json, const load_progress *progress)
{
    uint64_t saved = 0;
    load_json_begin(json, "sources");
    for (int source = LOAD_SOURCE_LOCAL; source < LOAD_SOURCES; source++) {
        uint64_t count = atomic_load(&progress->crew->tally->sources[source]);
        load_json_count(json, load_source_name((enum load_source)source), count);
        saved += source <= LOAD_SOURCE_STALE ? count : 0;
    }
    load_json_end(json);
    write_count(json, progress, "hits", LOAD_HITS);
    write_count(json, progress, "misses", LOAD_MISSES);
    load_json_count(json, "saved", saved);
}

static void write_staleness(load_json *json, const load_progress *progress)
{
    load_json_begin(json, "staleness");
    write_count(json, progress, "checked", LOAD_VERSIONS_CHECKED);
    write_count(json, progress, "stale", LOAD_STALE_READS);
    write_count(json, progress, "writes", LOAD_ROWS_WRITTEN);
    load_line_times(json, "age", made(&progress->crew->tally->times[LOAD_STALENESS]), true);
    load_json_end(json);
}

static double growth(const load_progress *progress, const char *name)
{
    return load_library_growth(progress->metrics_began, progress->metrics_last, name);
}

static void write_stampedes(load_json *json, const load_progress *progress)
{
    load_json_begin(json, "stampedes");
    write_count(json, progress, "expiries", LOAD_EXPIRIES);
    write_count(json, progress, "readers", LOAD_EXPIRY_READERS);
    load_json_number(json, "joined", growth(progress, "shopdata_flights_joined_total"), 0);
    load_json_count(json, "most_readers", atomic_load(&progress->crew->tally->most_readers));
    write_count(json, progress, "crowded", LOAD_EXPIRIES_CROWDED);
    load_json_end(json);
}

static void write_library(load_json *json, const load_progress *progress)
{
    load_json_number(json, "database_statements", growth(progress, "shopdata_node_queries_total"), 0);
    load_json_begin(json, "bytes");
    load_json_number(json, "answers", growth(progress, "shopdata_result_bytes_total"), 0);
    load_json_number(json, "cache_read", growth(progress, "shopdata_cache_read_bytes_total"), 0);
    load_json_number(json, "cache_written", growth(progress, "shopdata_cache_written_bytes_total"), 0);
    load_json_end(json);
    load_by_node_write(&progress->lag_ms, json, "lag_ms", 3);
    load_by_node_write(&progress->connections, json, "connections", 0);
    load_library_write(progress->metrics_began, progress->metrics_last, json);
}

static double length_of(const load_progress *progress)
{
    return (double)(progress->last.now_ns - progress->crew->begin_ns) / 1e9;
}

static void write_client(load_json *json, const load_progress *progress)
{
    double cpu_s = progress->last.cpu_s - progress->began.cpu_s;
    uint64_t sent = counted(progress, LOAD_REQUESTS) + counted(progress, LOAD_FAILED);
    load_strain strain = {.cpu_cores = load_host_cpu_cores(&progress->began, &progress->last),
                          .cores = load_host_cores(),
                          .machine_busy = load_host_machine_busy(&progress->began, &progress->last),
                          .seconds = length_of(progress),
                          .strained_seconds = progress->strained_seconds,
                          .sent = sent,
                          .late_busy = counted(progress, LOAD_LATE_BUSY),
                          .late_free = counted(progress, LOAD_LATE_FREE),
                          .dropped = counted(progress, LOAD_DROPPED),
                          .threads = progress->crew->started};
    load_json_begin(json, "client");
    load_json_number(json, "cpu_s", cpu_s, 3);
    load_json_number(json, "cpu_cores", strain.cpu_cores, 3);
    load_json_number(json, "cpu_us_per_request", sent ? cpu_s * 1e6 / (double)sent : 0, 3);
    load_json_number(json, "machine_busy", strain.machine_busy, 3);
    load_json_count(json, "memory_bytes", load_host_memory());
    load_json_number(json, "cores", strain.cores, 0);
    load_json_end(json);
    load_bottleneck_write(&strain, json);
}

/* A trace whose last access is not reached counts as far as it went. */
static void write_trace(load_json *json, const load_progress *progress)
{
    const load_keys *keys = progress->crew->shop->keys;
    if (keys->trace)
        load_json_number(json, "trace_passes",
                         (double)(atomic_load(&keys->access) - progress->access_began) / (double)keys->trace->count, 4);
}

void load_print_result(load_lines *lines, load_progress *progress, const char *ended)
{
    load_json *json = &lines->json;
    load_tally *tally = progress->crew->tally;
    load_line_begin(lines, "result");
    load_phase_write(progress->crew->phase, json);
    load_json_text(json, "ended", ended);
    load_json_number(json, "began_unix_s", progress->began_unix_s, 3);
    load_json_number(json, "length_s", length_of(progress), 6);
    write_requests(json, progress);
    write_times(json, tally);
    write_interactions(json, tally);
    write_statements(json, tally);
    write_sources(json, progress);
    write_staleness(json, progress);
    write_stampedes(json, progress);
    load_errors_write(&tally->errors, json);
    write_library(json, progress);
    write_client(json, progress);
    write_trace(json, progress);
    load_line_end(lines);
}
