/* metrics_text.c - prints what a process that has done so much would serve: `metrics_text TIMES`. */
#include <stdio.h>
#include <stdlib.h>

#include "model/metrics.h"

static void count(sdi_metrics *metrics, uint64_t times)
{
    sdi_count(metrics, SDI_M_QUERIES, 0, 90 * times);
    sdi_count(metrics, SDI_M_QUERIES, 1, 10 * times);
    sdi_count(metrics, SDI_M_CACHE_HITS, 1, 30 * times);
    sdi_count(metrics, SDI_M_CACHE_MISSES, sdi_metric_pair(SDI_M_CACHE_MISSES, 1, SDI_MISS_ABSENT), 10 * times);
    sdi_count(metrics, SDI_M_NODE_QUERIES, 1, 10 * times);
    for (uint64_t i = 0; i < times; i++)
        for (int j = 0; j < 100; j++)
            sdi_observe(metrics, SDI_M_QUERY_SECONDS, 0, j < 90 ? 200 : 20000);
    sdi_gauge(metrics, SDI_M_NODE_ROLE, 0, 2);
    sdi_gauge(metrics, SDI_M_NODE_ROLE, 1, 1);
    sdi_gauge(metrics, SDI_M_NODE_LAG_SECONDS, 1, 0.25);
    sdi_gauge(metrics, SDI_M_NODE_BREAKER, 1, 2);
    sdi_gauge(metrics, SDI_M_POOL_SIZE, 1, 8);
    sdi_gauge(metrics, SDI_M_POOL_BUSY, 1, 3);
}

int main(int arguments, char **values)
{
    static const char *const nodes[] = {"primary", "replica1"}, *const policies[] = {"default", "shelf"};
    sdi_metrics *metrics = sdi_metrics_new((sdi_names){nodes, 2}, (sdi_names){policies, 2});
    shopdata_metrics *snapshot = NULL;
    if (!metrics || arguments != 2)
        return 2;
    count(metrics, strtoull(values[1], NULL, 10));
    if (sdi_metrics_snapshot(metrics, &snapshot, NULL))
        return 1;
    fputs(shopdata_metrics_prometheus(snapshot), stdout);
    shopdata_metrics_free(snapshot);
    sdi_metrics_free(metrics);
    return 0;
}
