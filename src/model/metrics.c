#include "model/metrics.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/histogram.h"
#include "base/memory.h"
#include "model/metrics_store.h"
#include "model/metrics_table.h"

enum { STRIPES = 32, LINE = 64, CELLS_A_LINE = LINE / sizeof(uint64_t) };

struct sdi_metrics {
    size_t first[SDI_METRICS];            /* where a metric's values begin among those of its type */
    size_t values[SDI_METRICS];           /* how many it has */
    sdi_names nodes, policies;            /* copies */
    size_t stride;                        /* counters of one stripe, rounded up to whole cache lines */
    _Atomic uint64_t *counters;           /* STRIPES times stride, on a cache line */
    _Atomic uint64_t *gauges;             /* the bits of a double */
    _Atomic(sdi_histogram *) *histograms; /* STRIPES of each; NULL: nothing was recorded there */
    size_t histogram_count;
    void *counter_memory;
};

/* Threads take stripes in turn. More threads than stripes share them: slower, still right. */
static size_t my_stripe(void)
{
    static _Atomic unsigned next;
    static _Thread_local unsigned mine; /* 0: none yet */
    if (!mine)
        mine = atomic_fetch_add_explicit(&next, 1, memory_order_relaxed) % STRIPES + 1;
    return mine - 1;
}

/* The values of a label; its `list` is NULL where there is none. */
static sdi_names values_of(const sdi_metrics *metrics, enum sdi_label_set set)
{
    if (set == SDI_LABEL_NODE)
        return metrics->nodes;
    if (set == SDI_LABEL_POLICY)
        return metrics->policies;
    return (sdi_names){sdi_labels[set].values, sdi_labels[set].count};
}

size_t sdi_metric_pair(enum sdi_metric metric, size_t first, size_t second)
{
    return first * sdi_labels[sdi_metric_table[metric].labels[1]].count + second;
}

size_t sdi_metrics_label_count(const sdi_metrics *metrics, enum sdi_metric metric)
{
    const enum sdi_label_set *labels = sdi_metric_table[metric].labels;
    return values_of(metrics, labels[0]).count * values_of(metrics, labels[1]).count;
}

const char *sdi_metrics_label_value(const sdi_metrics *metrics, enum sdi_metric metric, size_t which, size_t label)
{
    const enum sdi_label_set *labels = sdi_metric_table[metric].labels;
    size_t seconds = values_of(metrics, labels[1]).count;
    sdi_names values = values_of(metrics, labels[which]);
    return values.list ? values.list[which ? label % seconds : label / seconds] : "";
}

/* Numbers the values of all metrics of a type and returns how many there are. */
static size_t lay_out(sdi_metrics *metrics, int type)
{
    size_t count = 0;
    for (size_t i = 0; i < SDI_METRICS; i++) {
        if (sdi_metric_table[i].type != type)
            continue;
        metrics->first[i] = count;
        metrics->values[i] = sdi_metrics_label_count(metrics, (enum sdi_metric)i);
        count += metrics->values[i];
    }
    return count;
}

static bool make_counters(sdi_metrics *metrics)
{
    size_t lines = (lay_out(metrics, SHOPDATA_COUNTER) + CELLS_A_LINE - 1) / CELLS_A_LINE;
    metrics->stride = lines * CELLS_A_LINE;
    metrics->counter_memory = sdi_calloc(STRIPES * lines + 1, LINE); /* one more to align in */
    if (!metrics->counter_memory)
        return false;
    size_t beyond = (uintptr_t)metrics->counter_memory % LINE;
    metrics->counters = (void *)((char *)metrics->counter_memory + (beyond ? LINE - beyond : 0));
    return true;
}

static bool copy_names(sdi_names *to, sdi_names from)
{
    char **list = sdi_calloc(from.count ? from.count : 1, sizeof *list);
    *to = (sdi_names){(const char *const *)list, 0};
    for (; list && to->count < from.count; to->count++)
        if (!(list[to->count] = sdi_strdup(from.list[to->count])))
            return false;
    return list != NULL;
}

static void free_names(sdi_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        sdi_free((char *)names->list[i]);
    sdi_free((char **)names->list);
}

static bool make_rest(sdi_metrics *metrics)
{
    metrics->gauges = sdi_calloc(lay_out(metrics, SHOPDATA_GAUGE), sizeof *metrics->gauges);
    metrics->histogram_count = lay_out(metrics, SHOPDATA_HISTOGRAM) * STRIPES;
    metrics->histograms = sdi_calloc(metrics->histogram_count, sizeof *metrics->histograms);
    return metrics->gauges && metrics->histograms;
}

