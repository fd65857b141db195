#include "load.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "history.h"
#include "support/prng.h"

enum { THREADS_MAX = 32, VISIT_CALLS = 60, MOST_TOLD = 12 };

/* What a session saw or wrote of a row; of another session: nothing. */
typedef struct mark {
    uint32_t session;
    int64_t own;
    int64_t seen[2]; /* in answers of a primary, in all */
} mark;

typedef struct worker {
    shared *all;
    slot *mine;
    const load_options *options;
    void *opened, *visit;
    uint32_t number, session;
    prng random;
    mark marks[ROWS];
    size_t touched[LETTER_ROWS], touches; /* the rows that a token speaks of, the last of them */
    pthread_t thread;
} worker;

/* One read: its rows and their bounds as of before it began. */
typedef struct reading {
    question of;
    size_t rows[SIGHTINGS_MAX];
    bounds limits[SIGHTINGS_MAX];
    int64_t seen_at_primary[SIGHTINGS_MAX], known_here[SIGHTINGS_MAX];
    size_t count;
    uint64_t began;
    int64_t moment;
} reading;

/* What sessions of this process wrote, also where SHOPDATA_UNFENCED was returned: all of them have to know it. */
static _Atomic int64_t known_here[ROWS];
static _Atomic uint32_t sessions;

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static mark *mark_of(worker *w, size_t row)
{
    mark *of = &w->marks[row];
    if (of->session != w->session)
        *of = (mark){.session = w->session};
    return of;
}

static void touch(worker *w, size_t row)
{
    w->touched[w->touches++ % LETTER_ROWS] = row;
}

/* --------------------------------------------------------------------------------------------------------- choosing */

/* A few are asked for often, most seldom: about a half of all fall on an eighth. */
static size_t choose(worker *w, size_t choices)
{
    double u = (double)(prng_next(&w->random) >> 11) / (double)(UINT64_C(1) << 53);
    return (size_t)(u * u * u * (double)choices);
}

static enum ask choose_ask(worker *w)
{
    static const uint8_t often[] = {BY_KEY, BY_KEY, BY_KEY, BY_KEY, JOINED, JOINED, COMER, ARRIVAL};
    enum { OFTEN = sizeof often };
    size_t roll = prng_below(&w->random, 2 * OFTEN + ASKS);
    return roll < 2 * OFTEN ? often[roll % OFTEN] : (enum ask)(roll - 2 * OFTEN);
}

/* Just ahead of the last arrival and around it. */
static size_t choose_arrival(worker *w)
{
    enum { BEHIND = 3, AHEAD = 6 };
    int64_t n =
        atomic_load(&w->all->arrived) - FIRST_ARRIVAL - BEHIND + (int64_t)prng_below(&w->random, BEHIND + AHEAD);
    return n < 0 ? 0 : n < ARRIVAL_ROWS ? (size_t)n : ARRIVAL_ROWS - 1;
}

static enum deed choose_deed(worker *w)
{
    unsigned total = 0;
    for (size_t i = 0; i < DEEDS; i++)
        total += deeds[i].weight;
    unsigned roll = (unsigned)prng_below(&w->random, total);
    size_t deed = 0;
    while (roll >= deeds[deed].weight)
        roll -= deeds[deed++].weight;
    return (enum deed)deed;
}

/* --------------------------------------------------------------------------------------------------------- reading */

static bool is_strict(const worker *w)
{
    return !strcmp(w->options->of.mode, "strict");
}

static bounds bounds_before(worker *w, size_t row)
{
    const row_state *state = &w->all->rows[row];
    const mark *own = mark_of(w, row);
    int64_t observed = is_strict(w) ? atomic_load(&state->observed) : 0;
    int64_t shared_floor = larger(atomic_load(&state->acknowledged), observed);
    return (bounds){
        .acknowledged = larger(shared_floor, atomic_load(&known_here[row])), .own = own->own, .seen = own->seen[1]};
}

/* Now and then what the session, or the one whose token it goes on with, has just written or seen. */
static question choose_question(worker *w)
{
    enum { ONE_IN = 6 };
    question made;
    size_t known = w->touches < LETTER_ROWS ? w->touches : LETTER_ROWS;
    if (known && prng_below(&w->random, ONE_IN) == 0) {
        made.ask = ask_about(w->touched[prng_below(&w->random, known)], &made.n);
        return made;
    }
    made.ask = choose_ask(w);
    made.n = made.ask == ARRIVAL ? choose_arrival(w) : choose(w, asks[made.ask].choices);
    return made;
}

