#include "tool/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { NAME_MAX_BYTES = 64, VALUE_MAX = 64, LABEL_MAX = 128, BOUNDS_MAX = 64 };

typedef struct frame {
    const sdi_scrape *before, *now;
    double seconds;
    sdi_buffer *out;
} frame;

/* ---------------------------------------------------------------------------------------------------------- values */

/* A counter that is smaller than before was begun anew: its process was restarted. */
static double growth(const sdi_scrape *before, const sdi_scrape *now, const char *name, const char *label)
{
    double then = sdi_scrape_sum(before, name, label), value = sdi_scrape_sum(now, name, label);
    return value < then ? value : value - then;
}

static double added(const frame *f, const char *name, const char *label)
{
    return growth(f->before, f->now, name, label);
}

static double rate(const frame *f, const char *name, const char *label)
{
    return added(f, name, label) / f->seconds;
}

static double state(const frame *f, const char *name, const char *label)
{
    return sdi_scrape_sum(f->now, name, label);
}

static double most(const frame *f, const char *name, const char *label)
{
    return sdi_scrape_most(f->now, name, label);
}

static const char *label_text(char text[LABEL_MAX], const char *name, const char *value)
{
    snprintf(text, LABEL_MAX, "%s=\"%s\"", name, value);
    return text;
}

/* The bounds of a histogram, as its labels have them. */
typedef struct bounds {
    double bound[BOUNDS_MAX], count[BOUNDS_MAX]; /* count: added up to the bound */
    size_t used;
} bounds;

static bounds read_bounds(const sdi_scrape *before, const sdi_scrape *now, const char *bucket, const char *label)
{
    bounds b = {.used = 0};
    for (size_t i = 0; i < now->count && b.used < BOUNDS_MAX; i++) {
        const sdi_sample *sample = &now->samples[i];
        const char *le = strstr(sample->labels, "le=\"");
        if (strcmp(sample->name, bucket) != 0 || !le || (label && !strstr(sample->labels, label)))
            continue;
        b.bound[b.used] = strtod(le + strlen("le=\""), NULL); /* +Inf is a number to strtod */
        b.count[b.used++] = growth(before, now, bucket, sample->labels);
    }
    return b;
}

double sdi_frame_quantile(const sdi_scrape *before, const sdi_scrape *now, const char *name, const char *label,
                          double quantile)
{
    char bucket[VALUE_MAX];
    snprintf(bucket, sizeof bucket, "%s_bucket", name);
    bounds b = read_bounds(before, now, bucket, label);
    double all = b.used ? b.count[b.used - 1] : 0, rank = quantile * all, low = 0, below = 0;
    if (all <= 0)
        return -1;
    for (size_t i = 0; i + 1 < b.used; i++) {
        if (b.count[i] >= rank && b.count[i] > below)
            return low + (b.bound[i] - low) * (rank - below) / (b.count[i] - below);
        low = b.bound[i];
        below = b.count[i];
    }
    return low; /* over the last bound: no more is known */
}

/* --------------------------------------------------------------------------------------------------------- figures */

static const char *as_rate(double value, char text[VALUE_MAX])
{
    snprintf(text, VALUE_MAX, value < 100 ? "%.1f" : "%.0f", value);
    return text;
}

static const char *as_percent(double part, double whole, char text[VALUE_MAX])
{
    if (whole > 0)
        snprintf(text, VALUE_MAX, "%.1f %%", 100 * part / whole);
    else
        snprintf(text, VALUE_MAX, "-");
    return text;
}

static const char *as_ms(double seconds, char text[VALUE_MAX])
{
    if (seconds < 0)
        snprintf(text, VALUE_MAX, "-");
    else
        snprintf(text, VALUE_MAX, seconds < 0.01 ? "%.2f ms" : "%.0f ms", seconds * 1000);
    return text;
}

static const char *as_bytes(double bytes, char text[VALUE_MAX])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    for (; bytes >= 1024 && unit < 4; unit++)
        bytes /= 1024;
    snprintf(text, VALUE_MAX, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    return text;
}

static const char *breaker_name(double value)
{
    return value == 0 ? "closed" : value == 1 ? "half open" : "open";
}

/* ----------------------------------------------------------------------------------------------------------- parts */

static void put_reads(const frame *f)
{
    char value[NAME_MAX_BYTES], name[LABEL_MAX], text[VALUE_MAX];
    size_t at = 0;
    double all = added(f, "shopdata_queries_total", NULL);
    sdi_buffer_printf(f->out, "reads     %8s/s ", as_rate(all / f->seconds, text));
    while (sdi_scrape_label(f->now, "shopdata_queries_total", "source", &at, value, sizeof value))
        sdi_buffer_printf(f->out, "  %s %s", value,
                          as_percent(added(f, "shopdata_queries_total", label_text(name, "source", value)), all, text));
    sdi_buffer_printf(f->out, "\nwrites    %8s/s ", as_rate(rate(f, "shopdata_writes_total", NULL), text));
    sdi_buffer_printf(f->out, "  errors %s/s", as_rate(rate(f, "shopdata_errors_total", NULL), text));
    sdi_buffer_printf(f->out, "  slow %s/s", as_rate(rate(f, "shopdata_slow_queries_total", NULL), text));
    sdi_buffer_printf(f->out, "  transactions %s/s\n", as_rate(rate(f, "shopdata_transactions_total", NULL), text));
}

static void put_quantiles(const frame *f, const char *title, const char *name, const char *label)
{
    char median[VALUE_MAX], tail[VALUE_MAX];
    double p50 = sdi_frame_quantile(f->before, f->now, name, label, 0.5);
    double p99 = sdi_frame_quantile(f->before, f->now, name, label, 0.99);
    if (p50 >= 0)
        sdi_buffer_printf(f->out, "  %s %s/%s", title, as_ms(p50, median), as_ms(p99, tail));
}

