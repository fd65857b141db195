#include "grammar.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"

enum { ARGUMENTS_MAX = 9, DEPTH_MAX = 40 };

typedef struct alternative {
    unsigned weight;
    const char *file;
    int line;
    uint64_t number; /* no other has it */
    char *text;
} alternative;

typedef struct place {
    const char *file;
    int line;
} place;

typedef struct rule {
    unsigned weight; /* of all alternatives */
    bool swarms;
    sdi_buffer alternatives;
} rule;

struct grammar {
    sdi_map rules; /* rule * */
    uint64_t alternatives;
};

typedef struct production {
    const grammar *of;
    uint64_t swarm;
    prng *random;
    sdi_buffer *kind; /* NULL once it is known */
} production;

static alternative *alternatives_of(const rule *r, size_t *count)
{
    *count = r->alternatives.length / sizeof(alternative);
    return (alternative *)(void *)r->alternatives.data;
}

static void complain(place at, const char *what, sdi_slice about)
{
    fprintf(stderr, "%s.grammar:%d: %s: %.*s\n", at.file, at.line, what, (int)about.length, about.data);
    exit(EXIT_FAILURE);
}

static void require_memory(bool enough)
{
    if (enough)
        return;
    fprintf(stderr, "out of memory\n");
    exit(EXIT_FAILURE);
}

/* --------------------------------------------------------------------------------------------------------- reading */

static rule *begin_rule(grammar *g, place at, const char *text, size_t length)
{
    rule *r = sdi_calloc(1, sizeof *r);
    sdi_slice name = {text, strcspn(text, "~:")};
    bool swarms = text[name.length] == '~';
    if (name.length + swarms + 1 != length)
        complain(at, "a line that is not indented must be `name:` or `name~:`", (sdi_slice){text, length});
    if (sdi_map_get(&g->rules, name))
        complain(at, "a second rule of this name", name);
    require_memory(r && sdi_map_set(&g->rules, name, r));
    r->swarms = swarms;
    return r;
}

static void add_alternative(grammar *g, rule *r, place at, const char *text)
{
    size_t digits = strspn(text, "0123456789");
    alternative made = {1, at.file, at.line, g->alternatives++, NULL};
    if (digits && !strncmp(text + digits, "* ", 2)) {
        made.weight = (unsigned)strtoul(text, NULL, 10);
        text += digits + 2;
    }
    made.text = sdi_strdup(text);
    r->weight += made.weight;
    sdi_buffer_append(&r->alternatives, &made, sizeof made);
    require_memory(made.text && !r->alternatives.failed);
}

static void read_line(grammar *g, place at, char *text, rule **open)
{
    size_t length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    if (!length || text[0] == '#')
        return;
    if (text[0] != ' ')
        *open = begin_rule(g, at, text, length);
    else if (!*open)
        complain(at, "an alternative before the first rule", sdi_slice_of(text));
    else
        add_alternative(g, *open, at, text + strspn(text, " "));
}

/* A line that ends in a backslash goes on in the next one. */
static void read_lines(grammar *g, const char *name, FILE *file)
{
    char piece[1024];
    rule *open = NULL;
    sdi_buffer line = SDI_BUFFER_INIT;
    for (int number = 1; fgets(piece, sizeof piece, file); number++) {
        size_t length = strcspn(piece, "\n"), skipped = line.length ? strspn(piece, " ") : 0;
        bool goes_on = length && piece[length - 1] == '\\';
        sdi_buffer_append(&line, piece + skipped, length - skipped - goes_on);
        require_memory(!line.failed);
        if (goes_on)
            continue;
        read_line(g, (place){name, number}, line.data, &open);
        sdi_buffer_clear(&line);
    }
    sdi_buffer_free(&line);
}

static void check_call(const grammar *g, const alternative *at, const char *call)
{
    call += *call == '?';
    sdi_slice name = {call, strcspn(call, " }{")};
    bool computed = memchr(name.data, '@', name.length) || call[name.length] == '{' || !name.length;
    if (!computed && !isdigit((unsigned char)name.data[0]) && !sdi_map_get(&g->rules, name))
        complain((place){at->file, at->line}, "no rule of this name", name);
}