static void prepare(worker *w, reading *r)
{
    r->of = choose_question(w);
    r->began = atomic_load(&w->all->order);
    r->count = ask_rows(r->of.ask, r->of.n, r->rows);
    for (size_t i = 0; i < r->count; i++) {
        r->limits[i] = bounds_before(w, r->rows[i]);
        r->seen_at_primary[i] = mark_of(w, r->rows[i])->seen[0];
        r->known_here[i] = atomic_load(&known_here[r->rows[i]]);
    }
    r->moment = shared_moment(w->all);
}

/* The cache of the process may trail behind what others wrote: by as much as it says, and never by more than its bound.
 * The clock that says so is read before the call, and behind each write: so nothing has to be added for what lies
 * between. */
static int64_t promised_locally(const worker *w, const reading *r, const answer *a, size_t i)
{
    int64_t bound_ms = w->options->of.coherence_ms, told_ms = a->staleness_ms + 1;
    int64_t behind_ms = told_ms < bound_ms ? told_ms : bound_ms;
    return larger(shared_acknowledged(w->all, r->rows[i], r->moment - behind_ms * 1000), r->known_here[i]);
}

/* Did a primary make the answer? A replica shows a commit that its primary has told it of before the primary itself
 * does: what was seen there is no bound here. */
static bool of_primary(const worker *w, const answer *a)
{
    int promoted = atomic_load(&w->all->promoted);
    return !strcmp(a->node, "primary") || (promoted && a->node[0] && a->node[strlen(a->node) - 1] == '0' + promoted);
}

/* What is not promised for this answer is taken out of its bounds. The session's own writes always are promised. */
static void relax(worker *w, reading *r, const answer *a)
{
    bool local = a->source == SHOPDATA_FROM_LOCAL, fresh = local || a->staleness_ms == 0;
    bool goes_forward = !a->cached || is_strict(w), at_primary = of_primary(w, a);
    if (!fresh && a->cached)
        atomic_fetch_add(&w->mine->exempt[atomic_load(&w->all->ill) != 0], 1);
    for (size_t i = 0; i < r->count; i++) {
        r->limits[i].attempted = atomic_load(&w->all->rows[r->rows[i]].attempted);
        if (local)
            r->limits[i].acknowledged = promised_locally(w, r, a, i);
        else if (!fresh)
            r->limits[i].acknowledged = 0;
        if (!goes_forward || at_primary)
            r->limits[i].seen = goes_forward ? r->seen_at_primary[i] : 0;
    }
}

static event read_event(const worker *w, const reading *r, const answer *a)
{
    event made = {.happening = READ,
                  .kind = (uint8_t)r->of.ask,
                  .source = (uint8_t)a->source,
                  .session = w->session,
                  .thread = w->number,
                  .staleness_ms = a->staleness_ms,
                  .age_ms = a->age_ms,
                  .began = r->began};
    memcpy(made.text, a->node, sizeof a->node);
    return made;
}

static void remember(worker *w, const reading *r, const answer *a)
{
    event made = read_event(w, r, a);
    for (size_t i = 0; i < a->count; i++) {
        mark *of = mark_of(w, a->seen[i].row);
        of->seen[1] = larger(of->seen[1], a->seen[i].version);
        if (of_primary(w, a))
            of->seen[0] = larger(of->seen[0], a->seen[i].version);
        if (!a->cached)
            touch(w, a->seen[i].row);
        made.row = (uint32_t)a->seen[i].row;
        made.version = a->seen[i].version;
        shared_event(w->all, w->mine, made);
    }
}

static void accuse(worker *w, const reading *r, const answer *a, enum verdict verdict, size_t row)
{
    accusation made = {.verdict = verdict, .row = row, .read = read_event(w, r, a)};
    for (size_t i = 0; i < r->count; i++)
        if (r->rows[i] == row)
            made.limits = r->limits[i];
    for (size_t i = 0; i < a->count; i++)
        if (a->seen[i].row == row)
            made.read.version = a->seen[i].version;
    if (asks[r->of.ask].sum)
        made.read.version = a->sum;
    if (w->options->by->promises && atomic_fetch_add(&w->all->broken, 1) < MOST_TOLD)
        history_tell(w->all, &made);
}