static void put_latency(const frame *f)
{
    char value[NAME_MAX_BYTES], name[LABEL_MAX];
    size_t at = 0;
    sdi_buffer_text(f->out, "p50/p99 ");
    size_t nothing = f->out->length;
    while (sdi_scrape_label(f->now, "shopdata_query_seconds_count", "source", &at, value, sizeof value))
        put_quantiles(f, value, "shopdata_query_seconds", label_text(name, "source", value));
    put_quantiles(f, "write", "shopdata_write_seconds", NULL);
    put_quantiles(f, "round trip to the cache", "shopdata_cache_roundtrip_seconds", NULL);
    sdi_buffer_text(f->out, f->out->length == nothing ? "  -\n" : "\n");
}

static void put_cache(const frame *f)
{
    char text[VALUE_MAX], other[VALUE_MAX];
    double hits = added(f, "shopdata_cache_hits_total", NULL), misses = added(f, "shopdata_cache_misses_total", NULL);
    sdi_buffer_printf(f->out, "hit ratio %8s", as_percent(hits, hits + misses, text));
    hits = state(f, "shopdata_cache_hits_total", NULL);
    misses = state(f, "shopdata_cache_misses_total", NULL);
    sdi_buffer_printf(f->out, "    since the start %s", as_percent(hits, hits + misses, text));
    sdi_buffer_printf(f->out, "  stampedes prevented %s/s",
                      as_rate(rate(f, "shopdata_flights_joined_total", NULL), text));
    sdi_buffer_printf(f->out, "\ncache     breaker %s", breaker_name(most(f, "shopdata_cache_breaker_state", NULL)));
    sdi_buffer_printf(f->out, "  errors %s/s", as_rate(rate(f, "shopdata_cache_errors_total", NULL), text));
    sdi_buffer_printf(f->out, "  read %s/s  written %s/s",
                      as_bytes(rate(f, "shopdata_cache_read_bytes_total", NULL), text),
                      as_bytes(rate(f, "shopdata_cache_written_bytes_total", NULL), other));
    sdi_buffer_printf(f->out, "  unfenced %.0f, waiting %.0f\n", state(f, "shopdata_unfenced_writes_total", NULL),
                      state(f, "shopdata_unfenced_pending_tags", NULL));
}

static void put_policy(const frame *f, const char *policy)
{
    char label[LABEL_MAX], text[4][VALUE_MAX];
    label_text(label, "policy", policy);
    double hits = added(f, "shopdata_cache_hits_total", label), misses = added(f, "shopdata_cache_misses_total", label);
    double all = state(f, "shopdata_cache_hits_total", label) + state(f, "shopdata_cache_misses_total", label);
    if (all == 0)
        return;
    sdi_buffer_printf(f->out, "%-16.16s %10s %10s %10s %10s\n", policy, as_rate(hits / f->seconds, text[0]),
                      as_rate(misses / f->seconds, text[1]),
                      as_rate(rate(f, "shopdata_cache_fills_total", label), text[2]),
                      as_percent(hits, hits + misses, text[3]));
}

static void put_policies(const frame *f)
{
    char policy[NAME_MAX_BYTES];
    size_t at = 0;
    sdi_buffer_printf(f->out, "\n%-16s %10s %10s %10s %10s\n", "POLICY", "HITS/S", "MISSES/S", "FILLS/S", "RATIO");
    while (sdi_scrape_label(f->now, "shopdata_cache_hits_total", "policy", &at, policy, sizeof policy))
        put_policy(f, policy);
}

static void put_node(const frame *f, const char *node)
{
    static const char *const roles[] = {"unknown", "replica", "primary"};
    char label[LABEL_MAX], lag[VALUE_MAX], connections[VALUE_MAX], text[2][VALUE_MAX];
    label_text(label, "node", node);
    double role = most(f, "shopdata_node_role", label);
    snprintf(lag, sizeof lag, "-");
    if (role == 1)
        as_ms(most(f, "shopdata_node_lag_seconds", label), lag);
    snprintf(connections, sizeof connections, "%.0f/%.0f", state(f, "shopdata_pool_busy_connections", label),
             state(f, "shopdata_pool_size_connections", label));
    sdi_buffer_printf(f->out, "%-16.16s %-8s %-9s %10s %8s %8.0f %10s %10s\n", node,
                      roles[role == 1 || role == 2 ? (int)role : 0],
                      breaker_name(most(f, "shopdata_node_breaker_state", label)), lag, connections,
                      state(f, "shopdata_pool_waiting_callers", label),
                      as_rate(rate(f, "shopdata_node_queries_total", label), text[0]),
                      as_rate(rate(f, "shopdata_node_failures_total", label), text[1]));
}

static void put_nodes(const frame *f)
{
    char node[NAME_MAX_BYTES];
    size_t at = 0;
    sdi_buffer_printf(f->out, "\n%-16s %-8s %-9s %10s %8s %8s %10s %10s\n", "NODE", "ROLE", "BREAKER", "LAG", "BUSY",
                      "WAITING", "QUERIES/S", "FAILURES/S");
    while (sdi_scrape_label(f->now, "shopdata_node_role", "node", &at, node, sizeof node))
        put_node(f, node);
}

void sdi_frame_write(const sdi_scrape *before, const sdi_scrape *now, sdi_buffer *out)
{
    int64_t passed = now->taken_at - before->taken_at;
    frame f = {before, now, passed > 0 ? (double)passed / 1e6 : 1, out};
    put_reads(&f);
    put_latency(&f);
    put_cache(&f);
    put_policies(&f);
    put_nodes(&f);
}
