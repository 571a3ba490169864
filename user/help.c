/* help: what can be done in this shell. */
#include <stdio.h>

#include "user/common/paint.h"

static const struct {
    const char *name, *meaning; /* a line without a meaning is a heading */
} lines[] = {
    {"Watching memory", NULL},
    {"tour", "the story of anonymous memory (-s: slowly)"},
    {"memview [PID | all]", "every frame, and each page of a process, as a map"},
    {"memview -w & tour -s", "the map beside the tour in slow motion"},
    {"fault WHAT", "make a page fault of your choice; fault lists them"},
    {"look [SEED]", "the program that lab 0 asks about"},
    {"maps [PID]", "what a process has been promised, and what is there"},
    {"free", "what each frame of this machine is used for"},
    {"ps", "the processes, with their memory and page faults"},
    {"Trying whether it all works", NULL},
    {"ktap [TEST...]", "run the tests in /tests, or some of them"},
    {"cat /proc/audit", "let the kernel check all its tables: ok, or what is not"},
    {"Files and processes", NULL},
    {"ls [-l] [FILE...]", "list a folder"},
    {"cat [FILE...]", "show files: /proc/self/maps, /proc/zeropage, ..."},
    {"echo [WORD...]", "print words"},
    {"sleep SECONDS", "do nothing for a while"},
    {"kill [-SIGNAL] PID...", "send a signal to processes"},
    {"cd, exit, wait", "are part of the shell itself"},
    {"poweroff", "end it all"},
};

int main(void)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (lines[i].meaning == NULL)
            printf("%s%s%s%s\n", i == 0 ? "" : "\n", paint(BOLD), lines[i].name, paint_end());
        else
            printf("  %s%-22s%s%s\n", paint(CYAN), lines[i].name, paint_end(), lines[i].meaning);
    }
    printf("\n%sIn the shell%s\n", paint(BOLD), paint_end());
    paragraph(
        2, "a; b runs two programs, a && b the second if the first did well, a || b if not, a | b "
           "joins them, a & leaves it in the background, a > file and a < file go to and from "
           "files (/tmp can be written). Ctrl-C ends the program in front, Tab completes a word, "
           "the arrow keys bring back earlier lines. In a window Shift and Page Up look back at what "
           "has left the screen.");
    return 0;
}
