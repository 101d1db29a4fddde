// The programs of the table of peers, in Go. `peers CASE ARGUMENT...` runs one and prints
// what it measured, a figure on each line.
package main

import (
	"fmt"
	"os"
	"sort"
	"strconv"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fail("usage: peers CASE ARGUMENT...")
	}
	switch name := os.Args[1]; name {
	case "ping-pong":
		pingPong(argument(0))
	case "stream":
		stream(argument(0), argument(1), argument(2))
	case "alternation":
		alternation(argument(0), argument(1))
	case "ring":
		ring(argument(0), argument(1))
	case "sieve":
		sieve(argument(0), argument(1))
	case "fan-in":
		fanIn(argument(0), argument(1))
	case "fan-out":
		fanOut(argument(0), argument(1))
	case "spawn":
		spawn(argument(0))
	case "parked":
		parked(argument(0), argument(1))
	case "latency":
		latency(argument(1))
	case "cpu":
		cpu(argument(0))
	case "preemption":
		preemption(argument(0), argument(1))
	case "beside":
		beside(argument(0), argument(1), argument(2), argument(3), argument(4))
	case "start":
		start()
	default:
		fail("there is no case " + name)
	}
}

func argument(index int) int {
	if len(os.Args) < index+3 {
		fail("an argument is missing")
	}
	number, err := strconv.Atoi(os.Args[index+2])
	if err != nil {
		fail(err.Error())
	}
	return number
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(1)
}

func figure(name string, value any) {
	fmt.Println(name, value)
}

// perOperation prints how long each of so many operations took, and what came of them.
func perOperation(began time.Time, operations int, check uint64) {
	elapsed := time.Since(began)
	figure("ns", float64(elapsed.Nanoseconds())/float64(operations))
	figure("check", check)
}

// percentiles prints the 50th and the 99th percentile.
func percentiles(middle, high string, values []int64) {
	sort.Slice(values, func(a, b int) bool { return values[a] < values[b] })
	figure(middle, values[len(values)/2])
	figure(high, values[len(values)*99/100])
}