static void judge(worker *w, reading *r, const answer *a)
{
    size_t row = r->rows[0];
    const ask_form *form = &asks[r->of.ask];
    relax(w, r, a);
    enum verdict verdict = form->sum
                               ? judge_sum(r->limits, r->count, a->sum)
                               : judge_answer(r->rows, r->limits, r->count, form->together, a->seen, a->count, &row);
    atomic_fetch_add(&w->mine->reads[r->of.ask][a->source], 1);
    atomic_fetch_add(&w->mine->verdicts[r->of.ask][verdict], 1);
    if (verdict != FINE)
        accuse(w, r, a, verdict, row);
    if (verdict != INVENTED)
        remember(w, r, a);
}

static void read_some(worker *w)
{
    reading readings[BATCH_MAX];
    question questions[BATCH_MAX];
    answer answers[BATCH_MAX];
    size_t count = prng_below(&w->random, 3) ? 1 : 2 + prng_below(&w->random, BATCH_MAX - 1);
    for (size_t i = 0; i < count; i++) {
        prepare(w, &readings[i]);
        questions[i] = readings[i].of;
    }
    int status = w->options->by->ask(w->visit, questions, count, answers);
    if (status)
        atomic_fetch_add(&w->mine->failed_reads[status + STATUS_ZERO], count);
    for (size_t i = 0; i < count && !status; i++)
        judge(w, &readings[i], &answers[i]);
}

/* --------------------------------------------------------------------------------------------------------- writing */

static bool stands(int status)
{
    return status == SHOPDATA_OK || status == SHOPDATA_UNFENCED;
}

static void acknowledge(worker *w, enum deed deed, const outcome *out)
{
    for (size_t i = 0; i < out->count; i++) {
        mark *of = mark_of(w, out->rows[i]);
        of->own = larger(of->own, out->versions[i]);
        touch(w, out->rows[i]);
        if (deed == ARRIVE)
            raise_to(&w->all->arrived, (int64_t)out->rows[i]);
        raise_to(&known_here[out->rows[i]], out->versions[i]);
        if (!out->status)
            shared_acknowledge(w->all, out->rows[i], out->versions[i]);
        shared_event(w->all, w->mine,
                     (event){.happening = WROTE,
                             .kind = (uint8_t)deed,
                             .status = (int8_t)out->status,
                             .row = (uint32_t)out->rows[i],
                             .version = out->versions[i],
                             .session = w->session,
                             .thread = w->number});
    }
}

/* A write that is sure not to have run gives its version back. */
static void end_attempt(worker *w, enum deed deed, const size_t *rows, size_t count, int status)
{
    for (size_t i = 0; i < count; i++) {
        if (status != SHOPDATA_ERR_AMBIGUOUS)
            atomic_fetch_sub(&w->all->rows[rows[i]].attempted, 1);
        shared_event(w->all, w->mine,
                     (event){.happening = WROTE,
                             .kind = (uint8_t)deed,
                             .status = (int8_t)status,
                             .row = (uint32_t)rows[i],
                             .session = w->session,
                             .thread = w->number});
    }
}

/* Nobody else writes this row, and nobody will write what this one asked for: the backend was made sure to be gone. If
 * its version stands, this process must show it from now on. */
static void look_after(worker *w, size_t diary)
{
    int64_t stands = observe_diary(diary);
    raise_to(&known_here[diary], stands);
    if (stands)
        shared_event(w->all, w->mine, (event){.happening = OBSERVED, .row = (uint32_t)diary, .version = stands});
}

/* A diary is its thread's own; a process that is killed, whose last write nobody waits for, has none. */
static enum deed choose_write(worker *w, size_t *n_out)
{
    enum deed deed = choose_deed(w);
    if (deed == KEEP_DIARY && w->number >= DIARY_ROWS)
        deed = RAISE;
    *n_out = deed == KEEP_DIARY ? w->number : choose(w, deeds[deed].choices);
    return deed;
}

static void write_one(worker *w)
{
    outcome out;
    size_t n, rows[SIGHTINGS_MAX];
    enum deed deed = choose_write(w, &n);
    size_t count = deed_rows(deed, n, rows);
    for (size_t i = 0; i < count; i++) {
        atomic_fetch_add(&w->all->rows[rows[i]].attempted, 1);
        shared_event(w->all, w->mine,
                     (event){.happening = ATTEMPTED,
                             .kind = (uint8_t)deed,
                             .row = (uint32_t)rows[i],
                             .session = w->session,
                             .thread = w->number});
    }
    w->options->by->write(w->visit, deed, n, &out);
    atomic_fetch_add(&w->mine->writes[deed][out.status + STATUS_ZERO], 1);
    if (stands(out.status))
        acknowledge(w, deed, &out);
    else
        end_attempt(w, deed, rows, count, out.status);
    if (deed == KEEP_DIARY && out.status == SHOPDATA_ERR_AMBIGUOUS && atomic_load(&w->all->looks))
        look_after(w, rows[0]);
}

