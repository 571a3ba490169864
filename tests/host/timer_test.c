/* Timers: they fire in the order of their deadlines, once, and not before. */
#include "tests/host/harness.h"

#include "kernel/sched/timer.h"

#define TIMERS 200

static struct timer timers[TIMERS];
static struct timer *fired[2 * TIMERS];
static int fired_count;

static void note(struct timer *timer)
{
    assert_int_equal(timer->deadline, 0);
    fired[fired_count++] = timer;
}

static void arm_all(u64 *seed)
{
    fired_count = 0;
    for (int i = 0; i < TIMERS; i++) {
        timers[i].fire = note;
        timer_arm(&timers[i], 1 + next_random(seed) % 1000);
    }
}

static void they_fire_in_order_and_not_before(void **state)
{
    u64 seed = 7;

    (void)state;
    arm_all(&seed);
    for (u64 now = 0; now <= 1000; now++) {
        int before = fired_count;
        timers_run(now);
        for (int i = before; i < fired_count; i++)
            assert_int_equal(fired[i]->last_deadline, now);
    }
    assert_int_equal(fired_count, TIMERS);
    timers_run(~0ull);
    assert_int_equal(fired_count, TIMERS);
}

static void equal_deadlines_fire_in_the_order_of_arming(void **state)
{
    (void)state;
    fired_count = 0;
    for (int i = 0; i < 10; i++)
        timer_arm(&timers[i], 5);
    timers_run(5);
    for (int i = 0; i < 10; i++)
        assert_ptr_equal(fired[i], &timers[i]);
}

static void a_disarmed_timer_does_not_fire(void **state)
{
    u64 seed = 9;

    (void)state;
    arm_all(&seed);
    for (int i = 0; i < TIMERS; i += 2)
        timer_disarm(&timers[i]);
    timer_disarm(&timers[0]);           /* twice is harmless */
    timers_run(~0ull);
    assert_int_equal(fired_count, TIMERS / 2);
    for (int i = 0; i < fired_count; i++)
        assert_int_equal((fired[i] - timers) % 2, 1);
}

static void arming_again_moves_it(void **state)
{
    (void)state;
    fired_count = 0;
    timers[0].fire = note;
    timer_arm(&timers[0], 10);
    timer_arm(&timers[0], 20);
    timers_run(19);
    assert_int_equal(fired_count, 0);
    timers_run(20);
    assert_int_equal(fired_count, 1);
}

static struct timer periodic;

static void again(struct timer *timer)
{
    fired_count++;
    timer_arm(timer, timer->last_deadline + 10);
}

static void a_timer_may_arm_itself_again(void **state)
{
    (void)state;
    fired_count = 0;
    periodic.fire = again;
    timer_arm(&periodic, 10);
    timers_run(55);
    assert_int_equal(fired_count, 5);
    timer_disarm(&periodic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_fire_in_order_and_not_before),
        cmocka_unit_test(equal_deadlines_fire_in_the_order_of_arming),
        cmocka_unit_test(a_disarmed_timer_does_not_fire),
        cmocka_unit_test(arming_again_moves_it),
        cmocka_unit_test(a_timer_may_arm_itself_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
