#include "../unit.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "model/metrics.h"
#include "model/metrics_store.h"
#include "model/metrics_table.h"

static const char *const nodes[] = {"primary", "re\"p\\l"};
static const char *const policies[] = {"default", "shelf"};
enum { THREADS = 40, ADDS = 2000 };

static sdi_metrics *made(void)
{
    return sdi_metrics_new((sdi_names){nodes, 2}, (sdi_names){policies, 2});
}

static void *add_many(void *argument)
{
    sdi_metrics *metrics = argument;
    for (int i = 0; i < ADDS; i++) {
        sdi_count(metrics, SDI_M_QUERIES, SHOPDATA_FROM_REPLICA - 1, 1);
        sdi_observe(metrics, SDI_M_QUERY_SECONDS, 0, i);
        sdi_gauge(metrics, SDI_M_POOL_BUSY, 1, i);
    }
    return NULL;
}

START_TEST(counts_of_all_threads_add_up)
{
    sdi_metrics *metrics = made();
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, add_many, metrics), 0);
    shopdata_metrics *snapshot = NULL;
    ck_assert_int_eq(sdi_metrics_snapshot(metrics, &snapshot, NULL), SHOPDATA_OK);
    shopdata_metrics_free(snapshot);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(sdi_counted(metrics, SDI_M_QUERIES, 1), (uint64_t)THREADS * ADDS);
    ck_assert_uint_eq(sdi_counted(metrics, SDI_M_QUERIES, 0), 0);
    sdi_histogram sum;
    sdi_metrics_histogram(metrics, SDI_M_QUERY_SECONDS, 0, &sum);
    ck_assert_uint_eq(sdi_histogram_count(&sum), (uint64_t)THREADS * ADDS);
    sdi_metrics_free(metrics);
}
END_TEST

START_TEST(ignores_what_is_not_there)
{
    sdi_metrics *metrics = made();
    sdi_count(NULL, SDI_M_QUERIES, 0, 1);
    sdi_observe(NULL, SDI_M_CACHE_SECONDS, 0, 1);
    sdi_gauge(NULL, SDI_M_NODE_ROLE, 0, 1);
    ck_assert_uint_eq(sdi_counted(NULL, SDI_M_QUERIES, 0), 0);
    sdi_count(metrics, SDI_M_QUERIES, 5, 1);
    sdi_count(metrics, SDI_M_CACHE_BREAKER, 0, 1);
    sdi_count(metrics, SDI_METRICS, 0, 1);
    sdi_observe(metrics, SDI_M_QUERIES, 0, 1);
    sdi_gauge(metrics, SDI_M_NODE_ROLE, 2, 1);
    sdi_count_error(metrics, SHOPDATA_UNFENCED);
    sdi_count_error(metrics, -15);
    sdi_count_error(metrics, SHOPDATA_ERR_FORKED);
    ck_assert_uint_eq(sdi_counted(metrics, SDI_M_ERRORS, 13), 1);
    ck_assert_uint_eq(sdi_counted(metrics, SDI_M_QUERIES, 5), 0);
    sdi_metrics_free(metrics);
    sdi_metrics_free(NULL);
}
END_TEST

static bool has_line(const char *text, const char *line)
{
    const char *at = text;
    size_t length = strlen(line);
    while ((at = strstr(at, line))) {
        if ((at == text || at[-1] == '\n') && at[length] == '\n')
            return true;
        at += length;
    }
    return false;
}

static const char *const lines[] = {
    "# HELP shopdata_queries_total Reads answered, by who answered.",
    "# TYPE shopdata_queries_total counter",
    "shopdata_queries_total{source=\"cache\"} 5",
    "shopdata_queries_total{source=\"primary\"} 0",
    "shopdata_node_queries_total{node=\"re\\\"p\\\\l\"} 2",
    "shopdata_errors_total{kind=\"sql\"} 1",
    "shopdata_cache_hits_total{policy=\"default\"} 0",
    "shopdata_cache_hits_total{policy=\"shelf\"} 7",
    "shopdata_cache_misses_total{policy=\"default\",reason=\"fence_refused\"} 0",
    "shopdata_cache_misses_total{policy=\"shelf\",reason=\"fence_refused\"} 3",
    "shopdata_build_info{version=\"" SHOPDATA_VERSION "\",compiler=\"" __VERSION__ "\"} 1",
    "shopdata_cache_entry_bytes_bucket{le=\"512\"} 0",
    "shopdata_cache_entry_bytes_bucket{le=\"1024\"} 1",
    "shopdata_cache_entry_bytes_bucket{le=\"+Inf\"} 2",
    "shopdata_cache_entry_bytes_sum 9001000",
    "shopdata_transactions_abandoned_total 0",
    "# TYPE shopdata_query_seconds histogram",
    "shopdata_query_seconds_bucket{source=\"cache\",le=\"0.0001\"} 1",
    "shopdata_query_seconds_bucket{source=\"cache\",le=\"10\"} 2",
    "shopdata_query_seconds_bucket{source=\"cache\",le=\"+Inf\"} 3",
    "shopdata_query_seconds_sum{source=\"cache\"} 20.00205",
    "shopdata_query_seconds_count{source=\"cache\"} 3",
    "shopdata_write_seconds_bucket{le=\"1\"} 0",
    "# TYPE shopdata_node_lag_seconds gauge",
    "shopdata_node_lag_seconds{node=\"primary\"} -0.5",
};

