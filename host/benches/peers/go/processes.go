package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

func spawn(count int) {
	began := time.Now()
	for i := 0; i < count; i++ {
		ended := make(chan struct{})
		go func() { close(ended) }()
		<-ended
	}
	perOperation(began, count, uint64(count))
}

func parked(processes, samples int) {
	epoch := time.Now()
	answers := make(chan int64)
	bytesBefore, mappingsBefore := resident(), mappings()
	began := time.Now()
	sleepers := make([]chan int64, processes)
	for i := range sleepers {
		sleepers[i] = make(chan int64)
		go func(times <-chan int64) {
			for sent := range times {
				answers <- time.Since(epoch).Nanoseconds() - sent
			}
		}(sleepers[i])
	}
	for _, sleeper := range sleepers {
		sleeper <- time.Since(epoch).Nanoseconds()
		<-answers
	}
	each := func(all int64) float64 { return float64(all) / float64(processes) }
	figure("start", each(time.Since(began).Nanoseconds()))
	figure("bytes", each(resident()-bytesBefore))
	figure("mappings", each(mappings()-mappingsBefore))
	delays := make([]int64, samples)
	for i := range delays {
		sleepers[i*7919%processes] <- time.Since(epoch).Nanoseconds()
		delays[i] = <-answers
	}
	percentiles("p50", "p99", delays)
}

// resident is how many bytes of this program are in memory.
func resident() int64 {
	for _, line := range bytes.Split(read("/proc/self/smaps_rollup"), []byte("\n")) {
		if fields := bytes.Fields(line); len(fields) > 1 && string(fields[0]) == "Rss:" {
			kilobytes, err := strconv.ParseInt(string(fields[1]), 10, 64)
			if err == nil {
				return kilobytes << 10
			}
		}
	}
	fail("no Rss in /proc/self/smaps_rollup")
	return 0
}

func mappings() int64 {
	return int64(bytes.Count(read("/proc/self/maps"), []byte("\n")))
}

func read(path string) []byte {
	text, err := os.ReadFile(path)
	if err != nil {
		fail(err.Error())
	}
	return text
}

func start() {
	message := make(chan string)
	go func() { message <- "Hello, world!" }()
	fmt.Println(<-message)
}
