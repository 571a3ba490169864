/*
 * What a C library's threads can do, as far as it comes to the kernel: locks of each kind, owners that die, condition
 * variables, cancellation, signals, priorities, C11's threads. Built with glibc and with musl.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 3000 };

/* Each in a statement of its own: the order of arguments is nobody's promise. */
#define TELL(what, call) printf("%s %d ", what, call)

static struct timespec after(clockid_t clock, long milliseconds)
{
    struct timespec time;

    clock_gettime(clock, &time);
    time.tv_nsec += milliseconds * 1000000;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

static void pass(long milliseconds)
{
    nanosleep(&(struct timespec){0, milliseconds * 1000000}, NULL);
}

static void make(pthread_mutex_t *mutex, int type, int protocol, int robust, int shared)
{
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, type);
    TELL("protocol", pthread_mutexattr_setprotocol(&attributes, protocol));
    TELL("robust", pthread_mutexattr_setrobust(&attributes, robust));
    TELL("shared", pthread_mutexattr_setpshared(&attributes, shared));
    TELL("init", pthread_mutex_init(mutex, &attributes));
}

/* ---- counting under a lock ---- */

static pthread_mutex_t counting;
static volatile long counter;

static void *counts(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&counting);
        long seen = counter;
        if (i % 500 == 0)
            sched_yield();
        counter = seen + 1;
        pthread_mutex_unlock(&counting);
    }
    return argument;
}

static void count_with(const char *name, int type, int protocol, int robust)
{
    pthread_t threads[THREADS];

    printf("%s: ", name);
    make(&counting, type, protocol, robust, PTHREAD_PROCESS_PRIVATE);
    counter = 0;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, counts, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    TELL("destroy", pthread_mutex_destroy(&counting));
    printf("%ld\n", counter);
}

/* ---- somebody else has it ---- */

static void *tries(void *argument)
{
    struct timespec time = after(CLOCK_REALTIME, 50);
    pthread_mutex_t *mutex = argument;

    TELL("other: try", pthread_mutex_trylock(mutex));
    TELL("timed", pthread_mutex_timedlock(mutex, &time));
    TELL("unlock", pthread_mutex_unlock(mutex));
    return NULL;
}

static void refusals(const char *name, int type, int protocol)
{
    pthread_mutex_t mutex;
    pthread_t thread;

    printf("%s: ", name);
    make(&mutex, type, protocol, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_PRIVATE);
    TELL("lock", pthread_mutex_lock(&mutex));
    TELL("try", pthread_mutex_trylock(&mutex));
    TELL("again", pthread_mutex_lock(&mutex));
    pthread_create(&thread, NULL, tries, &mutex);
    pthread_join(thread, NULL);
    TELL("unlock", pthread_mutex_unlock(&mutex));
    TELL("twice", pthread_mutex_unlock(&mutex));
    printf("\n");
}

/* ---- owners that die ---- */

static void *dies_with(void *argument)
{
    pthread_mutex_lock(argument);
    return NULL;
}

static void robust(const char *name, int protocol)
{
    pthread_mutex_t mutex, *shared;
    pthread_t thread;
    int ends[2];
    char locked;

    printf("%s robust: ", name);
    make(&mutex, PTHREAD_MUTEX_ERRORCHECK, protocol, PTHREAD_MUTEX_ROBUST, PTHREAD_PROCESS_PRIVATE);
    pthread_create(&thread, NULL, dies_with, &mutex);
    pthread_join(thread, NULL);
    TELL("lock", pthread_mutex_lock(&mutex));
    TELL("consistent", pthread_mutex_consistent(&mutex));
    TELL("unlock", pthread_mutex_unlock(&mutex));
    pthread_create(&thread, NULL, dies_with, &mutex);
    pthread_join(thread, NULL);
    TELL("again", pthread_mutex_lock(&mutex));
    TELL("unlock", pthread_mutex_unlock(&mutex));
    TELL("given up", pthread_mutex_lock(&mutex));
    printf("\n");

    printf("%s robust, shared: ", name);
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    make(shared, PTHREAD_MUTEX_NORMAL, protocol, PTHREAD_MUTEX_ROBUST, PTHREAD_PROCESS_SHARED);
    fflush(stdout);
    if (pipe(ends) == 0 && fork() == 0) {
        pthread_mutex_lock(shared);
        write(ends[1], "x", 1);
        pass(50);
        _exit(0);
    }
    read(ends[0], &locked, 1);
    TELL("waited", pthread_mutex_lock(shared));
    TELL("consistent", pthread_mutex_consistent(shared));
    TELL("unlock", pthread_mutex_unlock(shared));
    printf("\n");
    wait(NULL);
}

