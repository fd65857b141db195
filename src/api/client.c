#include "api/guard.h"
#include "model/config.h"
#include "model/metrics_emf.h"

const char *shopdata_version(void)
{
    return SHOPDATA_VERSION;
}

int shopdata_config_new(shopdata_config **config_out, shopdata_error **error_out)
{
    int status = sdi_wanted(config_out, "config_out", error_out);
    return status ? status : sdi_config_new(config_out, error_out);
}

int shopdata_config_set(shopdata_config *config, const char *key, const char *value, shopdata_error **error_out)
{
    int status = sdi_wanted(config, "config", error_out);
    status = status ? status : sdi_wanted(key, "key", error_out);
    status = status ? status : sdi_wanted(value, "value", error_out);
    return status ? status : sdi_config_set(config, key, value, error_out);
}

int shopdata_config_read_file(shopdata_config *config, const char *path, shopdata_error **error_out)
{
    int status = sdi_wanted(config, "config", error_out);
    status = status ? status : sdi_wanted(path, "path", error_out);
    return status ? status : sdi_config_read_file(config, path, error_out);
}

int shopdata_config_set_log(shopdata_config *config, shopdata_log_function function, void *context,
                            shopdata_error **error_out)
{
    int status = sdi_wanted(config, "config", error_out);
    if (status == SHOPDATA_OK)
        sdi_config_set_log(config, function, context);
    return status;
}

void shopdata_config_free(shopdata_config *config)
{
    sdi_config_free(config);
}

int shopdata_open(const shopdata_config *config, shopdata_client **client_out, shopdata_error **error_out)
{
    int status = sdi_wanted(config, "config", error_out);
    status = status ? status : sdi_wanted(client_out, "client_out", error_out);
    return status ? status : sdi_client_open(config, client_out, error_out);
}

void shopdata_close(shopdata_client *client)
{
    sdi_client_release(client);
}

int shopdata_ready(shopdata_client *client, int64_t wait_ms, shopdata_error **error_out)
{
    int status = sdi_client_check(client, error_out);
    status = status ? status : sdi_check_wait(wait_ms, error_out);
    if (status != SHOPDATA_OK)
        return status;
    status = sdi_client_ready(client, wait_ms, error_out);
    sdi_client_deliver(client);
    return status;
}

int shopdata_log_flush(shopdata_client *client, shopdata_error **error_out)
{
    int status = sdi_client_check(client, error_out);
    if (status == SHOPDATA_OK)
        sdi_client_deliver(client);
    return status;
}

int shopdata_after_fork(shopdata_client *client, shopdata_error **error_out)
{
    int status = sdi_wanted(client, "client", error_out);
    return status ? status : sdi_client_after_fork(client, error_out);
}

int shopdata_metrics_take(shopdata_client *client, shopdata_metrics **metrics_out, shopdata_error **error_out)
{
    int status = sdi_client_check(client, error_out);
    status = status ? status : sdi_wanted(metrics_out, "metrics_out", error_out);
    if (status != SHOPDATA_OK)
        return status;
    status = sdi_client_metrics(client, metrics_out, error_out);
    sdi_client_deliver(client);
    return status;
}

int shopdata_metrics_emf(shopdata_metrics *metrics, const shopdata_metrics *previous, const char *name_space,
                         const char *dimensions, const char **text_out, shopdata_error **error_out)
{
    int status = sdi_wanted(metrics, "metrics", error_out);
    status = status ? status : sdi_wanted(name_space, "name_space", error_out);
    status = status ? status : sdi_wanted(text_out, "text_out", error_out);
    return status ? status : sdi_metrics_emf(metrics, previous, name_space, dimensions, text_out, error_out);
}
