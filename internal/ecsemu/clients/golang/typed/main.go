// Command typed drives the older Go SDK, with a type for every request and response. It signs with the older signature
// and sends all parameters in the query. It reads JSON and XML.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/clients/golang/drive"
)

func main() { drive.Run(call) }

func call(r *drive.Request) drive.Answer {
	request, response, err := build(r)
	if err != nil {
		return drive.Answer{Message: err.Error(), Type: "driver"}
	}
	client, err := connect(r)
	if err != nil {
		return drive.Answer{Message: err.Error(), Type: "driver"}
	}
	defer client.Shutdown()
	if err := client.DoAction(request, response); err != nil {
		return failure(err, response.GetHttpContentString())
	}
	answer := drive.Answer{OK: true, Status: response.GetHttpStatus(), Raw: response.GetHttpContentString()}
	// The types are older than some fields. That they take the answer is known by now, so that all of it is shown.
	if r.Format != "XML" {
		if err := json.Unmarshal([]byte(answer.Raw), &answer.Data); err != nil {
			return drive.Answer{Message: err.Error(), Type: "driver"}
		}
	}
	return answer
}

// connect is all that is needed to point this SDK at the emulator: the scheme, what to trust, and Domain.
func connect(r *drive.Request) (*sdk.Client, error) {
	config := sdk.NewConfig().WithScheme(r.Scheme).WithAutoRetry(false)
	config.HttpTransport = &http.Transport{DisableKeepAlives: true}
	if r.Scheme == "https" {
		ca, err := os.ReadFile(r.CA)
		if err != nil {
			return nil, err
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(ca)
		config.HttpTransport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	var credential auth.Credential = credentials.NewAccessKeyCredential(r.Key, r.Secret)
	if r.Token != "" {
		credential = credentials.NewStsTokenCredential(r.Key, r.Secret, r.Token)
	}
	client, err := sdk.NewClientWithOptions("cn-hangzhou", config, credential)
	if err != nil {
		return nil, err
	}
	client.Domain = r.Endpoint
	return client, nil
}

func failure(err error, raw string) drive.Answer {
	answer := drive.Answer{Message: err.Error(), Type: fmt.Sprintf("%T", err), Raw: raw}
	if refused, ok := errors.AsType[*sdkerrors.ServerError](err); ok {
		answer.Status, answer.Code, answer.Message = refused.HttpStatus(), refused.ErrorCode(), refused.Message()
		answer.RequestID, answer.Hint = refused.RequestId(), refused.Recommend()
	}
	return answer
}