/* Every rule that is named by a plain name is there. */
static void check_rules(const grammar *g)
{
    size_t cursor = 0, count;
    for (rule *r; (r = sdi_map_next(&g->rules, &cursor, NULL));) {
        const alternative *of = alternatives_of(r, &count);
        for (size_t i = 0; i < count; i++)
            for (const char *at = of[i].text; (at = strchr(at, '{')); at++)
                if (at[1] == '{')
                    at++;
                else
                    check_call(g, &of[i], at + 1);
    }
}

static void read_file(grammar *g, const char *directory, const char *name)
{
    sdi_buffer path = SDI_BUFFER_INIT;
    sdi_buffer_printf(&path, "%s/%s.grammar", directory, name);
    require_memory(!path.failed);
    FILE *file = fopen(path.data, "r");
    if (!file) {
        perror(path.data);
        exit(EXIT_FAILURE);
    }
    read_lines(g, name, file);
    fclose(file);
    sdi_buffer_free(&path);
}

grammar *grammar_read(const char *directory, const char *const *files)
{
    grammar *g = sdi_calloc(1, sizeof *g);
    require_memory(g);
    for (; *files; files++)
        read_file(g, directory, *files);
    check_rules(g);
    return g;
}

void grammar_free(grammar *g)
{
    size_t cursor = 0, count;
    for (rule *r; (r = sdi_map_next(&g->rules, &cursor, NULL)); sdi_free(r)) {
        alternative *of = alternatives_of(r, &count);
        for (size_t i = 0; i < count; i++)
            sdi_free(of[i].text);
        sdi_buffer_free(&r->alternatives);
    }
    sdi_map_free(&g->rules);
    sdi_free(g);
}

/* ------------------------------------------------------------------------------------------------------- producing */

static void expand(production *p, const char *text, place at, sdi_buffer *out, int depth);

/* Where the call that begins behind the brace at `text` ends. */
static const char *end_of_call(const char *text)
{
    int open = 1;
    for (; *text; text++) {
        open += (*text == '{') - (*text == '}');
        if (!open)
            return text;
    }
    return NULL;
}

static size_t split_arguments(char *text, char *arguments[ARGUMENTS_MAX])
{
    size_t count = 0;
    for (char *next = text; next && count < ARGUMENTS_MAX;) {
        char *begin = next + strspn(next, " ");
        if ((next = strchr(begin, ';')))
            *next++ = '\0';
        arguments[count++] = begin;
    }
    return count;
}

/* Puts the arguments in the places of @1, @2... */
static char *substituted(const char *text, char *const *arguments, size_t count)
{
    sdi_buffer out = SDI_BUFFER_INIT;
    sdi_buffer_text(&out, "");
    for (; *text; text++) {
        size_t number = *text == '@' && isdigit((unsigned char)text[1]) ? (size_t)(text[1] - '0') : 0;
        if (!number) {
            sdi_buffer_char(&out, *text);
            continue;
        }
        if (number <= count)
            sdi_buffer_text(&out, arguments[number - 1]);
        text++;
    }
    char *made = sdi_buffer_take(&out);
    require_memory(made);
    return made;
}

/* Half of the alternatives take part. */
static bool takes_part(const production *p, const rule *r, const alternative *of)
{
    prng coin = {(p->swarm << 16) + of->number};
    return !r->swarms || prng_below(&coin, 2) == 0;
}

static unsigned weight_of(const production *p, const rule *r)
{
    size_t count;
    unsigned weight = 0;
    const alternative *of = alternatives_of(r, &count);
    for (size_t i = 0; i < count; i++)
        weight += takes_part(p, r, &of[i]) ? of[i].weight : 0;
    return weight;
}

/* Where none takes part all do. */
static const alternative *choose(production *p, const rule *r, size_t *index)
{
    size_t count;
    const alternative *of = alternatives_of(r, &count);
    unsigned weight = weight_of(p, r);
    uint64_t at = prng_below(p->random, weight ? weight : r->weight);
    for (*index = 0;; ++*index) {
        if (weight && !takes_part(p, r, &of[*index]))
            continue;
        if (at < of[*index].weight)
            return &of[*index];
        at -= of[*index].weight;
    }
}

