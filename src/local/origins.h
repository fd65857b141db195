/* origins.h - where answers came from, so that an entry holds a number in place of a name. */
#ifndef SDI_LOCAL_ORIGINS_H
#define SDI_LOCAL_ORIGINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"
#include "model/result.h"

enum { SDI_ORIGINS_MAX = 255 };

typedef struct sdi_origin {
    char node[SDI_NODE_NAME_MAX + 1];
    uint32_t timeline;
} sdi_origin;

typedef struct sdi_origins {
    sdi_mutex mutex; /* of whoever looks for one, or adds */
    sdi_origin *list;
    size_t room, count;
} sdi_origins;

/* sdi_origins_init: about so many bytes, if that is room for a few. False without memory. */
bool sdi_origins_init(sdi_origins *origins, size_t bytes);
void sdi_origins_free(sdi_origins *origins);
size_t sdi_origins_bytes(const sdi_origins *origins);
/* sdi_origins_number is that of an origin, the same until sdi_origins_clear; SDI_ORIGINS_MAX if there are too many.
 * With the mutex, both. */
size_t sdi_origins_number(sdi_origins *origins, const char *node, uint32_t timeline);
/* sdi_origins_clear: nobody has a number any more. */
void sdi_origins_clear(sdi_origins *origins);
/* sdi_origins_at needs no mutex: what has a number does not change. */
const sdi_origin *sdi_origins_at(const sdi_origins *origins, size_t number);

#endif
