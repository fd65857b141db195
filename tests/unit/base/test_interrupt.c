#include <unistd.h>

#include "../unit.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/lock.h"
#include "base/poll.h"

/* Answers with a stop the `stop_at`th time. */
typedef struct asked {
    int times, stop_at;
    sdi_mutex *mutex;         /* must be free; NULL: none */
    sdi_condition *condition; /* woken, and `woken` set; NULL: none */
    bool woken;
} asked;

static int answer(void *context)
{
    asked *a = context;
    if (a->mutex) {
        ck_assert(sdi_try_lock(a->mutex));
        a->woken = a->condition != NULL;
        sdi_unlock(a->mutex);
    }
    if (a->condition)
        sdi_wake_one(a->condition);
    return ++a->times == a->stop_at;
}

static void begin(asked *a)
{
    sdi_interrupt_begin(&(sdi_interrupt){answer, a});
}

static int poll_silence(int64_t deadline)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    struct pollfd polled = {.fd = ends[0], .events = POLLIN};
    int ready = sdi_poll(&polled, 1, deadline);
    close(ends[0]);
    close(ends[1]);
    return ready;
}

START_TEST(a_wait_for_sockets_asks_until_it_is_told_to_stop)
{
    asked a = {.stop_at = 3};
    begin(&a);
    ck_assert_int_eq(poll_silence(SDI_NEVER), 0);
    ck_assert_int_eq(a.times, 3);
    ck_assert(sdi_interrupted() && sdi_passed(SDI_NEVER));
    ck_assert_int_eq(poll_silence(SDI_NEVER), 0);
    ck_assert_int_eq(a.times, 3);
    sdi_interrupt_end(SHOPDATA_OK, NULL);
    ck_assert(!sdi_interrupted() && !sdi_passed(SDI_NEVER));
}
END_TEST

START_TEST(what_is_ready_asks_nobody)
{
    int ends[2];
    asked a = {.stop_at = 1};
    begin(&a);
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    struct pollfd polled = {.fd = ends[0], .events = POLLIN};
    ck_assert_int_eq(sdi_poll(&polled, 1, SDI_NEVER), 1);
    ck_assert_int_eq(a.times, 0);
    sdi_interrupt_end(SHOPDATA_OK, NULL);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(a_wait_for_a_condition_lets_its_mutex_go_to_ask)
{
    sdi_mutex mutex = SDI_MUTEX_INIT;
    sdi_condition condition;
    sdi_condition_init(&condition);
    asked a = {.stop_at = 2, .mutex = &mutex};
    begin(&a);
    sdi_lock(&mutex);
    while (sdi_wait(&condition, &mutex, SDI_NEVER))
        ck_assert_int_lt(a.times, 2);
    ck_assert_int_eq(a.times, 2);
    ck_assert(!sdi_try_lock(&mutex));
    ck_assert(!sdi_wait(&condition, &mutex, SDI_NEVER));
    sdi_unlock(&mutex);
    sdi_interrupt_end(SHOPDATA_OK, NULL);
    sdi_condition_destroy(&condition);
}
END_TEST

START_TEST(a_wake_up_during_the_question_is_not_lost)
{
    sdi_mutex mutex = SDI_MUTEX_INIT;
    sdi_condition condition;
    sdi_condition_init(&condition);
    asked a = {.mutex = &mutex, .condition = &condition};
    begin(&a);
    sdi_lock(&mutex);
    while (!a.woken)
        ck_assert(sdi_wait(&condition, &mutex, SDI_NEVER));
    sdi_unlock(&mutex);
    sdi_interrupt_end(SHOPDATA_OK, NULL);
    sdi_condition_destroy(&condition);
}
END_TEST

START_TEST(pauses_ask_too)
{
    asked a = {.stop_at = 2};
    begin(&a);
    while (!sdi_interrupted())
        sdi_sleep(1000);
    ck_assert_int_eq(a.times, 2);
    sdi_interrupt_end(SHOPDATA_OK, NULL);
}
END_TEST

START_TEST(under_a_hold_deadlines_are_as_ever)
{
    asked a = {.stop_at = 1};
    begin(&a);
    sdi_interrupt_hold();
    ck_assert_int_eq(poll_silence(sdi_deadline_in(120)), 0);
    ck_assert_int_eq(a.times, 0);
    sdi_interrupt_resume();
    sdi_interrupt_ask(true);
    ck_assert_int_eq(a.times, 1);
    ck_assert(sdi_interrupted());
    sdi_interrupt_hold();
    ck_assert(!sdi_interrupted() && !sdi_passed(SDI_NEVER));
    int64_t deadline = sdi_clean_up_deadline(3600000);
    ck_assert(deadline < sdi_deadline_in(3600000));
    ck_assert_int_eq(poll_silence(sdi_deadline_in(1)), 0);
    sdi_interrupt_resume();
    ck_assert(sdi_interrupted());
    sdi_interrupt_end(SHOPDATA_OK, NULL);
}
END_TEST

START_TEST(only_what_did_not_end_is_told_as_interrupted)
{
    static const int kept[] = {SHOPDATA_OK, SHOPDATA_UNFENCED, SHOPDATA_ERR_AMBIGUOUS, SHOPDATA_ERR_SQL};
    static const int told[] = {SHOPDATA_ERR_TIMEOUT, SHOPDATA_ERR_BUSY, SHOPDATA_ERR_UNAVAILABLE};
    asked a = {.stop_at = 0};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        a.stop_at = a.times + 1;
        begin(&a);
        sdi_interrupt_ask(true);
        ck_assert_int_eq(sdi_interrupt_end(kept[i], NULL), kept[i]);
    }
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        shopdata_error *error = NULL;
        sdi_fail(&error, told[i], "as ever");
        begin(&a);
        ck_assert_int_eq(sdi_interrupt_end(told[i], &error), told[i]);
        ck_assert_str_eq(shopdata_error_message(error), "as ever");
        a.stop_at = a.times + 1;
        begin(&a);
        sdi_interrupt_ask(true);
        ck_assert_int_eq(sdi_interrupt_end(told[i], &error), SHOPDATA_ERR_INTERRUPTED);
        ck_assert_int_eq(shopdata_error_status(error), SHOPDATA_ERR_INTERRUPTED);
        ck_assert_int_eq(shopdata_error_is_retriable(error), 0);
        shopdata_error_free(error);
    }
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, a_wait_for_sockets_asks_until_it_is_told_to_stop);
    tcase_add_test(cases, what_is_ready_asks_nobody);
    tcase_add_test(cases, a_wait_for_a_condition_lets_its_mutex_go_to_ask);
    tcase_add_test(cases, a_wake_up_during_the_question_is_not_lost);
    tcase_add_test(cases, pauses_ask_too);
    tcase_add_test(cases, under_a_hold_deadlines_are_as_ever);
    tcase_add_test(cases, only_what_did_not_end_is_told_as_interrupted);
}

UNIT_MAIN("base/interrupt", fill, 60)
