/* The reader of configuration files. It goes on after a fault, so that one run tells them all, and works on a copy, so
 * that a faulty file changes nothing. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "model/config.h"
#include "model/config_value.h"
#include "model/faults.h"

enum { FILE_MAX = 1 << 20 };

typedef struct reader {
    shopdata_config *config; /* the copy that takes the values */
    const char *file;        /* for messages */
    size_t line;
    bool in_section; /* false: before the first section, or in one that is unknown */
    bool skipping;   /* in a section that is unknown: its keys would only be told again */
    enum sdi_section_kind section;
    sdi_slice name;
    sdi_faults faults;
    bool no_memory;
} reader;

static int file_fault(shopdata_error **error_out, const char *file, const char *what)
{
    return sdi_fail(error_out, SHOPDATA_ERR_CONFIG, "%s: %s", file, what);
}

static int file_errno(shopdata_error **error_out, const char *file, const char *what, int number)
{
    char room[128];
    return sdi_fail(error_out, SHOPDATA_ERR_CONFIG, "%s: cannot %s: %s", file, what,
                    strerror_r(number, room, sizeof room));
}

static int read_all(int descriptor, const char *file, sdi_buffer *text, shopdata_error **error_out)
{
    while (text->length <= FILE_MAX) {
        if (!sdi_buffer_reserve(text, 16384))
            return sdi_no_memory(error_out);
        ssize_t got = read(descriptor, text->data + text->length, 16384);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return file_errno(error_out, file, "read", errno);
        if (got == 0)
            return SHOPDATA_OK;
        text->length += (size_t)got;
    }
    return file_fault(error_out, file, "is larger than 1 MiB; that is no configuration");
}

static int read_descriptor(int descriptor, const char *file, sdi_buffer *text, shopdata_error **error_out)
{
    struct stat about;
    if (fstat(descriptor, &about))
        return file_errno(error_out, file, "read", errno);
    if (S_ISDIR(about.st_mode))
        return file_fault(error_out, file, "is a directory; name a file");
    if (!S_ISREG(about.st_mode))
        return file_fault(error_out, file, "is not a regular file; name a file");
    return read_all(descriptor, file, text, error_out);
}

static int read_file(const char *path, const char *file, sdi_buffer *text, shopdata_error **error_out)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hold us up */
    if (descriptor < 0)
        return file_errno(error_out, file, "open", errno);
    int status = read_descriptor(descriptor, file, text, error_out);
    close(descriptor);
    return status;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static sdi_slice trim(sdi_slice text)
{
    while (text.length && is_blank(text.data[0])) {
        text.data++;
        text.length--;
    }
    while (text.length && is_blank(text.data[text.length - 1]))
        text.length--;
    return text;
}

/* Adds a fault of this line, with an empty `key` of the line as such; frees `what`. */
static void add_fault(reader *in, sdi_slice key, sdi_buffer *what)
{
    sdi_buffer where = SDI_BUFFER_INIT;
    if (key.length) {
        sdi_buffer_text(&where, sdi_sections[in->section].name);
        sdi_buffer_printf(&where, "%s%.*s.%.*s: ", in->name.length ? "." : "", (int)in->name.length, in->name.data,
                          (int)key.length, key.data);
    }
    if (where.failed || what->failed)
        in->no_memory = true;
    else
        sdi_faults_add(&in->faults, "%s:%zu: %s%s", in->file, in->line, where.data ? where.data : "", what->data);
    sdi_buffer_free(&where);
    sdi_buffer_free(what);
}

static void line_fault(reader *in, const char *what)
{
    sdi_faults_add(&in->faults, "%s:%zu: %s", in->file, in->line, what);
}

static void name_fault(reader *in, sdi_slice name)
{
    const char *section = sdi_sections[in->section].name;
    sdi_buffer what = SDI_BUFFER_INIT;
    if (!sdi_sections[in->section].named) {
        sdi_buffer_printf(&what, "[%s] takes no name; write [%s]", section, section);
    } else if (!name.length) {
        sdi_buffer_printf(&what, "[%s] has no name; write [%s NAME]", section, section);
    } else {
        sdi_quote(&what, name);
        sdi_buffer_text(&what, " is not a name; write 1 to 31 letters, digits, - and _");
    }
    add_fault(in, (sdi_slice){NULL, 0}, &what);
}

