#include "status.h"

#include <stdio.h>
#include <string.h>

/* Adds one value of the snapshot to what it counts for; most count for nothing here. */
static void add_value(struct shop_status *status, const char *name, const char *labels, double value)
{
    if (!strcmp(name, "shopdata_cache_hits_total"))
        status->hits += value;
    else if (!strcmp(name, "shopdata_cache_misses_total"))
        status->misses += value;
    else if (strcmp(name, "shopdata_queries_total") != 0)
        return;
    else if (strstr(labels, "source=\"cache\""))
        status->cache += value;
    else if (strstr(labels, "source=\"replica\""))
        status->replica += value;
    else if (strstr(labels, "source=\"primary\""))
        status->primary += value;
}

int shop_status_take(shopdata_client *client, unsigned long long requests, struct shop_status *status)
{
    shopdata_metrics *metrics = NULL;
    int result = shopdata_metrics_take(client, &metrics, NULL);
    if (result < 0)
        return result;
    *status = (struct shop_status){.requests = (double)requests};
    for (size_t i = 0; i < shopdata_metrics_count(metrics); i++)
        add_value(status, shopdata_metrics_name(metrics, i), shopdata_metrics_labels(metrics, i),
                  shopdata_metrics_value(metrics, i));
    shopdata_metrics_free(metrics);
    return SHOPDATA_OK;
}

/* "93.4 %", or "-" where nothing happened. */
static const char *share(double part, double whole, char text[16])
{
    if (whole > 0)
        snprintf(text, 16, "%5.1f %%", 100 * part / whole);
    else
        snprintf(text, 16, "%7s", "-");
    return text;
}

void shop_status_line(const struct shop_status *before, const struct shop_status *now, char *line, size_t size)
{
    char hits[16], cache[16], replica[16], primary[16];
    double hit = now->hits - before->hits, missed = now->misses - before->misses;
    double reads = now->cache + now->replica + now->primary - before->cache - before->replica - before->primary;
    snprintf(line, size, "%6.0f requests/s   hits %s   answered by cache %s  replicas %s  primary %s",
             now->requests - before->requests, share(hit, hit + missed, hits),
             share(now->cache - before->cache, reads, cache), share(now->replica - before->replica, reads, replica),
             share(now->primary - before->primary, reads, primary));
}
