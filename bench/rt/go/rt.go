// The Go side of `./dev bench rt`: the work of bench/rt/*.cc, written as a Go engineer would.
//
//	rt NAME OPS     does OPS operations of a scenario and prints what they cost
//	rt echo         prints {"address":"127.0.0.1:PORT","pid":PID} and echoes until SIGTERM
package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A scenario does `ops` operations and returns a number that tells whether they were done.
type scenario func(ops uint64) uint64

var scenarios = map[string]scenario{
	"spawn_join":       spawnJoin,
	"spawn_join_batch": spawnJoinBatch,
	"yield":            yield,
	"pingpong_same":    func(ops uint64) uint64 { return pingpong(ops, 1) },
	"pingpong_cross":   func(ops uint64) uint64 { return pingpong(ops, 4) },
	"buffered_1_1":     func(ops uint64) uint64 { return buffered(ops, 1) },
	"buffered_n_n":     func(ops uint64) uint64 { return buffered(ops, 8) },
	"select_2":         select2,
	"select_8":         select8,
	"mutex":            mutex,
	"mutex_contended":  mutexContended,
	"rwmutex":          func(ops uint64) uint64 { return rwmutex(ops, 1_000) },
	"rwmutex_rare":     func(ops uint64) uint64 { return rwmutex(ops, 100_000) },
	"timers_fire":      timersFire,
	"timers_cancel":    timersCancel,
	"tree":             trees,
}

func spawnJoin(ops uint64) uint64 {
	var group sync.WaitGroup
	var done uint64
	for i := uint64(0); i < ops; i++ {
		group.Add(1)
		go func() {
			done++
			group.Done()
		}()
		group.Wait()
	}
	return done
}

const batch = 1000

func spawnJoinBatch(ops uint64) uint64 {
	var group sync.WaitGroup
	var done uint64
	for left := ops; left > 0; {
		now := min(left, batch)
		left -= now
		group.Add(int(now))
		for i := uint64(0); i < now; i++ {
			go func() {
				atomic.AddUint64(&done, 1)
				group.Done()
			}()
		}
		group.Wait()
	}
	return done
}

func yield(ops uint64) uint64 {
	var group sync.WaitGroup
	var turns [2]uint64
	for side := range turns {
		group.Add(1)
		go func(side int) {
			defer group.Done()
			for turns[side] < ops/2 {
				turns[side]++
				runtime.Gosched()
			}
		}(side)
	}
	group.Wait()
	return turns[0] + turns[1]
}

func pingpong(ops uint64, pairs uint64) uint64 {
	var group sync.WaitGroup
	sums := make([]uint64, pairs*8)
	for pair := uint64(0); pair < pairs; pair++ {
		ping, pong := make(chan uint64), make(chan uint64)
		group.Add(2)
		go func() {
			defer group.Done()
			for value := range ping {
				pong <- value + 1
			}
		}()
		go func(sum *uint64) {
			defer group.Done()
			for i := uint64(0); i < ops/pairs; i++ {
				ping <- i
				*sum += <-pong
			}
			close(ping)
		}(&sums[pair*8])
	}
	group.Wait()
	return total(sums)
}

func buffered(ops uint64, sides uint64) uint64 {
	values := make(chan uint64, 128)
	var senders, receivers sync.WaitGroup
	sums := make([]uint64, sides*8)
	for side := uint64(0); side < sides; side++ {
		senders.Add(1)
		receivers.Add(1)
		go func() {
			defer senders.Done()
			for i := uint64(0); i < ops/sides; i++ {
				values <- i
			}
		}()
		go func(sum *uint64) {
			defer receivers.Done()
			for value := range values {
				*sum += value
			}
		}(&sums[side*8])
	}
	senders.Wait()
	close(values)
	receivers.Wait()
	return total(sums)
}

// Starts a goroutine for each channel that sends it ops/len(channels) values.
func feed(channels []chan uint64, ops uint64) {
	for _, values := range channels {
		go func(values chan uint64) {
			for i := uint64(0); i < ops; i++ {
				values <- i
			}
		}(values)
	}
}

func select2(ops uint64) uint64 {
	a, b := make(chan uint64), make(chan uint64)
	feed([]chan uint64{a, b}, ops/2)
	var sum uint64
	for i := uint64(0); i < ops/2*2; i++ {
		select {
		case value := <-a:
			sum += value
		case value := <-b:
			sum += value
		}
	}
	return sum
}

func select8(ops uint64) uint64 {
	var c [8]chan uint64
	for i := range c {
		c[i] = make(chan uint64)
	}
	feed(c[:], ops/8)
	a, b, d, e, f, g, h, j := c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]
	var sum, value uint64
	for i := uint64(0); i < ops/8*8; i++ {
		select {
		case value = <-a:
		case value = <-b:
		case value = <-d:
		case value = <-e:
		case value = <-f:
		case value = <-g:
		case value = <-h:
		case value = <-j:
		}
		sum += value
	}
	return sum
}

func mutex(ops uint64) uint64 {
	var lock sync.Mutex
	var count uint64
	for i := uint64(0); i < ops; i++ {
		lock.Lock()
		count++
		lock.Unlock()
	}
	return count
}

const workers = 8

// A few nanoseconds of work that no compiler can leave out.
func stir(value uint64) uint64 {
	for i := 0; i < 8; i++ {
		value = value*6364136223846793005 + 1442695040888963407
	}
	return value
}

