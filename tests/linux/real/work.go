// What a student's Go program does: goroutines, garbage, timers, signals, files, pipes, processes, a deep stack.
package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

type node struct{ left, right *node }

func tree(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{tree(depth - 1), tree(depth - 1)}
}

func (n *node) leaves() int {
	if n.left == nil {
		return 1
	}
	return n.left.leaves() + n.right.leaves()
}

func goroutines() {
	var group sync.WaitGroup
	results := make(chan int, 3)
	for i := 0; i < 50; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			results <- tree(i%10 + 4).leaves()
		}(i)
	}
	go func() { group.Wait(); close(results) }()
	sum := 0
	for result := range results {
		sum += result
	}
	fmt.Println("leaves of 50 trees:", sum)
}

func garbage() {
	counts := map[string]int{}
	for i := 0; i < 50000; i++ {
		counts[strings.Repeat("x", i%13)+fmt.Sprint(i%1000)]++
	}
	keys := make([]string, 0)
	for key := range counts {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	fmt.Println(len(keys), "keys, the first ones", keys[:3])
	runtime.GC()
	debug.FreeOSMemory()
	large := make([]byte, 64<<20)
	large[63<<20] = 1
	fmt.Println(len(large), "bytes, of which one was written")
}

func timers() {
	began := time.Now()
	time.Sleep(3 * time.Millisecond)
	fmt.Println("slept at least 3 ms:", time.Since(began) >= 3*time.Millisecond)
	select {
	case <-time.After(20 * time.Millisecond):
		fmt.Println("the timer went off")
	}
	end, spins := time.Now().Add(50*time.Millisecond), 0
	go func() {
		for {
			spins++
		}
	}()
	for time.Now().Before(end) {
		runtime.Gosched()
	}
	fmt.Println("a goroutine that spins is preempted")
}

func signals() {
	arrived := make(chan os.Signal, 1)
	signal.Notify(arrived, syscall.SIGUSR1)
	syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	fmt.Println("signal:", <-arrived)
	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		var nothing *node
		fmt.Println(nothing.left)
	}()
}

func files() {
	fmt.Println(os.WriteFile("/tmp/lines", []byte("one\ntwo\n"), 0644))
	text, err := os.ReadFile("/tmp/lines")
	fmt.Printf("%q %v\n", text, err)
	fmt.Println(os.Remove("/tmp/lines"), os.Remove("/tmp/lines"))
}

func pipes() {
	reader, writer, _ := os.Pipe()
	go func() {
		time.Sleep(5 * time.Millisecond)
		fmt.Fprintln(writer, "through a pipe")
		writer.Close()
	}()
	for lines := bufio.NewScanner(reader); lines.Scan(); {
		fmt.Println(lines.Text())
	}
	reader, writer, _ = os.Pipe()
	reader.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	_, err := reader.Read(make([]byte, 1))
	fmt.Println(err)
	writer.Close()
}

func processes() {
	output, err := exec.Command(os.Args[0], "child").Output()
	fmt.Printf("%q %v\n", output, err)
	_, err = exec.Command("/nonexistent").Output()
	fmt.Println(err)
}

func deep(n int) int {
	var frame [20]int
	frame[n%20] = n
	if n == 0 {
		return 0
	}
	return deep(n-1) + frame[n%20] - n + 1
}

func main() {
	if len(os.Args) > 1 {
		fmt.Println("the child")
		os.Exit(3)
	}
	goroutines()
	garbage()
	signals()
	files()
	pipes()
	processes()
	fmt.Println("depth", deep(100000))
	timers()
}
