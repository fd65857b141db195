/* ask.h - asking the database: choosing a node, trying again elsewhere, until the deadline. */
#ifndef SDI_CLIENT_ASK_H
#define SDI_CLIENT_ASK_H

#include "client/core.h"

/* What sdi_ask_read is asked, and what it tells beside the answers. */
typedef struct sdi_question {
    sdi_need need;
    int64_t deadline;
    bool impatient;                 /* something else will do: not worth waiting until a node is back */
    const sdi_pg_command *settings; /* goes before the reads, behind the question for the stamp; NULL: none */
    /* out */
    bool stamped; /* `stamp` is known: what all answers certainly contain */
    bool
        assumed; /* its era is the last known one of a standby whose primary is gone: good to answer by, not to cache */
    sdi_stamp stamp;
    sdi_moment moment; /* that the stamp was made of */
    size_t node;
    enum shopdata_source source;
    int64_t behind_us; /* of a replica: sdi_router_behind; of the primary 0 */
} sdi_question;

/* sdi_ask_read runs reads on one node that satisfies `need`, as one batch between the two questions for its stamp.
 * Replicas that turn out too old, lost connections, ill nodes and recovery conflicts are tried elsewhere, within
 * route.retries and the deadline. On success every command is DONE, its result signed with node, source and time. A
 * command the server rejects fails the whole: *failed_out says which; it is SIZE_MAX for any other failure. */
int sdi_ask_read(sdi_core *core, sdi_question *question, sdi_pg_command *commands, size_t count, size_t *failed_out,
                 shopdata_error **error_out);

/* sdi_sign writes into a fresh answer who gave it, and that it was now. */
void sdi_sign(const sdi_core *core, shopdata_result *answer, size_t node, enum shopdata_source source);

/* sdi_ask_catalog: reads of the system catalogs, of the primary only (need->primary) or of any node that has all DDL
 * that was noticed. `need` is raised to where a node must be to know all that they saw. */
int sdi_ask_catalog(sdi_core *core, sdi_need *need, sdi_pg_command *commands, size_t count, int64_t deadline,
                    shopdata_error **error_out);

/* sdi_ask_primary takes a connection to the primary, waiting until there is one, or the deadline. */
int sdi_ask_primary(sdi_core *core, int64_t deadline, size_t *node_out, sdi_pg_connection **connection_out,
                    shopdata_error **error_out);

/* sdi_ask_take takes a connection to a node; one that cannot be connected to is suspect at once. */
int sdi_ask_take(sdi_core *core, size_t node, int64_t deadline, sdi_pg_connection **connection_out,
                 shopdata_error **error_out);

/* sdi_ask_give returns a connection after `status` of its last batch; a lost one makes its node suspect, a command that
 * may still run is ended by the node's watcher. */
void sdi_ask_give(sdi_core *core, size_t node, sdi_pg_connection *connection, int status);

#endif
