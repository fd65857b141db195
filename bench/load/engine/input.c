#include "input.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"

enum { SIGNAL_EXIT = 128 };

bool load_input_open(load_input *input, bool reads_commands, load_fault *fault)
{
    sigset_t signals;
    *input = (load_input){.reads_commands = reads_commands, .signal_fd = -1, .done_fd = -1};
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    input->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    input->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return (input->signal_fd >= 0 && input->done_fd >= 0) ||
           load_fail(fault, "no file descriptor is left: %s", strerror(errno));
}

void load_input_close(load_input *input)
{
    close(input->signal_fd);
    close(input->done_fd);
}

static void hear_signal(load_input *input)
{
    struct signalfd_siginfo signal;
    if (read(input->signal_fd, &signal, sizeof signal) != sizeof signal)
        return;
    if (input->interrupted)
        _exit(SIGNAL_EXIT + (int)signal.ssi_signo);
    input->interrupted = true;
}

/* The last line may have no line break. */
static void hear_command(load_input *input)
{
    ssize_t length = read(STDIN_FILENO, input->text + input->length, sizeof input->text - 1 - input->length);
    if (length < 0 && errno == EINTR)
        return;
    if (length > 0) {
        input->length += (size_t)length;
        return;
    }
    input->reads_commands = false;
    if (input->length && input->text[input->length - 1] != '\n')
        input->text[input->length++] = '\n';
}

static struct timespec left_until(int64_t moment_ns)
{
    int64_t left = moment_ns - load_now_ns();
    return load_timespec(left > 0 ? left : 0);
}

bool load_input_wait(load_input *input, int64_t moment_ns)
{
    bool has_room = input->length < sizeof input->text - 2;
    struct pollfd watched[] = {{input->signal_fd, POLLIN, 0},
                               {input->done_fd, POLLIN, 0},
                               {input->reads_commands && has_room ? STDIN_FILENO : -1, POLLIN, 0}};
    struct timespec left = left_until(moment_ns);
    eventfd_t done;
    if (ppoll(watched, 3, moment_ns == INT64_MAX ? NULL : &left, NULL) <= 0)
        return false;
    if (watched[0].revents)
        hear_signal(input);
    if (watched[2].revents)
        hear_command(input);
    return watched[1].revents && eventfd_read(input->done_fd, &done) == 0;
}

/* The line break becomes the end of the text. */
const char *load_input_peek(load_input *input)
{
    char *end = memchr(input->text, '\n', input->length);
    if (!end && input->length == sizeof input->text - 1)
        end = &input->text[input->length - 1];
    if (end)
        *end = '\0';
    return end || memchr(input->text, '\0', input->length) ? input->text : NULL;
}

void load_input_drop(load_input *input)
{
    size_t gone = strnlen(input->text, input->length);
    gone += gone < input->length;
    input->length -= gone;
    memmove(input->text, input->text + gone, input->length);
}
