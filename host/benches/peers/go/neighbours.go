package main

import (
	"runtime"
	"time"
)

// beside measures what part of its fair share a stream gets, of the rate that it has alone,
// beside so many others of a kind.
func beside(workers, capacity, kind, count, milliseconds int) {
	runtime.GOMAXPROCS(workers)
	alone := rate(capacity, milliseconds)
	for i := 0; i < count; i++ {
		neighbour(kind)
	}
	together := rate(capacity, milliseconds)
	fair := 2 * float64(workers) / float64(2+count)
	if fair > 1 {
		fair = 1
	}
	figure("share", together/(alone*fair))
}

func neighbour(kind int) {
	switch kind {
	case 0:
		go spins()
	case 1:
		labours()
	case 2:
		go func() {
			for {
				runtime.Gosched()
			}
		}()
	case 3:
		never := make(chan int, 1)
		go func() {
			for {
				select {
				case <-never:
					return
				default:
				}
			}
		}()
	}
}

// labours computes 30 ms for each item.
func labours() {
	items, done := make(chan int, 8), make(chan int)
	go func() {
		for number := 0; ; number++ {
			items <- number
		}
	}()
	go func() {
		for number := range items {
			for began := time.Now(); time.Since(began) < 30*time.Millisecond; {
				for i := 0; i < 10000; i++ {
					number = number*3 + 1
				}
			}
			done <- number
		}
	}()
	go func() {
		for {
			<-done
		}
	}()
}

// rate is how many messages a nanosecond a stream has, after a fourth of the time to warm up.
func rate(capacity, milliseconds int) float64 {
	numbers := make(chan uint64, capacity)
	// It waits for ever when nobody receives any more.
	go func() {
		for number := uint64(0); ; number++ {
			numbers <- number
		}
	}()
	span := time.Duration(milliseconds) * time.Millisecond
	began, messages, warm := time.Now(), 0, false
	for {
		<-numbers
		messages++
		if messages%16 != 0 {
			continue
		}
		if !warm && time.Since(began) >= span/4 {
			messages, warm, began = 0, true, time.Now()
		}
		if warm && time.Since(began) >= span {
			break
		}
	}
	elapsed := time.Since(began)
	return float64(messages) / float64(elapsed.Nanoseconds())
}
