/* interrupt.h - asks the caller of a call that waits, now and then, whether it shall go on waiting.
 *
 * The thread knows whom to ask, and every wait of base asks (sdi_wait, sdi_poll, sdi_sleep): so a wait in any room
 * does, and none in the library's own threads, which never begin. Once the answer was to stop, all deadlines of the
 * call have passed (sdi_passed), and it ends as such a call does. What has to be done all the same, because a write
 * stands or others wait for it, is done under a hold: nobody is asked, and the deadlines there, the doer's own, are as
 * ever. */
#ifndef SDI_BASE_INTERRUPT_H
#define SDI_BASE_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

#include <shopdata/shopdata.h>

typedef struct sdi_interrupt {
    shopdata_interrupt_function function; /* NULL: nobody is asked */
    void *context;
} sdi_interrupt;

/* sdi_interrupt_begin, sdi_interrupt_end stand around a call. The latter returns the status, or, where the call did not
 * come to an end because it was interrupted, SHOPDATA_ERR_INTERRUPTED with an error in place of the one there was. */
void sdi_interrupt_begin(const sdi_interrupt *interrupt);
int sdi_interrupt_end(int status, shopdata_error **error_out);
/* sdi_interrupt_status is the status that sdi_interrupt_end will return. */
int sdi_interrupt_status(int status);

/* sdi_interrupt_hold, sdi_interrupt_resume nest. */
void sdi_interrupt_hold(void);
void sdi_interrupt_resume(void);

/* sdi_interrupted: the call is to stop, and nothing is held. */
bool sdi_interrupted(void);
/* sdi_passed: nothing more is to be waited for. */
bool sdi_passed(int64_t deadline);
/* sdi_clean_up_deadline is for what follows a failure: `ms` from now, but soon where the call was interrupted. */
int64_t sdi_clean_up_deadline(int64_t ms);

/* For what waits: sdi_interrupt_until is the moment, at the latest `deadline`, at which to ask again.
 * sdi_interrupt_ask asks if that moment has come, or at once (a signal came). No lock may be held that whoever is asked
 * may wait for. */
int64_t sdi_interrupt_until(int64_t deadline);
void sdi_interrupt_ask(bool at_once);

#endif
