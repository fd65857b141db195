/* generate - prints a page of doc/ that is made from a table of the library, so that it cannot say anything else:
 *
 *     build/doc/generate configuration > doc/configuration.md
 *     build/doc/generate metrics > doc/metrics.md
 *     build/doc/generate logging > doc/logging.md
 *
 * A test compares the committed pages with what this prints. `generate manual` prints shopdata.ini(5), which is made
 * when the library is built. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "finish.h"
#include "generate.h"
#include "model/config_value.h"
#include "model/log_events.h"
#include "model/metrics_table.h"

static const char configuration_intro[] =
    "# Configuration\n"
    "\n"
    "<!-- Made by doc/generate.c from the table in src/model/config_keys.c. Change those, not this page. -->\n"
    "\n"
    "A configuration comes from a file (`shopdata_config_read_file`), from single keys (`shopdata_config_set`), or "
    "from\n"
    "both: what is set later wins. [shopdata.ini.example](shopdata.ini.example) is a file to begin with.\n"
    "\n"
    "```ini\n"
    "# the least that works\n"
    "[node primary]\n"
    "conninfo = host=db1 dbname=shop user=shop\n"
    "```\n"
    "\n"
    "The same key in a call has its section in front, and the name where the section has one:\n"
    "\n"
    "```c\n"
    "shopdata_config_set(config, \"node.primary.conninfo\", \"host=db1 dbname=shop user=shop\", &error);\n"
    "shopdata_config_set(config, \"cache.kind\", \"redis\", &error);\n"
    "```\n"
    "\n"
    "In a call the value is taken as it is: nothing is trimmed, and quotes are part of it.\n"
    "\n"
    "## The file\n"
    "\n"
    "- UTF-8, at most 1 MiB; lines may be as long as they like and end in LF or CRLF.\n"
    "- `[section]` or `[section NAME]` stands alone on its line; a name is 1 to 31 letters, digits, `-` and `_`. A\n"
    "  section may appear more than once, a key of it only once.\n"
    "- `key = value`. Blanks around both are dropped; double quotes around the value keep them, with `\\\"` for a "
    "quote\n"
    "  and `\\\\` for a backslash inside.\n"
    "- A line that begins with `#` or `;` is a comment. Behind a value there is none: a password may contain both.\n"
    "- All faults are told at once, each as `FILE:LINE: key: what is wrong; what would be right`, and a file with a\n"
    "  fault changes nothing.\n"
    "\n"
    "## The values\n"
    "\n"
    "| type | written as |\n"
    "| --- | --- |\n"
    "| duration | a number and a unit: `250ms`, `1.5s`, `10m`, `24h`, `30d`. Never a bare number. |\n"
    "| bytes | a number and a unit, each 1024 of the one before: `512B`, `64KiB`, `1.5MiB`, `1GiB`. A bare number is "
    "bytes. |\n"
    "| number | digits |\n"
    "| percent | digits, with or without `%` |\n"
    "| switch | `on` or `off` |\n"
    "| addresses | `host:port`, `[IPv6]:port`, or the `/path` of a socket; several with commas between |\n"
    "| word | printable ASCII without blanks |\n"
    "| text, secret | any text; a secret is never shown in a message |\n";

static const char metrics_intro[] =
    "# Metrics\n"
    "\n"
    "<!-- Made by doc/generate.c from the table in src/model/metrics_table.c. Change those, not this page. -->\n"
    "\n"
    "`shopdata_metrics_take` copies all of them at one moment; `shopdata_metrics_prometheus` writes the copy in\n"
    "Prometheus' text format 0.0.4, and `shopdata_metrics_emf` in CloudWatch's embedded metric format. Each client\n"
    "counts for itself, from 0 when it is opened.\n"
    "\n"
    "- A **counter** only grows: look at its rate. A **gauge** is what holds now.\n"
    "- A **histogram** appears as `_bucket` (how many were at most `le`), `_sum` and `_count`. Its values are\n"
    "  known to 1/16, so what lies that close under a bound may be counted in the next bucket.\n"
    "- A label's values are all there from the start, at 0.\n"
    "\n"
    "There is no gauge of the hit ratio: compute it over the time that interests. Of each policy it is\n"
    "\n"
    "```\n"
    "sum by (policy) (rate(shopdata_cache_hits_total[5m])) /\n"
    "  (sum by (policy) (rate(shopdata_cache_hits_total[5m])) + sum by (policy) "
    "(rate(shopdata_cache_misses_total[5m])))\n"
    "```\n"
    "\n"
    "and without `by (policy)` that of all. CloudWatch gets it computed, as `shopdata_cache_hit_ratio`.\n"
    "\n"
    "For CloudWatch print the documents once a minute, each with what was added since the one before:\n"
    "\n"
    "```c\n"
    "if (!shopdata_metrics_take(client, &now, &error) &&\n"
    "    !shopdata_metrics_emf(now, before, \"Shop\", \"service=web\", &text, &error))\n"
    "    fputs(text, stdout);\n"
    "shopdata_metrics_free(before);\n"
    "before = now;\n"
    "```\n"
    "\n"
    "Worth an alarm: `shopdata_unfenced_pending_tags` above 0 for minutes, `shopdata_node_breaker_state` at 2, a rate\n"
    "of `shopdata_errors_total{kind=\"busy\"}`, and any\n"
    "`shopdata_transactions_abandoned_total`, which is a mistake in the calling program.\n"
    "\n";

static const char logging_intro[] =
    "# Logging\n"
    "\n"
    "<!-- Made by doc/generate.c from the table in src/model/log_events.c. Change those, not this page. -->\n"
    "\n"
    "The library prints nothing. What an operator should know goes, a line each, to a function that you set:\n"
    "\n"
    "```c\n"
    "static void to_stderr(void *context, int level, const char *line)\n"
    "{\n"
    "    (void)context;\n"
    "    if (level <= SHOPDATA_LOG_WARNING)\n"
    "        fprintf(stderr, \"%s\\n\", line);\n"
    "}\n"
    "\n"
    "shopdata_config_set_log(config, to_stderr, NULL, &error); /* before shopdata_open */\n"
    "```\n"
    "\n"
    "- It is called in your own threads only, in a call of the library that is about to return, without any lock, and\n"
    "  by one thread at a time. Lines of the library's own threads wait for the next call of any of yours; a process\n"
    "  that makes none calls `shopdata_log_flush` now and then. At most 256 lines wait.\n"
    "- A line is `key=value` pairs (logfmt): `ts` (when it happened, UTC), `level`, `event`, then what the table "
    "says.\n"
    "  A value with a blank, a quote or `=` in it stands in double quotes, with `\\` before a quote or a backslash.\n"
    "  Values are cut after 300 bytes, which `...` shows.\n"
    "- Passwords, connection strings and the values of parameters are never in it. The text of a slow statement is: "
    "keep\n"
    "  what is secret out of it, in parameters.\n"
    "- `shopdata.log_level` chooses the levels. Of each event `shopdata.log_rate` lines a second come in the\n"
    "  long run, ten times that at once; the next one has `suppressed=` with how many did not.\n"
    "  `shopdata_log_lines_total` and `shopdata_log_lines_dropped_total`\n"
    "  count.\n"
    "- Calls that fail are told to their caller, not here. Slow ones are: `shopdata.slow_query`.\n"
    "\n"
    "```\n"
    "ts=2026-03-01T09:41:07.312Z level=warning event=node_lost node=replica1 role=replica reason=\"db2:5432: server "
    "closed the connection unexpectedly\"\n"
    "```\n"
    "\n"
    "| event | level | keys | meaning |\n"
    "| --- | --- | --- | --- |\n";

