/* command.h - operations as Redis commands. Every value begins with the epoch of the server that it was given to
 * (greeting.h): what another epoch left is as good as nothing. */
#ifndef SDI_CACHE_REDIS_COMMAND_H
#define SDI_CACHE_REDIS_COMMAND_H

#include "base/buffer.h"
#include "cache/backend.h"

/* The scripts, as text (add.lua, swap.lua, merge.lua). */
extern const char sdi_redis_add[], sdi_redis_swap[], sdi_redis_merge[];

enum { SDI_REDIS_SHA = 40, SDI_REDIS_EPOCH = 16 };

/* What a server told when it was greeted. */
typedef struct sdi_redis_greeting {
    char add[SDI_REDIS_SHA + 1], swap[SDI_REDIS_SHA + 1], merge[SDI_REDIS_SHA + 1]; /* names of the scripts */
    char epoch[SDI_REDIS_EPOCH + 1];
    uint64_t run; /* hash of its run id */
    bool primary;
} sdi_redis_greeting;

/* sdi_redis_command appends a command of C strings, ended by NULL. */
void sdi_redis_command(sdi_buffer *out, ...) __attribute__((sentinel));
/* sdi_redis_format appends one operation, or `count` GETs, as a command. `spelled`: a script as text, not by name. */
void sdi_redis_format(sdi_buffer *out, const sdi_cache_op *operations, size_t count, const sdi_redis_greeting *greeting,
                      bool spelled);
/* sdi_redis_format_probe appends a command that changes nothing, and that only a primary which can take writes carries
 * out: on a replica it is READONLY, on one that has lost too many replicas NOREPLICAS. */
void sdi_redis_format_probe(sdi_buffer *out, const char *key_prefix);

#endif
