package sg

// Glob is a pattern for names, IDs and tag values: `*` stands for any run of characters, also none, `?` for exactly
// one. It is matched against the whole text and is case-sensitive. There is no way to escape the two.
type Glob string

// Match tells whether the pattern fits the whole text. It takes time in proportion to both lengths at worst.
func (g Glob) Match(text string) bool {
	pattern, name := []rune(string(g)), []rune(text)
	p, n, star, mark := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p++
			n++
		case star >= 0: // let the last star take one more
			mark++
			p, n = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
