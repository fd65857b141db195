#include <stdio.h>

#include "tool/tool.h"

static void log_line(void *context, int level, const char *line)
{
    (void)context;
    if (level <= SHOPDATA_LOG_WARNING)
        fprintf(stderr, "%s\n", line);
}

int sdi_tool_open(const char *path, shopdata_client **client_out, shopdata_error **error_out)
{
    shopdata_config *config = NULL;
    int status = shopdata_config_new(&config, error_out);
    if (status == SHOPDATA_OK)
        status = shopdata_config_read_file(config, path, error_out);
    if (status == SHOPDATA_OK)
        status = shopdata_config_set_log(config, log_line, NULL, error_out);
    if (status == SHOPDATA_OK)
        status = shopdata_open(config, client_out, error_out);
    shopdata_config_free(config);
    return status;
}