/* --------------------------------------------------------------------------------------------------------- running */

static letter *take_letter(worker *w, int state)
{
    letter *of = &w->all->letters[prng_below(&w->random, LETTERS)];
    return atomic_compare_exchange_strong(&of->state, &state, LETTER_TAKEN) ? of : NULL;
}

/* Leaves the session's token behind, for whoever comes by. */
static void send_letter(worker *w)
{
    const char *token = w->options->by->token(w->visit);
    letter *to = token ? take_letter(w, LETTER_FREE) : NULL;
    if (!to)
        return;
    snprintf(to->token, sizeof to->token, "%s", token);
    to->count = w->touches < LETTER_ROWS ? w->touches : LETTER_ROWS;
    for (size_t i = 0; i < to->count; i++) {
        const mark *of = mark_of(w, w->touched[i]);
        to->rows[i] = w->touched[i];
        to->own[i] = of->own;
        memcpy(to->seen[i], of->seen, sizeof to->seen[i]);
    }
    atomic_store(&to->state, LETTER_SENT);
}

/* Goes on where another session, most likely of another process, has ended. */
static void open_letter(worker *w)
{
    letter *from = take_letter(w, LETTER_SENT);
    if (!from)
        return;
    bool taken = w->options->by->advance(w->visit, from->token);
    atomic_fetch_add(&w->mine->carried, taken);
    for (size_t i = 0; i < from->count && taken; i++) {
        mark *of = mark_of(w, from->rows[i]);
        of->own = from->own[i];
        memcpy(of->seen, from->seen[i], sizeof of->seen);
        touch(w, from->rows[i]);
    }
    atomic_store(&from->state, LETTER_FREE);
}

/* Of the rows of a write, so that what is written often is forgotten often. */
static void forget_one(worker *w)
{
    size_t rows[SIGHTINGS_MAX];
    enum deed deed = choose_deed(w);
    if (deed_rows(deed, choose(w, deeds[deed].choices), rows) && w->options->by->forget)
        w->options->by->forget(w->visit, rows[0]);
}

static void begin_visit(worker *w)
{
    bool carries = w->options->by->token != NULL;
    if (w->visit && carries)
        send_letter(w);
    if (w->visit)
        w->options->by->leave(w->visit);
    w->visit = w->options->by->visit(w->opened);
    w->session = atomic_fetch_add(&sessions, 1) + 1;
    w->touches = 0;
    if (carries)
        open_letter(w);
}

static void *run(void *of)
{
    worker *w = of;
    for (uint64_t call = 0; !atomic_load(&w->all->stop); call++) {
        if (call % VISIT_CALLS == 0)
            begin_visit(w);
        unsigned writes = w->options->writes / (atomic_load(&w->all->calm) ? 10 : 1);
        if (prng_below(&w->random, 1000) < w->options->forgets)
            forget_one(w);
        if (prng_below(&w->random, 1000) < writes)
            write_one(w);
        else
            read_some(w);
    }
    if (w->visit)
        w->options->by->leave(w->visit);
    return NULL;
}

void load(shared *all, size_t slot_number, const load_options *options)
{
    worker *workers = calloc(THREADS_MAX, sizeof *workers);
    void *opened = workers ? options->by->open(&options->of) : NULL;
    if (!opened || options->threads > THREADS_MAX)
        give_up("cannot run %zu threads", options->threads);
    for (size_t i = 0; i < options->threads; i++) {
        worker *w = &workers[i];
        *w = (worker){.all = all,
                      .mine = &all->slots[slot_number],
                      .options = options,
                      .opened = opened,
                      .number = (uint32_t)(slot_number * THREADS_MAX + i)};
        w->random.state = options->of.seed + w->number * UINT64_C(7919);
        if (pthread_create(&w->thread, NULL, run, w))
            give_up("cannot start a thread");
    }
    for (size_t i = 0; i < options->threads; i++)
        pthread_join(workers[i].thread, NULL);
    free(workers);
}
