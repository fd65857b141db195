#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "statement.h"

static void fail(const char *what, const char *text)
{
    fprintf(stderr, "%s: %s\n", what, text);
    exit(EXIT_FAILURE);
}

/* Appends $n for a marked parameter, keeps its value, and returns what is behind it. */
static const char *take_param(step *of, const char *text, sdi_buffer *sql)
{
    size_t length = strcspn(text + 1, (const char[]){GRAMMAR_PARAM_END, '\0'});
    if (of->count == STEP_PARAMS_MAX)
        fail("too many parameters", text);
    bool null = length == 2 && !strncmp(text + 1, "\\N", 2);
    of->values[of->count] = null ? NULL : strndup(text + 1, length);
    of->integers[of->count] = *text == GRAMMAR_PARAM_INTEGER;
    sdi_buffer_printf(sql, "$%zu", ++of->count);
    return text + 1 + length + 1;
}

static void take_sql(step *of, const char *text, const char *end)
{
    sdi_buffer sql = SDI_BUFFER_INIT;
    while (text < end)
        if (*text == GRAMMAR_PARAM_TEXT || *text == GRAMMAR_PARAM_INTEGER)
            text = take_param(of, text, &sql);
        else if (*text == GRAMMAR_PARAM_AGAIN)
            sdi_buffer_printf(&sql, "$%zu", of->count), text++;
        else
            sdi_buffer_char(&sql, *text++);
    of->sql = sdi_buffer_take(&sql);
    if (!of->sql)
        fail("out of memory", text);
}

static bool take_word(const char **text, const char *word)
{
    if (strncmp(*text, word, strlen(word)) != 0)
        return false;
    *text += strlen(word);
    return true;
}

static void take_step(step *of, const char *text, const char *end)
{
    while (*text == ' ')
        text++;
    while (end > text && end[-1] == ' ')
        end--;
    of->reads = take_word(&text, "READ ") && true;
    while (take_word(&text, "TAG ")) {
        size_t length = strcspn(text, " ");
        if (of->tag_count == STEP_TAGS_MAX)
            fail("too many tags", text);
        of->tags[of->tag_count++] = strndup(text, length);
        text += length + 1;
    }
    take_sql(of, text, end);
}

sentence *sentence_make(const grammar *g, const char *rule, uint64_t swarm, prng *random)
{
    sdi_buffer text = SDI_BUFFER_INIT, kind = SDI_BUFFER_INIT;
    sentence *made = sdi_calloc(1, sizeof *made);
    grammar_produce(g, rule, swarm, random, &text, &kind);
    if (!made || text.failed || !text.length || !(made->kind = sdi_buffer_take(&kind)))
        fail("cannot make a statement", rule);
    for (const char *at = text.data; at;) {
        const char *end = strstr(at, ";;");
        if (made->count == STEPS_MAX)
            fail("too many steps", text.data);
        take_step(&made->steps[made->count++], at, end ? end : text.data + text.length);
        at = end ? end + 2 : NULL;
    }
    sdi_buffer_free(&text);
    return made;
}

static void step_free(step *of)
{
    sdi_free(of->sql);
    for (size_t i = 0; i < of->tag_count; i++)
        free(of->tags[i]);
    for (size_t i = 0; i < of->count; i++)
        free(of->values[i]);
}

void sentence_free(sentence *made)
{
    for (size_t i = 0; made && i < made->count; i++)
        step_free(&made->steps[i]);
    if (made)
        sdi_free(made->kind);
    sdi_free(made);
}

void step_params(const step *of, shopdata_param params[STEP_PARAMS_MAX])
{
    for (size_t i = 0; i < of->count; i++)
        params[i] = of->integers[i] ? shopdata_int64(strtoll(of->values[i], NULL, 10)) : shopdata_text(of->values[i]);
}

void step_print(const step *of, FILE *file)
{
    for (size_t i = 0; i < of->tag_count; i++)
        fprintf(file, "TAG %s ", of->tags[i]);
    fprintf(file, "%s%s", of->reads ? "READ " : "", of->sql);
    for (size_t i = 0; i < of->count; i++)
        fprintf(file, of->values[i] ? "%s$%zu = '%s'" : "%s$%zu = NULL", i ? ", " : "   -- ", i + 1,
                of->values[i] ? of->values[i] : "");
    fputc('\n', file);
}
