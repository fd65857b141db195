#include "client/mark.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/proving.h"
#include "client/fencing.h"
#include "client/session.h"
#include "model/result.h"
#include "postgres/moment.h"

static int refuse(sdi_committing *c, int status, const char *why, shopdata_error **error_out)
{
    sdi_count(c->core->metrics, SDI_M_MARKS_REFUSED, 0, 1);
    sdi_fail(error_out, status, "%s; mode strict writes nothing then: the transaction is rolled back", why);
    if (error_out)
        sdi_error_retriable(*error_out);
    return status;
}

static int refuse_for_cache(sdi_committing *c, shopdata_error **error_out)
{
    sdi_buffer why = SDI_BUFFER_INIT;
    sdi_buffer_text(&why, "the cache did not take the mark of this write");
    size_t said = why.length;
    sdi_buffer_text(&why, " (");
    sdi_cache_trouble(c->core->cache, &why);
    if (why.length > said + 2)
        sdi_buffer_char(&why, ')');
    else
        why.length = said;
    int status = why.failed ? sdi_no_memory(error_out) : SHOPDATA_OK;
    if (status == SHOPDATA_OK) {
        why.data[why.length] = '\0';
        status = refuse(c, SHOPDATA_ERR_UNAVAILABLE, why.data, error_out);
    }
    sdi_buffer_free(&why);
    return status;
}

static sdi_change change_of(const sdi_mark *mark)
{
    return (sdi_change){.point.era = mark->era};
}

/* The flush position of this moment is behind every crash so far: it tells this transaction from one that had its xid
 * before. */
static bool read_mark(const sdi_committing *c, const sdi_pg_command *asked, sdi_mark *mark)
{
    sdi_moment moment;
    sdi_slice xid;
    if (asked->outcome != SDI_PG_DONE || !sdi_moment_read(c->connection, asked->result, &moment) || moment.standby ||
        !sdi_era_known(moment.era) || !sdi_result_at(c->steps[c->count - 3].result, 0, 0, &xid))
        return false;
    mark->era = moment.era;
    mark->pending = (sdi_pending){strtoull(xid.data, NULL, 10), SDI_RULE(mark_flush) ? moment.flush : 0};
    return true;
}

static int put_mark(sdi_committing *c, const sdi_pg_command *asked, shopdata_error **error_out)
{
    if (!read_mark(c, asked, &c->mark))
        return refuse(c, SHOPDATA_ERR_UNAVAILABLE, "the primary did not tell where it stands", error_out);
    sdi_change change = change_of(&c->mark);
    change.point.pending = (sdi_pendings){1, {c->mark.pending}};
    c->mark.made = true; /* it may have come to stand even if that was not answered */
    if (!sdi_fence_run(c->core, c->keys, &change, c->deadline, SDI_FENCES_MARKED))
        return refuse_for_cache(c, error_out);
    SDI_STEP(marked);
    return SHOPDATA_OK;
}

/* COMMIT's place in the pipeline is taken by the question where the primary stands. The whole transaction has not
 * happened as long as COMMIT was not sent. */
static int run_up_to_commit(sdi_committing *c, sdi_pg_command *asked, shopdata_error **error_out)
{
    sdi_pg_command *place = &c->steps[c->count - 2], commit = *place;
    *place = sdi_moment_of(true);
    int broke = sdi_pg_run(c->connection, c->steps, c->count - 1, (size_t)c->core->settings->max_result_bytes,
                           c->deadline, error_out);
    *asked = *place;
    *place = commit;
    return broke;
}

static int mark_and_commit(sdi_committing *c, const sdi_pg_command *asked, shopdata_error **error_out)
{
    const sdi_pg_command *xid = &c->steps[c->count - 3];
    if (xid->outcome != SDI_PG_DONE)
        return SHOPDATA_OK; /* the server rejected a step before */
    if (sdi_wrote(xid))
        c->refused = put_mark(c, asked, error_out);
    if (c->refused == SHOPDATA_OK && sdi_passed(c->deadline))
        c->refused = refuse(c, SHOPDATA_ERR_TIMEOUT, "the deadline passed before COMMIT", error_out);
    if (c->refused != SHOPDATA_OK)
        return SHOPDATA_OK;
    return sdi_pg_run(c->connection, c->steps + c->count - 2, 2, (size_t)c->core->settings->max_result_bytes,
                      c->deadline, error_out);
}

int sdi_commit_run(sdi_committing *c, shopdata_error **error_out)
{
    size_t most = (size_t)c->core->settings->max_result_bytes;
    c->mark = (sdi_mark){false};
    c->refused = SHOPDATA_OK;
    SDI_STEP(write);
    if (!sdi_mode_marks(c->core->settings->cache.mode) || !c->keys->length || !SDI_RULE(mark))
        return sdi_pg_run(c->connection, c->steps, c->count, most, c->deadline, error_out);
    sdi_pg_command asked;
    int broke = run_up_to_commit(c, &asked, error_out);
    if (broke == SHOPDATA_OK)
        broke = mark_and_commit(c, &asked, error_out);
    sdi_pg_commands_free(&asked, 1);
    return broke;
}

void sdi_mark_withdraw(sdi_core *core, const sdi_buffer *keys, sdi_mark *mark)
{
    if (!mark->made)
        return;
    sdi_change change = change_of(mark);
    change.settled = (sdi_pendings){1, {mark->pending}};
    mark->made = false;
    sdi_interrupt_hold();
    sdi_fence_run(core, keys, &change, SDI_NEVER, SDI_FENCES_WITHDRAWN);
    sdi_interrupt_resume();
}
