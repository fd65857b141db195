#include "base/interrupt.h"

#include "base/clock.h"
#include "base/error.h"

enum { ASK_US = 50000, CLEAN_UP_MS = 500 };

/* Of this thread's call. */
static _Thread_local struct {
    sdi_interrupt asked;
    unsigned holds;
    bool stopped;
    int64_t next; /* when to ask again; 0: nothing was waited for yet */
} call;

void sdi_interrupt_begin(const sdi_interrupt *interrupt)
{
    call.asked = *interrupt;
    call.holds = 0;
    call.stopped = false;
    call.next = 0;
}

/* After all three it is certain that nothing was written. */
int sdi_interrupt_status(int status)
{
    bool unfinished =
        status == SHOPDATA_ERR_TIMEOUT || status == SHOPDATA_ERR_BUSY || status == SHOPDATA_ERR_UNAVAILABLE;
    return call.stopped && unfinished ? SHOPDATA_ERR_INTERRUPTED : status;
}

int sdi_interrupt_end(int status, shopdata_error **error_out)
{
    int told = sdi_interrupt_status(status);
    call.asked.function = NULL;
    call.stopped = false;
    if (told == status)
        return status;
    sdi_error_clear(error_out);
    return sdi_fail(error_out, told, "the call was interrupted by the function of shopdata_session_set_interrupt");
}

void sdi_interrupt_hold(void)
{
    call.holds++;
}

void sdi_interrupt_resume(void)
{
    call.holds--;
}

bool sdi_interrupted(void)
{
    return call.stopped && !call.holds;
}

bool sdi_passed(int64_t deadline)
{
    return sdi_interrupted() || sdi_now() >= deadline;
}

int64_t sdi_clean_up_deadline(int64_t ms)
{
    return sdi_deadline_in(call.stopped && ms > CLEAN_UP_MS ? CLEAN_UP_MS : ms);
}

static bool asks(void)
{
    return call.asked.function && !call.stopped && !call.holds;
}

int64_t sdi_interrupt_until(int64_t deadline)
{
    if (!asks())
        return deadline;
    if (!call.next)
        call.next = sdi_now() + ASK_US;
    return call.next < deadline ? call.next : deadline;
}

void sdi_interrupt_ask(bool at_once)
{
    if (!asks() || (!at_once && sdi_interrupt_until(SDI_NEVER) > sdi_now()))
        return;
    call.stopped = call.asked.function(call.asked.context) != 0;
    call.next = sdi_now() + ASK_US;
}