static const char *type_word(enum sdi_key_type type)
{
    static const char *const words[SDI_KEY_TYPES] = {
        [SDI_KEY_TEXT] = "text",           [SDI_KEY_SECRET] = "secret",     [SDI_KEY_WORD] = "word",
        [SDI_KEY_INT] = "number",          [SDI_KEY_PERCENT] = "percent",   [SDI_KEY_DURATION] = "duration",
        [SDI_KEY_BYTES] = "bytes",         [SDI_KEY_BOOL] = "switch",       [SDI_KEY_CHOICE] = "choice",
        [SDI_KEY_ADDRESSES] = "addresses", [SDI_KEY_TOKEN_KEYS] = "secret",
    };
    return words[type];
}

static bool has_range(enum sdi_key_type type)
{
    return type == SDI_KEY_INT || type == SDI_KEY_PERCENT || type == SDI_KEY_DURATION || type == SDI_KEY_BYTES;
}

void generate_type(sdi_buffer *out, const sdi_config_key *key)
{
    sdi_buffer_text(out, type_word(key->type));
    if (has_range(key->type)) {
        sdi_buffer_text(out, ", ");
        sdi_config_value_show(out, key->type, key->low);
        sdi_buffer_text(out, " to ");
        sdi_config_value_show(out, key->type, key->high);
    } else if (key->type != SDI_KEY_BOOL && key->high) {
        sdi_buffer_printf(out, ", %" PRId64 " to %" PRId64 " bytes", key->low, key->high);
    }
    for (size_t i = 0; key->choices && key->choices[i]; i++)
        sdi_buffer_printf(out, "%s`%s`", i ? ", " : ": ", key->choices[i]);
}

