// Command dockerfile reads Dockerfiles by BuildKit's parser.
//
// Each line of its input is a JSON string, a Dockerfile. Each line of its output is what BuildKit makes of it: its
// instructions as words, or an error.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

type read struct {
	Error     string `json:"error"`
	Syntax    string `json:"syntax"`
	Escape    string `json:"escape"`
	Arguments []word `json:"arguments"`
	Stages    []part `json:"stages"`
}

type part struct {
	Base     string `json:"base"`
	Name     string `json:"name"`
	Platform string `json:"platform"`
	Lines    [2]int `json:"lines"`
	Steps    []step `json:"steps"`
}

type step struct {
	Keyword string   `json:"keyword"`
	Lines   [2]int   `json:"lines"`
	Words   []word   `json:"words"`
	Files   []file   `json:"files"`
	Flags   []word   `json:"flags"`
	Mounts  []string `json:"mounts"`
}

// A name and a value, or a word by itself.
type word struct {
	Name  string  `json:"name"`
	Value *string `json:"value"`
}

type file struct {
	Name    string `json:"name"`
	Content string `json:"content"`
	Expand  bool   `json:"expand"`
	Chomp   bool   `json:"chomp"`
}

func main() {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<24)
	output := bufio.NewWriter(os.Stdout)
	defer output.Flush()
	for input.Scan() {
		var text string
		if err := json.Unmarshal(input.Bytes(), &text); err != nil {
			panic(err)
		}
		if err := json.NewEncoder(output).Encode(understand(text)); err != nil {
			panic(err)
		}
	}
}

func understand(text string) read {
	result, err := parser.Parse(strings.NewReader(text))
	if err != nil {
		return read{Error: err.Error()}
	}
	stages, arguments, err := instructions.Parse(result.AST, linter.New(&linter.Config{}))
	if err == nil && len(stages) == 0 {
		err = errors.New("no stages")
	}
	if err != nil {
		return read{Error: err.Error()}
	}
	syntax, _, _, _ := parser.DetectSyntax([]byte(text))
	answer := read{Syntax: syntax, Escape: string(result.EscapeToken)}
	for _, argument := range arguments {
		answer.Arguments = append(answer.Arguments, optional(argument.Args)...)
	}
	mounts := mountsOf(result.AST)
	for _, stage := range stages {
		one := part{Base: stage.BaseName, Name: stage.Name, Platform: stage.Platform, Lines: lines(stage.Location)}
		for _, command := range stage.Commands {
			found := describe(command)
			found.Mounts = mounts[found.Lines[0]]
			one.Steps = append(one.Steps, found)
		}
		answer.Stages = append(answer.Stages, one)
	}
	return answer
}

// The mounts of each RUN, by its first line: as types they are complete only when they are run.
func mountsOf(tree *parser.Node) map[int][]string {
	mounts := map[int][]string{}
	for _, node := range tree.Children {
		for _, flag := range node.Flags {
			if value, ok := strings.CutPrefix(flag, "--mount="); ok && strings.EqualFold(node.Value, "run") {
				mounts[node.StartLine] = append(mounts[node.StartLine], value)
			}
		}
	}
	return mounts
}

func lines(location []parser.Range) [2]int {
	return [2]int{location[0].Start.Line, location[len(location)-1].End.Line}
}

func plain(words ...string) (all []word) {
	for _, text := range words {
		all = append(all, word{Name: text})
	}
	return all
}

func pairs(given instructions.KeyValuePairs) (all []word) {
	for _, pair := range given {
		all = append(all, word{Name: pair.Key, Value: &pair.Value})
	}
	return all
}

func optional(given []instructions.KeyValuePairOptional) (all []word) {
	for _, pair := range given {
		all = append(all, word{Name: pair.Key, Value: pair.Value})
	}
	return all
}

func command(line instructions.ShellDependantCmdLine) []word {
	if line.PrependShell {
		return plain(strings.Join(line.CmdLine, " "))
	}
	return plain(append([]string{"exec"}, line.CmdLine...)...)
}

func describe(given instructions.Command) step {
	found := step{Keyword: strings.ToUpper(given.Name()), Lines: lines(given.Location())}
	flag := func(name, value string) {
		if value != "" {
			found.Flags = append(found.Flags, word{Name: name, Value: &value})
		}
	}
	toggle := func(name string, value bool) {
		if value {
			flag(name, "true")
		}
	}
	transfer := func(from instructions.SourcesAndDest) {
		found.Words = plain(append(from.SourcePaths, from.DestPath)...)
		for _, content := range from.SourceContents {
			found.Files = append(found.Files, file{content.Path, content.Data, content.Expand, false})
		}
	}
	switch c := given.(type) {
	case *instructions.AddCommand:
		transfer(c.SourcesAndDest)
		flag("chown", c.Chown)
		flag("chmod", c.Chmod)
		flag("checksum", c.Checksum)
		toggle("link", c.Link)
		toggle("keep-git-dir", c.KeepGitDir != nil && *c.KeepGitDir)
		toggle("unpack", c.Unpack != nil && *c.Unpack)
		flag("exclude", strings.Join(c.ExcludePatterns, "\n"))
	case *instructions.CopyCommand:
		transfer(c.SourcesAndDest)
		flag("chown", c.Chown)
		flag("chmod", c.Chmod)
		flag("from", c.From)
		toggle("link", c.Link)
		toggle("parents", c.Parents)
		flag("exclude", strings.Join(c.ExcludePatterns, "\n"))
	case *instructions.ArgCommand:
		found.Words = optional(c.Args)
	case *instructions.CmdCommand:
		found.Words = command(c.ShellDependantCmdLine)
	case *instructions.EntrypointCommand:
		found.Words = command(c.ShellDependantCmdLine)
	case *instructions.EnvCommand:
		found.Words = pairs(c.Env)
	case *instructions.LabelCommand:
		found.Words = pairs(c.Labels)
	case *instructions.ExposeCommand:
		found.Words = plain(c.Ports...)
	case *instructions.HealthCheckCommand:
		found.Words = plain(c.Health.Test...)
		for _, duration := range []struct {
			name  string
			value time.Duration
		}{
			{"interval", c.Health.Interval},
			{"timeout", c.Health.Timeout},
			{"start-period", c.Health.StartPeriod},
			{"start-interval", c.Health.StartInterval},
		} {
			if duration.value != 0 {
				flag(duration.name, strconv.FormatInt(duration.value.Nanoseconds(), 10))
			}
		}
		if c.Health.Retries != 0 {
			flag("retries", strconv.Itoa(c.Health.Retries))
		}
	case *instructions.MaintainerCommand:
		found.Words = plain(c.Maintainer)
	case *instructions.OnbuildCommand:
		found.Words = plain(c.Expression)
	case *instructions.RunCommand:
		found.Words = command(c.ShellDependantCmdLine)
		for _, content := range c.Files {
			found.Files = append(found.Files, file{content.Name, content.Data, false, content.Chomp})
		}
	case *instructions.ShellCommand:
		found.Words = plain(c.Shell...)
	case *instructions.StopSignalCommand:
		found.Words = plain(c.Signal)
	case *instructions.UserCommand:
		found.Words = plain(c.User)
	case *instructions.VolumeCommand:
		found.Words = plain(c.Volumes...)
	case *instructions.WorkdirCommand:
		found.Words = plain(c.Path)
	}
	return found
}
