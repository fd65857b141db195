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

/* Commands before it is known on which connection they go: where its greeting has a say gaps are left. */
typedef struct sdi_redis_commands {
    sdi_buffer text;
    sdi_buffer gaps;
} sdi_redis_commands;

/* sdi_redis_command appends a command of C strings, ended by NULL. */
void sdi_redis_command(sdi_buffer *out, ...) __attribute__((sentinel));
/* sdi_redis_format appends one operation, or `count` GETs, as a command. `spelled`: a script as text, not by name. */
void sdi_redis_format(sdi_redis_commands *commands, const sdi_cache_op *operations, size_t count, bool spelled);
/* sdi_redis_fill appends the commands as they are sent to the server that greeted so. */
void sdi_redis_fill(sdi_buffer *out, const sdi_redis_commands *commands, const sdi_redis_greeting *greeting);
void sdi_redis_commands_free(sdi_redis_commands *commands);
/* sdi_redis_format_probe appends a command that changes nothing, and that only a primary which can take writes carries
 * out: on a replica it is READONLY, on one that has lost too many replicas NOREPLICAS. */
void sdi_redis_format_probe(sdi_buffer *out, const char *key_prefix);

#endif
