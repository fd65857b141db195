#include "lines.h"

#include <stdlib.h>

#include "clock.h"

enum { TIME_DECIMALS = 3 };

void load_line_begin(load_lines *lines, const char *type)
{
    load_json_begin(&lines->json, NULL);
    load_json_text(&lines->json, "type", type);
    load_json_number(&lines->json, "unix_s", load_unix_s(), 3);
    if (lines->label)
        load_json_text(&lines->json, "label", lines->label);
}

void load_line_end(load_lines *lines)
{
    load_json_end(&lines->json);
    if (!load_json_line(&lines->json))
        lines->failed = true;
}

static void write_us(load_json *json, const char *key, double ns)
{
    load_json_number(json, key, ns / 1e3, TIME_DECIMALS);
}

static void write_quantiles(load_json *json, const load_histogram *histogram)
{
    static const struct {
        const char *key;
        double share;
    } quantiles[] = {{"p50_us", 0.5}, {"p90_us", 0.9}, {"p99_us", 0.99}, {"p999_us", 0.999}, {"p9999_us", 0.9999}};
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
        write_us(json, quantiles[i].key, (double)load_histogram_quantile(histogram, quantiles[i].share));
}

static void write_buckets(load_json *json, const load_histogram *histogram)
{
    uint64_t value, count;
    load_json_begin_array(json, "buckets_ns");
    for (size_t bucket = 0; load_histogram_next(histogram, &bucket, &value, &count);) {
        load_json_begin_array(json, NULL);
        load_json_count(json, NULL, value);
        load_json_count(json, NULL, count);
        load_json_end_array(json);
    }
    load_json_end_array(json);
}

void load_line_times(load_json *json, const char *key, const load_histogram *histogram, bool with_buckets)
{
    uint64_t count = histogram ? load_histogram_count(histogram) : 0;
    load_json_begin(json, key);
    load_json_count(json, "count", count);
    if (count) {
        write_us(json, "mean_us", load_histogram_mean(histogram));
        write_us(json, "min_us", (double)load_histogram_lowest(histogram));
        write_us(json, "max_us", (double)load_histogram_highest(histogram));
        write_quantiles(json, histogram);
        if (with_buckets)
            write_buckets(json, histogram);
    }
    load_json_end(json);
}

bool load_progress_begin(load_progress *progress, const load_crew *crew)
{
    *progress = (load_progress){.crew = crew, .before = load_histogram_new(), .latest = load_histogram_new()};
    progress->metrics_began = load_library_take(crew->shop->client);
    progress->began = progress->last = load_host_usage();
    progress->began_unix_s = load_unix_s() + (double)(crew->begin_ns - load_now_ns()) / 1e9;
    progress->access_began = atomic_load(&crew->shop->keys->access);
    return progress->before && progress->latest;
}

void load_progress_end(load_progress *progress)
{
    free(progress->before);
    free(progress->latest);
    shopdata_metrics_free(progress->metrics_began);
    shopdata_metrics_free(progress->metrics_last);
}
