/* The tags of one call. */
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "model/clock_words.h"
#include "model/param.h"
#include "model/plan_facts.h"

typedef struct call {
    const sdi_plan *plan;
    const shopdata_param *params;
    size_t count;
    sdi_tags *tags;
    bool outline; /* for people: $n in place of values */
} call;

static void add_table(sdi_tags *tags, const char *table)
{
    sdi_tags_add(tags, sdi_slice_of(table));
}

static void add_bulk(sdi_tags *tags, const char *table)
{
    sdi_buffer *text = sdi_tags_begin(tags);
    sdi_buffer_text(text, table);
    sdi_buffer_append(text, "/*", 2);
    sdi_tags_end(tags);
}

static bool append_part(const call *c, const sdi_key_part *part, sdi_buffer *text)
{
    sdi_buffer_text(text, part->column);
    sdi_buffer_char(text, '=');
    if (!part->parameter) {
        sdi_buffer_text(text, part->constant);
        return true;
    }
    if (c->outline) {
        sdi_buffer_printf(text, "$%zu", part->parameter);
        return true;
    }
    return part->parameter <= c->count &&
           sdi_key_param(text, part->type, &c->params[part->parameter - 1], part->shared);
}

/* False, and no tag, if a value of the key is none that we can spell. */
static bool add_row(const call *c, const sdi_hook *hook)
{
    sdi_buffer *text = sdi_tags_begin(c->tags);
    sdi_buffer_text(text, hook->table);
    bool known = true;
    for (size_t i = 0; known && i < SDI_COUNT(hook->key, sdi_key_part); i++) {
        sdi_buffer_char(text, i ? ',' : '/');
        known = append_part(c, &SDI_ITEMS(hook->key, sdi_key_part)[i], text);
    }
    if (known)
        sdi_tags_end(c->tags);
    else
        sdi_tags_drop(c->tags);
    return known;
}

static void hang_row(const call *c, const sdi_hook *hook)
{
    if (add_row(c, hook))
        add_bulk(c->tags, hook->table);
    else
        add_table(c->tags, hook->table);
}

static void bump_row(const call *c, const sdi_hook *hook)
{
    if (!add_row(c, hook))
        add_bulk(c->tags, hook->table);
    add_table(c->tags, hook->table);
}

static void add_hook(const call *c, const sdi_hook *hook)
{
    switch (hook->reach) {
    case SDI_REACH_ROW:
        if (c->plan->writes)
            bump_row(c, hook);
        else
            hang_row(c, hook);
        break;
    case SDI_REACH_BULK:
        add_bulk(c->tags, hook->table);
        add_table(c->tags, hook->table);
        break;
    case SDI_REACH_TABLE:
        add_table(c->tags, hook->table);
        break;
    }
}

/* ------------------------------------------------------------------------------------------------------- templates */

/* Reads the number behind a dollar sign; 0 if there is none, or one beyond all parameters. */
static size_t number_at(const char **text)
{
    size_t number = 0;
    for (; **text >= '0' && **text <= '9'; (*text)++)
        number = number > SDI_PARAMS_MAX ? number : number * 10 + (size_t)(**text - '0');
    return number > SDI_PARAMS_MAX ? 0 : number;
}

static void append_value(sdi_buffer *text, const shopdata_param *param)
{
    if (param->kind == SHOPDATA_NULL) {
        sdi_buffer_text(text, "NULL");
        return;
    }
    if (param->kind != SHOPDATA_BYTES) {
        sdi_param_text(param, text);
        return;
    }
    const unsigned char *bytes = param->value.bytes.data;
    for (size_t i = 0; i < param->value.bytes.length; i++)
        sdi_buffer_printf(text, "%02x", bytes[i]);
}

/* A value is not escaped: the application names the same tag to shopdata_invalidate, and a tag too many does no harm.
 */
static void add_own(const call *c, const char *at)
{
    sdi_buffer *text = sdi_tags_begin(c->tags);
    while (*at) {
        char byte = *at++;
        if (byte != '$') {
            sdi_buffer_char(text, byte);
        } else if (*at == '$') {
            sdi_buffer_char(text, *at++);
        } else {
            size_t number = number_at(&at);
            if (number && number <= c->count)
                append_value(text, &c->params[number - 1]);
        }
    }
    sdi_tags_end(c->tags);
}

static int bad_template(shopdata_error **error_out, const char *tag, const char *what)
{
    return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "tag \"%s\": %s", tag, what);
}

static int check_references(const char *tag, size_t parameters, shopdata_error **error_out)
{
    for (const char *at = tag; (at = strchr(at, '$'));) {
        if (*++at == '$') {
            at++;
            continue;
        }
        size_t number = number_at(&at);
        if (!number || number > parameters)
            return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT,
                            "tag \"%s\": behind $ must stand a number from 1 to %zu, the statement's parameters, or "
                            "another $",
                            tag, parameters);
    }
    return SHOPDATA_OK;
}

int sdi_tag_template_check(const char *tag, size_t parameters, shopdata_error **error_out)
{
    size_t length = strlen(tag);
    if (!length)
        return bad_template(error_out, tag, "is empty");
    if (length > SDI_TAG_MAX)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "a tag has %zu bytes, more than %d", length, SDI_TAG_MAX);
    if (sdi_utf8_fault(tag, length) != length)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "a tag is not UTF-8");
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)tag[i] < ' ' || tag[i] == 0x7f)
            return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "a tag has a control character at byte %zu", i);
    return check_references(tag, parameters, error_out);
}

/* ----------------------------------------------------------------------------------------------------------- calls */

static bool reads_clock(const shopdata_param *params, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (params[i].kind == SHOPDATA_TEXT &&
            sdi_says_clock((sdi_slice){params[i].value.bytes.data, params[i].value.bytes.length}))
            return true;
    return false;
}

static void add_all(const call *c)
{
    const sdi_hook *hooks = SDI_ITEMS(c->plan->hooks, sdi_hook);
    size_t hook_count = SDI_COUNT(c->plan->hooks, sdi_hook);
    for (size_t i = 0; i < hook_count; i++)
        add_hook(c, &hooks[i]);
    for (size_t i = 0; i < SDI_COUNT(c->plan->own, char *); i++) {
        const char *own = SDI_ITEMS(c->plan->own, char *)[i];
        if (c->outline)
            sdi_tags_add(c->tags, sdi_slice_of(own));
        else
            add_own(c, own);
    }
    if (c->plan->writes)
        return;
    sdi_tags_rest_if_empty(c->tags);
    for (size_t i = 0; i < hook_count; i++)
        if (hooks[i].reach == SDI_REACH_ROW)
            add_table(c->tags, hooks[i].table);
}

bool sdi_plan_tags(const sdi_plan *plan, const shopdata_param *params, size_t count, sdi_tags *tags)
{
    add_all(&(call){plan, params, count, tags, false});
    return sdi_plan_keeps(plan, params, count);
}

bool sdi_plan_keeps(const sdi_plan *plan, const shopdata_param *params, size_t count)
{
    return plan->writes || !reads_clock(params, count);
}

void sdi_plan_outline(const sdi_plan *plan, sdi_tags *tags)
{
    add_all(&(call){plan, NULL, 0, tags, true});
}
