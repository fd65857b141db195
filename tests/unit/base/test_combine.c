/* Many threads, few lanes, by lanes that answer when a test says so. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit.h"
#include "base/clock.h"
#include "base/combine.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/random.h"

enum { LANES = 2, MOST = 4, MOST_BYTES = 1000, FEW = 1, BATCHES = 64, STORM_THREADS = 100, STORM_CALLS = 60 };

typedef struct asked {
    sdi_combine_request request;
    int question, answer;
} asked;

typedef struct lane {
    int sent;     /* of the batch */
    int answered; /* of those */
    bool broken;  /* once */
} lane;

/* Under the lock. */
static struct {
    int permits;  /* requests that may be answered */
    int unready;  /* times that a lane cannot be made ready */
    bool hurries; /* all is answered at once, now and then late */
    bool weighs;  /* a request has as many bytes as its question says */
    int batches, sizes[BATCHES];
    int order[BATCHES], sent;
    int breaks, drops;
} world;

static sdi_mutex lock = SDI_MUTEX_INIT;
static sdi_condition changed;
static lane lanes[LANES];
static sdi_combiner combiner;

static bool wait_ready(int64_t until)
{
    while (world.unready > 0 && sdi_wait(&changed, &lock, until))
        continue;
    return world.unready == 0;
}

static bool start(void *context, sdi_combine_request *first, int64_t until)
{
    lane *at = context;
    sdi_lock(&lock);
    bool ready = wait_ready(until);
    at->sent = at->answered = 0;
    for (sdi_combine_request *request = first; ready && request; request = request->next) {
        at->sent++;
        world.order[world.sent++ % BATCHES] = ((asked *)request)->question;
    }
    if (ready)
        world.sizes[world.batches++ % BATCHES] = at->sent;
    sdi_wake_all(&changed);
    sdi_unlock(&lock);
    return ready;
}

static size_t answer(lane *at, sdi_combine_request *first)
{
    size_t count = 0;
    for (sdi_combine_request *request = first; request && world.permits > 0; request = request->next) {
        ((asked *)request)->answer = ((asked *)request)->question + 1;
        world.permits--;
        at->answered++;
        count++;
    }
    return count;
}

static size_t step(void *context, sdi_combine_request *first, int64_t until)
{
    lane *at = context;
    if (world.hurries && sdi_random_below(8) == 0)
        usleep((useconds_t)sdi_random_below(3000));
    sdi_lock(&lock);
    while (world.permits == 0 && sdi_wait(&changed, &lock, until))
        continue;
    size_t count = sdi_passed(until) ? 0 : answer(at, first);
    sdi_unlock(&lock);
    return count;
}

static void break_off(void *context)
{
    (void)context;
    sdi_lock(&lock);
    world.breaks++;
    sdi_wake_all(&changed);
    sdi_unlock(&lock);
}

static void drop(sdi_combine_request *request)
{
    sdi_free(request);
    sdi_lock(&lock);
    world.drops++;
    sdi_wake_all(&changed);
    sdi_unlock(&lock);
}

static const sdi_combine_way way = {.start = start, .step = step, .break_off = break_off, .drop = drop};

static void begin(size_t lane_count)
{
    void *contexts[LANES] = {&lanes[0], &lanes[1]};
    sdi_condition_init(&changed);
    world.permits = world.unready = world.batches = world.sent = world.breaks = world.drops = 0;
    world.hurries = world.weighs = false;
    const sdi_combine_bounds bounds = {.requests = MOST, .bytes = MOST_BYTES, .few = FEW};
    ck_assert(sdi_combiner_init(&combiner, &way, contexts, lane_count, &bounds));
}

static void end(void)
{
    ck_assert_uint_eq(sdi_combiner_under_way(&combiner), 0);
    ck_assert_uint_eq(combiner.busy, 0);
    ck_assert_ptr_null(combiner.first);
    for (size_t i = 0; i < LANES && i < combiner.lane_count; i++)
        ck_assert(!sdi_combiner_is_busy(&combiner, &lanes[i]));
    sdi_combiner_free(&combiner);
}

