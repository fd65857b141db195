#include "../unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "model/log.h"

enum { SECOND = 1000000, KEPT = 600 };

static char lines[KEPT][1024];
static int levels[KEPT];
static size_t count;
static sdi_metrics *metrics;
static sdi_log *lines_log;

static void keep(void *context, int level, const char *line)
{
    ck_assert_ptr_eq(context, &count);
    ck_assert_uint_lt(count, KEPT);
    levels[count] = level;
    snprintf(lines[count++], sizeof lines[0], "%s", line);
}

static void begin(shopdata_log_function function, int level, int64_t rate)
{
    count = 0;
    metrics = sdi_metrics_new((sdi_names){0}, (sdi_names){0});
    lines_log = sdi_log_new(&(sdi_log_settings){function, &count, level, rate}, metrics);
    ck_assert_ptr_nonnull(lines_log);
}

static void finish(void)
{
    sdi_log_free(lines_log);
    sdi_metrics_free(metrics);
}

static void raise_at(int64_t now, const char *node)
{
    sdi_log_value values[] = {SDI_TEXT(node), SDI_TEXT("replica"), SDI_TEXT("gone")};
    sdi_log_raise(lines_log, SDI_LOG_NODE_LOST, now, values, 3);
}

/* Behind the time, which every line begins with. */
static const char *rest_of(size_t line)
{
    const char *blank = strchr(lines[line], ' ');
    ck_assert_msg(!strncmp(lines[line], "ts=20", 5) && blank && blank[-1] == 'Z', "%s", lines[line]);
    return blank + 1;
}

START_TEST(a_line_waits_until_it_is_delivered)
{
    begin(keep, SHOPDATA_LOG_INFO, 10);
    SDI_LOG(lines_log, SDI_LOG_FAILOVER, SDI_TEXT("a"), SDI_TEXT("b"), SDI_NUMBER(2));
    ck_assert_uint_eq(count, 0);
    sdi_log_deliver(lines_log);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(rest_of(0), "level=warning event=failover from=a to=b timeline=2");
    ck_assert_int_eq(levels[0], SHOPDATA_LOG_WARNING);
    sdi_log_deliver(lines_log);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(sdi_counted(metrics, SDI_M_LOG_LINES, SHOPDATA_LOG_WARNING - 1), 1);
    finish();
}
END_TEST