static shopdata_metrics *snapshot_of_something(void)
{
    sdi_metrics *metrics = made();
    sdi_count(metrics, SDI_M_QUERIES, 0, 5);
    sdi_count(metrics, SDI_M_NODE_QUERIES, 1, 2);
    sdi_count_error(metrics, SHOPDATA_ERR_SQL);
    sdi_count(metrics, SDI_M_CACHE_HITS, 1, 7);
    sdi_count(metrics, SDI_M_CACHE_MISSES, sdi_metric_pair(SDI_M_CACHE_MISSES, 1, SDI_MISS_FENCE_REFUSED), 3);
    sdi_observe(metrics, SDI_M_CACHE_ENTRY_BYTES, 0, 1000);
    sdi_observe(metrics, SDI_M_CACHE_ENTRY_BYTES, 0, 9000000);
    sdi_observe(metrics, SDI_M_QUERY_SECONDS, 0, 50);
    sdi_observe(metrics, SDI_M_QUERY_SECONDS, 0, 2000);
    sdi_observe(metrics, SDI_M_QUERY_SECONDS, 0, 20000000);
    sdi_gauge(metrics, SDI_M_NODE_LAG_SECONDS, 0, -0.5);
    shopdata_metrics *snapshot = NULL;
    ck_assert_int_eq(sdi_metrics_snapshot(metrics, &snapshot, NULL), SHOPDATA_OK);
    sdi_metrics_free(metrics);
    return snapshot;
}

START_TEST(writes_what_prometheus_reads)
{
    shopdata_metrics *snapshot = snapshot_of_something();
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        ck_assert_msg(has_line(shopdata_metrics_prometheus(snapshot), lines[i]), "no line: %s", lines[i]);
    shopdata_metrics_free(snapshot);
}
END_TEST

START_TEST(hands_out_each_value)
{
    shopdata_metrics *snapshot = snapshot_of_something();
    ck_assert_str_eq(shopdata_metrics_name(snapshot, 0), "shopdata_queries_total");
    ck_assert_str_eq(shopdata_metrics_labels(snapshot, 0), "source=\"cache\"");
    ck_assert_str_eq(shopdata_metrics_unit(snapshot, 0), "count");
    ck_assert_str_eq(shopdata_metrics_help(snapshot, 0), "Reads answered, by who answered.");
    ck_assert_int_eq(shopdata_metrics_type(snapshot, 0), SHOPDATA_COUNTER);
    ck_assert(shopdata_metrics_value(snapshot, 0) == 5);
    size_t end = shopdata_metrics_count(snapshot);
    ck_assert_str_eq(shopdata_metrics_name(snapshot, end), "");
    ck_assert_int_eq(shopdata_metrics_type(snapshot, end), 0);
    ck_assert(shopdata_metrics_value(snapshot, end) == 0);
    shopdata_metrics_free(snapshot);
    ck_assert_uint_eq(shopdata_metrics_count(NULL), 0);
    ck_assert_str_eq(shopdata_metrics_prometheus(NULL), "");
    shopdata_metrics_free(NULL);
}
END_TEST

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && !strcmp(text + length - tail, end);
}

START_TEST(every_metric_is_described)
{
    for (size_t i = 0; i < SDI_METRICS; i++) {
        const sdi_metric_description *about = &sdi_metric_table[i];
        ck_assert_msg(about->name && about->help && about->unit, "metric %zu", i);
        ck_assert_msg(!strncmp(about->name, "shopdata_", 9), "%s", about->name);
        ck_assert_int_eq(about->type == SHOPDATA_COUNTER, ends_with(about->name, "_total"));
        ck_assert_int_eq(!strcmp(about->unit, "seconds"), ends_with(about->name, "_seconds"));
        ck_assert_int_eq(!strcmp(about->unit, "bytes"),
                         ends_with(about->name, "_bytes") || ends_with(about->name, "_bytes_total"));
        ck_assert(about->labels[1] != SDI_LABEL_NODE && about->labels[1] != SDI_LABEL_POLICY);
        ck_assert_ptr_null(strpbrk(about->help, "\\\n"));
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(about->name, sdi_metric_table[j].name);
    }
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, counts_of_all_threads_add_up);
    tcase_add_test(cases, ignores_what_is_not_there);
    tcase_add_test(cases, writes_what_prometheus_reads);
    tcase_add_test(cases, hands_out_each_value);
    tcase_add_test(cases, every_metric_is_described);
}

UNIT_MAIN("model/metrics", fill, 60)
