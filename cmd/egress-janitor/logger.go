package main

import (
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// logger makes the log of what serves: one JSON object a line on standard error.
func (s system) logger() *zap.Logger {
	encoding := zap.NewProductionEncoderConfig()
	encoding.EncodeTime = zapcore.RFC3339TimeEncoder
	return zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(encoding), zapcore.Lock(zapcore.AddSync(s.err)), zapcore.InfoLevel))
}