static enum sdi_combine_end ask(int question, int64_t deadline)
{
    asked *made = sdi_calloc(1, sizeof *made);
    made->question = question;
    made->request.bytes = world.weighs ? (size_t)question : 0;
    enum sdi_combine_end ended = sdi_combine_run(&combiner, &made->request, deadline);
    ck_assert(ended != SDI_COMBINE_ANSWERED || made->answer == question + 1);
    if (ended != SDI_COMBINE_LEFT)
        sdi_free(made);
    return ended;
}

/* A call in a thread of its own. */
typedef struct caller {
    pthread_t thread;
    int question;
    int64_t deadline;
    enum sdi_combine_end ended;
} caller;

static void *run_caller(void *argument)
{
    caller *c = argument;
    c->ended = ask(c->question, c->deadline);
    return NULL;
}

/* Both end as well when the time of one of those who are meant is up. */
static bool await_queue(size_t length, int64_t until)
{
    while (sdi_combiner_waiting(&combiner) != length && !sdi_passed(until))
        usleep(200);
    return !sdi_passed(until);
}

static size_t busy_lanes(void)
{
    sdi_lock(&combiner.mutex);
    size_t busy = combiner.busy;
    sdi_unlock(&combiner.mutex);
    return busy;
}

static void await_under_way(size_t count)
{
    while (sdi_combiner_under_way(&combiner) != count)
        usleep(200);
}

static void await_batches(int batches, int64_t until)
{
    sdi_lock(&lock);
    while (world.batches < batches && sdi_wait(&changed, &lock, until))
        continue;
    sdi_unlock(&lock);
}

static void permit(int requests)
{
    sdi_lock(&lock);
    world.permits += requests;
    sdi_wake_all(&changed);
    sdi_unlock(&lock);
}

static void call(caller *c, int question, int64_t deadline)
{
    *c = (caller){.question = question, .deadline = deadline};
    ck_assert_int_eq(pthread_create(&c->thread, NULL, run_caller, c), 0);
}

/* Begins calls: the first leads alone, the others gather, in this order; false if a deadline passed before all had. */
static bool gather(caller *callers, int count, int64_t first_deadline, int64_t second_deadline)
{
    int64_t until = first_deadline < second_deadline ? first_deadline : second_deadline;
    bool in_time = true;
    call(&callers[0], 0, first_deadline);
    await_batches(1, until);
    for (int i = 1; i < count; i++) {
        call(&callers[i], 10 * i, i == 1 ? second_deadline : SDI_NEVER);
        in_time = await_queue((size_t)i, until) && in_time;
    }
    return in_time;
}

/* Plays a case whose deadline is to pass at a certain point. On a busy machine it may pass before, which is told by
 * false: then again, with more patience. */
static void play_in_time(bool (*play)(int patience_ms))
{
    int patience_ms = 40;
    for (; !play(patience_ms); patience_ms *= 2)
        ck_assert_int_lt(patience_ms, UNIT_BUSY_MS);
}

static void join(caller *c, enum sdi_combine_end ended)
{
    pthread_join(c->thread, NULL);
    ck_assert_int_eq(c->ended, ended);
}

static void join_all(caller *callers, int count, enum sdi_combine_end ended)
{
    for (int i = 0; i < count; i++)
        join(&callers[i], ended);
}

START_TEST(who_is_alone_is_answered)
{
    begin(LANES);
    permit(2);
    ck_assert_int_eq(ask(1, SDI_NEVER), SDI_COMBINE_ANSWERED);
    ck_assert_int_eq(ask(2, SDI_NEVER), SDI_COMBINE_ANSWERED);
    ck_assert_int_eq(world.batches, 2);
    end();
}
END_TEST

START_TEST(what_gathers_is_one_batch_first_come_first_served)
{
    caller callers[4];
    begin(1);
    gather(callers, 4, SDI_NEVER, SDI_NEVER);
    permit(4);
    join_all(callers, 4, SDI_COMBINE_ANSWERED);
    ck_assert_int_eq(world.batches, 2);
    ck_assert_int_eq(world.sizes[1], 3);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(world.order[i], 10 * i);
    end();
}
END_TEST

