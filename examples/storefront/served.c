#include "served.h"

#include <stdio.h>
#include <string.h>

#include "format.h"

static bool is_from_cache(const shopdata_result *result)
{
    int source = shopdata_result_source(result);
    return source == SHOPDATA_FROM_CACHE || source == SHOPDATA_FROM_STALE || source == SHOPDATA_FROM_LOCAL;
}

/* "cache", or the node that answered: "replica2". */
static const char *who(const shopdata_result *result)
{
    return is_from_cache(result) ? "cache" : shopdata_result_node(result);
}

static bool is_told_before(const struct shop_batch *batch, size_t read)
{
    for (size_t i = 0; i < read; i++) {
        if (!strcmp(who(batch->results[i]), who(batch->results[read])))
            return true;
    }
    return false;
}

/* All who answered, each once: "cache", or "cache and replica2". */
static void summarise(const struct shop_batch *batch, char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < batch->count && length < size; i++) {
        if (!is_told_before(batch, i))
            length += (size_t)snprintf(text + length, size - length, "%s%s", i ? " and " : "", who(batch->results[i]));
    }
}

static void tell_read(struct shop_output *out, const char *name, const shopdata_result *result)
{
    char age[40] = "";
    if (is_from_cache(result))
        snprintf(age, sizeof age, "%.1f s ago", (double)shopdata_result_age_ms(result) / 1000);
    shop_html(out, "<li><span>%s</span> %s", name, who(result));
    if (is_from_cache(result))
        shop_html(out, ", read by %s %s", shopdata_result_node(result), age);
    shop_put(out, "</li>");
}

void shop_served_html(struct shop_output *out, const struct shop_batch *batch)
{
    char names[160], ms[32];
    summarise(batch, names, sizeof names);
    snprintf(ms, sizeof ms, "%.1f ms", batch->ms);
    shop_html(out, "<div class=\"served\"><p>Data from <strong>%s, %s</strong></p><ul>", names, ms);
    for (size_t i = 0; i < batch->count; i++)
        tell_read(out, batch->names[i], batch->results[i]);
    shop_put(out, "</ul></div>\n");
}

void shop_served_json(struct shop_output *out, const struct shop_batch *batch)
{
    char names[160], number[32];
    summarise(batch, names, sizeof names);
    shop_json(out, "\"served\":{\"from\":%s,\"ms\":", names);
    snprintf(number, sizeof number, "%.3f", batch->ms);
    shop_put(out, number);
    shop_put(out, ",\"reads\":[");
    for (size_t i = 0; i < batch->count; i++) {
        shop_json(out,
                  i ? ",{\"read\":%s,\"from\":%s,\"node\":%s,\"age_ms\":"
                    : "{\"read\":%s,\"from\":%s,\"node\":%s,\"age_ms\":",
                  batch->names[i], who(batch->results[i]), shopdata_result_node(batch->results[i]));
        snprintf(number, sizeof number, "%lld}", (long long)shopdata_result_age_ms(batch->results[i]));
        shop_put(out, number);
    }
    shop_put(out, "]}");
}
