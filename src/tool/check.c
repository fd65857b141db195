/* check.c - `shopdata check`: the configuration, then each node, the nodes together, the cache. */
#include <stdio.h>

#include "base/memory.h"
#include "model/config.h"
#include "tool/check.h"
#include "tool/tool.h"

static const char help[] =
    "usage: shopdata check CONFIG\n"
    "Reads a configuration, connects to every node and to the cache, and tells what they are,\n"
    "which rights and settings are missing for what, and what to do about it. Changes nothing but\n"
    "one key of its own in the cache, which it removes again. Returns 0 if there is no problem\n"
    "(there may be notes), 1 if there is, 2 if it was called wrongly.\n";

static void check_nodes(const sdi_settings *settings, sdi_report *report)
{
    sdi_checked_node *nodes = sdi_calloc(settings->node_count, sizeof *nodes);
    if (!nodes) {
        sdi_report_problem(report, "give it some", "no memory");
        return;
    }
    for (size_t i = 0; i < settings->node_count; i++)
        sdi_check_node(settings, &settings->nodes[i], &nodes[i], report);
    sdi_check_fleet(settings, nodes, settings->node_count, report);
    for (size_t i = 0; i < settings->node_count; i++)
        sdi_pg_close(nodes[i].connection);
    sdi_free(nodes);
}

static int check_all(const sdi_settings *settings)
{
    sdi_report report = {0};
    check_nodes(settings, &report);
    sdi_check_cache(settings, &report);
    sdi_report_sum(&report);
    return report.problems ? SDI_TOOL_PROBLEM : SDI_TOOL_GOOD;
}

static int check_file(const char *path, shopdata_error **error_out)
{
    shopdata_config *config = NULL;
    sdi_settings *settings = NULL;
    int status = sdi_config_new(&config, error_out);
    if (status == SHOPDATA_OK)
        status = sdi_config_read_file(config, path, error_out);
    if (status == SHOPDATA_OK)
        status = sdi_settings_make(config, &settings, error_out);
    sdi_config_free(config);
    if (status != SHOPDATA_OK)
        return SDI_TOOL_PROBLEM;
    status = check_all(settings);
    sdi_settings_free(settings);
    return status;
}

static int run(const sdi_tool_command *command, int count, char **arguments)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    shopdata_error *error = NULL;
    int status = SDI_TOOL_GOOD;
    if (sdi_tool_option(command, count, arguments, options, &status) == 0)
        return status;
    if (count - optind != 1)
        return sdi_tool_misused(command, count == optind ? "CONFIG is missing" : "one CONFIG at a time");
    status = check_file(arguments[optind], &error);
    return error ? sdi_tool_failed(command, error) : status;
}

const sdi_tool_command sdi_tool_check = {"check", help, run};
