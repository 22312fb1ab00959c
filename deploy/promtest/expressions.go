package promtest

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
)

// Expression is one PromQL expression of a dashboard.
type Expression struct {
	File  string
	Panel string // its title
	Query string // as it is written, with variables of Grafana
}

// panel is what a panel of a dashboard says about its queries. Rows that are folded hold panels of their own.
type panel struct {
	Title   string
	Panels  []panel
	Targets []struct{ Expr string }
}

// Expressions gives all expressions of the dashboards (*.json) in a directory, in the order of files and panels.
func Expressions(dashboards fs.FS) ([]Expression, error) {
	files, err := fs.Glob(dashboards, "*.json")
	if err != nil {
		return nil, err
	}
	var all []Expression
	for _, file := range files {
		data, err := fs.ReadFile(dashboards, file)
		if err != nil {
			return nil, fmt.Errorf("reading a dashboard: %w", err)
		}
		var board panel
		if err := json.Unmarshal(data, &board); err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		all = append(all, board.expressions(file)...)
	}
	return all, nil
}

func (p *panel) expressions(file string) []Expression {
	var all []Expression
	for _, target := range p.Targets {
		all = append(all, Expression{File: file, Panel: p.Title, Query: target.Expr})
	}
	for i := range p.Panels {
		all = append(all, p.Panels[i].expressions(file)...)
	}
	return all
}

// Substitute puts in values where a query has variables of Grafana: all jobs, accounts and policies, an hour for the
// range, and intervals that fit a server that scrapes every second.
func Substitute(query string) string {
	return strings.NewReplacer(
		"$__rate_interval", "15s",
		"$__interval", "10s",
		"$__range", "1h",
		"$job", ".+",
		"$account", ".*",
		"$policy", ".*",
	).Replace(query)
}
