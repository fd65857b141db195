/* world.h - the schema, the clients that read and write it through the library, and the one that asks without it. */
#ifndef SDI_TESTS_DIFFERENTIAL_WORLD_H
#define SDI_TESTS_DIFFERENTIAL_WORLD_H

#include <libpq-fe.h>
#include <shopdata/shopdata.h>

#include "base/lock.h"
#include "base/map.h"
#include "statement.h"

enum { CLIENTS_MAX = 2 };

typedef struct world {
    const char *cache;
    size_t clients; /* each stands for a process: they share the cache and nothing else */
    char prefix[64];
    shopdata_client *client[CLIENTS_MAX];
    shopdata_session *session[CLIENTS_MAX];
    sdi_map statements[CLIENTS_MAX]; /* by text: one is made once and kept, plans and all */
    sdi_mutex lock;                  /* guards statements */
    PGconn *bare[CLIENTS_MAX];       /* to the primary, with the client's settings */
    char tenant[CLIENTS_MAX][8];     /* app.tenant */
} world;

/* world_open makes the schema anew and opens the clients; a failure fails the Check test. Both replicas replay, and
 * have the schema. world_close closes all. */
void world_open(world *w, const char *cache);
void world_close(world *w);
/* world_session makes one more session of a client, with its settings; world_set_tenant sets app.tenant there and at
 * the connection that asks without the library. */
shopdata_session *world_session(const world *w, size_t client);
void world_set_tenant(world *w, size_t client, const char *tenant);
/* world_wait_for_catalog waits until every client has seen the schema as it is. */
void world_wait_for_catalog(world *w);

/* world_outside runs SQL past the library; false if it fails. world_bare_answer is a statement's answer by libpq on the
 * primary, with the client's settings: columns with their types, and the rows sorted; or the error's SQLSTATE. Free it.
 */
bool world_outside(world *w, const char *sql);
char *world_bare_answer(world *w, size_t client, const step *of);

/* answer_text is the same of what the library answered. Free it. */
char *answer_text(int status, const shopdata_result *result, const shopdata_error *error);

/* world_statement is the client's statement of this text and these tags; NULL and *error if it is refused. Any thread.
 */
shopdata_statement *world_statement(world *w, size_t client, const step *of, shopdata_error **error);

#endif