func mutexContended(ops uint64) uint64 {
	var group sync.WaitGroup
	var lock sync.Mutex
	var count, mixed uint64
	for worker := 0; worker < workers; worker++ {
		group.Add(1)
		go func(outside uint64) {
			defer group.Done()
			for i := uint64(0); i < ops/workers; i++ {
				lock.Lock()
				count++
				mixed = stir(mixed)
				lock.Unlock()
				outside = stir(outside)
			}
			lock.Lock()
			sink += outside
			lock.Unlock()
		}(uint64(worker))
	}
	group.Wait()
	return count ^ mixed
}

var sink uint64

func rwmutex(ops uint64, writeEvery uint64) uint64 {
	var group sync.WaitGroup
	var lock sync.RWMutex
	var written uint64
	var read [workers * 8]uint64
	for worker := 0; worker < workers; worker++ {
		group.Add(1)
		go func(sum *uint64) {
			defer group.Done()
			for i := uint64(1); i <= ops/workers; i++ {
				if i%writeEvery == 0 {
					lock.Lock()
					written++
					lock.Unlock()
					continue
				}
				lock.RLock()
				*sum += written&1 | 1
				lock.RUnlock()
			}
		}(&read[worker*8])
	}
	group.Wait()
	return written + total(read[:])
}

const (
	timersAtOnce = 100_000
	fireWithin   = 50 * time.Millisecond
)

func timersFire(ops uint64) uint64 {
	var fired uint64
	for left := ops; left > 0; {
		now := min(left, timersAtOnce)
		left -= now
		var group sync.WaitGroup
		group.Add(int(now))
		for i := uint64(0); i < now; i++ {
			time.AfterFunc(delayOf(i), func() {
				atomic.AddUint64(&fired, 1)
				group.Done()
			})
		}
		group.Wait()
	}
	return fired
}

// Spread over fireWithin, in no order.
func delayOf(timer uint64) time.Duration {
	return time.Duration(timer * 2654435761 % uint64(fireWithin))
}

func timersCancel(ops uint64) uint64 {
	var stopped uint64
	for i := uint64(0); i < ops; i++ {
		if time.AfterFunc(time.Hour, func() { sink++ }).Stop() {
			stopped++
		}
	}
	return stopped
}

const leavesOfTree = 1 << 16

func trees(ops uint64) uint64 {
	var sum uint64
	for left := ops; left > 0; {
		leaves := min(left, leavesOfTree)
		left -= leaves
		sum += tree(leaves)
	}
	return sum
}

func tree(leaves uint64) uint64 {
	if leaves == 1 {
		return 1
	}
	var group sync.WaitGroup
	var left, right uint64
	group.Add(2)
	go func() {
		left = tree(leaves / 2)
		group.Done()
	}()
	go func() {
		right = tree(leaves - leaves/2)
		group.Done()
	}()
	group.Wait()
	return left + right
}

func total(sums []uint64) uint64 {
	var sum uint64
	for _, one := range sums {
		sum += one
	}
	return sum
}

func min(a, b uint64) uint64 {
	if a < b {
		return a
	}
	return b
}

// User and system time of this process.
func cpu() time.Duration {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func measure(run scenario, ops uint64) {
	run(ops/8 + 8)
	begin := cpu()
	answer := run(ops)
	spent := cpu() - begin
	fmt.Printf(`{"ops":%d,"cpu_us":%d,"check":%d}`+"\n", ops, spent.Microseconds(), answer)
}

// Bytes of this process that are in memory.
func resident() uint64 {
	text, err := os.ReadFile("/proc/self/statm")
	check(err)
	pages, err := strconv.ParseUint(strings.Fields(string(text))[1], 10, 64)
	check(err)
	return pages * uint64(os.Getpagesize())
}

func park(count uint64) {
	var parked, ended sync.WaitGroup
	over := make(chan struct{})
	start := func(count uint64) {
		parked.Add(int(count))
		ended.Add(int(count))
		for i := uint64(0); i < count; i++ {
			go func() {
				parked.Done()
				<-over
				ended.Done()
			}()
		}
		parked.Wait()
	}
	start(64)
	before := resident()
	start(count)
	after := resident()
	close(over)
	ended.Wait()
	fmt.Printf(`{"ops":%d,"bytes":%.0f,"check":%d}`+"\n", count,
		float64(after-before)/float64(count), count)
}

func echo() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		os.Exit(0)
	}()
	fmt.Printf(`{"address":"%s","pid":%d}`+"\n", listener.Addr(), os.Getpid())
	for {
		connection, err := listener.Accept()
		check(err)
		go func() {
			defer connection.Close()
			buffer := make([]byte, 4096)
			for {
				size, err := connection.Read(buffer)
				if err != nil {
					return
				}
				if _, err = connection.Write(buffer[:size]); err != nil {
					return
				}
			}
		}()
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "echo" {
		echo()
		return
	}
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: rt NAME OPS | rt echo")
		os.Exit(2)
	}
	ops, err := strconv.ParseUint(os.Args[2], 10, 64)
	check(err)
	if os.Args[1] == "parked" {
		park(ops)
		return
	}
	run, known := scenarios[os.Args[1]]
	if !known {
		fmt.Fprintf(os.Stderr, "no scenario %q\n", os.Args[1])
		os.Exit(2)
	}
	measure(run, ops)
}
