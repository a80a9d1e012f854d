// The fiber switch, AAPCS64 (aarch64). The interface stands in switch.h.
//
// Saves x19 to x30, d8 to d15 (the callee-saved halves of v8 to v15) and fpcr, in 176 bytes:
//   0 x19 .. x28, 80 x29, 88 x30, 96 d8 .. d15, 160 fpcr, 168 nothing
//
// Ends in ret, so that calls and returns stay paired for the return predictor, as on x86-64. Return
// addresses are stored as they come: whoever signs them (pointer authentication) does so in its own
// frame.
//
// fpcr is written only where the two stacks differ, because writing it waits for all arithmetic.
#ifdef __aarch64__

// Where the registers lie, seen from the caller's stack pointer.
    .macro PARLEY_SAVED
    .cfi_offset x19, -176
    .cfi_offset x20, -168
    .cfi_offset x21, -160
    .cfi_offset x22, -152
    .cfi_offset x23, -144
    .cfi_offset x24, -136
    .cfi_offset x25, -128
    .cfi_offset x26, -120
    .cfi_offset x27, -112
    .cfi_offset x28, -104
    .cfi_offset x29, -96
    .cfi_offset x30, -88
    .cfi_offset d8, -80
    .cfi_offset d9, -72
    .cfi_offset d10, -64
    .cfi_offset d11, -56
    .cfi_offset d12, -48
    .cfi_offset d13, -40
    .cfi_offset d14, -32
    .cfi_offset d15, -24
    .endm

    .text
    .globl  parley_rt_switch
    .type   parley_rt_switch, %function
    .p2align 4
parley_rt_switch:
    .cfi_startproc
    hint    #34                     // bti c; nothing on older machines
    sub     sp, sp, #176
    .cfi_def_cfa_offset 176
    stp     x19, x20, [sp, #0]
    stp     x21, x22, [sp, #16]
    stp     x23, x24, [sp, #32]
    stp     x25, x26, [sp, #48]
    stp     x27, x28, [sp, #64]
    stp     x29, x30, [sp, #80]
    stp     d8, d9, [sp, #96]
    stp     d10, d11, [sp, #112]
    stp     d12, d13, [sp, #128]
    stp     d14, d15, [sp, #144]
    // True of both stacks, so also from the moment sp is the other one.
    PARLEY_SAVED
    mrs     x9, fpcr
    str     x9, [sp, #160]
    mov     x10, sp
    str     x10, [x0]

    mov     sp, x1
    ldr     x10, [sp, #160]
    cmp     x9, x10
    b.eq    1f
    msr     fpcr, x10
1:
    ldp     d14, d15, [sp, #144]
    ldp     d12, d13, [sp, #128]
    ldp     d10, d11, [sp, #112]
    ldp     d8, d9, [sp, #96]
    ldp     x29, x30, [sp, #80]
    ldp     x27, x28, [sp, #64]
    ldp     x25, x26, [sp, #48]
    ldp     x23, x24, [sp, #32]
    ldp     x21, x22, [sp, #16]
    ldp     x19, x20, [sp, #0]
    mov     x0, x2
    add     sp, sp, #176
    .cfi_def_cfa_offset 0
    .cfi_restore x19
    .cfi_restore x20
    .cfi_restore x21
    .cfi_restore x22
    .cfi_restore x23
    .cfi_restore x24
    .cfi_restore x25
    .cfi_restore x26
    .cfi_restore x27
    .cfi_restore x28
    .cfi_restore x29
    .cfi_restore x30
    .cfi_restore d8
    .cfi_restore d9
    .cfi_restore d10
    .cfi_restore d11
    .cfi_restore d12
    .cfi_restore d13
    .cfi_restore d14
    .cfi_restore d15
    ret     x30
    .cfi_endproc
    .size   parley_rt_switch, .-parley_rt_switch

// The first thing a new stack runs: calls x20 with x19 as its argument. Nothing is above it: a
// debugger and the unwinder stop here (undefined return address, zero frame pointer).
    .globl  parley_rt_entry
    .hidden parley_rt_entry
    .type   parley_rt_entry, %function
    .p2align 4
parley_rt_entry:
    .cfi_startproc
    .cfi_undefined x30
    mov     x29, xzr
    mov     x30, xzr
    mov     x0, x19
    blr     x20
    mov     x16, x0                 // a register from which code with branch targets takes jumps
    mov     x0, x19
    mov     x30, xzr
    br      x16
    .cfi_endproc
    .size   parley_rt_entry, .-parley_rt_entry

// void* parley_rt_first_frame(char* top, LastOfStack (*entry)(void*), void* argument);
//
// Writes below `top` what parley_rt_switch loads, as if it had been left from parley_rt_entry. An
// fpcr of zero is the default of the ABI: no traps, round to nearest.
    .globl  parley_rt_first_frame
    .type   parley_rt_first_frame, %function
    .p2align 4
parley_rt_first_frame:
    .cfi_startproc
    hint    #34                     // bti c
    and     x0, x0, #-16
    sub     x0, x0, #176
    adr     x9, parley_rt_entry
    stp     x2, x1, [x0, #0]        // x19, x20
    stp     xzr, xzr, [x0, #16]
    stp     xzr, xzr, [x0, #32]
    stp     xzr, xzr, [x0, #48]
    stp     xzr, xzr, [x0, #64]
    stp     xzr, x9, [x0, #80]      // x29, x30
    stp     xzr, xzr, [x0, #96]
    stp     xzr, xzr, [x0, #112]
    stp     xzr, xzr, [x0, #128]
    stp     xzr, xzr, [x0, #144]
    stp     xzr, xzr, [x0, #160]    // fpcr
    ret
    .cfi_endproc
    .size   parley_rt_first_frame, .-parley_rt_first_frame

// void parley_rt_trace_left(void* stack_pointer, void (*trace)(void*), void* argument);
//
// x19 holds the stack pointer while `trace` runs, and all registers of the caller are those that
// parley_rt_switch saved there.
    .globl  parley_rt_trace_left
    .type   parley_rt_trace_left, %function
    .p2align 4
parley_rt_trace_left:
    .cfi_startproc
    hint    #34                     // bti c
    stp     x29, x30, [sp, #-32]!
    .cfi_def_cfa_offset 32
    .cfi_offset x29, -32
    .cfi_offset x30, -24
    str     x19, [sp, #16]
    .cfi_offset x19, -16
    mov     x19, x0
    mov     x0, x2
    .cfi_remember_state
    .cfi_def_cfa x19, 176
    PARLEY_SAVED
    blr     x1
    .cfi_restore_state
    ldr     x19, [sp, #16]
    ldp     x29, x30, [sp], #32
    .cfi_restore x19
    .cfi_restore x29
    .cfi_restore x30
    .cfi_def_cfa_offset 0
    ret
    .cfi_endproc
    .size   parley_rt_trace_left, .-parley_rt_trace_left

#if defined(__ARM_FEATURE_BTI_DEFAULT)
// Says that this file keeps to branch target identification (ELF for AArch64, GNU property): one
// object without it would take it from the whole program.
    .section .note.gnu.property,"a",%note
    .p2align 3
    .word   4, 16, 5
    .asciz  "GNU"
    .word   0xc0000000, 4, 1, 0
#endif

#endif  // __aarch64__

    .section .note.GNU-stack,"",%progbits
