#include "greeting.h"

#include <stdlib.h>

static bool read_word(FILE *in, char *word, size_t size)
{
    char line[64];
    if (!fgets(line, sizeof line, in))
        return false;
    size_t length = (size_t)strtol(line + 1, NULL, 10) + 2;
    char *bytes = malloc(length);
    bool whole = bytes && fread(bytes, 1, length, in) == length;
    if (whole)
        snprintf(word, size, "%.*s", (int)length - 2, bytes);
    free(bytes);
    return whole;
}

bool redis_read_command(FILE *in, redis_command *command)
{
    char line[64], further[sizeof *command->words];
    if (!fgets(line, sizeof line, in))
        return false;
    *command = (redis_command){.words = {""}};
    for (long i = 0, count = strtol(line + 1, NULL, 10); i < count; i++)
        if (!read_word(in, i < REDIS_WORDS ? command->words[i] : further, sizeof further))
            return false;
    return true;
}
