/* Feeds a fuzz target its seeds, in place of libFuzzer: replay DIRECTORY. */
#include <dirent.h>

#include "fuzz.h"

static void feed(const char *directory, const char *name)
{
    sdi_buffer path = SDI_BUFFER_INIT, content = SDI_BUFFER_INIT;
    sdi_buffer_printf(&path, "%s/%s", directory, name);
    FILE *file = fopen(path.data, "rb");
    HOLDS(file);
    for (int byte; (byte = fgetc(file)) != EOF;)
        sdi_buffer_char(&content, (char)byte);
    fclose(file);
    char *data = fuzz_exact(fuzz_slice(&content));
    LLVMFuzzerTestOneInput((const uint8_t *)data, content.length);
    sdi_free(data);
    sdi_buffer_free(&content);
    sdi_buffer_free(&path);
}

int main(int count, char **arguments)
{
    DIR *directory = count == 2 ? opendir(arguments[1]) : NULL;
    int fed = 0;
    if (!directory) {
        fprintf(stderr, "replay: %s\n", count == 2 ? "no such directory" : "name one directory of seeds");
        return EXIT_FAILURE;
    }
    for (const struct dirent *entry; (entry = readdir(directory));) {
        if (*entry->d_name == '.')
            continue;
        feed(arguments[1], entry->d_name);
        fed++;
    }
    closedir(directory);
    printf("%d seeds\n", fed);
    return fed ? EXIT_SUCCESS : EXIT_FAILURE;
}