START_TEST(a_batch_is_bounded_and_nobody_is_overtaken)
{
    static const int sizes[] = {1, MOST, MOST, 2};
    caller callers[2 * MOST + 3];
    begin(1);
    gather(callers, 2 * MOST + 3, SDI_NEVER, SDI_NEVER);
    permit(2 * MOST + 3);
    join_all(callers, 2 * MOST + 3, SDI_COMBINE_ANSWERED);
    ck_assert_int_eq(world.batches, 4);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(world.sizes[i], sizes[i]);
    for (int i = 0; i < 2 * MOST + 3; i++)
        ck_assert_int_eq(world.order[i], 10 * i);
    end();
}
END_TEST

/* A question has as many bytes as its number: 600 and 300 go together, each of the others by itself. */
START_TEST(a_batch_is_bounded_by_bytes_and_a_large_request_goes_alone)
{
    static const int questions[] = {5, 600, 300, 200, 2000, 5}, sizes[] = {1, 2, 1, 1, 1};
    enum { CALLERS = 6 };
    caller callers[CALLERS];
    begin(1);
    world.weighs = true;
    for (int i = 0; i < CALLERS; i++) {
        call(&callers[i], questions[i], SDI_NEVER);
        if (i == 0)
            await_batches(1, SDI_NEVER);
        await_queue((size_t)i, SDI_NEVER);
    }
    permit(CALLERS);
    join_all(callers, CALLERS, SDI_COMBINE_ANSWERED);
    ck_assert_int_eq(world.batches, 5);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(world.sizes[i], sizes[i]);
    for (int i = 0; i < CALLERS; i++)
        ck_assert_int_eq(world.order[i], questions[i]);
    end();
}
END_TEST

START_TEST(an_idle_lane_is_used_at_once)
{
    caller callers[3];
    begin(2);
    call(&callers[0], 1, SDI_NEVER);
    await_batches(1, SDI_NEVER);
    call(&callers[1], 2, SDI_NEVER);
    await_batches(2, SDI_NEVER);
    call(&callers[2], 3, SDI_NEVER);
    await_queue(1, SDI_NEVER);
    permit(3);
    join_all(callers, 3, SDI_COMBINE_ANSWERED);
    ck_assert_int_eq(world.batches, 3);
    end();
}
END_TEST

/* Two lanes, five requests: the second lane rests when it is done, and the first takes all that has gathered. */
START_TEST(a_crowd_shares_few_lanes)
{
    caller callers[5];
    begin(2);
    for (int i = 0; i < 5; i++) {
        call(&callers[i], i, SDI_NEVER);
        if (i < 2)
            await_batches(i + 1, SDI_NEVER);
        else
            await_queue((size_t)i - 1, SDI_NEVER);
    }
    ck_assert_uint_eq(sdi_combiner_under_way(&combiner), 5);
    permit(1);
    await_under_way(4);
    ck_assert_int_eq(world.batches, 2);
    ck_assert_uint_eq(busy_lanes(), 1);
    permit(1);
    await_batches(3, SDI_NEVER);
    ck_assert_int_eq(world.sizes[2], 3);
    permit(3);
    join_all(callers, 5, SDI_COMBINE_ANSWERED);
    end();
}
END_TEST

/* Its leader is the second caller. */
static bool leave_a_batch(int patience_ms)
{
    caller callers[4];
    begin(1);
    bool in_time = gather(callers, 4, SDI_NEVER, sdi_deadline_in(patience_ms));
    permit(1);
    join(&callers[0], SDI_COMBINE_ANSWERED);
    pthread_join(callers[1].thread, NULL);
    permit(3);
    join(&callers[2], SDI_COMBINE_ANSWERED);
    join(&callers[3], SDI_COMBINE_ANSWERED);
    in_time = in_time && callers[1].ended == SDI_COMBINE_LEFT;
    ck_assert(!in_time || (world.batches == 2 && world.drops == 1 && world.breaks == 0));
    end();
    return in_time;
}

START_TEST(a_leader_whose_time_is_up_does_not_hurt_his_batch)
{
    play_in_time(leave_a_batch);
}
END_TEST

