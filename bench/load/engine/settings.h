/* settings.h - the library's configuration, as the command line gives it: files and single keys. */
#ifndef LOAD_SETTINGS_H
#define LOAD_SETTINGS_H

#include <shopdata/shopdata.h>

#include "fault.h"
#include "json.h"

enum { LOAD_SETTINGS_MAX = 256, LOAD_SETTINGS_SHOWN = 256 };

typedef struct load_settings {
    const char *files[LOAD_SETTINGS_MAX];
    const char *pairs[LOAD_SETTINGS_MAX]; /* KEY=VALUE */
    size_t file_count, pair_count;
} load_settings;

bool load_settings_add_file(load_settings *settings, const char *path, load_fault *fault);
bool load_settings_add_pair(load_settings *settings, const char *pair, load_fault *fault);
/* load_settings_open makes a client of them, and waits until a node answers. The policies that our statements name are
 * there. */
bool load_settings_open(const load_settings *settings, shopdata_client **client_out, load_fault *fault);
/* load_settings_write tells the single keys; not what is secret. */
void load_settings_write(const load_settings *settings, load_json *json);

/* load_settings_show is an argument as it may be printed: KEY=(secret) where it is a secret's. */
const char *load_settings_show(const char *argument, char shown[LOAD_SETTINGS_SHOWN]);

#endif
