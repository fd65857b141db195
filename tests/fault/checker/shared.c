#include "shared.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MOMENT_BITS = 40 };

static void *map(const char *path, int flags)
{
    int fd = open(path, flags, 0600);
    struct stat found;
    bool good = fd >= 0 && (!(flags & O_CREAT) || ftruncate(fd, sizeof(shared)) == 0) && fstat(fd, &found) == 0;
    if (good && found.st_size != sizeof(shared)) {
        fprintf(stderr, "%s is not of this program: was it compiled anew during the run?\n", path);
        exit(2);
    }
    void *mapped = good ? mmap(NULL, sizeof(shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (mapped == MAP_FAILED) {
        perror(path);
        exit(2);
    }
    close(fd);
    return mapped;
}

shared *shared_attach(const char *path)
{
    return map(path, O_RDWR);
}

shared *shared_make(const char *path)
{
    shared *all = map(path, O_RDWR | O_CREAT | O_TRUNC);
    for (size_t row = 0; row < ROWS; row++) {
        atomic_store(&all->rows[row].attempted, row_first_attempt(row));
        atomic_store(&all->rows[row].acknowledged, row_first_version(row));
    }
    atomic_store(&all->arrived, FIRST_ARRIVAL - 1);
    atomic_store(&all->order, 1);
    all->began_us = shared_moment(all);
    return all;
}

int64_t shared_moment(const shared *all)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 - all->began_us;
}

/* Version and moment are one word, so that nobody sees a version with the moment of another. */
void shared_acknowledge(shared *all, size_t row, int64_t version)
{
    row_state *of = &all->rows[row];
    raise_to(&of->acknowledged, version);
    atomic_store(&of->when[atomic_fetch_add(&of->next, 1) % ACKNOWLEDGED],
                 (uint64_t)version << MOMENT_BITS | (uint64_t)(shared_moment(all) + 1));
}

int64_t shared_acknowledged(const shared *all, size_t row, int64_t moment)
{
    int64_t highest = row_first_version(row);
    for (size_t i = 0; i < ACKNOWLEDGED; i++) {
        uint64_t one = atomic_load(&all->rows[row].when[i]);
        int64_t version = (int64_t)(one >> MOMENT_BITS);
        if ((int64_t)(one & ((UINT64_C(1) << MOMENT_BITS) - 1)) <= moment && version > highest)
            highest = version;
    }
    return highest;
}

void raise_to(_Atomic int64_t *value, int64_t to)
{
    int64_t now = atomic_load(value);
    while (now < to && !atomic_compare_exchange_weak(value, &now, to))
        ;
}

/* The order is written last: who reads the ring leaves out what is not whole. */
void shared_event(shared *all, slot *mine, event what)
{
    event *at = &mine->ring[atomic_fetch_add(&mine->next, 1) % RING];
    atomic_store(&at->order, 0);
    memcpy((char *)at + sizeof at->order, (char *)&what + sizeof what.order, sizeof what - sizeof what.order);
    atomic_store(&at->order, atomic_fetch_add(&all->order, 1));
}

void shared_note(shared *all, slot *mine, const char *text)
{
    event made = {.happening = NOTED};
    snprintf(made.text, sizeof made.text, "%s", text);
    shared_event(all, mine, made);
}
