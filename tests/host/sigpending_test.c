/* Waiting signals: one of each ordinary kind, any number of real-time ones, oldest first. */
#include "tests/host/harness.h"

#include "kernel/sched/signal.h"

static bool add(struct sigpending *pending, int signal, u64 value)
{
    struct signal_info info = { .code = SI_QUEUE, .value = value };
    return sigpending_add(pending, signal, &info);
}

static u64 take(struct sigpending *pending, int signal)
{
    struct signal_info info;

    sigpending_take(pending, signal, &info);
    assert_int_equal(info.signal, signal);
    return info.value;
}

static void an_ordinary_signal_waits_once(void **state)
{
    struct sigpending pending;

    (void)state;
    sigpending_init(&pending);
    assert_true(add(&pending, SIGUSR1, 1));
    assert_true(add(&pending, SIGUSR1, 2));
    assert_int_equal(take(&pending, SIGUSR1), 1);
    assert_int_equal(pending.set, 0);
    assert_true(list_empty(&pending.queue));
}

static void real_time_signals_queue_in_order(void **state)
{
    struct sigpending pending;

    (void)state;
    sigpending_init(&pending);
    for (u64 i = 0; i < 5; i++) {
        add(&pending, SIGRTMIN, i);
        add(&pending, SIGRTMIN + 1, 10 + i);
    }
    for (u64 i = 0; i < 5; i++) {
        assert_true(pending.set & SIGMASK(SIGRTMIN));
        assert_int_equal(take(&pending, SIGRTMIN), i);
    }
    assert_int_equal(pending.set, SIGMASK(SIGRTMIN + 1));
    assert_int_equal(take(&pending, SIGRTMIN + 1), 10);
    sigpending_flush(&pending, ~0ull);
    assert_true(list_empty(&pending.queue));
}

static void flushing_takes_only_what_it_is_told(void **state)
{
    struct sigpending pending;

    (void)state;
    sigpending_init(&pending);
    add(&pending, SIGUSR1, 1);
    add(&pending, SIGUSR2, 2);
    sigpending_add(&pending, SIGTERM, NULL);
    sigpending_flush(&pending, SIGMASK(SIGUSR1) | SIGMASK(SIGTERM));
    assert_int_equal(pending.set, SIGMASK(SIGUSR2));
    assert_int_equal(take(&pending, SIGUSR2), 2);
}

static void a_signal_without_particulars_comes_from_the_kernel(void **state)
{
    struct sigpending pending;
    struct signal_info info;

    (void)state;
    sigpending_init(&pending);
    sigpending_add(&pending, SIGALRM, NULL);
    sigpending_take(&pending, SIGALRM, &info);
    assert_int_equal(info.signal, SIGALRM);
    assert_int_equal(info.code, SI_KERNEL);
    assert_int_equal(info.pid, 0);
}

/* Without memory an ordinary signal still arrives, without its particulars; one that would lose its value does not. */
static void without_memory_only_a_value_is_lost(void **state)
{
    struct sigpending pending;

    (void)state;
    sigpending_init(&pending);
    fail_allocations_forever = true;
    fail_allocation_countdown = 1;
    assert_true(add(&pending, SIGUSR1, 1));
    assert_false(add(&pending, SIGRTMIN, 1));
    fail_allocation_countdown = 0;
    fail_allocations_forever = false;
    assert_int_equal(pending.set, SIGMASK(SIGUSR1));
    assert_int_equal(take(&pending, SIGUSR1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        mm_test(an_ordinary_signal_waits_once),
        mm_test(real_time_signals_queue_in_order),
        mm_test(flushing_takes_only_what_it_is_told),
        mm_test(a_signal_without_particulars_comes_from_the_kernel),
        mm_test(without_memory_only_a_value_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
