/* proving.h - the freshness protocol's steps and rules by name, so that a test can disturb it there (meson option
 * `proving`). SDI_STEP marks a place between two steps: a thread may be held up there, a process die. SDI_RULE asks
 * whether a rule is in force: every test that drops one must see stale answers, or nothing shows that it is needed.
 *
 * In ordinary builds both come to nothing. In a proving build the environment says what happens:
 *   SHOPDATA_DROP   the name of a rule that is dropped
 *   SHOPDATA_STEPS  e.g. "delay=5%:3ms,kill=0.01%,only=claimed+store,seed=7": in so many of a hundred passes the thread
 *                   sleeps that long, or the process is killed, at these steps (default: all). Without it a dropped
 *                   rule's own steps are held up.
 * What is wrong in them ends the process, with a line that says why. */
#ifndef SDI_BASE_PROVING_H
#define SDI_BASE_PROVING_H

#include <stdbool.h>

/* X(name, where it lies) */
#define SDI_STEPS(X)                                                                                                   \
    X(looked, "a read has looked into the cache")                                                                      \
    X(claimed, "a read has put its placeholders")                                                                      \
    X(sampled, "a read has sampled the floor")                                                                         \
    X(ask, "a read is about to ask a node for stamp and answer")                                                       \
    X(answered, "a read has its answer")                                                                               \
    X(store, "a read is about to store fences and answer")                                                             \
    X(stored, "a read has stored them, and others wait for its answer")                                                \
    X(write, "a write is about to be sent")                                                                            \
    X(marked, "a write has marked its fences")                                                                         \
    X(committed, "a write's COMMIT was answered")                                                                      \
    X(fenced, "a write has moved its fences")                                                                          \
    X(ended, "a write's fate is unknown, and its backend is gone")                                                     \
    X(drain, "fences that could not be moved are about to be told of")                                                 \
    X(hear, "the listener is about to take in what came on its subscription")

/* X(name, what happens without it, SHOPDATA_STEPS for it, options of tests/fault/freshness that it takes to show) */
#define SDI_RULES(X)                                                                                                   \
    X(replayed, "a replica's answer passes, however far it has replayed", "", "--faults none")                         \
    X(snapshot_on_primary, "a primary's answer is judged by its flush position alone", "", "--faults none")            \
    X(stamp_first, "the stamp is taken after the answer", "delay=20%:5ms,only=answered", "--faults none")              \
    X(missing_is_miss, "a fence that is missing demands nothing", "", "--forgets 50 --faults none")                    \
    X(placeholder_first, "the floor is a sample from before the placeholder was put", "",                              \
      "--forgets 50 --faults none")                                                                                    \
    X(nonce, "all placeholders are the same", "delay=20%:15ms,only=sampled+store", "--forgets 100 --faults none")      \
    X(writer_makes_no_fence, "a write makes the fences that are missing", "delay=20%:20ms,only=committed",             \
      "--forgets 100 --faults none")                                                                                   \
    X(writer_ends_placeholder, "a write leaves placeholders alone", "delay=20%:15ms,only=sampled+store",               \
      "--forgets 100 --faults none")                                                                                   \
    X(point_whole, "a write raises nothing but the LSN", "", "--faults none")                                          \
    X(fence_before_return, "a write returns before its fences are moved", "", "--faults none")                         \
    X(ambiguous_fenced, "of a write whose fate is unknown no fence is deleted", "", "--faults cut-writers")            \
    X(untold_kept, "fences that could not be moved are forgotten", "", "--faults cache-freeze")                        \
    X(untold_demanded, "fences that could not be moved demand nothing of what their process reads", "",                \
      "--faults cache-freeze")                                                                                         \
    X(insert_when_async, "the flush position stands for a commit that did not wait for its flush", "",                 \
      "--hasty-commits --faults none")                                                                                 \
    X(era, "positions and xids of all timelines are compared", "", "--model")                                          \
    X(epoch, "what a cache server kept from an earlier run counts", "", "--faults cache-copy")                         \
    X(joiner_judges, "who waits for another's answer takes it unseen", "delay=20%:20ms,only=store+stored",             \
      "--forgets 20 --faults none")                                                                                    \
    X(empty_by_table, "an answer without rows need not pass the table's fence", "", "--faults none")                   \
    X(own_writes, "statements that are not cached go to any replica", "", "--faults pause,pause-both")                 \
    X(cas, "memcached: a fence is put over whatever came meanwhile", "", "--cache memcached --faults none")            \
    X(redis_primary, "Redis: a server that was demoted answers reads", "",                                             \
      "--test integration_redis/a_primary_that_is_made_a_replica_is_not_read")                                         \
    X(mark, "strict: a write does not mark its fences before COMMIT", "delay=30%:20ms,only=committed",                 \
      "--mode strict --faults none")                                                                                   \
    X(running_pending, "strict: a floor does not take who runs as pending", "delay=30%:20ms,only=marked+committed",    \
      "--mode strict --forgets 50 --faults none")                                                                      \
    X(next_pending, "strict: a floor does not take as pending who was given an xid behind the snapshot",               \
      "delay=30%:20ms,only=marked+committed", "--mode strict --forgets 50 --faults none")                              \
    X(settle_position, "strict: who settles a mark does not raise the fence", "delay=50%:30ms,only=committed",         \
      "--mode strict --faults kill-writer")                                                                            \
    X(mark_flush, "strict: a mark does not tell a transaction from one before a crash", "", "--model")                 \
    X(fence_of_mode, "strict: a fence of a process in another mode is trusted",                                        \
      "delay=30%:20ms,only=marked+committed", "--mode strict --forgets 50 --mixed --faults none")                      \
    X(local_insert, "what was read is put into the local cache, though a change was heard of meanwhile",               \
      "delay=20%:20ms,only=looked+answered+stored", "--local --faults none")                                           \
    X(local_watermark, "the local cache answers however old its watermark is", "delay=30%:400ms,only=hear",            \
      "--local --faults none")                                                                                         \
    X(local_lost, "what is in the local cache stays when a lost subscription is back", "",                             \
      "--local --faults listener-cut")                                                                                 \
    X(local_token, "a session whose token came after the watermark is answered by the local cache",                    \
      "delay=3%:30ms,only=hear", "--local --faults none")                                                              \
    X(local_publish, "a write is published only where it finds a fence", "", "--local --faults cache-evict")           \
    X(local_own, "what a process wrote leaves its local cache when the message comes", "delay=3%:30ms,only=hear",      \
      "--local --faults none")                                                                                         \
    X(local_primary, "the watermark of a server that was demoted counts", "",                                          \
      "--local --cache redis-replicated --faults cache-demote")

#define SDI_STEP_NAME(name, ...) SDI_STEP_##name,
#define SDI_RULE_NAME(name, ...) SDI_RULE_##name,
enum sdi_step { SDI_STEPS(SDI_STEP_NAME) SDI_STEP_COUNT };
enum sdi_rule { SDI_RULES(SDI_RULE_NAME) SDI_RULE_COUNT };
#undef SDI_STEP_NAME
#undef SDI_RULE_NAME

#ifdef SDI_PROVING
#define SDI_STEP(name) sdi_step(SDI_STEP_##name)
#define SDI_RULE(name) sdi_rule(SDI_RULE_##name)
#else
#define SDI_STEP(name) ((void)SDI_STEP_##name)
#define SDI_RULE(name) (SDI_RULE_##name >= 0)
#endif

void sdi_step(enum sdi_step step);
bool sdi_rule(enum sdi_rule rule);

#endif
