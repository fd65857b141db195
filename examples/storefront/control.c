#include "control.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "task.h"

enum { PATIENCE_SECONDS = 60 };

static int connect_to(const char *control)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", control);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

struct question {
    const char *control;
    const char *line;
    char *answer; /* of SHOP_ANSWER_SIZE */
    size_t length;
};

/* One line there, the whole answer back. The launcher takes as long as its servers do. */
static void wait_for_answer(void *argument)
{
    struct question *question = argument;
    ssize_t piece = 1;
    int fd = connect_to(question->control);
    if (fd >= 0 && send(fd, question->line, strlen(question->line), MSG_NOSIGNAL) == (ssize_t)strlen(question->line)) {
        while (question->length < SHOP_ANSWER_SIZE - 1 && piece > 0) {
            piece = recv(fd, question->answer + question->length, SHOP_ANSWER_SIZE - 1 - question->length, 0);
            question->length += piece > 0 ? (size_t)piece : 0;
        }
    }
    if (fd >= 0)
        close(fd);
    question->answer[question->length] = '\0';
}

/* True if the answer begins with "ok"; else it has the reason. */
static bool ask(const char *control, const char *line, char answer[SHOP_ANSWER_SIZE])
{
    struct question question = {.control = control, .line = line, .answer = answer};
    shop_task_aside(wait_for_answer, &question);
    if (question.length == 0)
        snprintf(answer, SHOP_ANSWER_SIZE, "the launcher does not answer");
    return !strncmp(answer, "ok\n", 3);
}

/* "replica1   postgres   28467  24872    running  replica"; the first line names the columns. */
size_t shop_control_servers(const char *control, struct shop_server_state servers[SHOP_SERVERS_MAX])
{
    char answer[SHOP_ANSWER_SIZE];
    size_t count = 0;
    const char *line = ask(control, "status\n", answer) ? strchr(answer + 3, '\n') : NULL;
    for (; line && count < SHOP_SERVERS_MAX; line = strchr(line + 1, '\n')) {
        struct shop_server_state *server = &servers[count];
        count +=
            sscanf(line, " %31s %31s %*s %*s %31s %31s", server->name, server->kind, server->state, server->role) == 4;
    }
    return count;
}

static bool say(const char *control, const char *verb, const char *server, const char *other,
                char answer[SHOP_ANSWER_SIZE])
{
    char line[2 * SHOP_SERVER_NAME_SIZE + 40];
    snprintf(line, sizeof line, "%s %s%s%s\n", verb, server, *other ? " " : "", other);
    return ask(control, line, answer);
}

/* A failover as an operator would do it: the old primary down, the replica up, the others behind it. */
static bool promote(const char *control, const char *server, char answer[SHOP_ANSWER_SIZE])
{
    struct shop_server_state servers[SHOP_SERVERS_MAX];
    size_t count = shop_control_servers(control, servers);
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(servers[i].role, "primary") && !say(control, "stop", servers[i].name, "", answer))
            return false;
    }
    if (!say(control, "promote", server, "", answer))
        return false;
    for (size_t i = 0; i < count; i++) {
        bool follows = !strcmp(servers[i].role, "replica") || !strcmp(servers[i].role, "paused");
        if (follows && strcmp(servers[i].name, server) != 0 && !say(control, "follow", servers[i].name, server, answer))
            return false;
    }
    return true;
}

static bool is_button(const char *verb)
{
    static const char *const verbs[] = {"pause", "resume", "stop", "kill", "start", "promote"};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (!strcmp(verb, verbs[i]))
            return true;
    }
    return false;
}

bool shop_control(const char *control, const char *verb, const char *server, char complaint[SHOP_ANSWER_SIZE])
{
    struct shop_server_state servers[SHOP_SERVERS_MAX];
    size_t count = shop_control_servers(control, servers), known = 0;
    while (known < count && strcmp(servers[known].name, server) != 0)
        known++;
    if (known == count || !is_button(verb)) {
        snprintf(complaint, SHOP_ANSWER_SIZE, "There is no such button.");
        return false;
    }
    return strcmp(verb, "promote") ? say(control, verb, server, "", complaint) : promote(control, server, complaint);
}
