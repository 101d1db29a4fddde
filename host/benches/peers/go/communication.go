package main

import (
	"encoding/binary"
	"reflect"
	"time"
)

func pingPong(rounds int) {
	ping, pong := make(chan uint64), make(chan uint64)
	go func() {
		for number := range ping {
			pong <- number
		}
	}()
	var sum uint64
	began := time.Now()
	for round := 0; round < rounds; round++ {
		ping <- uint64(round)
		sum += <-pong
	}
	perOperation(began, rounds, sum)
}

func stream(capacity, size, messages int) {
	if size == 8 {
		streamNumbers(capacity, messages)
	} else {
		streamBlocks(capacity, size, messages)
	}
}

func counts(count int, numbers chan<- uint64) {
	for number := 0; number < count; number++ {
		numbers <- uint64(number)
	}
}

func streamNumbers(capacity, messages int) {
	numbers := make(chan uint64, capacity)
	began := time.Now()
	go func() {
		counts(messages, numbers)
		close(numbers)
	}()
	var sum uint64
	for number := range numbers {
		sum += number
	}
	perOperation(began, messages, sum)
}

// streamBlocks makes each block anew, because the receiver owns what it receives.
func streamBlocks(capacity, size, messages int) {
	blocks := make(chan []byte, capacity)
	began := time.Now()
	go func() {
		pattern := make([]byte, size)
		for i := range pattern {
			pattern[i] = 1
		}
		for number := 0; number < messages; number++ {
			block := make([]byte, size)
			copy(block, pattern)
			binary.LittleEndian.PutUint64(block, uint64(number))
			blocks <- block
		}
		close(blocks)
	}()
	var sum uint64
	for block := range blocks {
		sum += binary.LittleEndian.Uint64(block) + uint64(block[len(block)-1])
	}
	perOperation(began, messages, sum)
}

// latency measures how long messages take to one who waits for them, from a sender that
// computes between them.
func latency(messages int) {
	const pause = 200 * time.Microsecond
	times := make(chan time.Time, 128)
	go func() {
		for ; messages > 0; messages-- {
			sent := time.Now()
			times <- sent
			for time.Since(sent) < pause {
			}
		}
		close(times)
	}()
	var delays []int64
	for sent := range times {
		delays = append(delays, time.Since(sent).Nanoseconds())
	}
	percentiles("p50", "p99", delays)
}

func alternation(channels, each int) {
	sources := make([]chan uint64, channels)
	for i := range sources {
		sources[i] = make(chan uint64)
		go counts(each, sources[i])
	}
	began := time.Now()
	messages := channels * each
	var sum uint64
	switch channels {
	case 2:
		sum = selectTwo(sources, messages)
	case 16:
		sum = selectSixteen(sources, messages)
	default:
		sum = selectMany(sources, messages)
	}
	perOperation(began, messages, sum)
}

func selectTwo(sources []chan uint64, messages int) (sum uint64) {
	a, b := sources[0], sources[1]
	for ; messages > 0; messages-- {
		select {
		case n := <-a:
			sum += n
		case n := <-b:
			sum += n
		}
	}
	return sum
}

func selectSixteen(s []chan uint64, messages int) (sum uint64) {
	for ; messages > 0; messages-- {
		var n uint64
		select {
		case n = <-s[0]:
		case n = <-s[1]:
		case n = <-s[2]:
		case n = <-s[3]:
		case n = <-s[4]:
		case n = <-s[5]:
		case n = <-s[6]:
		case n = <-s[7]:
		case n = <-s[8]:
		case n = <-s[9]:
		case n = <-s[10]:
		case n = <-s[11]:
		case n = <-s[12]:
		case n = <-s[13]:
		case n = <-s[14]:
		case n = <-s[15]:
		}
		sum += n
	}
	return sum
}

// selectMany uses reflection, which is Go's way where the number of channels is only known
// when the program runs.
func selectMany(sources []chan uint64, messages int) (sum uint64) {
	cases := make([]reflect.SelectCase, len(sources))
	for i, source := range sources {
		cases[i] = reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(source)}
	}
	for ; messages > 0; messages-- {
		_, number, _ := reflect.Select(cases)
		sum += number.Uint()
	}
	return sum
}
