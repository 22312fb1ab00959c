package daemon

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"go.uber.org/zap"
)

// panicError is a panic of a sweep or settling. What it panicked with is not kept, because that may be anything, a
// signed address for example; only errors of the Go runtime are known to hold no data of ours.
type panicError struct {
	what  string
	stack []byte // function names and addresses, no contents
}

func (e *panicError) Error() string { return "panic: " + e.what }

// protect calls work and turns a panic into an error: work on one account must not end the work on all others.
func protect(ctx context.Context, work func(context.Context) error) (err error) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case runtime.Error:
			err = &panicError{what: v.Error(), stack: debug.Stack()}
		default:
			err = &panicError{what: fmt.Sprintf("a value of type %T", v), stack: debug.Stack()}
		}
	}()
	return work(ctx)
}

// failure gives the log fields of an error.
func failure(err error) []zap.Field {
	fields := []zap.Field{zap.Error(err)}
	if p, ok := errors.AsType[*panicError](err); ok {
		fields = append(fields, zap.ByteString("stack", p.stack))
	}
	return fields
}
