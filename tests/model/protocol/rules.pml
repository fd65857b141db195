/* rules.pml - the protocol's rules by name, as in src/base/proving.h where it has them; -DDROP=NAME leaves one out. Each
 * line tells the configuration in which it is missed, and what happens without it. `run` reads this file. */
#define RULE_none 0

#define RULE_replayed 1 /* fenced: a standby's answer passes, however far it has replayed */
#define RULE_snapshot_on_primary 2 /* fenced: a primary's answer is judged by its flush position alone */
#define RULE_stamp_first 3 /* fenced: a standby tells where it stands with the answer, or after it */
#define RULE_missing_is_miss 4 /* fenced: a fence that is missing demands nothing */
#define RULE_placeholder_first 5 /* fenced: the floor is sampled before the placeholder is put */
#define RULE_nonce 6 /* readers: all placeholders are the same */
#define RULE_writer_makes_no_fence 7 /* fenced: a write makes the fences that are missing */
#define RULE_writer_ends_placeholder 8 /* fenced: a write leaves placeholders alone */
#define RULE_point_whole 9 /* fenced: a merge raises the positions only, and forgets the snapshot */
#define RULE_fence_before_return 10 /* fenced: a write returns before its fences are moved */
#define RULE_insert_when_async 11 /* asynchronous: the flush position stands for a commit that did not wait for its flush */
#define RULE_all_tags 12 /* tags: an answer is held against the first of its fences */
#define RULE_empty_by_table 13 /* empty: an answer without rows need not pass the table's fence */
#define RULE_insert_bumps_row 14 /* reinsert: an INSERT does not bump the row's tag, though it names the key */
#define RULE_joiner_judges 15 /* flights: who waits for another's answer takes it unseen */
#define RULE_placeholder_confirmed 16 /* late: a floor is put though the cache did not confirm the placeholder */
#define RULE_nonce_renewed 17 /* late: after a floor that was not confirmed the nonce is used again */
#define RULE_ambiguous_fenced 18 /* ambiguous: of a write whose fate is unknown no fence is deleted */
#define RULE_backend_ended 19 /* ambiguous: fences are deleted before the backend is made sure to be gone */
#define RULE_mark 20 /* strict: a write does not mark its fences before COMMIT */
#define RULE_running_pending 21 /* strict: a floor does not take as pending who is in its snapshot's list of running */
#define RULE_next_pending 22 /* strict: a floor does not take as pending who runs with an xid from xmax on */
#define RULE_mark_ends_placeholder 23 /* strict: a mark leaves placeholders alone */
#define RULE_pending_refuses 24 /* strict: a standby's answer passes whatever is pending */
#define RULE_floor_position_last 25 /* strict: a floor's position is read before its snapshot */
#define RULE_settle_position_last 26 /* strict: who settles reads the position before the snapshot */
#define RULE_flush_on_primary 27 /* crash: of a primary's stamp the flush position is not asked */
#define RULE_era 28 /* promotion: positions and xids of all timelines are compared */
#define RULE_epoch 29 /* failover: what a cache server kept from an earlier run counts */
#define RULE_settle_flush 30 /* strict_crash: whoever settles takes out a mark whenever it was made */
#define RULE_lost_before 31 /* strict_crash: who takes a mark for lost in a crash takes out one made at his own flush position too */
#define RULE_mark_flush 32 /* strict_crash: a stamp tells of a pending xid, whenever it was marked */
#define RULE_fence_of_mode 33 /* mixed: a strict reader trusts the fence of a reader in another mode */
#define RULE_local_insert 34 /* local: what was read is put in, though a change was heard of since its multi-get was sent */
#define RULE_local_watermark 35 /* local: the local cache answers however old its watermark is */
#define RULE_local_lost 36 /* local: what it has is kept when a lost subscription is back */
#define RULE_local_token 37 /* local: it answers a session whose token came after the watermark */
#define RULE_local_publish 38 /* local: a write is published only where it finds a fence */
#define RULE_local_own 39 /* local_own: a process drops what it wrote only when it hears of it */
#define RULE_local_watermark_first 40 /* local: the entry is looked at before the watermark */
#define RULE_local_forget_last 41 /* local: all is forgotten when the loss is noticed, not when messages come again */
#define RULE_local_ping_sent 42 /* local: a watermark is from when the PING was answered */
#define RULE_local_own_last 43 /* local_own: a process drops what it wrote before the fences are moved */
#define RULE_local_primary 44 /* local_failover: the answers of a server that was replaced count */

#ifndef DROP
#define DROP none
#endif
#define RULE_NUMBER(name) RULE_##name
#define RULE_DROPPED(name) RULE_NUMBER(name)
#define RULE(name) (RULE_DROPPED(DROP) != RULE_##name)
