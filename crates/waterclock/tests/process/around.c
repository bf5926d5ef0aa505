/* Preloaded by tests, with what a program cannot do to itself in Rust without unsafe code:
 * - STORM=1: SIGALRM and SIGUSR1 by turns, one each millisecond, to every thread, with handlers after which
 *   the system restarts no call;
 * - JUMPING=1: the calendar clock is a year off, ahead and behind by turns;
 * - FORKING=1: to ask for the parent's id is to fork, and gives what fork gives;
 * - lookups of names that begin with "stuck." never end, those that begin with "slow." take 30 ms, and find this machine. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <dirent.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void handled(int number) { (void)number; }

static void *send_signals(void *unused)
{
    for (int turn = 0;; turn++) {
        struct timespec pause = { 0, 1000000 };
        nanosleep(&pause, NULL);
        DIR *threads = opendir("/proc/self/task");
        for (struct dirent *one; threads != NULL && (one = readdir(threads)) != NULL;) {
            int thread = atoi(one->d_name);
            if (thread > 0 && thread != syscall(SYS_gettid))
                syscall(SYS_tgkill, getpid(), thread, turn % 2 ? SIGALRM : SIGUSR1);
        }
        if (threads != NULL)
            closedir(threads);
    }
    return unused;
}

__attribute__((constructor)) static void begin(void)
{
    struct sigaction action = { .sa_handler = handled };
    pthread_t sender;
    if (getenv("STORM") == NULL)
        return;
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    if (pthread_create(&sender, NULL, send_signals, NULL) != 0)
        abort();
}

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    struct timespec left = { 0, 30000000 };
    while (name != NULL && strncmp(name, "stuck.", 6) == 0)
        pause();
    if (name != NULL && strncmp(name, "slow.", 5) == 0) {
        while (nanosleep(&left, &left) != 0)
            ;
        name = "127.0.0.1";
    }
    return ((lookup *)dlsym(RTLD_NEXT, "getaddrinfo"))(name, service, hints, result);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static __thread int reading;
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && clock == CLOCK_REALTIME && getenv("JUMPING") != NULL)
        now->tv_sec += reading++ % 2 ? 31536000 : -31536000;
    return result;
}

pid_t getppid(void)
{
    return getenv("FORKING") != NULL ? fork() : (pid_t)syscall(SYS_getppid);
}
