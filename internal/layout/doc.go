// Package layout holds the shape of the repository against its own description.
//
// It has no code, only tests: that the layers in docs/architecture.md, the depguard lists in .golangci.yml and the
// imports of the code are one and the same, that every dependency is explained, and that no test skips itself. They
// read files and start no program, so that the test cache sees a change of any of them.
package layout
