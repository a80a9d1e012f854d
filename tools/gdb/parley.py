"""Commands of gdb for the fibers of a Parley program: a process under the debugger, or a core file.

  gdb -x tools/gdb/parley.py PROGRAM CORE
  (gdb) parley fibers                   number, name, state, wait reason, age, labels of each
  (gdb) parley fibers order             only those whose line holds the word
  (gdb) parley bt 42                    the stack of fiber 42
  (gdb) parley fiber all bt             a command for each fiber: `bt`, `bt full`, `info locals`
  (gdb) parley switch 42                the commands that follow see that fiber: frame 1 and up
  (gdb) parley switch back
  (gdb) parley core FILE                generate-core-file, with the stacks of the fibers in it

Nothing is called in the program, so a core file will do. Release builds, too: where things lie is
told by a table in the program (parley/rt/impl/debugger.h). x86-64 and 64-bit ARM.
"""
import contextlib
import re
import struct

import gdb
import gdb.unwinder

TABLE_VERSION = 1
TABLE = "parley_rt_debugger"
LAYOUT = (
    "guard_bytes", "smallest_stack",
    "slab_memory", "slab_class", "slab_stacks", "slab_size",
    "fiber_below_top", "fiber_shifts", "fiber_shift_bytes",
    "fiber_id", "fiber_state", "fiber_name", "fiber_wait_reason", "fiber_since", "fiber_labels",
    "fiber_stack_pointer",
    "label_key", "label_value", "label_outer",
    "worker_running", "worker_thread_id", "worker_coarse_now")
RUNNABLE, RUNNING, PARKED = 1, 2, 3
NAME_BYTES = 40
MOST_LABELS = 100

# What parley_rt_switch leaves on a stack: where each register lies above the stack pointer, which
# of them is the program counter, and how many bytes there are (parley/rt/impl/switch_*.S).
LEFT = {
    "i386:x86-64": ({"r15": 8, "r14": 16, "r13": 24, "r12": 32, "rbx": 40, "rbp": 48, "rip": 56},
                    "rip", "rsp", 64),
    "aarch64": ({**{f"x{i}": 8 * (i - 19) for i in range(19, 31)}, "pc": 88}, "pc", "sp", 176),
}


# --- reading ------------------------------------------------------------------------------------

def memory(address, size):
    return gdb.selected_inferior().read_memory(address, size).tobytes()


def word(address):
    return struct.unpack("<Q", memory(address, 8))[0]


def text_at(address, limit=200):
    """A text that ends with a zero; byte by byte near the end of what is mapped."""
    try:
        found = memory(address, limit)
    except gdb.MemoryError:
        found = b""
        with contextlib.suppress(gdb.MemoryError):
            while len(found) < limit and not found.endswith(b"\0"):
                found += memory(address + len(found), 1)
    return found.split(b"\0", 1)[0].decode("utf-8", "replace")


class Layout:
    """Where things lie, as the program says."""

    def __init__(self):
        try:
            self.table = int(gdb.parse_and_eval(f"(unsigned long)&{TABLE}"))
            version = word(self.table)
        except gdb.error as error:
            raise gdb.GdbError(
                f"no fibers are known here: {error}. Load the program (and its core file, or start "
                "it): it has to be linked with Parley and not stripped of its symbols") from error
        if version != TABLE_VERSION:
            raise gdb.GdbError(
                f"the program's table of fibers has version {version}, this script reads "
                f"{TABLE_VERSION}: take tools/gdb/parley.py of the program's version of Parley")
        values = struct.unpack(f"<{len(LAYOUT)}Q", memory(self.table + 16, 8 * len(LAYOUT)))
        self.__dict__.update(zip(LAYOUT, values))


