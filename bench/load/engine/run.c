#include "clock.h"
#include "commands.h"
#include "options.h"
#include "settings.h"

struct run {
    load_settings settings;
    const char *label;
};

static bool take_config(void *into, const char *value, load_fault *fault)
{
    return load_settings_add_file(&((struct run *)into)->settings, value, fault);
}

static bool take_set(void *into, const char *value, load_fault *fault)
{
    return load_settings_add_pair(&((struct run *)into)->settings, value, fault);
}

static const load_option options[] = {
    {"config", "FILE", "the library's configuration; repeatable", take_config},
    {"set", "KEY=VALUE", "one key of it more; repeatable", take_set},
};

enum { OPTIONS = sizeof options / sizeof *options };

static const char head[] = "shopload run - generate load and measure; FORMAT.md tells what it prints\n\n";

int load_run_main(int count, char **arguments)
{
    static struct run run;
    load_fault fault;
    shopdata_client *client = NULL;
    if (load_options_asked(count, arguments)) {
        load_options_help(head, options, OPTIONS);
        return LOAD_EXIT_GOOD;
    }
    if (!load_options_read(options, OPTIONS, count, arguments, &run, &fault)) {
        load_complain("run: %s", fault.text);
        return LOAD_EXIT_USAGE;
    }
    if (!load_settings_open(&run.settings, &client, &fault)) {
        load_complain("run: %s", fault.text);
        return LOAD_EXIT_FAILED;
    }
    load_json json = {.file = stdout};
    load_json_begin(&json, NULL);
    load_json_text(&json, "type", "start");
    load_json_number(&json, "unix_s", load_unix_s(), 3);
    load_settings_write(&run.settings, &json);
    load_json_end(&json);
    shopdata_close(client);
    return load_json_line(&json) ? LOAD_EXIT_GOOD : LOAD_EXIT_FAILED;
}
