// The fiber switch, System V x86-64 ABI.
//
//   void* parley_rt_switch(void** save, void* to, void* value);
//
// Stores the callee-saved state on the current stack and its stack pointer in *save, continues on
// the stack `to` was saved from, and returns `value` there. Ends in ret, so that calls and returns
// stay paired for the return predictor: all fibers leave from the same few places, so what it
// expects is mostly right, and so are the returns that follow. A jump in its place is 5 ns faster
// between two empty loops, and costs each return after it a misprediction (a yield: 21 ns for 11).
//
// mxcsr and the x87 control word are callee-saved too; they are written only where the two stacks
// differ, because writing them costs more than the rest of the switch.
#ifdef __x86_64__
    .text
    .globl  parley_rt_switch
    .type   parley_rt_switch, @function
    .p2align 4
parley_rt_switch:
    .cfi_startproc
    pushq   %rbp
    pushq   %rbx
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    pushq   $0
    .cfi_adjust_cfa_offset 56
    stmxcsr (%rsp)
    fnstcw  4(%rsp)
    movl    (%rsp), %eax            // each as wide as it was stored: a wider load would wait for
    movzwl  4(%rsp), %ecx           // both stores to reach the cache
    movq    %rsp, (%rdi)
    movq    %rsi, %rsp
    cmpl    (%rsp), %eax
    jne     2f
    cmpw    4(%rsp), %cx
    jne     2f
1:
    .cfi_remember_state
    addq    $8, %rsp
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %rbx
    popq    %rbp
    .cfi_adjust_cfa_offset -56
    movq    %rdx, %rax
    retq
2:
    .cfi_restore_state
    ldmxcsr (%rsp)
    fldcw   4(%rsp)
    jmp     1b
    .cfi_endproc
    .size   parley_rt_switch, .-parley_rt_switch

// The first thing a new stack runs: calls r13 with r12 as its argument, and jumps to what that
// returns, with r12 again. A jump, because that function leaves the stack for good: a call that
// never returns would put every return on the next stack out of step with the predictor. Nothing is
// above: a debugger and the unwinder stop here (undefined return address, zero frame pointer), and
// at the null return address of the function that is jumped to.
    .globl  parley_rt_entry
    .hidden parley_rt_entry
    .type   parley_rt_entry, @function
    .p2align 4
parley_rt_entry:
    .cfi_startproc
    .cfi_undefined %rip
    xorl    %ebp, %ebp
    movq    %r12, %rdi
    callq   *%r13
    movq    %r12, %rdi
    pushq   $0
    .cfi_adjust_cfa_offset 8
    jmpq    *%rax
    .cfi_endproc
    .size   parley_rt_entry, .-parley_rt_entry

// void* parley_rt_first_frame(char* top, LastOfStack (*entry)(void*), void* argument);
//
// Writes below `top` what parley_rt_switch pops, as if it had been left from parley_rt_entry, with
// the floating point defaults of the ABI: all exceptions masked, round to nearest, 64-bit mantissa.
    .globl  parley_rt_first_frame
    .type   parley_rt_first_frame, @function
    .p2align 4
parley_rt_first_frame:
    .cfi_startproc
    movq    %rdi, %rax
    andq    $-16, %rax
    leaq    parley_rt_entry(%rip), %rcx
    movq    %rcx, -8(%rax)          // where to go on
    movq    $0, -16(%rax)           // rbp
    movq    $0, -24(%rax)           // rbx
    movq    %rdx, -32(%rax)         // r12
    movq    %rsi, -40(%rax)         // r13
    movq    $0, -48(%rax)           // r14
    movq    $0, -56(%rax)           // r15
    movl    $0x037f, -60(%rax)      // x87 control word, and two bytes that are always zero
    movl    $0x1f80, -64(%rax)      // mxcsr
    subq    $64, %rax
    retq
    .cfi_endproc
    .size   parley_rt_first_frame, .-parley_rt_first_frame

// void parley_rt_trace_left(void* stack_pointer, void (*trace)(void*), void* argument);
//
// Calls trace(argument) on this stack, in a frame whose caller, to an unwinder, is the code that
// left the stack `stack_pointer` by parley_rt_switch: a stack trace taken in `trace` goes on there.
    .globl  parley_rt_trace_left
    .type   parley_rt_trace_left, @function
    .p2align 4
parley_rt_trace_left:
    .cfi_startproc
    pushq   %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbx, 0
    movq    %rdi, %rbx
    movq    %rdx, %rdi
    .cfi_remember_state
    .cfi_def_cfa %rbx, 64
    .cfi_offset %rbp, -16
    .cfi_offset %rbx, -24
    .cfi_offset %r12, -32
    .cfi_offset %r13, -40
    .cfi_offset %r14, -48
    .cfi_offset %r15, -56
    callq   *%rsi
    .cfi_restore_state
    popq    %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbx
    retq
    .cfi_endproc
    .size   parley_rt_trace_left, .-parley_rt_trace_left

#endif  // __x86_64__

    .section .note.GNU-stack,"",@progbits
