/* status.h - the line that the server prints each second. */
#ifndef SHOP_STATUS_H
#define SHOP_STATUS_H

#include <stddef.h>

#include <shopdata/shopdata.h>

/* What was counted up to one moment. */
struct shop_status {
    double requests;
    double hits;
    double misses;
    double cache; /* reads answered by the cache, by replicas, by the primary */
    double replica;
    double primary;
};

/* shop_status_take counts as of now; `requests` is the server's own count. */
int shop_status_take(shopdata_client *client, unsigned long long requests, struct shop_status *status);
/* shop_status_line writes what happened between two moments. */
void shop_status_line(const struct shop_status *before, const struct shop_status *now, char *line, size_t size);

#endif
