// Command ignore judges paths by moby/patternmatcher.
//
// Each line of its input is a JSON object with the text of an ignore file and some paths. Each line of its output is
// an array: for each path whether it is ignored, the way a walk from the root sees it. It is null where a pattern is
// malformed: moby finds that out when it first tries the pattern, which it may never do.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

type question struct {
	Rules string
	Paths []string
}

func main() {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<24)
	output := bufio.NewWriter(os.Stdout)
	defer output.Flush()
	for input.Scan() {
		var asked question
		if err := json.Unmarshal(input.Bytes(), &asked); err != nil {
			panic(err)
		}
		if err := json.NewEncoder(output).Encode(answer(asked)); err != nil {
			panic(err)
		}
	}
}

func answer(asked question) []bool {
	patterns, err := ignorefile.ReadAll(strings.NewReader(asked.Rules))
	if err != nil {
		return nil
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return nil
	}
	for _, pattern := range patterns {
		// One that brings back is tried where something was ignored, others where nothing was.
		tried := []string{pattern}
		if strings.HasPrefix(pattern, "!") {
			tried = []string{"**", pattern}
		}
		alone, err := patternmatcher.New(tried)
		if err != nil {
			return nil
		}
		if _, err := alone.MatchesOrParentMatches("x"); err != nil {
			return nil
		}
	}
	ignored := make([]bool, 0, len(asked.Paths))
	for _, path := range asked.Paths {
		var above patternmatcher.MatchInfo
		var matches bool
		for end := range len(path) + 1 {
			if end < len(path) && path[end] != '/' {
				continue
			}
			matches, above, err = matcher.MatchesUsingParentResults(path[:end], above)
			if err != nil {
				return nil
			}
		}
		ignored = append(ignored, matches)
	}
	return ignored
}