/* ---- condition variables, barriers, locks for readers, semaphores ---- */

static pthread_mutex_t guard;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int turn;

static void *takes_turns(void *argument)
{
    int number = (int)(long)argument;

    for (int i = 0; i < 50; i++) {
        pthread_mutex_lock(&guard);
        while (turn % THREADS != number)
            pthread_cond_wait(&condition, &guard);
        turn++;
        pthread_cond_broadcast(&condition);
        pthread_mutex_unlock(&guard);
    }
    return NULL;
}

static void conditions(int protocol)
{
    struct timespec time = after(CLOCK_REALTIME, 50);
    pthread_t threads[THREADS];

    printf("condition: ");
    make(&guard, PTHREAD_MUTEX_NORMAL, protocol, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_PRIVATE);
    turn = 0;
    for (long i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, takes_turns, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_lock(&guard);
    TELL("timed", pthread_cond_timedwait(&condition, &guard, &time));
    printf("%d\n", turn);
    pthread_mutex_unlock(&guard);
}

static pthread_barrier_t barrier;
static pthread_rwlock_t readers = PTHREAD_RWLOCK_INITIALIZER;
static sem_t semaphore;
static _Atomic int serial, sum;

static void *meets(void *argument)
{
    for (int i = 0; i < 20; i++) {
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            serial++;
        pthread_rwlock_rdlock(&readers);
        sched_yield();
        pthread_rwlock_unlock(&readers);
        pthread_rwlock_wrlock(&readers);
        sum = sum + 1;
        pthread_rwlock_unlock(&readers);
        sem_post(&semaphore);
    }
    return argument;
}

static void meetings(void)
{
    struct timespec time = after(CLOCK_REALTIME, 30);
    pthread_t threads[THREADS];

    pthread_barrier_init(&barrier, NULL, THREADS);
    sem_init(&semaphore, 0, 0);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, meets, NULL);
    for (int i = 0; i < THREADS * 20; i++)
        sem_wait(&semaphore);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("meetings: %d %d semaphore %d", serial, sum, sem_trywait(&semaphore) == 0 ? 0 : errno);
    printf(" timed %d\n", sem_timedwait(&semaphore, &time) == 0 ? 0 : errno);
}

/* ---- cancellation, keys, signals ---- */

static pthread_key_t key;
static sem_t is_ready, may_end;

static void cleans_up(void *what)
{
    printf("cleans up %s\n", (const char *)what);
}

static void *sleeps(void *argument)
{
    pthread_setspecific(key, "its key");
    pthread_cleanup_push(cleans_up, argument);
    sem_post(&is_ready);
    if (strcmp(argument, "at once") == 0) {
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
        for (;;)
            continue;
    }
    for (;;)
        pass(900);
    pthread_cleanup_pop(0);
    return NULL;
}

#ifdef __GLIBC__
#define WAYS_TO_CANCEL 2
#else
#define WAYS_TO_CANCEL 1    /* musl's thread dies of the other one, on Linux as well */
#endif

static void cancellation(void)
{
    const char *how[] = {"in a call", "at once"};
    pthread_t thread;
    void *result;

    pthread_key_create(&key, cleans_up);
    sem_init(&is_ready, 0, 0);
    for (int i = 0; i < WAYS_TO_CANCEL; i++) {
        pthread_create(&thread, NULL, sleeps, (void *)how[i]);
        sem_wait(&is_ready);
        printf("cancel %d ", pthread_cancel(thread));
        fflush(stdout);
        printf("join %d ", pthread_join(thread, &result));
        printf("canceled %d\n", result == PTHREAD_CANCELED);
    }
}

static void *waits_for_signal(void *argument)
{
    sigset_t set;
    int signal = 0;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    *(int *)argument = sigwait(&set, &signal) * 100 + signal;
    return NULL;
}

static void signals(void)
{
    pthread_t thread;
    sigset_t set;
    int got = 0;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_create(&thread, NULL, waits_for_signal, &got);
    pass(20);
    printf("signal: kill %d ", pthread_kill(thread, SIGUSR1));
    pthread_join(thread, NULL);
    printf("got %d\n", got == SIGUSR1);
}

/* ---- timers that start threads ---- */

static sem_t ticks;
static volatile int tick_value;

static void ticked(union sigval value)
{
    tick_value = value.sival_int;
    sem_post(&ticks);
}