static const char *const texts[][2] = {
    {"plain", "plain"},
    {"", "\"\""},
    {"two words", "\"two words\""},
    {"a=b", "\"a=b\""},
    {"say \"x\" \\", "\"say \\\"x\\\" \\\\\""},
    {"SELECT 1\n\t  FROM x\r\n", "\"SELECT 1 FROM x \""},
    {"\x1b[31m", "\" [31m\""},
    {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
};

START_TEST(values_are_quoted_where_they_need_it)
{
    char wanted[300];
    begin(keep, SHOPDATA_LOG_INFO, 10);
    SDI_LOG(lines_log, SDI_LOG_NODE_READ_ONLY, SDI_TEXT(texts[_i][0]));
    sdi_log_deliver(lines_log);
    snprintf(wanted, sizeof wanted, "level=warning event=node_read_only node=%s", texts[_i][1]);
    ck_assert_str_eq(rest_of(0), wanted);
    finish();
}
END_TEST

START_TEST(long_values_are_cut_between_characters)
{
    char text[400];
    memset(text, 'x', sizeof text);
    memcpy(text + 299, "\xc3\xbc", 2);
    text[399] = '\0';
    begin(keep, SHOPDATA_LOG_INFO, 10);
    SDI_LOG(lines_log, SDI_LOG_NODE_READ_ONLY, SDI_TEXT(text));
    sdi_log_deliver(lines_log);
    const char *value = strstr(lines[0], "node=\"") + 6;
    ck_assert_uint_eq(strlen(value), 299 + strlen("...\""));
    ck_assert_str_eq(value + 298, "x...\"");
    finish();
}
END_TEST

START_TEST(levels_are_chosen)
{
    begin(keep, SHOPDATA_LOG_WARNING, 10);
    SDI_LOG(lines_log, SDI_LOG_NODE_FOUND, SDI_TEXT("a"), SDI_TEXT("replica"), SDI_NUMBER(1)); /* info */
    SDI_LOG(lines_log, SDI_LOG_COMMIT_AMBIGUOUS, SDI_TEXT("a"));                               /* error */
    sdi_log_deliver(lines_log);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(levels[0], SHOPDATA_LOG_ERROR);
    finish();
    begin(NULL, SHOPDATA_LOG_DEBUG, 10);
    ck_assert(!sdi_log_wants(lines_log, SDI_LOG_COMMIT_AMBIGUOUS));
    ck_assert(!sdi_log_wants(NULL, SDI_LOG_COMMIT_AMBIGUOUS));
    SDI_LOG(lines_log, SDI_LOG_COMMIT_AMBIGUOUS, SDI_TEXT("a"));
    sdi_log_deliver(lines_log);
    sdi_log_deliver(NULL);
    finish();
}
END_TEST

START_TEST(each_event_has_its_own_rate)
{
    begin(keep, SHOPDATA_LOG_DEBUG, 2);
    int64_t now = sdi_now() + SECOND;
    for (int i = 0; i < 27; i++)
        raise_at(now, "a");
    sdi_log_bare(lines_log, SDI_LOG_UNFENCED_TOLD);
    sdi_log_deliver(lines_log);
    ck_assert_uint_eq(count, 21);
    ck_assert_ptr_null(strstr(lines[19], "suppressed"));
    ck_assert_str_eq(rest_of(20), "level=info event=unfenced_told");
    raise_at(now + SECOND, "b");
    raise_at(now + SECOND, "c");
    raise_at(now + SECOND, "d");
    sdi_log_deliver(lines_log);
    ck_assert_str_eq(rest_of(21), "level=warning event=node_lost node=b role=replica reason=gone suppressed=7");
    ck_assert_str_eq(rest_of(22), "level=warning event=node_lost node=c role=replica reason=gone");
    ck_assert_uint_eq(sdi_counted(metrics, SDI_M_LOG_LINES_DROPPED, 0), 8);
    ck_assert_uint_eq(count, 23);
    finish();
}
END_TEST

START_TEST(a_full_ring_drops_and_counts)
{
    begin(keep, SHOPDATA_LOG_DEBUG, 1000);
    for (int i = 0; i < SDI_LOG_RING + 5; i++)
        raise_at(sdi_now(), i == 0 ? "first" : "other");
    ck_assert_uint_eq(sdi_counted(metrics, SDI_M_LOG_LINES_DROPPED, 1), 5);
    sdi_log_deliver(lines_log);
    ck_assert_uint_eq(count, SDI_LOG_RING);
    ck_assert_ptr_nonnull(strstr(lines[0], "node=first"));
    raise_at(sdi_now(), "last"); /* there is room again, past the ring's end */
    sdi_log_deliver(lines_log);
    ck_assert_uint_eq(count, SDI_LOG_RING + 1);
    raise_at(sdi_now(), "never delivered");
    finish();
}
END_TEST

static void raise_and_deliver(void *context, int level, const char *line)
{
    keep(context, level, line);
    if (count == 1)
        raise_at(sdi_now(), "from within");
    sdi_log_deliver(lines_log); /* nothing: the line comes when this one is done */
    ck_assert_uint_le(count, 2);
}

START_TEST(the_function_may_raise_lines)
{
    begin(raise_and_deliver, SHOPDATA_LOG_DEBUG, 10);
    raise_at(sdi_now(), "a");
    sdi_log_deliver(lines_log);
    ck_assert_uint_eq(count, 2);
    ck_assert_ptr_nonnull(strstr(lines[1], "node=\"from within\""));
    finish();
}
END_TEST

enum { THREADS = 8, RAISES = 3000 };
static atomic_int inside, most_inside, delivered;

static void count_line(void *context, int level, const char *line)
{
    (void)context;
    int now = atomic_fetch_add(&inside, 1) + 1;
    if (now > atomic_load(&most_inside))
        atomic_store(&most_inside, now);
    ck_assert(level == SHOPDATA_LOG_WARNING && !strncmp(line, "ts=", 3));
    atomic_fetch_add(&delivered, 1);
    atomic_fetch_sub(&inside, 1);
}

static void *raise_many(void *argument)
{
    (void)argument;
    for (int i = 0; i < RAISES; i++) {
        raise_at(sdi_now(), "a");
        sdi_log_deliver(lines_log);
    }
    return NULL;
}

START_TEST(threads_raise_and_deliver_at_once)
{
    pthread_t threads[THREADS];
    begin(count_line, SHOPDATA_LOG_DEBUG, 1000);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, raise_many, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    sdi_log_deliver(lines_log);
    uint64_t lost = sdi_counted(metrics, SDI_M_LOG_LINES_DROPPED, 0) + sdi_counted(metrics, SDI_M_LOG_LINES_DROPPED, 1);
    ck_assert_uint_eq((uint64_t)delivered + lost, THREADS * RAISES);
    ck_assert_uint_eq((uint64_t)delivered, sdi_counted(metrics, SDI_M_LOG_LINES, SHOPDATA_LOG_WARNING - 1));
    ck_assert_int_eq(most_inside, 1);
    finish();
}
END_TEST

START_TEST(every_event_is_described)
{
    for (size_t i = 0; i < SDI_LOG_EVENTS; i++) {
        const sdi_log_description *about = &sdi_log_table[i];
        ck_assert_msg(about->name && about->help, "event %zu", i);
        ck_assert_str_ne(sdi_log_level_name(about->level), "");
        ck_assert_ptr_null(about->keys[SDI_LOG_KEYS_MAX]);
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(about->name, sdi_log_table[j].name);
    }
    ck_assert_str_eq(sdi_log_level_name(0), "");
    ck_assert_str_eq(sdi_log_level_name(5), "");
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, a_line_waits_until_it_is_delivered);
    tcase_add_loop_test(cases, values_are_quoted_where_they_need_it, 0, sizeof texts / sizeof texts[0]);
    tcase_add_test(cases, long_values_are_cut_between_characters);
    tcase_add_test(cases, levels_are_chosen);
    tcase_add_test(cases, each_event_has_its_own_rate);
    tcase_add_test(cases, a_full_ring_drops_and_counts);
    tcase_add_test(cases, the_function_may_raise_lines);
    tcase_add_test(cases, threads_raise_and_deliver_at_once);
    tcase_add_test(cases, every_event_is_described);
}

UNIT_MAIN("model/log", fill, 60)
