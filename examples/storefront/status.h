/* status.h - the line that the server prints each second. */
#ifndef SHOP_STATUS_H
#define SHOP_STATUS_H

#include "topology.h"

/* shop_status_line writes what happened between two moments, and how many requests were answered meanwhile. */
void shop_status_line(const struct shop_topology *before, const struct shop_topology *now, double requests, char *line,
                      size_t size);

#endif
