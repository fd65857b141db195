/* loader.h - the shop's rows into the database, by COPY, a chunk a transaction: what is there is not loaded again. */
#ifndef LOAD_LOADER_H
#define LOAD_LOADER_H

#include "rows.h"

/* What a load has come to. */
typedef struct load_progress {
    int64_t done, kept, total; /* numbers of all tables (rows.h); of those done the ones that stood there before */
    int64_t began_ns;
} load_progress;

/* load_fill loads what is missing, then makes keys and indexes. It prints a JSON line now and then. False: it has
 * complained, or SIGINT or SIGTERM has ended it; a second one ends the program. */
bool load_fill(PGconn *database, const load_shop *shop, load_progress *progress_out);

#endif
