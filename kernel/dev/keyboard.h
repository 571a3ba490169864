/* The PS/2 keyboard, with a US layout: keys become the bytes that a terminal sends. */
#ifndef KERNEL_DEV_KEYBOARD_H
#define KERNEL_DEV_KEYBOARD_H

#include "kernel/lib/types.h"

/* Where the bytes of a key go; called in the interrupt. */
typedef void (*keyboard_sink_t)(u8 byte);

/*
 * Sets the controller up and receives from now on by IRQ 1. A machine without a controller has no keyboard.
 * Needs descriptors_init.
 */
void keyboard_start(keyboard_sink_t sink);

/* True when a key has just been pressed; takes its code. For a machine that no longer has interrupts. */
bool keyboard_was_pressed(void);

/* Lights the keyboard's lamps: KEYBOARD_NUM_LOCK and KEYBOARD_CAPS_LOCK, as bits. It answers later. */
#define KEYBOARD_NUM_LOCK 0x02
#define KEYBOARD_CAPS_LOCK 0x04
void keyboard_light(u8 lamps);

/* kernel/dev/keys.c: sets the keys that stay down as at first (Num Lock is on), and their lamps. */
void keys_start(void);

/* kernel/dev/keys.c: what scan code CODE (set 1) does; SINK gets the bytes, if it is a key that has some; Shift and the
 * page keys look back on the screen (screen_look_back). */
void keys_take(u8 code, keyboard_sink_t sink);

#endif
