package main

import (
	"runtime"
	"time"
)

func cpu(rounds int) {
	alone := twoProcesses(1, rounds)
	together := twoProcesses(2, rounds)
	figure("speed-up", float64(alone)/float64(together))
}

// twoProcesses is how long two processes compute on so many workers.
func twoProcesses(workers, rounds int) time.Duration {
	runtime.GOMAXPROCS(workers)
	last := make(chan uint64)
	began := time.Now()
	for i := 0; i < 2; i++ {
		go func() {
			number := uint64(1)
			for round := 0; round < rounds; round++ {
				number = (number*1103515245 + 12345) & 0x7fffffff
			}
			last <- number
		}()
	}
	<-last
	<-last
	return time.Since(began)
}

// preemption measures how late timers are, and how long exchanges of a message take, while
// so many others never stop.
func preemption(loops, samples int) {
	runtime.GOMAXPROCS(2)
	for i := 0; i < loops; i++ {
		go spins()
	}
	ping, pong := make(chan int), make(chan int)
	go func() {
		for number := range ping {
			pong <- number
		}
	}()
	late, exchanges := make([]int64, samples), make([]int64, samples)
	for sample := range late {
		due := time.Now().Add(time.Millisecond)
		time.Sleep(time.Until(due))
		woken := time.Now()
		ping <- sample
		<-pong
		late[sample] = woken.Sub(due).Nanoseconds()
		exchanges[sample] = time.Since(woken).Nanoseconds()
	}
	percentiles("late-p50", "late-p99", late)
	percentiles("p50", "p99", exchanges)
}

func spins() {
	for number := 0; ; number++ {
	}
}
