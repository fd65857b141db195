#include "model/log.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/bucket.h"
#include "base/buffer.h"
#include "base/lock.h"
#include "base/memory.h"

enum { TEXT_MAX = 300 }; /* bytes of one value */
enum { BURST = 10 };     /* times the rate: what comes at once after a quiet time, the nodes that are found say */
enum { DROPPED_RATE, DROPPED_FULL };

typedef struct waiting {
    char *line;
    int level;
} waiting;

struct sdi_log {
    sdi_log_settings settings;
    sdi_metrics *metrics;
    _Atomic size_t count; /* of what waits; changed with the lock held */
    atomic_bool delivering;
    sdi_mutex lock; /* guards what follows */
    size_t first;
    waiting ring[SDI_LOG_RING];
    sdi_bucket buckets[SDI_LOG_EVENTS];
    uint64_t suppressed[SDI_LOG_EVENTS]; /* since the last line of it */
};

sdi_log *sdi_log_new(const sdi_log_settings *settings, sdi_metrics *metrics)
{
    sdi_log *log = sdi_calloc(1, sizeof *log);
    if (!log)
        return NULL;
    log->settings = *settings;
    log->metrics = metrics;
    sdi_mutex_init(&log->lock);
    for (size_t i = 0; i < SDI_LOG_EVENTS; i++)
        sdi_bucket_init(&log->buckets[i], settings->rate, BURST * settings->rate, sdi_now());
    return log;
}

static waiting take(sdi_log *log)
{
    waiting first = {NULL, 0};
    sdi_lock(&log->lock);
    if (log->count) {
        first = log->ring[log->first];
        log->first = (log->first + 1) % SDI_LOG_RING;
        log->count--;
    }
    sdi_unlock(&log->lock);
    return first;
}

void sdi_log_free(sdi_log *log)
{
    if (!log)
        return;
    while (log->count)
        sdi_free(take(log).line);
    sdi_mutex_destroy(&log->lock);
    sdi_free(log);
}

bool sdi_log_wants(const sdi_log *log, enum sdi_log_event event)
{
    return log && log->settings.function && sdi_log_table[event].level <= log->settings.level;
}

/* --------------------------------------------------------------------------------------------------------- writing */

static void put_time(sdi_buffer *line, int64_t wall)
{
    char text[32];
    struct tm parts;
    time_t seconds = (time_t)(wall / 1000000);
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    sdi_buffer_printf(line, "ts=%s.%03dZ", text, (int)(wall / 1000 % 1000));
}

static bool is_blank(char byte)
{
    return (unsigned char)byte <= ' ' || byte == 127;
}

static bool wants_quotes(const char *text)
{
    for (const char *at = text; *at; at++)
        if (is_blank(*at) || *at == '"' || *at == '=' || *at == '\\')
            return true;
    return !*text;
}

/* So much of a text that no character is cut. */
static size_t shown_of(const char *text)
{
    size_t length = strnlen(text, TEXT_MAX + 1);
    if (length <= TEXT_MAX)
        return length;
    for (length = TEXT_MAX; length && ((unsigned char)text[length] & 0xC0) == 0x80;)
        length--;
    return length;
}

/* Blanks, line breaks and what else does not print come out as one blank: a line stays one. */
static void put_quoted(sdi_buffer *line, const char *text)
{
    size_t length = shown_of(text);
    sdi_buffer_char(line, '"');
    for (size_t i = 0; i < length; i++) {
        if (is_blank(text[i])) {
            if (i + 1 == length || !is_blank(text[i + 1]))
                sdi_buffer_char(line, ' ');
            continue;
        }
        if (text[i] == '"' || text[i] == '\\')
            sdi_buffer_char(line, '\\');
        sdi_buffer_char(line, text[i]);
    }
    sdi_buffer_text(line, text[length] ? "...\"" : "\"");
}

static void put_value(sdi_buffer *line, const char *key, const sdi_log_value *value)
{
    sdi_buffer_printf(line, " %s=", key);
    if (!value->text)
        sdi_buffer_printf(line, "%lld", (long long)value->number);
    else if (wants_quotes(value->text) || strlen(value->text) > TEXT_MAX)
        put_quoted(line, value->text);
    else
        sdi_buffer_text(line, value->text);
}

static char *write_line(enum sdi_log_event event, const sdi_log_value *values, size_t count, uint64_t suppressed)
{
    const sdi_log_description *about = &sdi_log_table[event];
    sdi_buffer line = SDI_BUFFER_INIT;
    put_time(&line, sdi_wall());
    sdi_buffer_printf(&line, " level=%s event=%s", sdi_log_level_name(about->level), about->name);
    for (size_t i = 0; i < count && about->keys[i]; i++)
        put_value(&line, about->keys[i], &values[i]);
    if (suppressed)
        sdi_buffer_printf(&line, " suppressed=%llu", (unsigned long long)suppressed);
    return sdi_buffer_take(&line);
}

/* --------------------------------------------------------------------------------------------------------- raising */

/* Whether the event's rate allows a line; *suppressed is how many it did not since the last one. */
static bool passes(sdi_log *log, enum sdi_log_event event, int64_t now, uint64_t *suppressed)
{
    sdi_lock(&log->lock);
    bool pass = sdi_bucket_take(&log->buckets[event], now);
    *suppressed = log->suppressed[event];
    log->suppressed[event] = pass ? 0 : *suppressed + 1;
    sdi_unlock(&log->lock);
    return pass;
}

static bool keep(sdi_log *log, waiting line)
{
    sdi_lock(&log->lock);
    bool room = line.line && log->count < SDI_LOG_RING;
    if (room)
        log->ring[(log->first + log->count++) % SDI_LOG_RING] = line;
    sdi_unlock(&log->lock);
    return room;
}

void sdi_log_raise(sdi_log *log, enum sdi_log_event event, int64_t now, const sdi_log_value *values, size_t count)
{
    uint64_t suppressed;
    if (!passes(log, event, now, &suppressed)) {
        sdi_count(log->metrics, SDI_M_LOG_LINES_DROPPED, DROPPED_RATE, 1);
        return;
    }
    waiting line = {write_line(event, values, count, suppressed), sdi_log_table[event].level};
    if (keep(log, line)) {
        sdi_count(log->metrics, SDI_M_LOG_LINES, (size_t)(line.level - SHOPDATA_LOG_ERROR), 1);
        return;
    }
    sdi_count(log->metrics, SDI_M_LOG_LINES_DROPPED, DROPPED_FULL, 1);
    sdi_free(line.line);
}

/* ------------------------------------------------------------------------------------------------------ delivering */

/* Not more than a ring full at once: a caller shall come back though others go on raising. */
static void hand_out(sdi_log *log, size_t *left)
{
    for (waiting line; *left && (line = take(log)).line; (*left)--) {
        log->settings.function(log->settings.context, line.level, line.line);
        sdi_free(line.line);
    }
}

/* A line that came just when another thread had taken its last one must not wait for the next call: hence the loop. */
void sdi_log_deliver(sdi_log *log)
{
    size_t left = SDI_LOG_RING;
    while (log && left && atomic_load(&log->count) && !atomic_exchange(&log->delivering, true)) {
        hand_out(log, &left);
        atomic_store(&log->delivering, false);
    }
}