START_TEST(who_has_his_answer_before_the_others_passes_the_lead_on)
{
    caller callers[4];
    begin(1);
    gather(callers, 4, SDI_NEVER, SDI_NEVER);
    for (int i = 0; i < 4; i++) {
        permit(1);
        join(&callers[i], SDI_COMBINE_ANSWERED);
    }
    ck_assert_int_eq(world.batches, 2);
    end();
}
END_TEST

START_TEST(a_batch_that_nobody_waits_for_is_broken_off)
{
    enum sdi_combine_end ended = SDI_COMBINE_UNSENT; /* on a busy machine */
    begin(1);
    for (int patience_ms = 5; ended == SDI_COMBINE_UNSENT; patience_ms *= 2)
        ended = ask(1, sdi_deadline_in(patience_ms));
    ck_assert_int_eq(ended, SDI_COMBINE_LEFT);
    ck_assert_int_eq(world.breaks, 1);
    ck_assert_int_eq(world.drops, 1);
    permit(1);
    ck_assert_int_eq(ask(2, SDI_NEVER), SDI_COMBINE_ANSWERED);
    end();
}
END_TEST

static bool break_off_for_another(int patience_ms)
{
    caller callers[2];
    begin(1);
    bool in_time = gather(callers, 2, sdi_deadline_in(patience_ms), SDI_NEVER);
    pthread_join(callers[0].thread, NULL);
    permit(1);
    join(&callers[1], SDI_COMBINE_ANSWERED);
    in_time = in_time && callers[0].ended == SDI_COMBINE_LEFT;
    ck_assert(!in_time || (world.breaks == 1 && world.batches == 2));
    end();
    return in_time;
}

START_TEST(who_waits_for_a_lane_that_is_broken_off_gets_it)
{
    play_in_time(break_off_for_another);
}
END_TEST

START_TEST(what_was_not_sent_when_its_time_is_up_never_is)
{
    caller callers[3];
    begin(1);
    gather(callers, 3, SDI_NEVER, sdi_deadline_in(50));
    join(&callers[1], SDI_COMBINE_UNSENT);
    permit(2);
    join(&callers[0], SDI_COMBINE_ANSWERED);
    join(&callers[2], SDI_COMBINE_ANSWERED);
    ck_assert_int_eq(world.sent, 2);
    ck_assert_int_eq(world.order[1], 20);
    end();
}
END_TEST

static void set_unready(int times)
{
    sdi_lock(&lock);
    world.unready = times;
    sdi_wake_all(&changed);
    sdi_unlock(&lock);
}

START_TEST(a_lane_that_does_not_get_ready_in_time_is_the_next_ones)
{
    caller second;
    begin(1);
    world.unready = 1;
    ck_assert_int_eq(ask(1, sdi_deadline_in(5)), SDI_COMBINE_UNSENT);
    call(&second, 2, SDI_NEVER);
    permit(1);
    set_unready(0);
    join(&second, SDI_COMBINE_ANSWERED);
    ck_assert_int_eq(world.breaks, 0);
    ck_assert_int_eq(world.sent, 1);
    end();
}
END_TEST

/* The one that could not be made ready has the lead of a batch: it stays together. */
static bool leave_a_batch_unstarted(int patience_ms)
{
    caller callers[3];
    begin(1);
    bool in_time = gather(callers, 3, SDI_NEVER, sdi_deadline_in(patience_ms));
    set_unready(1);
    permit(1);
    join(&callers[0], SDI_COMBINE_ANSWERED);
    pthread_join(callers[1].thread, NULL);
    permit(2);
    set_unready(0);
    join(&callers[2], SDI_COMBINE_ANSWERED);
    ck_assert_int_eq(world.breaks, 0);
    end();
    return in_time && callers[1].ended == SDI_COMBINE_LEFT;
}

START_TEST(a_batch_survives_a_leader_who_cannot_start_it)
{
    play_in_time(leave_a_batch_unstarted);
}
END_TEST

static int stop(void *times)
{
    return --*(int *)times == 0;
}

