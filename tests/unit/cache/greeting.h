/* greeting.h - what a made-up Redis server hears, what it says when it is greeted, and values of its epoch. */
#ifndef SDI_TESTS_UNIT_CACHE_GREETING_H
#define SDI_TESTS_UNIT_CACHE_GREETING_H

#include <stdbool.h>
#include <stdio.h>

#define SHA_REPLY "$40\r\n0123456789012345678901234567890123456789\r\n"
#define SERVER_REPLY "$21\r\n# Server\r\nrun_id:r1\r\n\r\n"
#define PRIMARY_REPLY "$46\r\n# Replication\r\nrole:master\r\nmaster_replid:h1\r\n\r\n"
#define REPLICA_REPLY "$45\r\n# Replication\r\nrole:slave\r\nmaster_replid:h1\r\n\r\n"
#define SCRIPT_REPLIES SHA_REPLY SHA_REPLY SHA_REPLY
#define GREETING SERVER_REPLY PRIMARY_REPLY SCRIPT_REPLIES
/* Of these run and replication ids. */
#define EPOCH "cb2f72e219b0f849"
#define VALUE "*1\r\n$21\r\n" EPOCH "hello\r\n"

enum { GREETING_COMMANDS = 5, REDIS_WORDS = 6 };

typedef struct redis_command {
    char words[REDIS_WORDS][128]; /* the first ones, cut; what is not there is "" */
} redis_command;

/* redis_read_command: false when the client has closed. */
bool redis_read_command(FILE *in, redis_command *command);

#endif
