#include "base/clock.h"
#include "base/error.h"
#include "base/forking.h"
#include "base/memory.h"
#include "client/core.h"

int sdi_client_check(const shopdata_client *client, shopdata_error **error_out)
{
    if (!client)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "the client is NULL; open one with shopdata_open");
    if (client->generation != sdi_fork_generation())
        return sdi_fail(error_out, SHOPDATA_ERR_FORKED,
                        "this client was made before fork(); call shopdata_after_fork first, in the child");
    return client->core ? SHOPDATA_OK : sdi_no_memory(error_out);
}

shopdata_client *sdi_client_retain(shopdata_client *client)
{
    atomic_fetch_add_explicit(&client->references, 1, memory_order_relaxed);
    return client;
}

int sdi_client_open(const shopdata_config *config, shopdata_client **client_out, shopdata_error **error_out)
{
    sdi_settings *settings;
    int status = sdi_settings_make(config, &settings, error_out);
    if (status != SHOPDATA_OK)
        return status;
    shopdata_client *client = sdi_calloc(1, sizeof *client);
    if (!client) {
        sdi_settings_free(settings);
        return sdi_no_memory(error_out);
    }
    atomic_init(&client->references, 1);
    client->generation = sdi_fork_generation();
    status = sdi_core_new(settings, &client->core, error_out);
    if (status == SHOPDATA_OK)
        *client_out = client;
    else
        sdi_free(client);
    return status;
}

static void close_core(shopdata_client *client)
{
    if (client->generation == sdi_fork_generation())
        sdi_core_free(client->core);
    else
        sdi_settings_free(sdi_core_abandon(client->core));
}

void sdi_client_release(shopdata_client *client)
{
    if (!client || atomic_fetch_sub_explicit(&client->references, 1, memory_order_acq_rel) != 1)
        return;
    if (client->core)
        close_core(client);
    sdi_free(client);
}

int sdi_client_after_fork(shopdata_client *client, shopdata_error **error_out)
{
    if (client->generation == sdi_fork_generation())
        return SHOPDATA_OK;
    sdi_core *fresh = NULL;
    sdi_settings *settings = sdi_core_abandon(client->core);
    client->core = NULL; /* should the next line fail, later calls report it instead of using the parent's */
    int status = sdi_core_new(settings, &fresh, error_out);
    client->core = fresh;
    client->generation = sdi_fork_generation();
    return status;
}

int sdi_client_ready(shopdata_client *client, int64_t wait_ms, shopdata_error **error_out)
{
    sdi_router *router = client->core->router;
    int64_t deadline = sdi_deadline_in(wait_ms);
    sdi_need any = {0};
    sdi_choice choice;
    for (;;) {
        uint64_t seen = sdi_router_changes(router);
        int status = sdi_router_choose(router, &any, 0, false, &choice, NULL);
        if (status == SHOPDATA_OK)
            sdi_router_done(router, &choice, -1);
        if (status == SHOPDATA_OK || status == SHOPDATA_ERR_BUSY)
            return SHOPDATA_OK;
        if (!sdi_router_wait(router, seen, deadline))
            return sdi_router_unavailable(router, false, error_out);
    }
}

void sdi_client_deliver(const shopdata_client *client)
{
    if (client->core && client->generation == sdi_fork_generation())
        sdi_log_deliver(client->core->log);
}

int sdi_client_metrics(shopdata_client *client, shopdata_metrics **metrics_out, shopdata_error **error_out)
{
    sdi_router_gauges(client->core->router);
    sdi_coherence_gauges(client->core);
    sdi_async_gauges(client->core->async);
    return sdi_metrics_snapshot(client->core->metrics, metrics_out, error_out);
}