static void timers(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = 42};
    struct itimerspec setting = {{0, 20000000}, {0, 20000000}}, left = {{0}};
    timer_t timer;

    event.sigev_notify_function = ticked;
    sem_init(&ticks, 0, 0);
    TELL("timer: create", timer_create(CLOCK_MONOTONIC, &event, &timer));
    TELL("set", timer_settime(timer, 0, &setting, NULL));
    for (int i = 0; i < 3; i++)
        sem_wait(&ticks);
    TELL("get", timer_gettime(timer, &left));
    TELL("interval", (int)left.it_interval.tv_nsec);
    TELL("delete", timer_delete(timer));
    printf("%d\n", tick_value);
}

/* ---- priorities, names, where it runs ---- */

static void *tells(void *argument)
{
    struct sched_param parameters;
    char name[16] = "";
    int policy;

    (void)argument;
    pthread_getschedparam(pthread_self(), &policy, &parameters);
    printf("thread: policy %d priority %d ", policy, parameters.sched_priority);
    TELL("set name", pthread_setname_np(pthread_self(), "worker"));
    TELL("get", pthread_getname_np(pthread_self(), name, sizeof(name)));
    printf("%s processor %d\n", name, sched_getcpu());
    return NULL;
}

static void *waits(void *argument)
{
    sem_wait(&may_end);
    return argument;
}

static void scheduling(void)
{
    struct sched_param parameters = {.sched_priority = 7};
    pthread_attr_t attributes;
    pthread_t thread;
    char name[16] = "";
    cpu_set_t set;

    pthread_attr_init(&attributes);
    pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
    pthread_attr_setschedparam(&attributes, &parameters);
    printf("create %d ", pthread_create(&thread, &attributes, tells, NULL));
    fflush(stdout);
    pthread_join(thread, NULL);
    sem_init(&may_end, 0, 0);
    pthread_create(&thread, NULL, waits, NULL);
    TELL("set other's name", pthread_setname_np(thread, "sleeper"));
    TELL("get", pthread_getname_np(thread, name, sizeof(name)));
    TELL(name, pthread_setschedparam(thread, SCHED_RR, &parameters));
    TELL("too high", pthread_setschedprio(thread, 100));
    TELL("affinity", pthread_getaffinity_np(thread, sizeof(set), &set));
    printf("%d\n", CPU_COUNT(&set));
    sem_post(&may_end);
    pthread_join(thread, NULL);
}

/* ---- fork, and C11's threads ---- */

static void prepare(void) { printf("prepare "); }
static void in_parent(void) { printf("parent\n"); }

static void *forks(void *argument)
{
    int status = -1;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        pthread_t thread;

        sem_post(&may_end);
        _exit(pthread_create(&thread, NULL, waits, NULL) == 0 && pthread_join(thread, NULL) == 0 ? 7 : 8);
    }
    waitpid(child, &status, 0);
    *(int *)argument = status >> 8;
    return NULL;
}

static void forking(void)
{
    pthread_t thread;
    int status = 0;

    pthread_atfork(prepare, in_parent, NULL);
    pthread_create(&thread, NULL, forks, &status);
    pthread_join(thread, NULL);
    printf("fork in a thread: %d\n", status);
}

static mtx_t c_mutex;
static cnd_t c_condition;
static int c_ready;
static once_flag c_once = ONCE_FLAG_INIT;

static void once(void)
{
    c_ready += 10;
}

static int c_thread(void *argument)
{
    call_once(&c_once, once);
    mtx_lock(&c_mutex);
    c_ready++;
    cnd_signal(&c_condition);
    mtx_unlock(&c_mutex);
    return *(int *)argument;
}

static void c_threads(void)
{
    struct timespec time;
    int value = 5, result = 0;
    thrd_t thread;

    mtx_init(&c_mutex, mtx_timed);
    cnd_init(&c_condition);
    thrd_create(&thread, c_thread, &value);
    mtx_lock(&c_mutex);
    while (c_ready < 11)
        cnd_wait(&c_condition, &c_mutex);
    time = after(CLOCK_REALTIME, 20);
    TELL("C11: timed", cnd_timedwait(&c_condition, &c_mutex, &time) == thrd_timedout);
    printf("%d ", c_ready);
    mtx_unlock(&c_mutex);
    thrd_join(thread, &result);
    printf("result %d\n", result);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    count_with("plain", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED);
    count_with("lends priority", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED);
    count_with("recursive, lends priority", PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED);
    count_with("robust, lends priority", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_ROBUST);
    count_with("robust", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST);
    refusals("plain", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE);
    refusals("lends priority", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_INHERIT);
    robust("plain", PTHREAD_PRIO_NONE);
    robust("lends priority", PTHREAD_PRIO_INHERIT);
    conditions(PTHREAD_PRIO_NONE);
    conditions(PTHREAD_PRIO_INHERIT);
    meetings();
    cancellation();
    signals();
    timers();
    scheduling();
    forking();
    c_threads();
    return 0;
}