class Fiber:
    """One fiber, as its record tells."""

    def __init__(self, at, record, layout, threads):
        def number(place, form="<Q"):
            return struct.unpack_from(form, record, place)[0]
        self.number = number(layout.fiber_id)
        self.name = record[layout.fiber_name:layout.fiber_name + NAME_BYTES].split(
            b"\0", 1)[0].decode("utf-8", "replace")
        self.state = record[layout.fiber_state]
        self.since = number(layout.fiber_since, "<q")
        self.stack_pointer = number(layout.fiber_stack_pointer)
        self.wait_reason = number(layout.fiber_wait_reason)
        self.first_label = number(layout.fiber_labels)
        self.layout = layout
        # A worker that says it runs the fiber knows better than its record, which is told first.
        self.thread_id = threads.get(at)
        if self.thread_id is not None:
            self.state = RUNNING

    def labels(self):
        found, at = [], self.first_label
        with contextlib.suppress(gdb.MemoryError):
            while at != 0 and len(found) < MOST_LABELS:
                key = text_at(word(at + self.layout.label_key))
                found.append(f"{key}={text_at(at + self.layout.label_value, NAME_BYTES)}")
                at = word(at + self.layout.label_outer)
        return found

    def line(self, now):
        text = f"#{self.number} '{self.name}' "
        if self.state == PARKED:
            age = max(now - self.since, 0) // 1_000_000
            text += f"waits: {text_at(self.wait_reason)}, for {age} ms"
            text += "".join(f", {label}" for label in self.labels())
        elif self.state == RUNNING:
            text += f"running on LWP {self.thread_id}"
        else:
            text += "runnable"
        return text


class Runtime:
    """One runtime of the program, and its fibers in the order they were started."""

    def __init__(self, entry, layout):
        self.next, self.slabs, workers, self.worker_count, self.max_fibers = struct.unpack(
            "<5Q", memory(entry, 40))
        threads, self.now = {}, 0
        for i in range(self.worker_count):
            worker = word(workers + 8 * i)
            running = word(worker + layout.worker_running)
            if running != 0:
                threads[running], = struct.unpack(
                    "<i", memory(worker + layout.worker_thread_id, 4))
            # The last moment any of them looked at the clock.
            coarse_now = struct.unpack("<q", memory(worker + layout.worker_coarse_now, 8))[0]
            self.now = max(self.now, coarse_now)
        self.fibers = sorted(self.read_fibers(layout, threads), key=lambda it: it.number)

    def read_fibers(self, layout, threads):
        for bottom, top in self.stacks(layout):
            shift = bottom // layout.guard_bytes % layout.fiber_shifts
            at = top - shift * layout.fiber_shift_bytes - layout.fiber_below_top
            try:
                record = memory(at, layout.fiber_below_top)
            except gdb.MemoryError:
                continue  # never touched, and so not in the core file
            if struct.unpack_from("<Q", record, layout.fiber_id)[0] != 0:
                yield Fiber(at, record, layout, threads)

    def stacks(self, layout):
        """Bottom and top of each stack, used or not."""
        begin, end = word(self.slabs), word(self.slabs + 8)
        for slab in range(begin, end, layout.slab_size):
            size = layout.smallest_stack << word(slab + layout.slab_class)
            top = word(slab + layout.slab_memory)
            for _ in range(word(slab + layout.slab_stacks)):
                top += layout.guard_bytes + size
                yield top - size, top


def runtimes():
    layout = Layout()
    entry = word(layout.table + 8)
    while entry != 0:
        runtime = Runtime(entry, layout)
        yield runtime
        entry = runtime.next


def fiber_of(number):
    for runtime in runtimes():
        for fiber in runtime.fibers:
            if fiber.number == number:
                return fiber
    raise gdb.GdbError(f"there is no fiber {number}: `parley fibers` lists those there are")


# --- stacks -------------------------------------------------------------------------------------

