/* servers.h - the launcher's servers, for tests: where they are, and how to make them ill. */
#ifndef SDI_TESTS_SUPPORT_SERVERS_H
#define SDI_TESTS_SUPPORT_SERVERS_H

#include <shopdata/shopdata.h>

#include "../unit/unit.h"

/* servers_need ends the program with 77 (skipped) where one of these variables of the environment is not set, and tells
 * the launcher's options; servers_required where there are no nodes or no Redis. Call them before any test runs. */
void servers_need(const char *options, const char *const *variables);
void servers_required(void);
void servers_required_memcached(void);
/* servers_do sends "VERB NODE" to the launcher ("pause replica1"), and fails the test if that did not work. */
void servers_do(const char *command);
/* servers_heal makes all servers well again that servers_do has been told to make ill, so that a case that failed
 * half-way does not fail those after it. */
void servers_heal(void);
/* servers_config makes a configuration of the primary, both replicas and a cache ("redis", "memcached", "memory",
 * "none"), with short times, a key namespace of its own, and no local cache. Free it. */
shopdata_config *servers_config(const char *cache);
/* servers_hasty_config is the same for nodes that will be frozen: to connect to one is given up soon. */
shopdata_config *servers_hasty_config(const char *cache);
/* servers_open_with opens a client and waits until all three nodes are known; it frees the configuration. servers_open
 * does that with servers_config. */
shopdata_client *servers_open_with(shopdata_config *config);
shopdata_client *servers_open(const char *cache);
/* servers_sql runs SQL on the primary past the library; servers_value gives the first cell as text (free it), "" if
 * none. servers_value_at asks the node whose connection string is in this variable of the environment.
 * servers_await_value asks until the value is the one wanted, for half a minute. */
void servers_sql(const char *sql);
char *servers_value(const char *sql);
char *servers_value_at(const char *node, const char *sql);
void servers_await_value(const char *sql, const char *wanted);
/* servers_flush flushes the primary's log. A lock's record waits for the next commit, or up to 15 s for the background
 * writer: so long it may take until replicas hear of it. */
void servers_flush(void);
/* servers_replay waits until that node has replayed what the primary has flushed; servers_settle, until both replicas
 * have: a table that was made just now is not there yet, and the primary answers. */
void servers_replay(const char *node);
void servers_settle(void);
/* servers_metric sums the values of that name in a snapshot: all, or those that have this label. */
double servers_metric(shopdata_client *client, const char *name, const char *labels);
/* servers_asked counts the reads that asked the database, and did not take the answer of another who did. */
double servers_asked(shopdata_client *client);
/* servers_ok demands SHOPDATA_OK. A macro, because `error` has to be read after the call has written it. */
#define servers_ok(call, error)                                                                                        \
    do {                                                                                                               \
        int status_ = (call);                                                                                          \
        ck_assert_msg(status_ == SHOPDATA_OK, "%s: %s", shopdata_status_name(status_), shopdata_error_message(error)); \
    } while (0)
/* servers_statement makes a statement under the default policy. Free it. */
shopdata_statement *servers_statement(shopdata_client *client, const char *sql);

#endif
