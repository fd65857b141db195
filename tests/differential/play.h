/* play.h - trials: a fresh schema, some reads, and phases of writes after which every read must answer what the
 * database says. What happens in a trial follows from its seed alone. */
#ifndef SDI_TESTS_DIFFERENTIAL_PLAY_H
#define SDI_TESTS_DIFFERENTIAL_PLAY_H

#include "census.h"
#include "world.h"

enum { READS = 48 };

typedef struct reading {
    sentence *of;
    size_t asked; /* how many events there were when the database was asked last */
} reading;

typedef struct event {
    sentence *write; /* NULL: a read */
    size_t read, client;
} event;

typedef struct difference {
    size_t read, client;
    char *cached, *bare;
} difference;

typedef struct trial {
    uint64_t seed;
    const grammar *of;
    const char *cache;
    census *counts;
    prng random;
    world w;
    reading reads[READS];
    sdi_buffer writes; /* sentence *: all that were made, to be freed */
    sdi_buffer events; /* event */
    size_t written;    /* how many events there were at the last write */
} trial;

/* trial_play plays one until `deadline` (sdi_now's clock) at most; true with *found filled at the first difference. */
bool trial_play(trial *t, int64_t deadline, difference *found);
/* trial_free frees what a played trial keeps for those who look into a difference. */
void trial_free(trial *t);

/* trial_make and trial_open are the beginning of trial_play, trial_close its end: for replays of the same reads. */
void trial_make(trial *t);
void trial_open(trial *t);
void trial_close(trial *t);
void trial_write(trial *t, const sentence *write, size_t client);
/* trial_run runs a group in a session of this client: the status of its last step, or of one that must not be. Any
 * thread. */
int trial_run(trial *t, shopdata_session *session, const sentence *write, size_t client);
/* trial_read asks at the client, and compares if `found`; true if the answers differ. */
bool trial_read(trial *t, size_t read, size_t client, difference *found);
/* trial_explain is what the library makes of a step; "" of the test's own words. */
const char *trial_explain(trial *t, size_t client, const step *of);

void difference_free(difference *found);
/* difference_print tells all that is known of it. */
void difference_print(trial *t, const difference *found);

/* shrink prints the shortest history it finds that ends in the difference. */
void shrink(trial *t, const difference *found, int64_t deadline);

#endif