class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class LeftStack(gdb.unwinder.Unwinder):
    """Makes a stack that a fiber left the caller of the innermost frame of the selected thread, so
    that gdb's own unwinders go on there."""

    def __init__(self):
        super().__init__("parley")
        self.stack_pointer = None

    def __call__(self, frame):
        if self.stack_pointer is None or frame.level() != 0:
            return None
        registers, pc, sp, size = LEFT[frame.architecture().name()]

        def value(register, number):
            return gdb.Value(number).cast(frame.read_register(register).type)
        # As if it lay right below: gdb wants stacks to grow downwards.
        info = frame.create_unwind_info(
            FrameId(value(sp, self.stack_pointer), frame.read_register(pc)))
        for register, place in registers.items():
            info.add_saved_register(register, value(register, word(self.stack_pointer + place)))
        info.add_saved_register(sp, value(sp, self.stack_pointer + size))
        return info

    def follow(self, stack_pointer):
        self.stack_pointer = stack_pointer
        gdb.invalidate_cached_frames()

    def select(self, fiber):
        architecture = gdb.newest_frame().architecture().name()
        if architecture not in LEFT:
            raise gdb.GdbError(f"stacks of fibers cannot be read on {architecture} yet")
        self.follow(fiber.stack_pointer)
        gdb.newest_frame().older().select()


unwinder = LeftStack()
gdb.unwinder.register_unwinder(None, unwinder, replace=True)
gdb.events.cont.connect(lambda _: unwinder.follow(None))


def thread_of(fiber):
    for thread in gdb.selected_inferior().threads():
        if thread.ptid[1] == fiber.thread_id:
            return thread
    raise gdb.GdbError(f"fiber {fiber.number} runs on a thread that gdb does not show "
                       f"(LWP {fiber.thread_id}): see `info threads`")


@contextlib.contextmanager
def context_of(fiber):
    """What is executed within sees the fiber; afterwards all is as it was."""
    before, left = gdb.selected_thread(), unwinder.stack_pointer
    frame = gdb.selected_frame().level()
    try:
        if fiber.state == RUNNING:
            unwinder.follow(None)
            thread_of(fiber).switch()
        else:
            unwinder.select(fiber)
        yield
    finally:
        before.switch()
        unwinder.follow(left)
        with contextlib.suppress(gdb.error):
            gdb.execute(f"frame {frame}", to_string=True)


def has_not_run(fiber):
    """True of a fiber whose stack is as first_frame() made it."""
    registers, pc, _, _ = LEFT[gdb.newest_frame().architecture().name()]
    entry = int(gdb.parse_and_eval("(unsigned long)&parley_rt_entry"))
    return fiber.state == RUNNABLE and word(fiber.stack_pointer + registers[pc]) == entry


BACKTRACE = re.compile(r"(bt|backtrace|where)\b")


def execute_in(fiber, command):
    """Prints what the command says. Of a backtrace, the frame of the thread is left out."""
    if has_not_run(fiber):
        gdb.write("it has not run yet\n")
        return
    has_frame_of_thread = fiber.state != RUNNING and BACKTRACE.match(command)
    if has_frame_of_thread:
        command = re.sub(r"(?<=\s)\d+\s*$", lambda count: str(int(count.group()) + 1), command)
    with context_of(fiber):
        text = gdb.execute(command, to_string=True)
    if has_frame_of_thread:
        start = re.search(r"^#1 ", text, re.MULTILINE)
        text = text[start.start():] if start else ""
        text = re.sub(r"^#(\d+) {1,2}", lambda at: f"#{int(at.group(1)) - 1:<3}", text,
                      flags=re.MULTILINE)
    gdb.write(text)


# --- core files ---------------------------------------------------------------------------------

class CoreFile:
    """A core file of 64 bits, little-endian (ELF-64 Object File Format, 1.5), open for writing."""

    LOAD = 1

    def __init__(self, file):
        self.file = file
        header = file.read(64)
        at, = struct.unpack_from("<Q", header, 32)
        size, count = struct.unpack_from("<HH", header, 54)
        file.seek(at)
        headers = file.read(size * count)
        self.segments = []
        for i in range(count):
            kind, _, offset, address, _, in_file = struct.unpack_from("<IIQQQQ", headers, size * i)
            if kind == self.LOAD:
                self.segments.append((address, address + in_file, offset))

    def write(self, address, data):
        for begin, end, offset in self.segments:
            if begin <= address and address + len(data) <= end:
                self.file.seek(offset + address - begin)
                self.file.write(data)


