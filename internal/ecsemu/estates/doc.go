// Package estates reads, writes and makes estates: what the accounts of an emulated cloud hold.
//
// [Load] reads an estate file, strictly, and reports every mistake at its place. [Export] writes one that Load reads back
// to the same values. [Generate] makes an estate of any size from a seed. [Schema] describes the files to editors.
//
// What a file may say stands in one table, format.go: the reader, the writer, the JSON Schema and the reference in
// docs/estates.md all go by it.
package estates
