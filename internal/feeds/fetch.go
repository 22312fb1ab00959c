package feeds

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// fetch asks for what the URL of a copy holds now, twice if the first try fails in a way that may pass. known is the copy
// that is there, or has no more than the URL. What comes is a copy that passes check.
func (f *Fetcher) fetch(ctx context.Context, known *Copy, check func([]byte) error) (Copy, error) {
	if err := checkScheme(known.URL); err != nil {
		return Copy{}, err
	}
	fresh, err := f.try(ctx, known)
	if _, passing := errors.AsType[*passingError](err); passing {
		if waitErr := f.Wait(ctx, pause); waitErr != nil {
			return Copy{}, err
		}
		fresh, err = f.try(ctx, known)
	}
	if err != nil {
		return Copy{}, err
	}
	if err := check(fresh.Data); err != nil {
		return Copy{}, fmt.Errorf("what it holds now cannot be used: %w", err)
	}
	return fresh, nil
}

// passingError may be over when the request is made again.
type passingError struct{ text string }

func (e *passingError) Error() string { return e.text }

// try makes one request.
func (f *Fetcher) try(ctx context.Context, known *Copy) (c Copy, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, known.URL, http.NoBody)
	if err != nil {
		return Copy{}, errors.New("it is no URL that can be asked")
	}
	if f.UserAgent != "" {
		request.Header.Set("User-Agent", f.UserAgent)
	}
	if known.Data != nil {
		setUnlessEmpty(request.Header, "If-None-Match", known.ETag)
		setUnlessEmpty(request.Header, "If-Modified-Since", known.LastModified)
	}
	response, err := f.client.Do(request)
	if err != nil {
		return Copy{}, f.explain(err)
	}
	defer func() { _ = response.Body.Close() }() // it was only read from
	now := f.Now()
	switch code := response.StatusCode; {
	case code == http.StatusNotModified && known.Data != nil:
		same := *known
		same.Checked = now
		return same, nil
	case code == http.StatusOK:
		return f.read(response, known.URL, now)
	case code >= http.StatusInternalServerError || code == http.StatusTooManyRequests:
		return Copy{}, &passingError{statusText(code)}
	default:
		return Copy{}, errors.New(statusText(code))
	}
}

// read takes the answer as it is, whole or not at all.
func (f *Fetcher) read(response *http.Response, url string, now time.Time) (Copy, error) {
	if encoding := response.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return Copy{}, errors.New("the server answered in a compressed form, which was not asked for")
	}
	tooLong := fmt.Errorf("the answer has more than %d bytes", MaxBytes)
	if response.ContentLength > MaxBytes {
		return Copy{}, tooLong
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, MaxBytes+1))
	switch {
	case err != nil:
		return Copy{}, f.explain(err)
	case len(data) > MaxBytes:
		return Copy{}, tooLong
	}
	return Copy{
		URL: url, Data: data, Fetched: now, Checked: now,
		ETag: short(response.Header.Get("ETag")), LastModified: short(response.Header.Get("Last-Modified")),
	}, nil
}

// short drops a header that is longer than any that means something.
func short(header string) string {
	const most = 1024
	if len(header) > most {
		return ""
	}
	return header
}

func setUnlessEmpty(h http.Header, key, value string) {
	if value != "" {
		h.Set(key, value)
	}
}

// statusText does not repeat the server's own words.
func statusText(code int) string {
	if text := http.StatusText(code); text != "" {
		return fmt.Sprintf("the server answered %d %s", code, text)
	}
	return fmt.Sprintf("the server answered %d", code)
}
