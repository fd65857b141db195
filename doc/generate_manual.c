/* generate_manual.c - shopdata.ini(5) of the table of configuration keys. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <shopdata/version.h>

#include "generate.h"
#include "model/config_value.h"

static const char begin[] =
    ".TH SHOPDATA.INI 5 \"\" \"libshopdata " SHOPDATA_VERSION "\" \"libshopdata\"\n"
    ".SH NAME\n"
    "shopdata.ini \\- configuration of libshopdata\n"
    ".SH DESCRIPTION\n"
    "The file that\n"
    ".BR shopdata_config_read_file (3)\n"
    "and\n"
    ".BR shopdata (1)\n"
    "read: sections, and in them lines\n"
    ".IB key \" = \" value\\fR.\n"
    "It is UTF\\-8, at most 1 MiB. A line that begins with\n"
    ".B #\n"
    "or\n"
    ".B ;\n"
    "is a comment; behind a value there is none. Blanks around a value are dropped; double quotes around it keep "
    "them,\n"
    "with a backslash before a quote or a backslash inside. All faults of a file are told at once.\n"
    ".PP\n"
    "A duration is a number with a unit:\n"
    ".BR 250ms ,\n"
    ".BR 1.5s ,\n"
    ".BR 10m ,\n"
    ".BR 24h ,\n"
    ".BR 30d .\n"
    "A size is a number of bytes, or one with a unit:\n"
    ".BR 64KiB ,\n"
    ".BR 1.5MiB ,\n"
    ".BR 1GiB .\n"
    "A switch is\n"
    ".B on\n"
    "or\n"
    ".BR off .\n";

static const char end[] = ".SH EXAMPLES\n"
                          ".EX\n"
                          "[node primary]\n"
                          "conninfo = host=db1 dbname=shop user=shop sslmode=verify\\-full\n"
                          "[node replica1]\n"
                          "conninfo = host=db2 dbname=shop user=shop sslmode=verify\\-full\n"
                          "[cache]\n"
                          "kind = redis\n"
                          "address = cache.example.com:6379\n"
                          "[policy default]\n"
                          "ttl = 5m\n"
                          ".EE\n"
                          ".SH SEE ALSO\n"
                          ".BR shopdata (1),\n"
                          ".BR shopdata (3)\n";

/* Text as roff reads it; what stands between backquotes comes out bold. */
static void put(const char *text)
{
    int bold = 0;
    if (*text == '.' || *text == '\'')
        fputs("\\&", stdout);
    for (; *text; text++) {
        if (*text == '`')
            fputs((bold = !bold) ? "\\fB" : "\\fR", stdout);
        else if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else if (*text == '\'')
            fputs("\\(aq", stdout);
        else
            putchar(*text);
    }
}

static void put_key(const sdi_config_key *key)
{
    sdi_buffer about = SDI_BUFFER_INIT;
    generate_type(&about, key);
    fputs(".TP\n.B ", stdout);
    put(key->name);
    putchar('\n');
    put(key->help);
    putchar('\n');
    sdi_buffer_text(&about, key->fallback && *key->fallback ? "; default `" : "; ");
    sdi_buffer_text(&about, !key->fallback ? "must be set" : *key->fallback ? key->fallback : "empty by default");
    sdi_buffer_text(&about, key->fallback && *key->fallback ? "`.\n" : ".\n");
    put("Type: ");
    put(about.data ? about.data : "");
    sdi_buffer_free(&about);
}

void generate_manual(void)
{
    fputs(begin, stdout);
    for (int i = 0; i < SDI_SECTIONS; i++) {
        const sdi_section *section = &sdi_sections[i];
        printf(".SH [%s%s]\n", section->name, section->named ? " NAME" : "");
        put(section->help);
        putchar('\n');
        for (size_t j = 0; j < sdi_config_key_count; j++)
            if (sdi_config_keys[j].section == (enum sdi_section_kind)i)
                put_key(&sdi_config_keys[j]);
    }
    fputs(end, stdout);
}
