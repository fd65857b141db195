/* command.h - operations as Redis commands. */
#ifndef SDI_CACHE_REDIS_COMMAND_H
#define SDI_CACHE_REDIS_COMMAND_H

#include "base/buffer.h"
#include "cache/backend.h"

/* The scripts, as text (swap.lua, merge.lua). */
extern const char sdi_redis_swap[], sdi_redis_merge[];

enum { SDI_REDIS_SHA = 40 };

/* The names the server gave the scripts; where they are empty, the scripts' text is sent. */
typedef struct sdi_redis_shas {
    char swap[SDI_REDIS_SHA + 1], merge[SDI_REDIS_SHA + 1];
} sdi_redis_shas;

/* sdi_redis_command appends a command of C strings, ended by NULL. */
void sdi_redis_command(sdi_buffer *out, ...) __attribute__((sentinel));
/* sdi_redis_format appends the command of the operations from the first one on: GETs side by side are one, all others
 * are one each. Returns how many operations that was. */
size_t sdi_redis_format(sdi_buffer *out, const sdi_cache_op *operations, size_t count, const sdi_redis_shas *shas);

#endif