/* The call, interrupted the second time it asks. */
static enum sdi_combine_end ask_interrupted(int question)
{
    int times = 2;
    sdi_interrupt_begin(&(sdi_interrupt){stop, &times});
    enum sdi_combine_end ended = ask(question, SDI_NEVER);
    sdi_interrupt_end(SHOPDATA_OK, NULL);
    ck_assert_int_eq(times, 0);
    return ended;
}

START_TEST(who_leads_and_who_waits_can_be_interrupted)
{
    caller first;
    begin(1);
    ck_assert_int_eq(ask_interrupted(1), SDI_COMBINE_LEFT);
    ck_assert_int_eq(world.breaks, 1);
    call(&first, 2, SDI_NEVER);
    await_batches(2, SDI_NEVER);
    ck_assert_int_eq(ask_interrupted(3), SDI_COMBINE_UNSENT);
    permit(1);
    join(&first, SDI_COMBINE_ANSWERED);
    end();
}
END_TEST

START_TEST(several_are_submitted_before_any_is_awaited)
{
    asked *both[2];
    begin(2);
    for (int i = 0; i < 2; i++) {
        both[i] = sdi_calloc(1, sizeof *both[i]);
        both[i]->question = i;
        sdi_combine_submit(&combiner, &both[i]->request, SDI_NEVER);
    }
    ck_assert_int_eq(world.batches, 2);
    ck_assert(!sdi_combine_await(&both[0]->request, sdi_deadline_in(1)));
    ck_assert(!sdi_combine_await(&both[1]->request, sdi_deadline_in(1)));
    ck_assert(!both[0]->request.answered);
    permit(2);
    ck_assert(sdi_combine_await(&both[1]->request, SDI_NEVER));
    ck_assert(sdi_combine_await(&both[0]->request, SDI_NEVER));
    ck_assert(both[0]->request.answered);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(both[i]->answer, i + 1);
        sdi_free(both[i]);
    }
    end();
}
END_TEST

/* Submits a party of two. */
static void submit_both(asked **both)
{
    unsigned party = sdi_combine_party();
    for (int i = 0; i < 2; i++) {
        both[i] = sdi_calloc(1, sizeof *both[i]);
        both[i]->question = i;
        both[i]->request.party = party;
        both[i]->request.beside = i ? &both[0]->request : NULL;
        sdi_combine_submit(&combiner, &both[i]->request, SDI_NEVER);
    }
}

static void *permit_later(void *unused)
{
    usleep(20000); /* so that the other may have gone to sleep by then */
    permit(3);
    return unused;
}

/* Both queue; one of them is made the leader of the other while their caller sleeps for both. */
START_TEST(a_party_wakes_up_for_whichever_request_is_due)
{
    caller first;
    pthread_t later;
    asked *both[2];
    begin(1);
    call(&first, 1, SDI_NEVER);
    await_batches(1, SDI_NEVER);
    submit_both(both);
    ck_assert_int_eq(pthread_create(&later, NULL, permit_later, NULL), 0);
    sdi_combine_await_all(&both[1]->request, SDI_NEVER);
    join(&first, SDI_COMBINE_ANSWERED);
    pthread_join(later, NULL);
    for (int i = 0; i < 2; i++) {
        ck_assert(both[i]->request.answered);
        ck_assert_int_eq(both[i]->answer, i + 1);
        sdi_free(both[i]);
    }
    end();
}
END_TEST

/* One leads on each lane. The lane of the second answers, that of the first does not. */
START_TEST(of_a_party_some_may_not_be_answered_in_time)
{
    asked *both[2];
    begin(2);
    submit_both(both);
    permit(1);
    while (!both[0]->request.answered && !both[1]->request.answered)
        sdi_combine_await_all(&both[1]->request, sdi_deadline_in(20));
    ck_assert(both[0]->request.answered != both[1]->request.answered);
    for (int i = 0; i < 2; i++) {
        bool answered = both[i]->request.answered;
        if (answered || sdi_combine_abandon(&combiner, &both[i]->request) != SDI_COMBINE_LEFT)
            sdi_free(both[i]);
    }
    ck_assert_int_eq(world.breaks, 1);
    ck_assert_int_eq(world.drops, 1);
    sdi_combine_await_all(NULL, SDI_NEVER);
    end();
}
END_TEST

