package main

import "time"

func ring(processes, laps int) {
	first := make(chan uint64)
	last := first
	for i := 1; i < processes; i++ {
		next := make(chan uint64)
		go func(tokens <-chan uint64, next chan<- uint64) {
			for token := range tokens {
				next <- token + 1
			}
		}(last, next)
		last = next
	}
	var token uint64
	began := time.Now()
	for lap := 0; lap < laps; lap++ {
		first <- token
		token = <-last
	}
	perOperation(began, processes*laps, token)
}

func sieve(primes, capacity int) {
	began := time.Now()
	candidates := make(chan uint64, capacity)
	go func(numbers chan<- uint64) {
		for number := uint64(2); ; number++ {
			numbers <- number
		}
	}(candidates)
	var prime uint64
	for i := 0; i < primes; i++ {
		prime = <-candidates
		survivors := make(chan uint64, capacity)
		go filter(prime, candidates, survivors)
		candidates = survivors
	}
	perOperation(began, 1, prime)
}

func filter(prime uint64, candidates <-chan uint64, survivors chan<- uint64) {
	for candidate := range candidates {
		if candidate%prime != 0 {
			survivors <- candidate
		}
	}
}

func fanIn(workers, each int) {
	numbers := make(chan uint64)
	for i := 0; i < workers; i++ {
		go counts(each, numbers)
	}
	began := time.Now()
	var sum uint64
	for i := 0; i < workers*each; i++ {
		sum += <-numbers
	}
	perOperation(began, workers*each, sum)
}

func fanOut(workers, each int) {
	numbers, totals := make(chan uint64), make(chan uint64)
	for i := 0; i < workers; i++ {
		go func() {
			var sum uint64
			for number := range numbers {
				sum += number
			}
			totals <- sum
		}()
	}
	began := time.Now()
	counts(workers*each, numbers)
	close(numbers)
	var sum uint64
	for i := 0; i < workers; i++ {
		sum += <-totals
	}
	perOperation(began, workers*each, sum)
}
