/* Kernel messages: one line for the person at the machine, to every device that wants it. */
#include "kernel/lib/panic.h"
#include "kernel/lib/printf.h"

#define SINKS_MAX 4
#define LINE_MAX 512

static struct {
    printk_sink_t write;
    bool urgent_only;
} sinks[SINKS_MAX];
static unsigned sink_count;

void printk_add_sink(printk_sink_t sink, bool urgent_only)
{
    if (sink_count == SINKS_MAX)
        panic("more than %d sinks for kernel messages", SINKS_MAX);
    sinks[sink_count].write = sink;
    sinks[sink_count].urgent_only = urgent_only;
    sink_count++;
}

void printk(const char *format, ...)
{
    char line[LINE_MAX];
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    length = MIN(length, LINE_MAX - 1);
    /* A message is a line, whether its format ends with a newline or not. */
    if (length == 0 || line[length - 1] != '\n') {
        length = MIN(length, LINE_MAX - 1);
        line[length++] = '\n';
    }
    for (unsigned i = 0; i < sink_count; i++)
        if (panicking || !sinks[i].urgent_only)
            sinks[i].write(line, (size_t)length);
}