static int idle_lanes;

static void count_idle(void *context)
{
    ck_assert(context == &lanes[0] || context == &lanes[1]);
    idle_lanes++;
}

START_TEST(who_is_idle_is_known_to_a_forked_child_too)
{
    caller first;
    begin(2);
    call(&first, 1, SDI_NEVER);
    await_batches(1, SDI_NEVER);
    idle_lanes = 0;
    sdi_combiner_each_idle(&combiner, count_idle);
    ck_assert_int_eq(idle_lanes, 1);
    pid_t child = fork();
    if (child == 0) {
        bool right = sdi_combiner_is_busy(&combiner, &lanes[0]) && !sdi_combiner_is_busy(&combiner, &lanes[1]);
        sdi_combiner_abandon(&combiner);
        _exit(right ? 0 : 1);
    }
    int status = 1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    permit(1);
    join(&first, SDI_COMBINE_ANSWERED);
    end();
}
END_TEST

typedef struct tally {
    pthread_t thread;
    int first;
    int ends[3];
} tally;

static void *storm(void *argument)
{
    tally *mine = argument;
    for (int i = 0; i < STORM_CALLS; i++) {
        int64_t deadline = sdi_random_below(4) ? sdi_now() + (int64_t)sdi_random_below(3000) : SDI_NEVER;
        mine->ends[ask(mine->first + 2 * i, deadline)]++;
    }
    return NULL;
}

/* Each answer is its question's (see ask), and whatever was left is dropped once. */
START_TEST(no_answer_is_lost_or_crossed_in_a_storm)
{
    static tally tallies[STORM_THREADS];
    int left = 0, all = 0;
    begin(LANES);
    world.permits = STORM_THREADS * STORM_CALLS * 2;
    world.hurries = true;
    for (int i = 0; i < STORM_THREADS; i++) {
        tallies[i] = (tally){.first = i * 1000};
        ck_assert_int_eq(pthread_create(&tallies[i].thread, NULL, storm, &tallies[i]), 0);
    }
    for (int i = 0; i < STORM_THREADS; i++) {
        pthread_join(tallies[i].thread, NULL);
        left += tallies[i].ends[SDI_COMBINE_LEFT];
        for (int j = 0; j < 3; j++)
            all += tallies[i].ends[j];
    }
    ck_assert_int_eq(all, STORM_THREADS * STORM_CALLS);
    ck_assert_int_eq(world.drops, left);
    end();
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, who_is_alone_is_answered);
    tcase_add_test(cases, what_gathers_is_one_batch_first_come_first_served);
    tcase_add_test(cases, a_batch_is_bounded_and_nobody_is_overtaken);
    tcase_add_test(cases, a_batch_is_bounded_by_bytes_and_a_large_request_goes_alone);
    tcase_add_test(cases, an_idle_lane_is_used_at_once);
    tcase_add_test(cases, a_crowd_shares_few_lanes);
    tcase_add_test(cases, a_leader_whose_time_is_up_does_not_hurt_his_batch);
    tcase_add_test(cases, who_has_his_answer_before_the_others_passes_the_lead_on);
    tcase_add_test(cases, a_batch_that_nobody_waits_for_is_broken_off);
    tcase_add_test(cases, who_waits_for_a_lane_that_is_broken_off_gets_it);
    tcase_add_test(cases, what_was_not_sent_when_its_time_is_up_never_is);
    tcase_add_test(cases, a_lane_that_does_not_get_ready_in_time_is_the_next_ones);
    tcase_add_test(cases, a_batch_survives_a_leader_who_cannot_start_it);
    tcase_add_test(cases, who_leads_and_who_waits_can_be_interrupted);
    tcase_add_test(cases, several_are_submitted_before_any_is_awaited);
    tcase_add_test(cases, a_party_wakes_up_for_whichever_request_is_due);
    tcase_add_test(cases, of_a_party_some_may_not_be_answered_in_time);
    tcase_add_test(cases, who_is_idle_is_known_to_a_forked_child_too);
    tcase_add_test(cases, no_answer_is_lost_or_crossed_in_a_storm);
}

UNIT_MAIN("base/combine", fill, 20)