def write_core(path):
    """gdb copies a mapping up to the first part that it cannot read, and a guard region of the
    kernel within a slab of stacks is one: so their memory is copied once more, stack by stack."""
    gdb.execute(f"generate-core-file {path}")
    layout, step = Layout(), 64 * 1024
    with open(path, "r+b") as file:
        core = CoreFile(file)
        for runtime in runtimes():
            for bottom, top in runtime.stacks(layout):
                for at in range(bottom, top, step):
                    data = memory(at, min(step, top - at))
                    if any(data):
                        core.write(at, data)


# --- commands -----------------------------------------------------------------------------------

class Parley(gdb.Command):
    """The fibers of a Parley program: `parley fibers`, `parley bt N`, `parley fiber N COMMAND`."""

    def __init__(self):
        super().__init__("parley", gdb.COMMAND_STACK, prefix=True)


class Fibers(gdb.Command):
    """parley fibers [WORD]: number, name, state, wait reason, age and labels of each fiber, or of
those whose line holds the word. Ages are as of when a worker last looked at the clock."""

    def __init__(self):
        super().__init__("parley fibers", gdb.COMMAND_STACK, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        any_runtime = False
        for runtime in runtimes():
            any_runtime = True
            gdb.write(f"{len(runtime.fibers)} fibers on {runtime.worker_count} workers, "
                      f"at most {runtime.max_fibers}\n")
            for fiber in runtime.fibers:
                line = fiber.line(runtime.now)
                if argument in line:
                    gdb.write(f"  {line}\n")
        if not any_runtime:
            gdb.write("no runtime runs\n")


class Backtrace(gdb.Command):
    """parley bt N: the stack of fiber N."""

    def __init__(self):
        super().__init__("parley bt", gdb.COMMAND_STACK, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        execute_in(fiber_of(number_in(argument, "parley bt N")), "bt")


class FiberApply(gdb.Command):
    """parley fiber N COMMAND, parley fiber all COMMAND: executes a command of gdb where a fiber is,
as `thread apply` does for threads: bt, bt full, info locals, print VARIABLE."""

    def __init__(self):
        super().__init__("parley fiber", gdb.COMMAND_STACK, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        usage = "parley fiber N|all COMMAND"
        which, _, command = argument.partition(" ")
        if not command:
            raise gdb.GdbError(f"usage: {usage}")
        if which != "all":
            execute_in(fiber_of(number_in(which, usage)), command)
            return
        for runtime in runtimes():
            for fiber in runtime.fibers:
                gdb.write(f"\nFiber {fiber.line(runtime.now)}\n")
                try:
                    execute_in(fiber, command)
                except gdb.error as error:
                    gdb.write(f"{error}\n")


class Switch(gdb.Command):
    """parley switch N: the commands that follow see fiber N, in frame 1 and above (frame 0 stays
that of the thread). parley switch back: the thread itself again, as when the program goes on."""

    def __init__(self):
        super().__init__("parley switch", gdb.COMMAND_STACK, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        unwinder.follow(None)
        if argument == "back":
            return
        fiber = fiber_of(number_in(argument, "parley switch N|back"))
        if fiber.state == RUNNING:
            thread_of(fiber).switch()
        else:
            unwinder.select(fiber)
        gdb.execute("frame")


class Core(gdb.Command):
    """parley core FILE: what generate-core-file does, with the stacks of the fibers in it. Where
stacks have guard regions (Linux 6.13), that alone leaves them out. A core file that the kernel
wrote is complete."""

    def __init__(self):
        super().__init__("parley core", gdb.COMMAND_DATA, gdb.COMPLETE_FILENAME)

    def invoke(self, argument, from_tty):
        if not argument:
            raise gdb.GdbError("usage: parley core FILE")
        write_core(argument)


def number_in(argument, usage):
    try:
        return int(argument.lstrip("#"))
    except ValueError:
        raise gdb.GdbError(f"usage: {usage}, with the number of a fiber as `parley fibers` "
                           "shows it") from None


for command_class in (Parley, Fibers, Backtrace, FiberApply, Switch, Core):
    command_class()