static void enter_section(reader *in, int section, sdi_slice name)
{
    in->section = (enum sdi_section_kind)section;
    in->name = (sdi_slice){"", 0};
    if (sdi_sections[section].named != (name.length > 0) || (name.length && !sdi_config_name_ok(name))) {
        name_fault(in, name);
        return;
    }
    in->skipping = false;
    in->in_section = true;
    in->name = name;
    if (!sdi_config_put(in->config, in->section, in->name, NULL, (sdi_slice){"", 0}, in->line))
        in->no_memory = true;
}

/* `[pool]`, `[node primary]` */
static void read_section(reader *in, sdi_slice line)
{
    in->skipping = true;
    in->in_section = false;
    if (line.data[line.length - 1] != ']') {
        line_fault(in, "the section has no end; write [section] or [section NAME] alone on a line");
        return;
    }
    sdi_slice inner = trim((sdi_slice){line.data + 1, line.length - 2});
    size_t end = 0;
    while (end < inner.length && !is_blank(inner.data[end]))
        end++;
    sdi_slice kind = {inner.data, end};
    int section = sdi_find_section(kind);
    if (section >= 0) {
        enter_section(in, section, trim((sdi_slice){inner.data + end, inner.length - end}));
        return;
    }
    sdi_buffer what = SDI_BUFFER_INIT;
    sdi_tell_section(&what, kind);
    add_fault(in, (sdi_slice){NULL, 0}, &what);
}

/* Takes the quotes off: text gets what stands between them. Returns a fault, or NULL. */
static const char *unquote(sdi_slice value, sdi_buffer *text)
{
    size_t at = 1;
    for (; at < value.length && value.data[at] != '"'; at++) {
        if (value.data[at] == '\\') {
            at++;
            if (at == value.length || (value.data[at] != '"' && value.data[at] != '\\'))
                return "only \\\" and \\\\ may stand in quotes; write \\\\ for a backslash";
        }
        sdi_buffer_char(text, value.data[at]);
    }
    if (at == value.length)
        return "the quote is not closed; end the value with \", and write \\\" for a quote inside";
    return at + 1 == value.length ? NULL : "there is text behind the closing quote; write \\\" for a quote inside";
}

static bool is_repeated(reader *in, const sdi_config_key *key, sdi_buffer *what)
{
    const sdi_config_entry *before = sdi_config_find(in->config, in->section, in->name, key);
    if (!before || !before->line)
        return false;
    sdi_buffer_printf(what, "set twice, on line %zu and here; remove one", before->line);
    return true;
}

static bool take_value(reader *in, const sdi_config_key *key, sdi_slice value, sdi_buffer *what)
{
    sdi_config_value parsed;
    if (is_repeated(in, key, what) || !sdi_config_value_parse(key, value, &parsed, what))
        return false;
    if (!sdi_config_put(in->config, in->section, in->name, key, value, in->line))
        in->no_memory = true;
    return true;
}

static bool read_value(reader *in, sdi_slice name, sdi_slice value, sdi_buffer *what)
{
    const sdi_config_key *key = sdi_find_key(in->section, name);
    if (!key) {
        sdi_tell_key(what, in->section, name);
        return false;
    }
    if (!value.length || value.data[0] != '"')
        return take_value(in, key, value, what);
    sdi_buffer text = SDI_BUFFER_INIT;
    const char *fault = unquote(value, &text);
    bool good = false;
    if (fault)
        sdi_buffer_text(what, fault);
    else if (text.failed)
        in->no_memory = true;
    else
        good = take_value(in, key, (sdi_slice){text.data ? text.data : "", text.length}, what);
    if (text.data)
        explicit_bzero(text.data, text.length); /* it may be a password */
    sdi_buffer_free(&text);
    return good || in->no_memory;
}