static void apply(production *p, sdi_slice name, char *arguments_text, place at, sdi_buffer *out, int depth)
{
    char *arguments[ARGUMENTS_MAX];
    size_t index, count = split_arguments(arguments_text, arguments);
    const rule *r = sdi_map_get(&p->of->rules, name);
    if (!r)
        complain(at, "no rule of this name", name);
    const alternative *chosen = choose(p, r, &index);
    if (p->kind && depth == 1) {
        sdi_buffer_printf(p->kind, "%.*s/%zu", (int)name.length, name.data, index + 1);
        p->kind = NULL;
    }
    char *text = substituted(chosen->text, arguments, count);
    expand(p, text, (place){chosen->file, chosen->line}, out, depth + 1);
    sdi_free(text);
}

static bool is_integer(const sdi_buffer *value)
{
    bool digits = value->length && value->length < 18 && strspn(value->data, "0123456789") == value->length;
    return digits && (value->data[0] != '0' || value->length == 1);
}

/* A parameter: at times as a number, if it is one. */
static void bind(production *p, const char *call, place at, sdi_buffer *out, int depth)
{
    sdi_buffer value = SDI_BUFFER_INIT, text = SDI_BUFFER_INIT;
    sdi_buffer_printf(&text, "{%s}", call);
    sdi_buffer_text(&value, "");
    require_memory(!text.failed);
    expand(p, text.data, at, &value, depth);
    require_memory(!value.failed);
    bool integer = is_integer(&value) && prng_below(p->random, 2);
    sdi_buffer_char(out, integer ? GRAMMAR_PARAM_INTEGER : GRAMMAR_PARAM_TEXT);
    sdi_buffer_append(out, value.data, value.length);
    sdi_buffer_char(out, GRAMMAR_PARAM_END);
    sdi_buffer_free(&value);
    sdi_buffer_free(&text);
}

/* {1..9} */
static bool number_from(production *p, const char *call, sdi_buffer *out)
{
    char *end;
    long low = strtol(call, &end, 10);
    if (end == call || strncmp(end, "..", 2) != 0)
        return false;
    long high = strtol(end + 2, NULL, 10);
    sdi_buffer_printf(out, "%ld", low + (long)prng_below(p->random, (uint64_t)(high - low) + 1));
    return true;
}

static void call_rule(production *p, const char *call, place at, sdi_buffer *out, int depth)
{
    if (!strcmp(call, "?")) {
        sdi_buffer_char(out, GRAMMAR_PARAM_AGAIN);
    } else if (call[0] == '?') {
        bind(p, call + 1, at, out, depth);
    } else if (!number_from(p, call, out)) {
        sdi_buffer expanded = SDI_BUFFER_INIT;
        sdi_buffer *kind = p->kind;
        p->kind = NULL; /* arguments do not tell the kind */
        expand(p, call, at, &expanded, depth);
        p->kind = kind;
        require_memory(expanded.data && !expanded.failed);
        size_t length = strcspn(expanded.data, " ");
        apply(p, (sdi_slice){expanded.data, length}, expanded.data + length, at, out, depth);
        sdi_buffer_free(&expanded);
    }
}

static void expand(production *p, const char *text, place at, sdi_buffer *out, int depth)
{
    if (depth > DEPTH_MAX)
        complain(at, "nests too deeply", sdi_slice_of(text));
    for (; *text; text++) {
        if (*text == '\\' && text[1] == '_') {
            sdi_buffer_char(out, ' ');
            text++;
        } else if (*text != '{') {
            sdi_buffer_char(out, *text);
        } else if (text[1] == '{') {
            sdi_buffer_char(out, *text++);
        } else {
            const char *end = end_of_call(text + 1);
            if (!end)
                complain(at, "a brace that is not closed", sdi_slice_of(text));
            char *call = strndup(text + 1, (size_t)(end - text - 1));
            require_memory(call);
            call_rule(p, call, at, out, depth);
            free(call);
            text = end;
        }
    }
}

void grammar_produce(const grammar *g, const char *name, uint64_t swarm, prng *random, sdi_buffer *out,
                     sdi_buffer *kind)
{
    production p = {g, swarm, random, kind};
    char none[] = "";
    apply(&p, sdi_slice_of(name), none, (place){"", 0}, out, 0);
    if (p.kind)
        sdi_buffer_text(kind, name);
}