static void print_key(const sdi_config_key *key)
{
    sdi_buffer about = SDI_BUFFER_INIT;
    generate_type(&about, key);
    printf("| `%s` | %s", key->name, about.data ? about.data : "");
    sdi_buffer_free(&about);
    if (!key->fallback)
        fputs(" | must be set", stdout);
    else
        printf(*key->fallback ? " | `%s`" : " | empty%s", key->fallback);
    printf(" | %s |\n", key->help);
}

static void print_configuration(void)
{
    fputs(configuration_intro, stdout);
    for (int i = 0; i < SDI_SECTIONS; i++) {
        const sdi_section *section = &sdi_sections[i];
        printf("\n## [%s%s]\n\n%s\n\n", section->name, section->named ? " NAME" : "", section->help);
        fputs("| key | type | default | meaning |\n| --- | --- | --- | --- |\n", stdout);
        for (size_t j = 0; j < sdi_config_key_count; j++)
            if (sdi_config_keys[j].section == (enum sdi_section_kind)i)
                print_key(&sdi_config_keys[j]);
    }
    fputs(
        "\n## What is checked as a whole\n\n`shopdata_open` wants at least one node (64 at most, and 256 policies), a "
        "`conninfo` for each,\n`breaker_open` not over `breaker_open_max`, `cache.password` where there is a "
        "`cache.user`, and, for the\n`memory` cache, `max_entry_bytes` not over `memory_bytes`.\n",
        stdout);
}

/* Values that differ from build to build are not printed. */
static void print_label(enum sdi_label_set set)
{
    const sdi_label *label = &sdi_labels[set];
    if (set == SDI_LABEL_NONE)
        return;
    printf("`%s`", label->name);
    if (set == SDI_LABEL_NODE || set == SDI_LABEL_POLICY)
        printf(": the name of the %s", label->name);
    for (size_t i = 0; label->count > 1 && i < label->count; i++)
        printf("%s%s", i ? ", " : ": ", label->values[i]);
}

static void print_bounds(const char *unit)
{
    sdi_metric_description any = {.unit = unit};
    printf("\nThe bounds of the histograms in %s:", unit);
    for (size_t i = 0; i < SDI_METRIC_BOUNDS; i++)
        printf("%s %s", i ? "," : "", sdi_metric_scale_of(&any)->bounds[i].text);
    fputs(".\n", stdout);
}

static void print_metrics(void)
{
    static const char *const types[] = {"", "counter", "gauge", "histogram"};
    fputs(metrics_intro, stdout);
    fputs("| metric | type | unit | label | meaning |\n| --- | --- | --- | --- | --- |\n", stdout);
    for (size_t i = 0; i < SDI_METRICS; i++) {
        const sdi_metric_description *about = &sdi_metric_table[i];
        printf("| `%s` | %s | %s | ", about->name, types[about->type], about->unit);
        print_label(about->labels[0]);
        if (about->labels[1] != SDI_LABEL_NONE)
            fputs("; ", stdout);
        print_label(about->labels[1]);
        printf(" | %s |\n", about->help);
    }
    print_bounds("seconds");
    print_bounds("bytes");
}

static void print_logging(void)
{
    fputs(logging_intro, stdout);
    for (size_t i = 0; i < SDI_LOG_EVENTS; i++) {
        const sdi_log_description *about = &sdi_log_table[i];
        printf("| `%s` | %s | ", about->name, sdi_log_level_name(about->level));
        for (size_t j = 0; about->keys[j]; j++)
            printf("%s`%s`", j ? ", " : "", about->keys[j]);
        printf(" | %s |\n", about->help);
    }
}

int main(int count, char **arguments)
{
    const char *page = count == 2 ? arguments[1] : "";
    if (!strcmp(page, "configuration"))
        print_configuration();
    else if (!strcmp(page, "metrics"))
        print_metrics();
    else if (!strcmp(page, "logging"))
        print_logging();
    else if (!strcmp(page, "manual"))
        generate_manual();
    else
        return fputs("usage: generate configuration|metrics|logging|manual\n", stderr), 2;
    return finish_page("generate");
}
