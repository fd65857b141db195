/* thread.h - threads of the library's own. */
#ifndef SDI_BASE_THREAD_H
#define SDI_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* sdi_thread_start starts a thread in which all signals are blocked: they are the application's, and a thread that it
 * does not know of takes none. `stack` is in bytes, 0 the system's default. False at the system's limit. */
bool sdi_thread_start(pthread_t *thread, size_t stack, void *(*run)(void *), void *argument);

#endif