/* The line itself is never shown: a password may stand in it. */
static void read_pair(reader *in, sdi_slice line)
{
    if (in->skipping)
        return;
    const char *equals = memchr(line.data, '=', line.length);
    if (!equals) {
        line_fault(in, "there is no `=`; write key = value, [section], or # before a comment");
        return;
    }
    if (!in->in_section) {
        line_fault(in, "the key stands before any section; write [section] above it");
        return;
    }
    sdi_slice name = trim((sdi_slice){line.data, (size_t)(equals - line.data)});
    sdi_slice value = trim((sdi_slice){equals + 1, (size_t)(line.data + line.length - equals - 1)});
    sdi_buffer what = SDI_BUFFER_INIT;
    if (read_value(in, name, value, &what))
        sdi_buffer_free(&what);
    else
        add_fault(in, sdi_find_key(in->section, name) ? name : (sdi_slice){NULL, 0}, &what);
}

static void read_line(reader *in, sdi_slice line)
{
    if (line.length && line.data[line.length - 1] == '\r')
        line.length--;
    size_t fault = sdi_utf8_fault(line.data, line.length);
    if (fault < line.length) {
        sdi_faults_add(&in->faults, "%s:%zu: byte %zu is %s", in->file, in->line, fault + 1,
                       line.data[fault] ? "not UTF-8; save the file as UTF-8" : "a zero byte; remove it");
        return;
    }
    line = trim(line);
    if (!line.length || line.data[0] == '#' || line.data[0] == ';')
        return;
    if (line.data[0] == '[')
        read_section(in, line);
    else
        read_pair(in, line);
}

static void read_lines(reader *in, sdi_slice text)
{
    if (text.length >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0)
        text = (sdi_slice){text.data + 3, text.length - 3};
    while (text.length && !in->no_memory) {
        const char *end = memchr(text.data, '\n', text.length);
        size_t length = end ? (size_t)(end - text.data) : text.length;
        in->line++;
        read_line(in, (sdi_slice){text.data, length});
        size_t used = end ? length + 1 : length;
        text = (sdi_slice){text.data + used, text.length - used};
    }
}

/* Reads the text into a copy, which takes the configuration's place if all was well. */
static int read_text(shopdata_config *config, const char *file, sdi_slice text, shopdata_error **error_out)
{
    shopdata_config *bare = sdi_config_copy(config);
    if (!bare)
        return sdi_no_memory(error_out);
    reader in = {.config = bare, .file = file, .faults = SDI_FAULTS_INIT};
    read_lines(&in, text);
    int status = sdi_faults_end(&in.faults, in.no_memory ? NULL : error_out);
    if (in.no_memory)
        status = sdi_no_memory(error_out);
    shopdata_config *good = status ? NULL : sdi_config_copy(bare); /* forgets the lines */
    if (!status && !good)
        status = sdi_no_memory(error_out);
    if (good)
        sdi_config_swap(config, good);
    sdi_config_free(good);
    sdi_config_free(bare);
    return status;
}

/* The path as messages show it: what is not text becomes a question mark, so that a message is UTF-8 and one line. */
static char *shown_path(const char *path)
{
    char *shown = sdi_strdup(path);
    size_t length = shown ? strlen(shown) : 0, at;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)shown[i] < ' ')
            shown[i] = '?';
    while ((at = sdi_utf8_fault(shown ? shown : "", length)) < length)
        shown[at] = '?';
    return shown;
}

int sdi_config_read_file(shopdata_config *config, const char *path, shopdata_error **error_out)
{
    if (!config || !path)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "%s is NULL", !config ? "config" : "path");
    char *file = shown_path(path);
    if (!file)
        return sdi_no_memory(error_out);
    sdi_buffer text = SDI_BUFFER_INIT;
    int status = read_file(path, file, &text, error_out);
    if (!status)
        status = read_text(config, file, (sdi_slice){text.data, text.length}, error_out);
    if (text.data)
        explicit_bzero(text.data, text.length); /* passwords */
    sdi_buffer_free(&text);
    sdi_free(file);
    return status;
}
