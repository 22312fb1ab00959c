package policy

import (
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// CodeDoc documents one code that a message about policy files can end with.
type CodeDoc struct {
	Code    string
	Meaning string // a sentence
	Advice  string // what to do
	// Beyond says why a JSON Schema cannot see every mistake of the code; empty if it can.
	Beyond string
	// Warning: a file with it loads all the same.
	Warning bool
}

// Codes documents every code, sorted.
func Codes() []CodeDoc {
	docs := slices.Concat(codesOfFiles(), codesOfForm(), codesOfValues(), codesOfNames(), codesOfSets(), codesOfMeaning())
	slices.SortFunc(docs, func(a, b CodeDoc) int { return strings.Compare(a.Code, b.Code) })
	return docs
}

// What a schema cannot see.
const (
	beyondText      = "a schema sees the values, not the text that they were written in"
	beyondFiles     = "a schema sees one file"
	beyondReference = "a schema cannot compare values of different places"
	beyondNumbers   = "a schema cannot do arithmetic"
	beyondType      = "to a schema 1.0 and 1 are the same"
	beyondGrammar   = "a schema does not read expressions"
)

func codesOfFiles() []CodeDoc {
	return []CodeDoc{
		{
			Code: CodeFile, Meaning: "A file or directory cannot be read, or is none of policies.", Beyond: beyondFiles,
			Advice: "Check the path, which for a set is relative to the policy file, and who may read it.",
		},
		{
			Code: CodeNoPolicy, Meaning: "There is no policy in all that was loaded.", Beyond: beyondFiles,
			Advice: "Load the files with the policies together with those of the exceptions.",
		},
		{
			Code:    strictyaml.CodeTooLarge,
			Meaning: "The file is larger than what is read: 1 MiB, or 32 MiB for a set.", Beyond: beyondText,
			Advice: "Split it; put long lists of addresses into a set with a `file`.",
		},
		{
			Code:    strictyaml.CodeTorn,
			Meaning: "The last line does not end: the file may have been cut while it was written.",
			Beyond:  beyondText, Advice: "Complete the file, and end it with a newline.",
		},
		{
			Code: strictyaml.CodeSyntax, Meaning: "The file is no YAML.", Beyond: beyondText,
			Advice: "Look at the line, and at the one before it: mostly the indentation or a quote.",
		},
		{
			Code: strictyaml.CodeDocuments, Meaning: "The file has a second document.", Beyond: beyondText,
			Advice: "Put it into a file of its own.",
		},
		{
			Code: strictyaml.CodeAnchor, Meaning: "There is an anchor (`&`) or an alias (`*`).", Beyond: beyondText,
			Advice: "Write the value out where it is used; quote a pattern that begins with `*`.",
		},
		{
			Code:    strictyaml.CodeTag,
			Meaning: "There is an explicit tag (`!`).", Beyond: beyondText, Advice: "Write the plain value.",
		},
		{
			Code: strictyaml.CodeTooDeep, Meaning: "The file is nested deeper than 64 levels.", Beyond: beyondNumbers,
			Advice: "Write the policy flatter, or as several.",
		},
		{
			Code: CodeVersion, Meaning: "The file is of a version of the language that this program does not read.",
			Beyond: beyondType,
			Advice: "Write `version: 1`, or use a program of that version.",
		},
	}
}

func codesOfForm() []CodeDoc {
	return []CodeDoc{
		{
			Code: strictyaml.CodeUnknownKey, Meaning: "No such key is known there.",
			Advice: "Mind the suggestion; the message lists the keys that are known.",
		},
		{
			Code: strictyaml.CodeDuplicateKey, Meaning: "A key stands in a mapping twice.", Beyond: beyondText,
			Advice: "Remove one; put both conditions into a list if both are meant.",
		},
		{
			Code: strictyaml.CodeMissingKey, Meaning: "A key that must be there is not.",
			Advice: "Add it. The reference says what it is for.",
		},
		{
			Code: strictyaml.CodeNull, Meaning: "A key has no value.", Advice: "Give it one, or leave the key out.",
		},
		{
			Code: strictyaml.CodeEmpty, Meaning: "A text, list or mapping is empty, which never says what is meant.",
			Advice: "Fill it, or leave the key out.", Beyond: "a schema does not look into the files of sets",
		},
		{
			Code: strictyaml.CodeType, Meaning: "A value has another form than the key takes.",
			Advice: "Write the form that the message asks for. A list is a list also for one element; a text that looks like a " +
				"number is quoted.",
			Beyond: beyondType,
		},
		{
			Code: strictyaml.CodeNotYet, Meaning: "The key or value is planned, and this version does not act on it.",
			Advice: "Remove it, so that nobody relies on it.",
		},
	}
}

func codesOfValues() []CodeDoc {
	return []CodeDoc{
		{
			Code:    CodeAddress,
			Meaning: "A text is no address block, address or range, or has host bits or IPv4 written as IPv6.",
			Advice:  "Write the form that the message names.", Beyond: beyondNumbers,
		},
		{
			Code:    CodePort,
			Meaning: "A text is no port or range of ports.", Advice: "Write `443` or `8000-9000`, from 1 to 65535.",
			Beyond: beyondNumbers,
		},
		{
			Code: CodePriority, Meaning: "A text is no priority or range of priorities.", Advice: "Write `1` or `1-50`.",
			Beyond: beyondNumbers,
		},
		{
			Code: CodeProtocol, Meaning: "A text is no protocol.", Advice: "Write a name or an IANA number from 0 to 255.",
			Beyond: beyondGrammar,
		},
		{
			Code:    CodeDuration,
			Meaning: "A text is no duration, or is zero where that makes no sense.", Beyond: beyondNumbers,
			Advice: "Write days, hours, minutes or seconds with their unit: `90d`, `36h`, `1d12h`.",
		},
		{
			Code: CodeExpiry, Meaning: "A text is neither a date nor a time.", Beyond: beyondNumbers,
			Advice: "Write `2027-01-31`, or `2027-01-31T18:00:00+08:00`. There is no `never`.",
		},
		{
			Code: CodeBaseline, Meaning: "The baseline is neither a date nor a time.", Beyond: beyondNumbers,
			Advice: "Write `2027-01-31`, or `2027-01-31T18:00:00+08:00`.",
		},
		{
			Code:    CodeTimezone,
			Meaning: "The time zone is none of the IANA database.", Beyond: "a schema does not know the zones",
			Advice: "Write a name such as `Asia/Shanghai` or `UTC`.",
		},
		{
			Code:    CodeExpression,
			Meaning: "An expression cannot be compiled, or has not the one capture group.", Beyond: beyondGrammar,
			Advice: "Correct it where the message points. Expressions of text are RE2, those of `expression` are CEL.",
		},
	}
}

func codesOfNames() []CodeDoc {
	return []CodeDoc{
		{
			Code: CodeName, Meaning: "A name has characters that names must not have, or `*` stands beside other names.",
			Advice: "Use lower-case letters, digits and hyphens.",
		},
		{
			Code: CodeDuplicate, Meaning: "Two policies, or two exceptions, have the same name.", Beyond: beyondReference,
			Advice: "Rename one. Names are unique over all files, since reports and exceptions go by them.",
		},
		{
			Code:    CodeUnknownName,
			Meaning: "An exception names a policy that is in no loaded file.", Beyond: beyondReference,
			Advice: "Mind the suggestion; load the file with the policy as well.",
		},
	}
}

func codesOfSets() []CodeDoc {
	return []CodeDoc{
		{
			Code:    CodeSet,
			Meaning: "A set is not there, is defined in two ways, or its file is full of mistakes.", Beyond: beyondReference,
			Advice: "Sets belong to their file: define it there, with one of `cidrs`, `file` and `url`.",
		},
		{
			Code: CodeUnusedSet, Meaning: "Nothing in the file uses the set.", Beyond: beyondReference,
			Advice: "Use it as `$name`, or remove it: mostly its name is misspelt somewhere.",
		},
		{
			Code: CodeURL, Meaning: "The URL of a set is none from which sets are fetched.",
			Advice: "Use `https`, a host, no user and no fragment.", Beyond: "a schema does not take URLs apart",
		},
		{
			Code: CodeSHA256, Meaning: "The contents of a set are not those that `sha256` asks for.", Beyond: beyondFiles,
			Advice: "Look at what has changed; then write the new hash, or restore the file.",
		},
		{
			Code: CodeUnreadSet, Warning: true,
			Meaning: "There is no good copy of what a URL holds.", Beyond: beyondFiles,
			Advice: "Policies that use the set hold what they find until there is one: see why it cannot be fetched.",
		},
		{
			Code: CodeWide, Meaning: "An element of a set is so wide that it is mostly a slip.", Beyond: beyondNumbers,
			Advice: "Correct it, or write `allow-wide: true` in the set.",
		},
	}
}

func codesOfMeaning() []CodeDoc {
	return []CodeDoc{
		{
			Code: CodePlace, Meaning: "The key is known, but not in this place.", Beyond: "a schema does not see quotes",
			Advice: "Move it to where the message says.",
		},
		{
			Code:    CodeBareList,
			Meaning: "A list stands in an exception without a relation, so it would exempt wider rules too.",
			Advice:  "Write `{within: [...]}`; `{overlaps: [...]}` if wider rules are meant as well.",
		},
		{
			Code:    CodeNoRuleClause,
			Meaning: "A `match`, or a branch of it in a policy that revokes, says nothing about the rule.",
			Advice:  "Say which rules are meant; if it is every rule, write `every-rule: true`.", Beyond: beyondReference,
		},
		{
			Code: CodeOneFamily, Warning: true,
			Meaning: "An allow-list has addresses of one family, so it says nothing about the other.",
			Advice:  "Add addresses of the other family, or a policy of its own for it.", Beyond: beyondNumbers,
		},
	}
}
