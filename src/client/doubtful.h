/* doubtful.h - writes of unknown fate whose backend could not be made sure to be gone, because its server did not
 * answer.
 *
 * It may still commit, behind the fences that were deleted meanwhile. So as soon as the server answers, the backend is
 * ended and the fences are deleted once more. */
#ifndef SDI_CLIENT_DOUBTFUL_H
#define SDI_CLIENT_DOUBTFUL_H

#include "base/buffer.h"
#include "base/lock.h"
#include "postgres/connection.h"

struct sdi_core;

enum { SDI_DOUBTFUL_MAX = 1000 }; /* past it the oldest is forgotten: its entries live for their TTL */

typedef struct sdi_doubt sdi_doubt;

typedef struct sdi_doubtful {
    sdi_mutex lock;
    sdi_doubt *first, **last;
    size_t count;
} sdi_doubtful;

void sdi_doubtful_init(sdi_doubtful *doubtful);
void sdi_doubtful_free(sdi_doubtful *doubtful);

/* sdi_doubt_keep: this backend of the node may still commit what the fences under `keys` must tell. */
void sdi_doubt_keep(struct sdi_core *core, size_t node, const sdi_pg_backend_id *backend, const sdi_buffer *keys);
/* sdi_doubt_settle ends the node's doubtful backends through `by`, and deletes the fences. */
void sdi_doubt_settle(struct sdi_core *core, size_t node, sdi_pg_connection *by, int64_t deadline);

#endif
