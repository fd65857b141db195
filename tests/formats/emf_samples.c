/* emf_samples.c - prints snapshots in CloudWatch's embedded metric format, for test_emf.py:
 *
 *   emf_samples SAMPLE NAMESPACE DIMENSIONS
 *
 * `first` is a snapshot with something of everything; `second` the same later, against the first; `reset` a young
 * process against an old one's snapshot; `idle` one of which nothing was counted; `many` one of 256 policies. Exit code
 * 1, and the message on stderr, if it was refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/metrics.h"

static const char *const nodes[] = {"primary", "re\"p\\l\nica"};
static const char *const policies[] = {"default", "shelf"};

static sdi_metrics *made(void)
{
    sdi_metrics *metrics = sdi_metrics_new((sdi_names){nodes, 2}, (sdi_names){policies, 2});
    if (!metrics)
        exit(2);
    return metrics;
}

static shopdata_metrics *taken(const sdi_metrics *metrics)
{
    shopdata_metrics *snapshot = NULL;
    if (sdi_metrics_snapshot(metrics, &snapshot, NULL))
        exit(2);
    return snapshot;
}

static void count_something(sdi_metrics *metrics, int times)
{
    for (int i = 0; i < times; i++) {
        sdi_count(metrics, SDI_M_QUERIES, 0, 5);
        sdi_count(metrics, SDI_M_NODE_QUERIES, 1, 2);
        sdi_count(metrics, SDI_M_CACHE_HITS, 1, 30);
        sdi_count(metrics, SDI_M_CACHE_MISSES, sdi_metric_pair(SDI_M_CACHE_MISSES, 1, SDI_MISS_ABSENT), 10);
        sdi_observe(metrics, SDI_M_QUERY_SECONDS, 0, 80);
        sdi_observe(metrics, SDI_M_QUERY_SECONDS, 0, 3000);
        sdi_observe(metrics, SDI_M_QUERY_SECONDS, 0, 60000000);
        sdi_observe(metrics, SDI_M_CACHE_ENTRY_BYTES, 0, 100);
    }
    sdi_gauge(metrics, SDI_M_NODE_LAG_SECONDS, 1, 0.25);
    sdi_gauge(metrics, SDI_M_NODE_ROLE, 0, 2);
}

static shopdata_metrics *of_many(void)
{
    static char names[256][8];
    const char *list[256];
    for (int i = 0; i < 256; i++) {
        snprintf(names[i], sizeof names[i], "p%d", i);
        list[i] = names[i];
    }
    sdi_metrics *metrics = sdi_metrics_new((sdi_names){nodes, 1}, (sdi_names){list, 256});
    for (size_t i = 0; metrics && i < 256; i++)
        sdi_count(metrics, SDI_M_CACHE_HITS, i, 1);
    shopdata_metrics *snapshot = taken(metrics);
    sdi_metrics_free(metrics);
    return snapshot;
}

/* The snapshot, and the one before it if the sample has one. */
static void take_sample(const char *sample, shopdata_metrics **now, shopdata_metrics **before)
{
    sdi_metrics *metrics = made(), *young = made();
    count_something(metrics, !strcmp(sample, "idle") ? 0 : 3);
    *now = taken(metrics);
    if (!strcmp(sample, "second")) {
        count_something(metrics, 1);
        *before = *now;
        *now = taken(metrics);
    } else if (!strcmp(sample, "reset")) {
        count_something(young, 1);
        *before = *now;
        *now = taken(young);
    }
    sdi_metrics_free(metrics);
    sdi_metrics_free(young);
}

int main(int count, char **arguments)
{
    const char *text = "";
    shopdata_metrics *now = NULL, *before = NULL;
    shopdata_error *error = NULL;
    if (count != 4)
        return fputs("usage: emf_samples SAMPLE NAMESPACE DIMENSIONS\n", stderr), 2;
    if (!strcmp(arguments[1], "many"))
        now = of_many();
    else
        take_sample(arguments[1], &now, &before);
    int status = shopdata_metrics_emf(now, before, arguments[2], arguments[3], &text, &error);
    if (status != SHOPDATA_OK)
        fprintf(stderr, "%s: %s\n", shopdata_status_name(status), shopdata_error_message(error));
    fputs(text, stdout);
    shopdata_error_free(error);
    shopdata_metrics_free(now);
    shopdata_metrics_free(before);
    return status != SHOPDATA_OK;
}
