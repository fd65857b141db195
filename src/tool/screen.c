#include "tool/screen.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"

static struct {
    bool drawn_over; /* standard output is a terminal */
    bool keys;       /* and standard input too */
    struct termios before;
} screen;

static volatile sig_atomic_t ended;

/* It only notes; whoever waits then closes the screen as at any other end. */
static void end(int number)
{
    (void)number;
    ended = 1;
}

static void watch_signals(void)
{
    struct sigaction action = {.sa_handler = end};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

void sdi_screen_open(void)
{
    watch_signals();
    screen.drawn_over = isatty(STDOUT_FILENO);
    screen.keys = screen.drawn_over && tcgetattr(STDIN_FILENO, &screen.before) == 0;
    if (screen.keys) {
        struct termios raw = screen.before;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    if (screen.drawn_over)
        fputs("\x1b[?1049h\x1b[?25l", stdout); /* the other screen, no cursor */
}

void sdi_screen_close(void)
{
    if (screen.keys)
        tcsetattr(STDIN_FILENO, TCSANOW, &screen.before);
    if (screen.drawn_over)
        fputs("\x1b[?25h\x1b[?1049l", stdout);
    fflush(stdout);
    screen.keys = screen.drawn_over = false;
}

static void draw_line(const char *line, size_t length, size_t columns)
{
    fwrite(line, 1, length < columns ? length : columns, stdout);
    fputs("\x1b[K", stdout); /* clear what stood behind it */
}

/* No line break behind the last line that fits: the terminal would scroll. */
static void draw_over(const char *page)
{
    struct winsize size = {0};
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    size_t rows = size.ws_row ? size.ws_row : 24, columns = size.ws_col ? size.ws_col : 80;
    fputs("\x1b[H", stdout);
    for (size_t row = 0; row < rows && *page; row++) {
        size_t length = strcspn(page, "\n");
        if (row)
            putchar('\n');
        draw_line(page, length, columns);
        page += length + (page[length] == '\n');
    }
    fputs("\x1b[J", stdout);
}

void sdi_screen_show(const char *page)
{
    if (screen.drawn_over)
        draw_over(page);
    else
        fputs(page, stdout);
    fflush(stdout);
}

/* A key that was pressed: false if it ends the program. Without a keyboard (its end was reached) there is none. */
static bool take_key(void)
{
    char key;
    if (read(STDIN_FILENO, &key, 1) == 1)
        return key != 'q' && key != 'Q';
    screen.keys = false;
    return true;
}

bool sdi_screen_wait(int64_t ms)
{
    int64_t deadline = sdi_deadline_in(ms);
    while (!ended && !ferror(stdout) && sdi_now() < deadline) {
        struct pollfd keyboard = {.fd = screen.keys ? STDIN_FILENO : -1, .events = POLLIN};
        int ready = poll(&keyboard, 1, sdi_poll_timeout(deadline, sdi_now()));
        if (ready > 0 && !take_key())
            return false;
    }
    return !ended && !ferror(stdout);
}
