/* Armed timers in a tree by deadline; the tick fires those that are due. */
#include "kernel/sched/timer.h"

static struct rb_root armed;
static struct timer *earliest;      /* in the tree, or NULL */

static struct timer *timer_of(struct rb_node *node)
{
    return node ? container_of(node, struct timer, node) : NULL;
}

void timer_arm(struct timer *timer, u64 deadline)
{
    struct rb_node **link = &armed.node, *parent = NULL;
    bool is_earliest = true;

    timer_disarm(timer);
    timer->deadline = timer->last_deadline = deadline;
    while (*link) {
        parent = *link;
        if (deadline < timer_of(parent)->deadline) {
            link = &parent->left;
        } else {
            link = &parent->right;      /* equal deadlines fire in the order of arming */
            is_earliest = false;
        }
    }
    rb_insert(&armed, &timer->node, parent, link, NULL);
    if (is_earliest)
        earliest = timer;
}

void timer_disarm(struct timer *timer)
{
    if (!timer->deadline)
        return;
    if (earliest == timer)
        earliest = timer_of(rb_next(&timer->node));
    rb_erase(&armed, &timer->node, NULL);
    timer->deadline = 0;
}

void timers_run(u64 now)
{
    while (earliest && earliest->deadline <= now) {
        struct timer *timer = earliest;
        timer_disarm(timer);
        timer->fire(timer);
    }
}
