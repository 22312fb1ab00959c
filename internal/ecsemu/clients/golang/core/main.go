// Command core drives the Go SDK of today's generation, by the core that all its generated clients are made of.
//
// It signs with ACS3. Mode "rpc" is how clients that were generated earlier speak: the older signature, system parameters
// in the query and the others in the body.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/clients/golang/drive"
)

func main() { drive.Run(call) }

func call(r *drive.Request) drive.Answer {
	config, err := configure(r)
	if err != nil {
		return failure(err)
	}
	client, err := openapi.NewClient(config)
	if err != nil {
		return failure(err)
	}
	client.DisableSDKError = new(true) // As generated clients do: errors of the core's own types.
	request := &utils.OpenApiRequest{Query: utils.Query(r.Parameters)}
	if r.Mode == "rpc" {
		request = &utils.OpenApiRequest{Body: r.Parameters}
	}
	answer, err := client.CallApi(&utils.Params{
		Action: &r.Action, Version: new(r.Version()), Protocol: &r.Scheme, Pathname: new("/"),
		Method: new("POST"), AuthType: new("AK"), Style: new("RPC"),
		ReqBodyType: new("formData"), BodyType: new("json"),
	}, request, &dara.RuntimeOptions{Ca: config.Ca})
	if err != nil {
		return failure(err)
	}
	return drive.Answer{OK: true, Status: status(answer["statusCode"]), Data: answer["body"]}
}

// configure is all that is needed to point this SDK at the emulator: endpoint, protocol and ca.
func configure(r *drive.Request) (*utils.Config, error) {
	config := &utils.Config{
		AccessKeyId: &r.Key, AccessKeySecret: &r.Secret, Endpoint: &r.Endpoint, Protocol: &r.Scheme,
	}
	if r.Token != "" {
		config.SecurityToken = &r.Token
	}
	if r.Mode == "rpc" {
		config.SignatureAlgorithm = new("v2")
	}
	if r.Scheme == "https" {
		ca, err := os.ReadFile(r.CA)
		if err != nil {
			return nil, err
		}
		config.Ca = new(string(ca))
	}
	return config, nil
}

func status(code any) int {
	var number json.Number
	text, _ := json.Marshal(code)
	_ = json.Unmarshal(text, &number) // Whatever integer the SDK makes of it.
	value, _ := number.Int64()
	return int(value)
}

// failure reads the errors of the SDK. Those of throttling have a type of their own, which says how long to wait.
func failure(err error) drive.Answer {
	answer := drive.Answer{Message: err.Error(), Type: fmt.Sprintf("%T", err)}
	if coded, ok := errors.AsType[interface {
		error
		GetCode() *string
		GetRequestId() *string
	}](err); ok {
		answer.Code, answer.RequestID = dara.StringValue(coded.GetCode()), dara.StringValue(coded.GetRequestId())
	}
	if told, ok := errors.AsType[interface {
		error
		GetStatusCode() *int
	}](err); ok {
		answer.Status = dara.IntValue(told.GetStatusCode())
	}
	if throttled, ok := errors.AsType[*openapi.ThrottlingError](err); ok {
		answer.Wait = dara.Int64Value(throttled.RetryAfter)
	}
	return answer
}
