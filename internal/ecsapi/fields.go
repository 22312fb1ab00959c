package ecsapi

// wrapped reads a list as the cloud packs it: an object with the list under one key. Both must be there, lest an answer
// that left the list out passes for an empty one. What is given twice counts the last time, so restart is called
// whenever there is a new beginning.
func (s *scanner) wrapped(key string, restart func(), each func(s *scanner) error) error {
	there, err := s.maybeWrapped(key, restart, each)
	if err == nil && !there {
		err = s.fail(errNoList)
	}
	return err
}

// maybeWrapped is wrapped for a list that may be left out. It says whether the list is there.
func (s *scanner) maybeWrapped(key string, restart func(), each func(s *scanner) error) (there bool, err error) {
	restart()
	err = s.object(func(s *scanner, k string) error {
		if k != key {
			return s.skip()
		}
		restart()
		there = true
		return s.list(each)
	})
	return there, err
}

// field is a key of an object and where the text of its value goes.
type field struct {
	key  string
	into *string
}

// fields reads the value of a key into its field, or skips it if there is none.
func (s *scanner) fields(key string, known ...field) error {
	for _, f := range known {
		if f.key == key {
			return s.scalar(f.into)
		}
	}
	return s.skip()
}

// scalar reads a string, number, bool or null as a text: null is the empty one. The cloud writes numbers where its
// documents say string, and the other way round.
func (s *scanner) scalar(into *string) (err error) {
	switch c := s.next(); {
	case c == '"':
		*into, err = s.str()
	case c == 't':
		*into, err = "true", s.literal("true")
	case c == 'f':
		*into, err = "false", s.literal("false")
	case c == 'n':
		*into, err = "", s.literal("null")
	case c == '-' || c >= '0' && c <= '9':
		*into, err = s.number()
	case c == '{' || c == '[':
		err = s.fail(errShape)
	default:
		err = s.fail(errSyntax)
	}
	return err
}

// first reads a scalar into a field that several keys share: the first that is not empty stays.
func (s *scanner) first(into *string) error {
	var text string
	if err := s.scalar(&text); err != nil {
		return err
	}
	if *into == "" {
		*into = text
	}
	return nil
}
