/* log.h - log lines on their way to the application's function, which is called in its own threads only.
 *
 * Whoever has something to tell raises an event: any thread, with or without locks. Its line waits in a ring until a
 * call of the library is about to return (sdi_log_deliver, without any lock). Of each kind of event so many lines a
 * second pass in the long run, ten times that at once. */
#ifndef SDI_MODEL_LOG_H
#define SDI_MODEL_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "model/log_events.h"
#include "model/metrics.h"

enum { SDI_LOG_RING = 256 }; /* lines that wait at most */

/* Where lines go, and which. */
typedef struct sdi_log_settings {
    shopdata_log_function function; /* NULL: nowhere */
    void *context;
    int level;    /* lines of a higher number are left out */
    int64_t rate; /* of one event, a second in the long run */
} sdi_log_settings;

/* One value of an event; its key stands in the table. */
typedef struct sdi_log_value {
    const char *text; /* NULL: the number counts */
    int64_t number;
} sdi_log_value;

typedef struct sdi_log sdi_log;

/* sdi_log_new: NULL without memory. `metrics` outlive it. */
sdi_log *sdi_log_new(const sdi_log_settings *settings, sdi_metrics *metrics);
void sdi_log_free(sdi_log *log);

/* sdi_log_wants: would a line of this event go anywhere? NULL logs nothing. */
bool sdi_log_wants(const sdi_log *log, enum sdi_log_event event);
/* sdi_log_raise writes the line and lets it wait. Use the macro: SDI_LOG(log, EVENT, SDI_TEXT(name), SDI_NUMBER(5)). */
void sdi_log_raise(sdi_log *log, enum sdi_log_event event, int64_t now, const sdi_log_value *values, size_t count);
/* sdi_log_deliver calls the function with every line that waits, no two threads at once: who comes while another
 * delivers, or from within the function, goes on without. NULL delivers nothing. */
void sdi_log_deliver(sdi_log *log);

#define SDI_TEXT(value)                                                                                                \
    {                                                                                                                  \
        .text = (value)                                                                                                \
    }
#define SDI_NUMBER(value)                                                                                              \
    {                                                                                                                  \
        .number = (int64_t)(value)                                                                                     \
    }
#define SDI_LOG(log, event, ...)                                                                                       \
    do {                                                                                                               \
        if (sdi_log_wants(log, event)) {                                                                               \
            const sdi_log_value values_[] = {__VA_ARGS__};                                                             \
            sdi_log_raise(log, event, sdi_now(), values_, sizeof values_ / sizeof values_[0]);                         \
        }                                                                                                              \
    } while (0)
/* sdi_log_bare: of an event without values. */
static inline void sdi_log_bare(sdi_log *log, enum sdi_log_event event)
{
    if (sdi_log_wants(log, event))
        sdi_log_raise(log, event, sdi_now(), NULL, 0);
}

#endif
