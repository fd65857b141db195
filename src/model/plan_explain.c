/* A plan in words. */
#include "model/plan_facts.h"

static void put_line(sdi_buffer *text, const char *beginning, const sdi_tags *tags, size_t from, size_t to)
{
    sdi_buffer_printf(text, "\n%s", beginning);
    for (size_t i = from; i < to; i++) {
        sdi_slice tag = sdi_tags_at(tags, i);
        sdi_buffer_text(text, i > from ? ", " : " ");
        sdi_buffer_append(text, tag.data, tag.length);
    }
    if (from == to)
        sdi_buffer_text(text, " nothing");
}

static void put_tags(sdi_buffer *text, const sdi_plan *plan)
{
    sdi_tags tags = SDI_TAGS_INIT;
    sdi_plan_outline(plan, &tags);
    put_line(text, plan->writes ? "bumps" : "hangs on", &tags, 0, tags.required);
    if (tags.count > tags.required)
        put_line(text, "an empty answer also on", &tags, tags.required, tags.count);
    text->failed |= sdi_tags_failed(&tags);
    sdi_tags_free(&tags);
}

static void put_settings(sdi_buffer *text, const sdi_plan *plan)
{
    size_t count = SDI_COUNT(plan->settings, char *);
    for (size_t i = 0; i < count; i++)
        sdi_buffer_printf(text, "%s%s", i ? ", " : "\nonly for sessions that have set ",
                          SDI_ITEMS(plan->settings, char *)[i]);
}

static const char *heading(enum sdi_plan_kind kind)
{
    switch (kind) {
    case SDI_PLAN_CACHED:
        return "read, cached";
    case SDI_PLAN_UNCACHED:
        return "read, not cached: ";
    case SDI_PLAN_PRIMARY:
        return "read on the primary, not cached: ";
    case SDI_PLAN_WRITE:
        return "write";
    case SDI_PLAN_UNDECLARED:
        return "refused: ";
    }
    return "";
}

char *sdi_plan_explanation(const sdi_plan *plan)
{
    sdi_buffer text = SDI_BUFFER_INIT;
    sdi_buffer_text(&text, heading(plan->kind));
    sdi_buffer_text(&text, plan->reason);
    if (plan->kind == SDI_PLAN_CACHED || plan->kind == SDI_PLAN_WRITE)
        put_tags(&text, plan);
    put_settings(&text, plan);
    return sdi_buffer_take(&text);
}
