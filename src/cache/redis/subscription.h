/* subscription.h - one thread that listens to what the primary is told to publish, on a connection of its own.
 *
 * At every beat it sends a command that only a primary carries out, and a PING behind it: when both are answered, all
 * that was published before they were sent has been heard, since one server says all things to one connection in their
 * order, and was where everybody publishes. A server that was demoted refuses the beat; a connection that is lost, or
 * silent for long, is made anew. While nobody wants to know there is but a beat now and then, so that the connection is
 * known to live. RESP3, because a connection that listens may say nothing but PING else: Redis 6 or
 * newer. */
#ifndef SDI_CACHE_REDIS_SUBSCRIPTION_H
#define SDI_CACHE_REDIS_SUBSCRIPTION_H

#include "cache/redis/connection.h"

typedef struct sdi_redis_subscription sdi_redis_subscription;

/* sdi_redis_subscription_begin starts the thread; NULL without memory, or where none can be started. */
sdi_redis_subscription *sdi_redis_subscription_begin(sdi_redis_access access, const sdi_cache_listener *listener);
/* sdi_redis_subscription_rouse: a beat is wanted at once, and the usual ones from now on. Any thread; NULL is fine. */
void sdi_redis_subscription_rouse(sdi_redis_subscription *subscription);
/* sdi_redis_subscription_end waits for the thread: at most as long as connecting may take. NULL is fine. */
void sdi_redis_subscription_end(sdi_redis_subscription *subscription);
/* sdi_redis_subscription_abandon, in a forked child, where the thread is not, closes its connection and leaves its
 * memory behind. NULL is fine. */
void sdi_redis_subscription_abandon(sdi_redis_subscription *subscription);

#endif
