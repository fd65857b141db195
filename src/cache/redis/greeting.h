/* greeting.h - what is said first on a connection: who we are, and who are you?
 *
 * A server's epoch is a hash of its run id and its replication id: it changes when the server starts and when it is
 * promoted. What was written in another epoch may be what a primary left behind that crashed before its last writes
 * were replicated, fences among them; so every value carries its epoch, and one of another epoch counts as not there.
 * Whether two clients agree on the epoch is a matter of hits, not of truth: a key holds one value, a merge moves a
 * fence of its own epoch and deletes one of another, so after it no fence stands that does not know of the write. (They
 * may disagree for a while: a primary that gets its first replica, or has had none for an hour, takes a new replication
 * id.) */
#ifndef SDI_CACHE_REDIS_GREETING_H
#define SDI_CACHE_REDIS_GREETING_H

#include "cache/redis/connection.h"

/* sdi_redis_greet logs in, chooses the database, loads the scripts and fills connection->greeting. */
int sdi_redis_greet(sdi_redis_connection *connection, const sdi_cache_settings *settings, int64_t deadline);
/* sdi_redis_still_holds: is what INFO replication tells now what the greeting told? */
bool sdi_redis_still_holds(const sdi_redis_greeting *greeting, const sdi_buffer *replication);

#endif
