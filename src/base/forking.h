/* forking.h - keeps fork() out of other libraries' calls, and tells a child from its parent.
 *
 * libpq, OpenSSL and the resolver take locks of their own that no fork handler renews. In a child in which the thread
 * that held one does not exist, whoever wants it next waits for ever: so it happened to clients that were opened right
 * before fork(), while their threads were connecting. Such calls stand between sdi_unforkable and sdi_forkable, in any
 * number of threads at once, and fork() waits until none is in there. It waits a bounded time: looking up a name may
 * take long. */
#ifndef SDI_BASE_FORKING_H
#define SDI_BASE_FORKING_H

/* Short calls that return to their caller between waits; they do not nest. */
void sdi_unforkable(void);
void sdi_forkable(void);

/* sdi_fork_generation counts the forks that led to this process, since it was first asked. */
unsigned sdi_fork_generation(void);

#endif
