#include "client/flight.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "../unit.h"
#include "base/clock.h"

static sdi_flights flights;
static const sdi_landing landing = {.stamp = {.era = {1, 2}, .standby = true, .lsn = 42}};

static sdi_slice key(const char *text)
{
    return sdi_slice_of(text);
}

static shopdata_result *an_answer(void)
{
    sdi_result_builder builder = SDI_RESULT_BUILDER_INIT;
    sdi_result_column(&builder, "a", 23);
    sdi_result_cell(&builder, "7", 1);
    shopdata_result *answer = sdi_result_build(&builder);
    ck_assert_ptr_nonnull(answer);
    return answer;
}

static sdi_flight *board(const char *name, bool leads)
{
    bool got;
    sdi_flight *flight = sdi_flight_board(&flights, key(name), &got);
    ck_assert_ptr_nonnull(flight);
    ck_assert(got == leads);
    return flight;
}

START_TEST(one_leads_and_the_others_get_his_answer)
{
    sdi_landing got = {0};
    sdi_flights_init(&flights);
    sdi_flight *flight = board("k", true);
    ck_assert_ptr_eq(board("k", false), flight);
    ck_assert_ptr_eq(board("k", false), flight);
    sdi_flight *other = board("other", true);
    shopdata_result *answer = an_answer();
    sdi_flight_land(&flights, flight, answer, &landing);
    shopdata_result_free(answer); /* the flight keeps its own */
    for (int i = 0; i < 2; i++) {
        shopdata_result *taken = sdi_flight_wait(&flights, flight, SDI_NEVER, &got);
        ck_assert_ptr_eq(taken, answer);
        ck_assert_uint_eq(shopdata_result_rows(taken), 1);
        ck_assert_uint_eq(got.stamp.lsn, 42);
        shopdata_result_free(taken);
    }
    sdi_flight_land(&flights, other, NULL, &landing);
    sdi_flights_free(&flights);
}
END_TEST

START_TEST(who_comes_after_the_landing_leads_the_next)
{
    sdi_flights_init(&flights);
    sdi_flight *first = board("k", true), *joined = board("k", false);
    sdi_flight_land(&flights, first, NULL, &landing);
    sdi_flight *second = board("k", true);
    ck_assert_ptr_ne(second, joined);
    sdi_landing got;
    ck_assert_ptr_null(sdi_flight_wait(&flights, joined, SDI_NEVER, &got));
    sdi_flight_land(&flights, second, NULL, &landing);
    sdi_flights_free(&flights);
}
END_TEST

START_TEST(a_deadline_ends_the_waiting_and_the_leader_lands_alone)
{
    sdi_landing got;
    sdi_flights_init(&flights);
    sdi_flight *flight = board("k", true);
    board("k", false);
    int64_t begin = sdi_now();
    ck_assert_ptr_null(sdi_flight_wait(&flights, flight, sdi_deadline_in(20), &got));
    ck_assert_int_ge(sdi_now() - begin, 20000);
    shopdata_result *answer = an_answer();
    sdi_flight_land(&flights, flight, answer, &landing);
    shopdata_result_free(answer);
    sdi_flights_free(&flights);
}
END_TEST

enum { THREADS = 16, FLIGHTS = 300 };
static atomic_int led, joined, empty;

static void *fly(void *unused)
{
    (void)unused;
    for (int i = 0; i < FLIGHTS; i++) {
        bool leads;
        sdi_landing got;
        sdi_flight *flight = sdi_flight_board(&flights, key(i % 3 ? "a" : "b"), &leads);
        if (leads) {
            shopdata_result *answer = i % 5 ? an_answer() : NULL;
            if (i % 7 == 0)
                usleep(100);
            sdi_flight_land(&flights, flight, answer, &landing);
            shopdata_result_free(answer);
            atomic_fetch_add(&led, 1);
        } else {
            shopdata_result *answer = sdi_flight_wait(&flights, flight, sdi_deadline_in(i % 11 ? 5000 : 0), &got);
            atomic_fetch_add(answer ? &joined : &empty, 1);
            shopdata_result_free(answer);
        }
    }
    return NULL;
}

START_TEST(many_board_and_land_at_once)
{
    pthread_t threads[THREADS];
    sdi_flights_init(&flights);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, fly, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(atomic_load(&led) + atomic_load(&joined) + atomic_load(&empty), THREADS * FLIGHTS);
    ck_assert_int_gt(atomic_load(&led), 0);
    ck_assert_uint_eq(flights.flying.used, 0);
    sdi_flights_free(&flights);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, one_leads_and_the_others_get_his_answer);
    tcase_add_test(cases, who_comes_after_the_landing_leads_the_next);
    tcase_add_test(cases, a_deadline_ends_the_waiting_and_the_leader_lands_alone);
    tcase_add_test(cases, many_board_and_land_at_once);
}

UNIT_MAIN("client/flight", fill, 30)
