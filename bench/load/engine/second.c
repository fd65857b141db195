#include "lines.h"

#include "bottleneck.h"
#include "clock.h"

/* What was counted since it was last asked. */
static uint64_t grown(uint64_t *before, uint64_t now)
{
    uint64_t grown = now - *before;
    *before = now;
    return grown;
}

static uint64_t counted(load_progress *progress, enum load_count what)
{
    return grown(&progress->counts[what], load_tally_counted(progress->crew->tally, what));
}

static uint64_t waiting_now(const load_crew *crew)
{
    return crew->schedule ? load_schedule_waiting(crew->schedule, load_now_ns()) : 0;
}

/* Those that have been taken, and those that should have been. */
static uint64_t intended_until_now(const load_crew *crew, uint64_t waiting)
{
    const load_tally *tally = crew->tally;
    return load_tally_counted(tally, LOAD_REQUESTS) + load_tally_counted(tally, LOAD_FAILED) +
           load_tally_counted(tally, LOAD_DROPPED) + atomic_load(&tally->busy_threads) + waiting;
}

/* What waits is known on average only: a second's number may not come out below 0 for that. */
static void write_intended(load_json *json, load_progress *progress, uint64_t waiting)
{
    uint64_t now = intended_until_now(progress->crew, waiting);
    if (now < progress->intended)
        now = progress->intended;
    load_json_count(json, "intended", grown(&progress->intended, now));
}

static void write_requests(load_json *json, load_progress *progress)
{
    const load_crew *crew = progress->crew;
    uint64_t waiting = waiting_now(crew);
    if (crew->schedule)
        write_intended(json, progress, waiting);
    load_json_count(json, "requests", counted(progress, LOAD_REQUESTS));
    load_json_count(json, "failed", counted(progress, LOAD_FAILED));
    load_json_count(json, "late", counted(progress, LOAD_LATE_BUSY) + counted(progress, LOAD_LATE_FREE));
    load_json_count(json, "dropped", counted(progress, LOAD_DROPPED));
    if (crew->schedule)
        load_json_count(json, "waiting", waiting);
    load_json_count(json, "busy_threads", atomic_load(&crew->tally->busy_threads));
}

static void write_latency(load_json *json, load_progress *progress)
{
    const load_histogram *latency = atomic_load(&progress->crew->tally->times[LOAD_LATENCY]);
    if (latency)
        load_histogram_since(progress->latest, progress->before, latency);
    load_line_times(json, "latency", progress->latest, false);
}

static void write_sources(load_json *json, load_progress *progress)
{
    load_json_begin(json, "sources");
    for (int source = LOAD_SOURCE_LOCAL; source < LOAD_SOURCES; source++)
        load_json_count(json, load_source_name((enum load_source)source),
                        grown(&progress->sources[source], atomic_load(&progress->crew->tally->sources[source])));
    load_json_end(json);
    load_json_count(json, "hits", counted(progress, LOAD_HITS));
    load_json_count(json, "misses", counted(progress, LOAD_MISSES));
    load_json_count(json, "stale_reads", counted(progress, LOAD_STALE_READS));
}

static void write_library(load_json *json, load_progress *progress)
{
    static const char statements[] = "shopdata_node_queries_total";
    shopdata_metrics *now = load_library_take(progress->crew->shop->client);
    const shopdata_metrics *before = progress->metrics_last ? progress->metrics_last : progress->metrics_began;
    double grew = load_library_growth(before, now, statements);
    load_by_node lag_ms = load_library_by_node(now, "shopdata_node_lag_seconds", 1000);
    load_by_node connections = load_library_by_node(now, "shopdata_pool_connections", 1);
    load_json_number(json, "database_statements", grew, 0);
    load_by_node_write(&lag_ms, json, "lag_ms", 3);
    load_by_node_write(&connections, json, "connections", 0);
    load_by_node_highest(&progress->lag_ms, &lag_ms);
    load_by_node_highest(&progress->connections, &connections);
    shopdata_metrics_free(progress->metrics_last);
    progress->metrics_last = now;
}

static void write_client(load_json *json, load_progress *progress, const load_usage *now, double length)
{
    double cpu_cores = load_host_cpu_cores(&progress->last, now);
    double machine_busy = load_host_machine_busy(&progress->last, now);
    if (load_bottleneck_strains(cpu_cores, load_host_cores(), machine_busy))
        progress->strained_seconds += length;
    load_json_begin(json, "client");
    load_json_number(json, "cpu_cores", cpu_cores, 3);
    load_json_number(json, "machine_busy", machine_busy, 3);
    load_json_count(json, "memory_bytes", load_host_memory());
    load_json_end(json);
}

/* The first second begins with the phase, which may be a while after its threads were made. */
static double length_of(const load_progress *progress, int64_t now_ns)
{
    int64_t from = progress->last.now_ns;
    if (progress->second == 0)
        from = progress->crew->begin_ns;
    return (double)(now_ns - from) / 1e9;
}

void load_print_second(load_lines *lines, load_progress *progress)
{
    load_json *json = &lines->json;
    load_usage now = load_host_usage();
    double length = length_of(progress, now.now_ns);
    load_line_begin(lines, "second");
    load_json_text(json, "phase", progress->crew->phase->name);
    load_json_count(json, "number", progress->crew->phase->number);
    load_json_count(json, "second", ++progress->second);
    load_json_number(json, "length_s", length, 6);
    write_requests(json, progress);
    write_latency(json, progress);
    write_sources(json, progress);
    write_library(json, progress);
    load_errors_write_new(&progress->crew->tally->errors, json);
    write_client(json, progress, &now, length);
    load_line_end(lines);
    progress->last = now;
}
