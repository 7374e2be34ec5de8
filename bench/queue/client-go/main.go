// Adds, takes and finishes keys on client-go's rate limiting work queue, as one goroutine does and as controllers do with several, and prints
// operations and CPU seconds as JSON. The same rounds as ../weir.ts.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"k8s.io/client-go/util/workqueue"
)

func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

func main() {
	keys, _ := strconv.Atoi(os.Args[1])
	operations, _ := strconv.Atoi(os.Args[2])
	names := make([]string, keys)
	for i := range names {
		names[i] = fmt.Sprintf("namespace-%d/appliance-%d", i%50, i)
	}
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]())
	defer queue.ShutDown()
	round := func() {
		for _, name := range names {
			queue.Add(name)
		}
		for range names {
			name, _ := queue.Get()
			queue.Forget(name)
			queue.Done(name)
		}
	}
	for done := 0; done < operations/10; done += keys {
		round()
	}
	started, done := cpuSeconds(), 0
	for done < operations {
		round()
		done += keys
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{"operations": done, "cpuSeconds": cpuSeconds() - started})
}
