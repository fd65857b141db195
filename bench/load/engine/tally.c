#include "tally.h"

#include <stdlib.h>

load_tally *load_tally_new(void)
{
    load_tally *tally = calloc(1, sizeof *tally);
    if (tally)
        load_errors_init(&tally->errors);
    return tally;
}

static void free_histograms(load_lazy_histogram *histograms, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(atomic_load(&histograms[i]));
}

void load_tally_free(load_tally *tally)
{
    if (!tally)
        return;
    free_histograms(tally->times, LOAD_TIMES);
    free_histograms(tally->latency_by[0], sizeof tally->latency_by / sizeof **tally->latency_by);
    free_histograms(tally->service_by[0], sizeof tally->service_by / sizeof **tally->service_by);
    free_histograms(tally->statements[0][0], sizeof tally->statements / sizeof ***tally->statements);
    free(tally);
}

static void increase(_Atomic uint64_t *number, uint64_t by)
{
    atomic_fetch_add_explicit(number, by, memory_order_relaxed);
}

void load_tally_count(load_tally *tally, enum load_count what)
{
    increase(&tally->counts[what], 1);
}

uint64_t load_tally_counted(const load_tally *tally, enum load_count what)
{
    return atomic_load_explicit(&tally->counts[what], memory_order_relaxed);
}

/* Two threads may make it at once: one of them takes the other's. */
static load_histogram *make(load_lazy_histogram *histogram)
{
    load_histogram *made = load_histogram_new(), *found = NULL;
    if (!made || atomic_compare_exchange_strong(histogram, &found, made))
        return made;
    free(made);
    return found;
}

void load_tally_time(load_lazy_histogram *histogram, int64_t ns)
{
    load_histogram *there = atomic_load_explicit(histogram, memory_order_acquire);
    if (!there)
        there = make(histogram);
    if (there)
        load_histogram_record(there, ns);
}

void load_tally_highest(_Atomic uint64_t *highest, uint64_t number)
{
    uint64_t known = atomic_load_explicit(highest, memory_order_relaxed);
    while (number > known && !atomic_compare_exchange_weak(highest, &known, number))
        ;
}

void load_tally_request(load_tally *tally, const load_request *request)
{
    int64_t latency = request->ended_ns - request->intended_ns, service = request->ended_ns - request->sent_ns;
    load_tally_count(tally, request->failed ? LOAD_FAILED : LOAD_REQUESTS);
    if (request->failed) {
        load_tally_time(&tally->times[LOAD_FAILED_LATENCY], latency);
        increase(&tally->failed_by[request->interaction][request->source], 1);
        return;
    }
    load_tally_time(&tally->times[LOAD_LATENCY], latency);
    load_tally_time(&tally->times[LOAD_SERVICE], service);
    load_tally_time(&tally->latency_by[request->interaction][request->source], latency);
    load_tally_time(&tally->service_by[request->interaction][request->source], service);
}

void load_tally_call(load_tally *tally, const load_call *call)
{
    load_tally_time(&tally->statements[call->statement][call->source][call->cached], call->ended_ns - call->began_ns);
    increase(&tally->rows[call->statement][call->source][call->cached], call->rows);
    if (load_sql_table[call->statement].writes)
        return;
    increase(&tally->sources[call->source], 1);
    if (call->cached != LOAD_CACHED_NONE)
        load_tally_count(tally, call->cached == LOAD_CACHED_HIT ? LOAD_HITS : LOAD_MISSES);
}