sdi_metrics *sdi_metrics_new(sdi_names nodes, sdi_names policies)
{
    sdi_metrics *metrics = sdi_calloc(1, sizeof *metrics);
    if (metrics && copy_names(&metrics->nodes, nodes) && copy_names(&metrics->policies, policies) &&
        make_counters(metrics) && make_rest(metrics)) {
        sdi_gauge(metrics, SDI_M_BUILD_INFO, 0, 1);
        return metrics;
    }
    sdi_metrics_free(metrics);
    return NULL;
}

void sdi_metrics_free(sdi_metrics *metrics)
{
    if (!metrics)
        return;
    free_names(&metrics->nodes);
    free_names(&metrics->policies);
    sdi_free(metrics->counter_memory);
    sdi_free((void *)metrics->gauges);
    for (size_t i = 0; metrics->histograms && i < metrics->histogram_count; i++)
        sdi_free(atomic_load(&metrics->histograms[i]));
    sdi_free((void *)metrics->histograms);
    sdi_free(metrics);
}

/* A metric or label that is not there is ignored: a wrong count must not be a crash. */
static bool is_there(const sdi_metrics *metrics, enum sdi_metric metric, size_t label, int type)
{
    return metrics && (unsigned)metric < SDI_METRICS && sdi_metric_table[metric].type == type &&
           label < metrics->values[metric];
}

void sdi_count(sdi_metrics *metrics, enum sdi_metric metric, size_t label, uint64_t amount)
{
    if (!is_there(metrics, metric, label, SHOPDATA_COUNTER))
        return;
    size_t cell = my_stripe() * metrics->stride + metrics->first[metric] + label;
    atomic_fetch_add_explicit(&metrics->counters[cell], amount, memory_order_relaxed);
}

void sdi_count_error(sdi_metrics *metrics, int status)
{
    if (status < 0)
        sdi_count(metrics, SDI_M_ERRORS, (size_t)(-1 - (int64_t)status), 1);
}

/* Of two threads that make one the second takes the first's. NULL without memory. */
static sdi_histogram *make_histogram(_Atomic(sdi_histogram *) *place)
{
    sdi_histogram *made = sdi_calloc(1, sizeof *made), *there = NULL;
    if (!made || atomic_compare_exchange_strong(place, &there, made))
        return made;
    sdi_free(made);
    return there;
}

/* A histogram is large, and few threads record in all of them: a stripe is made when something is. Without memory what
 * was observed is not. */
void sdi_observe(sdi_metrics *metrics, enum sdi_metric metric, size_t label, int64_t value)
{
    if (!is_there(metrics, metric, label, SHOPDATA_HISTOGRAM))
        return;
    _Atomic(sdi_histogram *) *place = &metrics->histograms[(metrics->first[metric] + label) * STRIPES + my_stripe()];
    sdi_histogram *stripe = atomic_load_explicit(place, memory_order_acquire);
    if (!stripe)
        stripe = make_histogram(place);
    if (stripe)
        sdi_histogram_record(stripe, value < 0 ? 0 : (uint64_t)value);
}

void sdi_gauge(sdi_metrics *metrics, enum sdi_metric metric, size_t label, double value)
{
    if (!is_there(metrics, metric, label, SHOPDATA_GAUGE))
        return;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    atomic_store_explicit(&metrics->gauges[metrics->first[metric] + label], bits, memory_order_relaxed);
}

uint64_t sdi_counted(const sdi_metrics *metrics, enum sdi_metric metric, size_t label)
{
    if (!is_there(metrics, metric, label, SHOPDATA_COUNTER))
        return 0;
    uint64_t sum = 0;
    const _Atomic uint64_t *cell = metrics->counters + metrics->first[metric] + label;
    for (size_t i = 0; i < STRIPES; i++)
        sum += atomic_load_explicit(&cell[i * metrics->stride], memory_order_relaxed);
    return sum;
}

double sdi_metrics_gauged(const sdi_metrics *metrics, enum sdi_metric metric, size_t label)
{
    if (!is_there(metrics, metric, label, SHOPDATA_GAUGE))
        return 0;
    uint64_t bits = atomic_load_explicit(&metrics->gauges[metrics->first[metric] + label], memory_order_relaxed);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void sdi_metrics_histogram(const sdi_metrics *metrics, enum sdi_metric metric, size_t label, sdi_histogram *sum)
{
    memset(sum, 0, sizeof *sum);
    if (!is_there(metrics, metric, label, SHOPDATA_HISTOGRAM))
        return;
    _Atomic(sdi_histogram *) *stripes = &metrics->histograms[(metrics->first[metric] + label) * STRIPES];
    for (size_t i = 0; i < STRIPES; i++) {
        const sdi_histogram *stripe = atomic_load_explicit(&stripes[i], memory_order_acquire);
        if (stripe)
            sdi_histogram_add(sum, stripe);
    }
}
