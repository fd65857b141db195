#include "status.h"

#include <stdio.h>

/* "93.4 %", or "-" where nothing happened. */
static const char *share(double part, double whole, char text[16])
{
    if (whole > 0)
        snprintf(text, 16, "%5.1f %%", 100 * part / whole);
    else
        snprintf(text, 16, "%7s", "-");
    return text;
}

void shop_status_line(const struct shop_topology *before, const struct shop_topology *now, double requests, char *line,
                      size_t size)
{
    char hits[16], cache[16], replica[16], primary[16];
    double hit = now->hits - before->hits, missed = now->misses - before->misses;
    double reads = shop_topology_reads(now) - shop_topology_reads(before);
    snprintf(line, size, "%6.0f requests/s   hits %s   answered by cache %s  replicas %s  primary %s", requests,
             share(hit, hit + missed, hits), share(now->from_cache - before->from_cache, reads, cache),
             share(now->from_replica - before->from_replica, reads, replica),
             share(now->from_primary - before->from_primary, reads, primary));
}
