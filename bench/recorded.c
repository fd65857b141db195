#include "recorded.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

enum { INVENTED_OBJECTS = 76349, INVENTED_STREAM = 5, TYPE_BITS = 27, TYPES = 30 };

int64_t bench_zipf(uint64_t random, int64_t count)
{
    double uniform = (double)(random >> 11) / 9007199254740992.0;
    int64_t rank = (int64_t)((double)count * pow(uniform, 1 / (1 - 0.82)));
    return rank < count ? rank : count - 1;
}

static int ascending(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void number_objects(bench_recorded *recorded)
{
    size_t count = 0;
    memcpy(recorded->distinct, recorded->keys, recorded->count * sizeof *recorded->keys);
    qsort(recorded->distinct, recorded->count, sizeof *recorded->distinct, ascending);
    for (size_t i = 0; i < recorded->count; i++)
        if (i == 0 || recorded->distinct[i] != recorded->distinct[count - 1])
            recorded->distinct[count++] = recorded->distinct[i];
    recorded->object_count = count;
    for (size_t i = 0; i < recorded->count; i++) {
        const int64_t *at = bsearch(&recorded->keys[i], recorded->distinct, count, sizeof *at, ascending);
        recorded->objects[i] = (uint32_t)(at - recorded->distinct);
    }
}

static bool read_keys(bench_recorded *recorded, FILE *file, size_t most)
{
    for (char line[64]; recorded->count < most && fgets(line, sizeof line, file); recorded->count++) {
        char *end;
        recorded->keys[recorded->count] = strtoll(line, &end, 10);
        if (end == line || (*end && *end != '\n')) {
            bench_complain("the trace", "a line is no number");
            return false;
        }
    }
    if (recorded->count == 0)
        bench_complain("the trace", "it is empty");
    return recorded->count > 0;
}

static bool read_file(bench_recorded *recorded, const char *path, size_t most)
{
    FILE *file = fopen(path, "r");
    if (!file)
        bench_complain(path, "cannot be read");
    bool good = file && read_keys(recorded, file, most);
    if (file)
        fclose(file);
    return good;
}

/* As in the recorded ones the object's type stands in the bits above its number. */
static void invent(bench_recorded *recorded, size_t most)
{
    for (size_t i = 0; i < most; i++) {
        int64_t object = bench_zipf(bench_random(INVENTED_STREAM, i), INVENTED_OBJECTS);
        int64_t type = (int64_t)(bench_random(INVENTED_STREAM + 1, (uint64_t)object) % TYPES);
        recorded->keys[i] = type << TYPE_BITS | object;
    }
    recorded->count = most;
    recorded->invented = true;
}

bool bench_recorded_open(bench_recorded *recorded, const char *path, size_t most)
{
    *recorded = (bench_recorded){.keys = calloc(most, sizeof *recorded->keys),
                                 .distinct = calloc(most, sizeof *recorded->distinct),
                                 .objects = calloc(most, sizeof *recorded->objects)};
    if (!recorded->keys || !recorded->distinct || !recorded->objects)
        return false;
    if (!path)
        invent(recorded, most);
    else if (!read_file(recorded, path, most))
        return false;
    number_objects(recorded);
    return true;
}

void bench_recorded_close(bench_recorded *recorded)
{
    free(recorded->keys);
    free(recorded->distinct);
    free(recorded->objects);
}
