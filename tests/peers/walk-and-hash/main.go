// Command walk-and-hash reads every file below a folder on all processors and prints one SHA-256 of them all: what it
// takes to know the content of a folder, with nothing kept from before and nothing left out.
package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
)

const buffer = 1 << 17

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(root string) error {
	files, err := list(root)
	if err != nil {
		return err
	}
	sums, errs := make([][sha256.Size]byte, len(files)), make([]error, runtime.NumCPU())
	var group sync.WaitGroup
	next := make(chan int, 1024)
	for worker := range errs {
		group.Go(func() { errs[worker] = work(files, sums, next) })
	}
	for index := range files {
		next <- index
	}
	close(next)
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	whole := sha256.New()
	for index, file := range files {
		fmt.Fprintf(whole, "%s\x00%x\n", file, sums[index])
	}
	fmt.Printf("%x %d files\n", whole.Sum(nil), len(files))
	return nil
}

func list(root string) (files []string, err error) {
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	return files, err
}

// work hashes the files that it is given until there are no more; after an error it only takes them away.
func work(files []string, sums [][sha256.Size]byte, next <-chan int) (failed error) {
	space := make([]byte, buffer)
	for index := range next {
		if failed == nil {
			sums[index], failed = sum(files[index], space)
		}
	}
	return failed
}

func sum(path string, space []byte) (sum [sha256.Size]byte, err error) {
	file, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer file.Close()
	hash := sha256.New()
	// Without the file's own WriteTo, which would take another buffer.
	if _, err = io.CopyBuffer(hash, struct{ io.Reader }{file}, space); err != nil {
		return sum, err
	}
	hash.Sum(sum[:0])
	return sum, nil
}
